// A simulation of a million events takes no more memory than one of two hundred thousand.
import { assert } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { Taken } from "./memory_probe.ts";

/** What the heap may vary by: the collector and the compiler leave some behind. */
const SLACK_BYTES = 8 * 1024 * 1024;

Deno.test("memory stays as it is over a million events", async () => {
  const [early, late] = await probe();
  const seen = Deno.inspect({ early, late });
  assert(late.events >= 1_000_000 && late.decided > 4 * early.decided, seen);
  assert(late.kept < 1.5 * early.kept, `judges keep no more: ${seen}`);
  assert(late.diskBytes < 2 * early.diskBytes, `files are cut off: ${seen}`);
  assert(late.bytes < early.bytes + SLACK_BYTES, `the heap does not grow: ${seen}`);
});

async function probe(): Promise<readonly [Taken, Taken]> {
  const script = fromFileUrl(new URL("memory_probe.ts", import.meta.url));
  const args = ["run", "--allow-all", "--v8-flags=--expose-gc", script];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
