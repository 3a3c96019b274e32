// What only a real process shows: exit codes, a reader that goes away, completion as shells ask for it, Ctrl-C.
// No server runs here; nothing listens on the port that is asked.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";

const CLI = fromFileUrl(new URL("./cli.ts", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function allocdb(...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", "--quiet", CLI, ...args],
    stdin: "null",
    env: { ALLOCDB_SERVER: "", NO_COLOR: "" },
  });
}

async function run(...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await allocdb(...args).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Candidates that a shell is offered for the words so far. */
async function complete(...words: string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await run("complete", "--", ...words);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assertMatch(lines.pop()!, /^:\d+$/);
  return lines.map((line) => line.split("\t")[0]!);
}

/** A port that nobody listens on. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("the process exits with the code of its error and keeps data and talk apart", async () => {
  const version = await run("--version");
  assertEquals([version.code, version.stderr], [0, ""]);
  assertMatch(version.stdout, /^allocdb \S+ \(source, deno \S+\)\n$/);
  const typo = await run("statsu");
  assertEquals([typo.code, typo.stdout], [2, ""]);
  assertEquals(
    typo.stderr,
    "error[E_USAGE]: unknown command 'statsu'\n  hint: did you mean status?\n",
  );
});

Deno.test("the process exits with 4 and a hint when nothing listens", async () => {
  const server = `127.0.0.1:${freePort()}`;
  const { code, stdout, stderr } = await run("get", "1", "--server", server, "--timeout", "1s");
  assertEquals([code, stdout], [4, ""]);
  assertMatch(stderr, /^error\[E_UNREACHABLE\]: .*\n {2}hint: .*allocdb serve.*\n$/);
});

Deno.test("a reader that goes away ends the process with exit 0 and without a word", async () => {
  // More than a pipe holds, so that writing goes on after the reader has left.
  const whole = await run("help", "--json");
  assert(whole.stdout.length > 65_536, "the output fits into a pipe and proves nothing");
  const process = new Deno.Command("sh", {
    args: [
      "-c",
      '{ "$0" "$@"; echo "exit $?" >&2; } | head -c 1 >/dev/null',
      Deno.execPath(),
      "run",
      ...["--allow-all", "--no-check", "--quiet", CLI, "help", "--json"],
    ],
    stdin: "null",
  });
  const { stderr } = await process.output();
  assertEquals(new TextDecoder().decode(stderr), "exit 0\n");
});

Deno.test("status --watch of a node that is away says so, and ends quietly on Ctrl-C", async () => {
  const server = `127.0.0.1:${freePort()}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", "--quiet", CLI, "status", "--watch"],
    env: { ALLOCDB_SERVER: server },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  assertMatch(first, /state=unreachable/);
  child.kill("SIGINT");
  assertEquals((await child.status).code, 0);
  await reader.cancel();
  await child.stderr.cancel();
});

Deno.test("completion offers commands, flags, choices, error codes and topics", async () => {
  assertEquals(await complete("re"), ["reserve", "release", "revoke", "reclaim", "replica"]);
  assertEquals(await complete("reserve", "--o"), ["--operation-id", "--output"]);
  assertEquals(await complete("get", "--output", ""), ["table", "json", "ndjson", "kv"]);
  assertEquals(await complete("--server", "a:1", "serve", "--profile", "s"), ["small"]);
  assertEquals(await complete("completion", "p"), ["powershell"]);
  assertEquals(await complete("replica", "i"), ["inspect", "import"]);
  assertEquals(await complete("replica", "status", "--require", "p"), ["primary"]);
  assertEquals(await complete("help", "E_RESOURCE_B"), ["E_RESOURCE_BUSY"]);
  assertEquals(await complete("help", "exit"), ["exit-codes"]);
  assertEquals((await complete("")).includes("complete"), false);
});

Deno.test("completion prints a script for every shell, and bash accepts its own", async () => {
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    const { code, stdout } = await run("completion", shell);
    assertEquals(code, 0);
    assertMatch(stdout, /allocdb complete /);
    if (shell !== "bash") continue;
    const bash = new Deno.Command("bash", { args: ["-n"], stdin: "piped", stderr: "piped" })
      .spawn();
    const writer = bash.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdout));
    await writer.close();
    const { success, stderr } = await bash.output();
    assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
  }
});
