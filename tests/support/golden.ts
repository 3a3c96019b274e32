/**
 * Bytes of a format as they were when its version was made, in `tests/golden/<name>.hex`: hexadecimal
 * lines, and `zeros <count>` for a run of zero bytes.
 */
import { assertEquals } from "@std/assert";

const GOLDEN = new URL("../golden/", import.meta.url);
const LINE_BYTES = 32;

/** The golden bytes of that name. */
export function readGolden(name: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const line of Deno.readTextFileSync(new URL(`${name}.hex`, GOLDEN)).trim().split("\n")) {
    const zeros = /^zeros (\d+)$/.exec(line);
    if (zeros !== null) bytes.push(...new Array<number>(Number(zeros[1])).fill(0));
    else for (const byte of line.match(/../g) ?? []) bytes.push(parseInt(byte, 16));
  }
  return Uint8Array.from(bytes);
}

/**
 * Fails unless these are the golden bytes of that name. A format's first version is recorded by running the
 * test once with `ALLOCDB_GOLDEN=record`; a file that exists is never written.
 */
export function assertGolden(name: string, bytes: Uint8Array): void {
  const url = new URL(`${name}.hex`, GOLDEN);
  if (Deno.env.get("ALLOCDB_GOLDEN") === "record") {
    Deno.writeTextFileSync(url, toLines(bytes), { createNew: true });
  }
  assertEquals(toLines(bytes), Deno.readTextFileSync(url));
}

function toLines(bytes: Uint8Array): string {
  const lines: string[] = [];
  let zeros = 0;
  const endZeros = (): void => {
    if (zeros > 0) lines.push(`zeros ${zeros}`);
    zeros = 0;
  };
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    const line = bytes.subarray(at, at + LINE_BYTES);
    if (line.every((byte) => byte === 0)) {
      zeros += line.length;
      continue;
    }
    endZeros();
    lines.push([...line].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
  }
  endZeros();
  return `${lines.join("\n")}\n`;
}
