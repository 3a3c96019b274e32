// No process may stay behind and no wait may last for ever. Small programs play the servers.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { lastWords, runTool } from "./process.ts";
import { Server, type ServerOptions } from "./server.ts";

const NEVER = new AbortController().signal;
const OPTIONS: ServerOptions = { signal: NEVER, timeoutMs: 20_000, stopSignal: "SIGTERM" };

async function isAlive(pid: string): Promise<boolean> {
  return await Deno.stat(`/proc/${pid}`).then(() => true, () => false);
}

Deno.test("Server waits for its probe, and is gone when it is disposed of", async () => {
  let pid: string;
  {
    await using server = new Server("sh", ["-c", "echo ready $$; exec sleep 60"], OPTIONS);
    pid = await server.untilReady(() => /ready (\d+)\n/.exec(server.output)?.[1]);
    assert(await isAlive(pid));
  }
  assertEquals(await isAlive(pid), false);
});

Deno.test("Server.untilReady() gives the last words of a server that ended", async () => {
  await using server = new Server("sh", ["-c", "echo port taken >&2; exit 3"], OPTIONS);
  await assertRejects(() => server.untilReady(() => undefined), Error, "3: port taken");
});

Deno.test("Server.untilReady() gives up in time, and when it is called off", async () => {
  await using slow = new Server("sleep", ["60"], { ...OPTIONS, timeoutMs: 1 });
  await assertRejects(() => slow.untilReady(() => undefined), Error, "not ready in 1 ms");
  const signal = AbortSignal.abort(new Error("called off"));
  await using off = new Server("sleep", ["60"], { ...OPTIONS, signal });
  await assertRejects(() => off.untilReady(() => undefined), Error, "called off");
});

Deno.test("runTool() gives output, and throws with the reason of a failure or after its time", async () => {
  const tool = { signal: NEVER, timeoutMs: 20_000 };
  assertEquals(await runTool("sh", ["-c", "echo $WORD"], { ...tool, env: { WORD: "x" } }), "x\n");
  const failing = runTool("sh", ["-c", "echo a; echo b >&2; exit 4"], tool);
  await assertRejects(() => failing, Error, "sh failed with 4: b");
  const slow = runTool("sleep", ["60"], { ...tool, timeoutMs: 1 });
  await assertRejects(() => slow, Error, "took longer than 1 ms");
  const signal = AbortSignal.abort(new Error("called off"));
  await assertRejects(() => runTool("sleep", ["60"], { ...tool, signal }), Error, "called off");
});

Deno.test("lastWords() is one line of the last lines, and says when there are none", () => {
  assertEquals(lastWords("a\nb\n\n c\nd\n"), "b / c / d");
  assertEquals(lastWords(" \n"), "it said nothing");
  assertEquals(lastWords("x".repeat(301)), `${"x".repeat(300)}…`);
});
