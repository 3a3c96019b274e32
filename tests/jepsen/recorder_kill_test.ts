// The process that records may be killed at any moment. What it had flushed is all there afterwards, whatever comes behind it is whole
// too, in order and without a gap, and the reader knows that the end is missing.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { READ_DEFAULTS } from "../../testbed/jepsen/codec/format.ts";
import { readHistory } from "../../testbed/jepsen/codec/read.ts";

const CHILD = fromFileUrl(new URL("../support/recording_child.ts", import.meta.url));
const KILLS = 3;
const FLUSHES = 3;

/** Waits until the child has flushed a few times; answers how far. */
async function flushed(stdout: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<bigint> {
  let text = "";
  for await (const piece of stdout.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const lines = text.split("\n");
    if (lines.length > FLUSHES) return BigInt(lines.at(-2)!);
  }
  throw new Error(`the child ended by itself: ${text}`);
}

Deno.test("a recording whose process was killed holds everything up to some event after its last flush", async () => {
  const directory = await Deno.makeTempDir();
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const path = join(directory, `${kill}-history.cbor`);
      await using child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-all", "--no-check", "--quiet", CHILD, path],
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const last = await flushed(child.stdout);
      child.kill("SIGKILL");
      await child.status;
      const { operations, notes } = await readHistory(path, READ_DEFAULTS);
      assert(operations.length > last, `${operations.length} operations, ${last} flushed`);
      for (const [i, { request, outcome }] of operations.entries()) {
        assertEquals(request, { kind: "create_resource", resourceId: BigInt(i) });
        assert(outcome.kind === "ok" || i === operations.length - 1);
      }
      assertStringIncludes(notes.join(), "no end mark");
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
