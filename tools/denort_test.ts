// The stub is cut out of somebody else's archive, so the cut must be exact, and an archive that is
// not what we expect must be an error instead of a shorter executable.
import { assertEquals, assertRejects } from "@std/assert";
import { elfEnd, extractStub } from "./denort.ts";

/** An ELF image of `bytes` bytes whose last part is a section header table, all else 7. */
function elfImage(bytes: number): Uint8Array {
  const image = new Uint8Array(bytes).fill(7);
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const [entryBytes, entries] = [64, 3];
  view.setBigUint64(0x28, BigInt(bytes - entryBytes * entries), true);
  view.setUint16(0x3a, entryBytes, true);
  view.setUint16(0x3c, entries, true);
  return image;
}

/** One file in tar's format: header block, content, padding to a whole block. */
function tarEntry(name: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const entry = new Uint8Array(512 + Math.ceil(content.length / 512) * 512);
  const put = (text: string, at: number) => entry.set(new TextEncoder().encode(text), at);
  put(name, 0);
  put(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  entry.set(content, 512);
  return entry;
}

function gzip(...parts: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array> {
  const compress = new CompressionStream("gzip") as ReadableWritablePair<Uint8Array, BlobPart>;
  return new Blob(parts).stream().pipeThrough(compress);
}

/** `front` with `appended` bytes after it, as a compiled program looks. */
function program(front: Uint8Array, appended: number): Uint8Array {
  const whole = new Uint8Array(front.length + appended).fill(9);
  whole.set(front);
  return whole;
}

Deno.test("elfEnd() is the end of the section header table, or undefined for other files", () => {
  assertEquals(elfEnd(elfImage(5000)), 5000);
  assertEquals(elfEnd(new Uint8Array(64)), undefined);
  assertEquals(elfEnd(elfImage(5000).subarray(0, 63)), undefined);
});

Deno.test("extractStub() cuts the first executable where its image ends", async () => {
  const stub = elfImage(70_001);
  for (const appended of [0, 1, 511, 100_000]) {
    const archive = gzip(
      tarEntry("package/LICENSE", new Uint8Array(700).fill(65)),
      tarEntry("package/empty", new Uint8Array(0)),
      tarEntry("package/vlr", program(stub, appended)),
      tarEntry("package/vlt", program(elfImage(900), 5)),
    );
    assertEquals(await extractStub(archive), stub);
  }
});

Deno.test("extractStub() stops reading when it has the stub", async () => {
  const archive = gzip(tarEntry("package/vlr", program(elfImage(3000), 50)));
  const [head] = await Array.fromAsync(archive);
  const stream = new ReadableStream<Uint8Array>({
    start(controller): void {
      controller.enqueue(head!); // Never closed: waiting for the end would hang.
    },
  });
  assertEquals(await extractStub(stream), elfImage(3000));
});

Deno.test("extractStub() refuses an archive without a whole executable", async () => {
  const text = tarEntry("package/a", new Uint8Array(2000).fill(65));
  const claimsMore = tarEntry("package/a", elfImage(5000).subarray(0, 4000));
  const cut = tarEntry("package/a", elfImage(5000)).slice(0, 2000);
  const end = new Uint8Array(1024);
  for (const entry of [text, claimsMore, cut, new Uint8Array(0)]) {
    await assertRejects(() => extractStub(gzip(entry)), RangeError, "ends too early");
  }
  await assertRejects(() => extractStub(gzip(text, end)), RangeError, "malformed header");
  const garbage = new Blob(["not gzip at all"]).stream();
  await assertRejects(() => extractStub(garbage), TypeError);
});
