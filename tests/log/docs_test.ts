// Whoever reads a log without this code goes by docs/storage.md: the bytes it shows must be the real ones.
import { assertEquals } from "@std/assert";
import { readGolden } from "../support/golden.ts";

const TEXT = Deno.readTextFileSync(new URL("../../docs/storage.md", import.meta.url));
/** An offset, then bytes in groups parted by one space; a comment may follow. */
const DUMP_LINE = /^([0-9a-f]{4}) {2}((?:[0-9a-f]{2})+(?: (?:[0-9a-f]{2})+(?= |$))*)/gm;

Deno.test("docs/storage.md shows the golden bytes of a segment and its first frame", () => {
  const golden = readGolden("log_scan_v1");
  let shown = 0;
  for (const [, offset, rest] of TEXT.matchAll(DUMP_LINE)) {
    const digits = rest!.replaceAll(" ", "").match(/../g) ?? [];
    const at = parseInt(offset!, 16);
    const bytes = Uint8Array.from(digits, (byte) => parseInt(byte, 16));
    assertEquals(golden.slice(at, at + bytes.length), bytes, `at ${offset}`);
    shown += bytes.length;
  }
  assertEquals(shown, 4 * 32 + 144);
});
