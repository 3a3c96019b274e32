// Two runs of one name below one output root would write one history file: each would be judged by what both saw.
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { CliError } from "../../../node/errors.ts";
import { lockAll, lockRun } from "./locks.ts";
import { runPaths } from "./paths.ts";

async function refusal(body: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(body, CliError)).code;
}

// What gives up waits for its place until it has got it, which the sanitizers take for a leak.
Deno.test({
  name:
    "lockRun() refuses a second run of the name, lets others by, and the next one when the first is over",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const root = await Deno.makeTempDir();
    try {
      const [first, other] = ["a", "b"].map((name) => runPaths(root, name, "local", 1));
      const lock = await lockRun(first!, "a");
      assertEquals(await refusal(() => lockRun(first!, "a")), "E_WORKSPACE_LOCKED");
      (await lockRun(other!, "b"))[Symbol.dispose]();
      lock[Symbol.dispose]();
      (await lockRun(first!, "a"))[Symbol.dispose]();
      const nowhere = runPaths(join(root, "nothing"), "a", "local", 1);
      assertEquals(await refusal(() => lockRun(nowhere, "a")), "E_IO");
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});

Deno.test({
  name: "lockAll() refuses a second matrix in a directory until the first one is through",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const root = await Deno.makeTempDir();
    try {
      const lock = await lockAll(root);
      assertEquals(await refusal(() => lockAll(root)), "E_WORKSPACE_LOCKED");
      lock[Symbol.dispose]();
      (await lockAll(root))[Symbol.dispose]();
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});
