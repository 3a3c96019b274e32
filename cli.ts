// The program `allocdb`: reads the arguments and picks the exit code, here and nowhere else.
import denoJson from "./deno.json" with { type: "json" };

const HELP = `Usage: allocdb --version | --help

Options:
  -V, --version  Print the version, the commit it was built from and the runtime
  -h, --help     Print this text
`;

/** One line: version, commit (only in a compiled binary), runtime. */
function version(): string {
  const commit = Deno.env.get("ALLOCDB_BUILD_COMMIT") ?? "source";
  return `allocdb ${denoJson.version} (${commit}, deno ${Deno.version.deno})`;
}

/** Runs one command line. Returns the exit code: 0 done, 2 usage. */
function main(args: readonly string[]): number {
  const [first, second] = args;
  if (second === undefined && (first === "--version" || first === "-V")) {
    console.log(version());
    return 0;
  }
  if (second === undefined && (first === "--help" || first === "-h")) {
    console.log(HELP.trimEnd());
    return 0;
  }
  console.error(`error: Unknown arguments: ${args.join(" ") || "(none)"}`);
  console.error("hint: allocdb --help");
  return 2;
}

if (import.meta.main) Deno.exit(main(Deno.args));
