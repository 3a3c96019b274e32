// The command line as a whole: what is not one is refused by name with exit code 2 and does nothing, what is in
// the help works, and errors have one form for people and one for programs.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { main } from "../../cli.ts";
import { AssertionFailure } from "../../core/assert.ts";
import { type Surroundings, type TestIo, testIo } from "../../tests/support/cli_io.ts";
import { ERRORS, EXIT_CODES } from "../error_catalogue.ts";
import { CliError } from "../errors.ts";
import { EXAMPLES } from "./examples.ts";
import type { Runners } from "./program.ts";
import { TOPICS } from "./topics.ts";

interface Ran extends TestIo {
  readonly code: number;
  /** Options of the long-running commands that ran. */
  readonly ran: readonly unknown[];
}

async function run(
  line: string | readonly string[],
  surroundings: Surroundings = {},
  fails: unknown = undefined,
): Promise<Ran> {
  const ran: unknown[] = [];
  const runner = (options: unknown): Promise<void> => {
    ran.push(options);
    return fails === undefined ? Promise.resolve() : Promise.reject(fails);
  };
  const runners: Runners = {
    runServe: runner,
    runReplica: runner,
    locateReplica: () => Promise.reject(new CliError("E_UNREACHABLE", "nobody is there")),
    runCluster: runner,
    runDemo: runner,
    runSim: runner,
    runJepsen: runner,
    runBench: runner,
  };
  const io = testIo({}, surroundings);
  const argv = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
  const code = await main(argv, io, runners);
  return { ...io, code, ran };
}

Deno.test("main() refuses what is no command line, with the nearest word, and does nothing", async () => {
  for (
    const [line, message, hint] of [
      ["", "no command", "see `allocdb --help`"],
      ["strat", "unknown command 'strat'", ""],
      ["statsu", "unknown command 'statsu'", "did you mean status?"],
      ["get 1 --requierd-lsn 4", "unknown option '--requierd-lsn'", "did you mean --required-lsn?"],
      ["status extra", "too many arguments for 'status'", "see `allocdb status --help`"],
      ["status --wait soon", "argument 'soon' is invalid. Allowed choices are ready", ""],
      ["get 1 -o xml", "Allowed choices are table, json, ndjson, kv", ""],
      ["get 1 --json --json", "--json is given more than once", ""],
      ["get 1 --timeout 1s --timeout 2s", "--timeout is given more than once", ""],
      ["get 1 -o kv --output kv", "--output is given more than once", ""],
      ["--server a:1 get 1 --server b:2", "--server is given more than once", ""],
      ["--ids hex version --ids hex", "--ids is given more than once", ""],
      ["--server a:1 serve --data d", "--server is not a flag of serve", ""],
      ["reserve 1 --holder --ttl 1s", "--holder has no value, as '--ttl' is a flag", ""],
      ["reserve 1 --holder", "option '--holder <id>' argument missing", ""],
      ["get 1 --json -o kv", "--json and --output kv contradict each other", ""],
      ["get 1 --json --ids hex", "ids in JSON are always decimal strings", ""],
      ["serve", "required option '--data <dir>' not specified", ""],
      ["completion", "missing required argument 'shell'", "see `allocdb completion --help`"],
      ["help bananas", "there is no help on 'bananas'", "see `allocdb help topics`"],
      ["help resreve", "there is no help on 'resreve'", "did you mean reserve?"],
      ["replica", "allocdb replica does nothing by itself", "see `allocdb replica --help`"],
      ["replica stauts", "unknown command 'stauts'", "did you mean status?"],
      ["replica run --layout f", "required option '--replica-id <n>' not specified", "replica run"],
      ["--server a:1 replica status", "--server is not a flag of status", ""],
      ["replica status", "give either --addr or --workspace with --replica-id", ""],
      ["replica status --addr a:1 --workspace w", "give either --addr or --workspace", ""],
      ["replica status --workspace w", "give --replica-id, too", ""],
      ["replica status --addr a:1 --replica-id 1", "--replica-id goes with --workspace", ""],
      ["replica status --addr a:1 --require leader", "Allowed choices are active, primary", ""],
      ["help e_resource_busy", "there is no help", "did you mean E_RESOURCE_BUSY?"],
    ] as const
  ) {
    const io = await run(line);
    assertEquals([io.code, io.stdout(), io.connects.length, io.ran.length], [2, "", 0, 0], line);
    const error = printedError(io);
    assertEquals(error.code, "E_USAGE");
    assert(error.message.includes(message) && error.hint.includes(hint), io.stderr());
  }
});

/** The error on standard error, in either form, and nothing else there. */
function printedError(io: TestIo): { code: string; message: string; hint: string } {
  const text = io.stderr();
  if (text.startsWith("{")) return JSON.parse(text).error;
  const [, code, message, hint] = /^error\[(\w+)\]: (.*)\n {2}hint: (.*)\n$/.exec(text) ?? [];
  assert(code !== undefined && message !== undefined && hint !== undefined, text);
  return { code, message, hint };
}

Deno.test("main() takes a shared flag in front of the command as well as behind it", async () => {
  const behind = await run("version --json");
  const front = await run("--json version");
  assertEquals([front.code, front.stdout()], [0, behind.stdout()]);
  assertEquals(JSON.parse(front.stdout()).deno, Deno.version.deno);
});

Deno.test("--version and -V print one line", async () => {
  for (const flag of ["--version", "-V"]) {
    const io = await run(flag);
    assertEquals(io.code, 0);
    assertMatch(io.stdout(), /^allocdb \d+\.\d+\.\d+ \(\S+, deno \d+\.\d+\.\d+\)\n$/);
  }
});

Deno.test("--help groups the commands, and every command's help has examples that parse", async () => {
  const overview = await run("--help");
  assertEquals(overview.code, 0);
  for (const group of ["Data:", "Server:", "Tools:"]) {
    assertMatch(overview.stdout(), new RegExp(`^${group}$`, "m"));
  }
  const tree = JSON.parse((await run("help --json")).stdout());
  const names = pathsIn(tree);
  assertEquals([...names].sort(), Object.keys(EXAMPLES).sort());
  for (const name of names) {
    const byFlag = await run(`${name} --help`);
    const byCommand = await run(`help ${name}`);
    assertEquals([byFlag.code, byFlag.stdout()], [0, byCommand.stdout()]);
    for (const { line } of EXAMPLES[name]!) {
      assert(byFlag.stdout().includes(`  $ ${line}\n`), line);
    }
  }
});

interface CommandNode {
  readonly name: string;
  readonly commands: readonly CommandNode[];
}

/** Every command's words, a group's before those of what is in it. */
function pathsIn({ commands }: CommandNode): string[] {
  return commands.flatMap((command) => [
    command.name,
    ...pathsIn(command).map((path) => `${command.name} ${path}`),
  ]);
}

Deno.test("the commands are those of docs/cli.md, in the same order and groups", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/cli.md", import.meta.url));
  const rows = [...text.matchAll(/^\| `(\w+)` +\| (\w+) +\| (.*?) +\|$/gm)].map((row) =>
    row.slice(1)
  );
  const tree = JSON.parse((await run("help --json")).stdout());
  assertEquals(
    rows,
    tree.commands.map((command: Record<string, string>) => [
      command.name,
      command.group,
      command.summary,
    ]),
  );
});

Deno.test("every example in the help is a command line that gets past the parser", async () => {
  for (const [name, examples] of Object.entries(EXAMPLES)) {
    assert(examples.length > 0, name);
    if (name === "completion") continue; // Prints by itself; tried in tests of the process.
    for (const { line } of examples) {
      const io = await run(line.slice("allocdb ".length));
      // A verb gets as far as the scripted node, which has no answer: that is a bug here, not usage.
      // What is about replicas has no scripted one, and meets that nothing is there.
      // What makes files of secrets and keys finds no directory to put them in.
      const codes = name.startsWith("replica ") || name === "replica" ? [0, 1, 4] : [0, 70];
      const isFine = /^(secret|tls)\b/.test(name)
        ? /E_IO|E_BAD_SECRET|E_BAD_CERTIFICATE/.test(io.stderr())
        : codes.includes(io.code);
      assertEquals(isFine, true, `${line}: ${io.stderr()}`);
    }
  }
});

Deno.test("help explains every topic, error code and exit code", async () => {
  const topics = (await run("help topics")).stdout();
  for (const [name, { text }] of Object.entries(TOPICS)) {
    assert(topics.includes(`  ${name} `), name);
    assertEquals((await run(`help ${name}`)).stdout(), text());
  }
  const codes = (await run("help exit-codes")).stdout();
  for (const [code, says] of Object.entries(EXIT_CODES)) assert(codes.includes(`${code}  ${says}`));
  const list = (await run("help errors")).stdout();
  for (const [code, { meaning, advice, exitCode }] of Object.entries(ERRORS)) {
    assert(list.includes(code), code);
    const page = (await run(`help ${code}`)).stdout();
    for (const part of [meaning, advice, `${exitCode}, `]) assert(page.includes(part), code);
  }
});

Deno.test("no help text carries an escape or runs over its width", async () => {
  const tree = JSON.parse((await run("help --json")).stdout());
  for (const { name } of tree.commands) {
    const { stdout } = await run(`help ${name}`);
    assertEquals(stdout().includes("\x1b"), false);
    const wide = stdout().split("\n").filter((line) => line.length > 80 && !line.startsWith("  $"));
    assertEquals(wide, []);
  }
});

Deno.test("every code carries an error object on standard error under --json", async () => {
  for (const [code, page] of Object.entries(ERRORS)) {
    const error = new CliError(code as keyof typeof ERRORS, "what\u001b happened", {
      context: { lsn: 2n ** 64n - 1n, port: 7102, gone: undefined },
    });
    const io = await run("bench --json", {}, error);
    assertEquals([io.code, io.stdout()], [page.exitCode, ""]);
    assertEquals(JSON.parse(io.stderr()), {
      ok: false,
      error: {
        code,
        exit: page.exitCode,
        message: "what\u001b happened",
        hint: page.advice,
        retry: page.retry,
        context: { lsn: "18446744073709551615", port: 7102, gone: null },
      },
    });
    assertEquals(io.stderr().includes("\u001b"), false);
  }
});

Deno.test("every spelling of JSON output makes errors JSON, and no word after -- does", async () => {
  for (
    const [line, json] of [
      ["get --json", true],
      ["get -o json", true],
      ["get -ojson", true],
      ["get --output=ndjson", true],
      ["--output json get", true],
      ["get -o kv", false],
      ["get 1 2 -- --json", false],
      ["get json json", false],
    ] as const
  ) {
    const io = await run(line);
    assertEquals([io.code, io.stderr().startsWith("{")], [2, json], line);
  }
});

Deno.test("a failed invariant exits with 70 and names the fact", async () => {
  const io = await run("bench", {}, new AssertionFailure("resource/exclusive"));
  assertEquals(io.code, 70);
  assertMatch(
    io.stderr(),
    /^error\[E_BUG\]: this fact does not hold: resource\/exclusive\n {2}hint: /,
  );
});

Deno.test("what nobody foresaw exits with 70, and shows its stack only when asked", async () => {
  const plain = await run("bench", {}, new TypeError("x is not a function"));
  assertEquals([plain.code, plain.stderr().split("\n").length], [70, 3]);
  assertMatch(plain.stderr(), /^error\[E_BUG\]: TypeError: x is not a function\n/);
  const traced = await run("bench", { env: { ALLOCDB_TRACE: "1" } }, new TypeError("x"));
  assertMatch(traced.stderr(), /^ {4}at /m);
  assertEquals((await run("bench", {}, "a thrown string")).code, 70);
});

Deno.test("errors are coloured for a terminal, and as the environment and --color ask", async () => {
  const colored = async (line: string, surroundings: Surroundings): Promise<boolean> =>
    (await run(line, surroundings)).stderr().includes("\x1b[");
  for (
    const [line, surroundings, expected] of [
      ["get", {}, false],
      ["get", { terminal: true }, true],
      ["get", { terminal: true, env: { NO_COLOR: "1" } }, false],
      ["get", { terminal: true, env: { NO_COLOR: "" } }, true],
      ["get", { terminal: true, env: { TERM: "dumb" } }, false],
      ["get", { env: { FORCE_COLOR: "1" } }, true],
      ["get", { terminal: true, env: { FORCE_COLOR: "0" } }, false],
      ["get --color always", {}, true],
      ["get --color=always", { env: { NO_COLOR: "1" } }, true],
      ["get --color never", { terminal: true }, false],
    ] as const
  ) {
    assertEquals(
      await colored(line, surroundings),
      expected,
      `${line} ${Deno.inspect(surroundings)}`,
    );
  }
});

Deno.test("a closed standard output ends any command quietly with exit 0", async () => {
  for (const line of ["help --json", "--help", "--version", "metrics --list"]) {
    const io = await run(line, { closesAfter: 0 });
    assertEquals([io.code, io.stderr()], [0, ""], line);
  }
});

Deno.test("serve hands over what was typed, with nothing left to check", async () => {
  const plain = await run("serve --data d");
  assertEquals(plain.ran, [{
    data: "d",
    listen: "127.0.0.1:7100",
    bounds: [],
    manualExpiration: false,
    manualCheckpoint: false,
    logFormat: "text",
    json: false,
  }]);
  const full = await run(
    "serve --data d --listen [::1]:0 --http 7180 --profile small --bound core.max_resources=8 " +
      "--bound engine.max_submission_queue=9 --manual-expiration --checkpoint-bytes 100 " +
      "--checkpoint-frames 10 --checkpoint-seconds 60 --max-connections 5 --log-format json --json " +
      "--cluster-id 000102030405060708090a0b0c0d0e0f",
  );
  assertEquals(full.ran, [{
    data: "d",
    listen: "[::1]:0",
    http: "127.0.0.1:7180",
    bounds: ["core.max_resources=8", "engine.max_submission_queue=9"],
    profile: "small",
    manualExpiration: true,
    manualCheckpoint: false,
    checkpointBytes: 100,
    checkpointFrames: 10,
    checkpointSeconds: 60,
    maxConnections: 5,
    clusterId: Uint8Array.from({ length: 16 }, (_, i) => i),
    logFormat: "json",
    json: true,
  }]);
});

Deno.test("serve refuses bad flags before it opens anything", async () => {
  for (
    const [flags, code] of [
      ["--data=", "E_USAGE"],
      ["--data d --listen 7100", "E_BAD_ADDRESS"],
      ["--data d --http 99999", "E_BAD_ADDRESS"],
      ["--data d --profile huge", "E_USAGE"],
      ["--data d --bound core.max_resources", "E_BAD_CONFIG"],
      ["--data d --bound core.max_resuorces=5", "E_BAD_CONFIG"],
      ["--data d --bound core.max_resources=5 --bound core.max_resources=5", "E_BAD_CONFIG"],
      ["--data d --bound core.max_resources=five", "E_BAD_CONFIG"],
      ["--data d --cluster-id 12", "E_BAD_ID"],
      ["--data d --max-connections 0", "E_BAD_NUMBER"],
      ["--data d --checkpoint-frames 0", "E_BAD_NUMBER"],
      ["--data d --checkpoint-seconds 1.5", "E_BAD_NUMBER"],
      ["--data d --manual-checkpoint --checkpoint-frames 10", "E_USAGE"],
    ] as const
  ) {
    const io = await run(`serve ${flags}`);
    assertEquals([io.code, io.ran.length], [2, 0], flags);
    assertMatch(io.stderr(), new RegExp(`^error\\[${code}\\]`));
  }
});

Deno.test("bench hands over the reference defaults", async () => {
  const io = await run("bench");
  assertEquals(io.ran, [{
    scenario: "all",
    hotspotRounds: 256,
    hotspotContenders: 32,
    retryTableCapacity: 128,
    retryDuplicateFanout: 4,
    retryFullRejectionAttempts: 32,
    json: false,
  }]);
  const full = await run("bench --scenario engine --hotspot-contenders 2 --data d --json");
  assertEquals(
    full.ran,
    [{ ...io.ran[0] as object, scenario: "engine", hotspotContenders: 2, data: "d", json: true }],
  );
});

Deno.test("bench refuses sizes that no scenario can run with", async () => {
  for (
    const [flags, code] of [
      ["--scenario fast", "E_USAGE"],
      ["--hotspot-rounds 0", "E_BAD_NUMBER"],
      ["--hotspot-contenders 1", "E_BAD_NUMBER"],
      ["--retry-duplicate-fanout 0", "E_BAD_NUMBER"],
      ["--hotspot-rounds 65533", "E_BAD_NUMBER"],
      ["--hotspot-rounds 2000 --hotspot-contenders 32", "E_BAD_NUMBER"],
      ["--retry-table-capacity 65529", "E_BAD_NUMBER"],
      ["--retry-table-capacity 60000 --retry-duplicate-fanout 9", "E_BAD_NUMBER"],
    ] as const
  ) {
    const io = await run(`bench ${flags}`);
    assertEquals([io.code, io.ran.length], [2, 0], flags);
    assertMatch(io.stderr(), new RegExp(`^error\\[${code}\\]`));
  }
  const largest = await run(
    "bench --hotspot-rounds 1985 --retry-table-capacity 65528 " +
      "--retry-duplicate-fanout 7 --retry-full-rejection-attempts 17079",
  );
  assertEquals([largest.code, largest.ran.length], [0, 1]);
});

Deno.test("demo hands over its defaults and whether to colour", async () => {
  const options = { fast: false, seats: 200, buyers: 50, seed: 1, keep: false, json: false };
  assertEquals((await run("demo")).ran, [{ ...options, color: false }]);
  assertEquals((await run("demo", { terminal: true })).ran, [{ ...options, color: true }]);
  const full = await run("demo --fast --seats 5 --buyers 6 --seed 7 --keep --json --color always");
  assertEquals(full.ran, [
    { fast: true, seats: 5, buyers: 6, seed: 7, keep: true, json: true, color: true },
  ]);
  assertEquals((await run("demo --seats 0")).code, 2);
});
