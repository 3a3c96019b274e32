// The command line against the real thing: a served data directory, every verb, the sessions printed in
// docs/cli.md word for word, and a server that takes a command and never answers.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { main } from "../cli.ts";
import { processIo } from "../node/cli/io.ts";
import { startServer } from "../node/server/server.ts";
import { type TestIo, testIo } from "./support/cli_io.ts";
import { ScriptedNode } from "./support/scripted_node.ts";

const CLI = fromFileUrl(new URL("../cli.ts", import.meta.url));
const RUN = ["run", "--allow-all", "--no-check", "--quiet", CLI];

/** A node over a new data directory, in a process of its own. */
async function withServer(use: (address: string) => Promise<void>): Promise<void> {
  const data = await Deno.makeTempDir();
  const serve = [
    "serve",
    "--data",
    data,
    "--listen",
    "127.0.0.1:0",
    "--profile",
    "small",
    "--json",
  ];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...RUN, ...serve],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    while (!line.includes("\n")) {
      const { done, value } = await reader.read();
      assert(!done, "the server ended before it listened");
      line += value;
    }
    await use(JSON.parse(line).listen);
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
    await reader.cancel();
  } finally {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await child.status;
    await Deno.remove(data, { recursive: true });
  }
}

/** Runs a command line in this process against a real server. */
async function run(server: string, line: string): Promise<TestIo & { readonly code: number }> {
  const { connect, randomId } = processIo();
  const io: TestIo = { ...testIo({}, { env: { ALLOCDB_SERVER: server } }), connect, randomId };
  const code = await main(line.split(" "), io);
  assert(!/\p{Cc}/u.test((io.stdout() + io.stderr()).replaceAll("\n", "")), "an escape in a pipe");
  return { ...io, code };
}

async function json(server: string, line: string): Promise<Record<string, string>> {
  const io = await run(server, `${line} --json`);
  assertEquals(io.code, 0, io.stderr());
  return JSON.parse(io.stdout());
}

Deno.test("every verb works against a served data directory", async () => {
  await withServer(async (server) => {
    assertEquals((await run(server, "status --wait ready -q")).stdout(), "ready\n");
    for (const seat of ["a", "b", "c"]) {
      assertEquals((await json(server, `create seat:${seat}`)).result_code, "ok");
    }
    const bundle = await json(server, "reserve seat:a seat:b --holder alice --ttl 1m");
    const id = bundle.reservation_id!;
    assertEquals(bundle.epoch, "1");
    const busy = await run(server, "reserve seat:b --holder bob --ttl 1m");
    assertEquals(busy.code, 1);
    assertMatch(busy.stdout(), /^result_code=resource_busy$/m);
    await json(server, `confirm ${id} --holder alice --epoch 1`);
    const wrong = await run(server, `release ${id} --holder bob --epoch 1`);
    assertMatch(wrong.stderr(), /^error\[E_HOLDER_MISMATCH\]/);
    await json(server, `revoke ${id}`);
    assertEquals((await json(server, `get --reservation ${id}`)).state, "revoking");
    await json(server, `reclaim 0/${id}`);
    const freed = await json(server, "get seat:a");
    assertEquals([freed.state, freed.current_reservation_id], ["available", null]);
    const again = await json(server, "reserve seat:c --holder bob --ttl 1m");
    await json(server, `release ${again.reservation_id} --holder bob --epoch 1`);
    const read = await json(server, `get seat:c --required-lsn ${again.applied_lsn}`);
    assertEquals(read.state, "available");
    assertEquals(typeof (await json(server, "tick")).processed_count, "number");
    assert(BigInt((await json(server, "checkpoint")).snapshot_lsn!) > 0n);
    assertMatch((await run(server, "metrics")).stdout(), /^counters\.checkpoints=1$/m);
  });
});

Deno.test("the same operation id is applied once, and a different command with it is a conflict", async () => {
  await withServer(async (server) => {
    const line = "create 1 --client 5 --operation-id 6";
    const first = await json(server, line);
    const second = await json(server, line);
    assertEquals([first.from_retry_cache, second.from_retry_cache], [false, true]);
    assertEquals(second.applied_lsn, first.applied_lsn);
    const other = await run(server, "create 2 --client 5 --operation-id 6");
    assertMatch(other.stderr(), /^error\[E_OPERATION_CONFLICT\]/);
  });
});

/** Commands and their output from the `console` blocks of a page that can run against a new server. */
async function sessions(page: string): Promise<readonly { command: string; output: string }[]> {
  const text = await Deno.readTextFile(new URL(`../docs/${page}`, import.meta.url));
  const blocks = [...text.matchAll(/^```console\n(.*?)^```$/gms)].map((match) => match[1]!);
  return blocks.filter((block) => !block.includes("allocdb completion")).flatMap((block) =>
    block.split(/^\$ /m).slice(1).map((part) => {
      const end = part.indexOf("\n");
      return { command: part.slice(0, end), output: part.slice(end + 1) };
    })
  );
}

Deno.test("the sessions in docs/cli.md run as printed, from the first to the last", async () => {
  const steps = await sessions("cli.md");
  assert(steps.length >= 8);
  const bin = await Deno.makeTempDir();
  const words = [Deno.execPath(), ...RUN].map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(`${bin}/allocdb`, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  try {
    await withServer(async (server) => {
      for (const { command, output } of steps) {
        const env = { ALLOCDB_SERVER: server, PATH: `${bin}:${Deno.env.get("PATH")}` };
        const args = ["-c", `{ ${command}; } 2>&1`];
        const { stdout } = await new Deno.Command("sh", { args, env, stdin: "null" }).output();
        assertEquals(new TextDecoder().decode(stdout), output, command);
      }
    });
  } finally {
    await Deno.remove(bin, { recursive: true });
  }
});

Deno.test("a server that takes a command and stays silent makes the outcome unknown: exit 6", async () => {
  const node = new ScriptedNode();
  node.answer = "silence";
  const server = startServer(node, { hostname: "127.0.0.1", port: 0, version: "test" });
  try {
    const address = `127.0.0.1:${server.addr.port}`;
    const io = await run(address, "create 1 --client 5 --operation-id 6 --timeout 300ms --json");
    assertEquals([io.code, io.stdout()], [6, ""]);
    const { error } = JSON.parse(io.stderr());
    assertEquals([error.code, error.retry], ["E_INDEFINITE", "same_id"]);
    assertEquals(
      error.context.retry_command,
      "allocdb create --client 0x5 --operation-id 0x6 1 --timeout 300ms --json",
    );
  } finally {
    await server.drain(0);
  }
});
