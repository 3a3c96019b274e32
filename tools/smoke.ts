// Tries the compiled executable (or the one given as argument) where a user would: alone in an
// empty directory, with no environment. Prints one line per check and fails if any of them did.
import { fromFileUrl } from "@std/path";
import denoJson from "../deno.json" with { type: "json" };

const BINARY = Deno.args[0] ?? fromFileUrl(new URL("../dist/allocdb", import.meta.url));
const RUN_MS_MAX = 60_000;

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Check {
  readonly name: string;
  readonly args: readonly string[];
  /** What is wrong with the run, or undefined. */
  readonly fault: (run: Run) => string | undefined;
}

/** Fails unless the program ended with `code` and wrote `text`: to stdout on success, else to stderr. */
function expects(code: number, text: string): Check["fault"] {
  return (run) => {
    if (run.code !== code) return `exit code ${run.code} instead of ${code}: ${run.stderr}`;
    const [said, silent] = code === 0 ? [run.stdout, run.stderr] : [run.stderr, run.stdout];
    if (!said.includes(text)) return `no "${text}" in: ${said}`;
    return silent === "" ? undefined : `unexpected output: ${silent}`;
  };
}

/** Fails unless the program ended with 0 and wrote `text` to stdout, whatever it said beside. */
function tells(text: string): Check["fault"] {
  return ({ code, stdout, stderr }) =>
    code === 0 && stdout.includes(text) ? undefined : `exit code ${code}: ${stdout}${stderr}`;
}

const CHECKS: readonly Check[] = [
  { name: "prints its version", args: ["--version"], fault: expects(0, denoJson.version) },
  { name: "prints help", args: ["--help"], fault: expects(0, "Usage: allocdb") },
  { name: "refuses an unknown flag", args: ["--no-such-flag"], fault: expects(2, "hint") },
  { name: "refuses an unknown command", args: ["no-such-command"], fault: expects(2, "hint") },
  {
    name: "sells tickets through a kill -9 and proves it",
    args: ["demo", "--fast"],
    fault: expects(0, "no seat was sold twice"),
  },
  {
    name: "counts the reference scenario",
    args: ["bench", "--scenario", "one-resource-many-contenders", "--hotspot-rounds", "16"],
    fault: expects(0, "as the rules demand"),
  },
  {
    name: "simulates clusters",
    args: ["sim", "--seeds", "3"],
    fault: expects(0, "lives=3\nfailed=0\n"),
  },
  {
    name: "lets several processes simulate",
    args: ["sim", "--profile", "ci", "--seeds", "4", "--jobs", "2"],
    fault: expects(0, "lives=4\nfailed=0\n"),
  },
  { name: "lists the release matrix", args: ["jepsen", "plan"], fault: tells("run_id=") },
  {
    name: "kills replicas of a real cluster and judges what clients saw",
    args: [
      ...["jepsen", "run", "--workload", "ambiguous_write_retry", "--nemesis", "crash_restart"],
      ...["--window", "5s", "--seed", "1"],
    ],
    fault: tells("verdict=valid"),
  },
  {
    name: "knows a history from none",
    args: ["jepsen", "analyze", "no-such-file"],
    fault: unreadable,
  },
];

/** A file that is not there has its line on stdout, and the error on stderr. */
function unreadable({ code, stdout }: Run): string | undefined {
  return code === 65 && stdout.includes("unreadable") ? undefined : `exit code ${code}: ${stdout}`;
}

/** Runs the copy in `directory` to its end, or stops it after {@linkcode RUN_MS_MAX}. */
async function run(directory: string, args: readonly string[]): Promise<Run> {
  const command = new Deno.Command(`${directory}/allocdb`, {
    args: [...args],
    cwd: directory,
    clearEnv: true,
    stdin: "null",
    signal: AbortSignal.timeout(RUN_MS_MAX),
  });
  const { code, stdout, stderr } = await command.output();
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Runs one check and prints its line. Returns whether it passed. */
async function passes(directory: string, { name, args, fault }: Check): Promise<boolean> {
  const start = performance.now();
  const found = fault(await run(directory, args));
  const ms = Math.round(performance.now() - start);
  console.log(found === undefined ? `ok     ${name} (${ms} ms)` : `FAILED ${name}: ${found}`);
  return found === undefined;
}

/** Copies the executable away from everything it was built from and runs every check on it. */
async function smoke(): Promise<number> {
  const directory = await Deno.makeTempDir({ prefix: "allocdb-smoke." });
  try {
    await Deno.copyFile(BINARY, `${directory}/allocdb`);
    let failed = 0;
    for (const check of CHECKS) if (!await passes(directory, check)) failed++;
    return failed === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error(`error: ${BINARY} does not exist\nhint: ./tools/deno task compile`);
    return 1;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await smoke());
