/** Archives of files as every system can unpack them: the ustar format of POSIX.1-1988, gzipped. Written as a stream. */
import { join } from "@std/path";

const BLOCK = 512;
const NAME_BYTES_MAX = 100;
const PREFIX_BYTES_MAX = 155;
/** What eleven octal digits can say. */
const SIZE_MAX = 0o77777777777;

/**
 * Packs files.
 *
 * @param to The archive; what was there is replaced.
 * @param directory Where the files are.
 * @param files Relative to it; the archive has them in this order.
 * @param mtimeSecs The time that all of them get, in Unix seconds: the same files give the same archive.
 * @throws {Error} The system's own, or when a name is too long for the format.
 */
export async function packFiles(
  to: string,
  directory: string,
  files: readonly string[],
  mtimeSecs: number,
): Promise<void> {
  const file = await Deno.create(to);
  const blocks = ReadableStream.from(tarBlocks(directory, files, mtimeSecs));
  await blocks.pipeThrough(new CompressionStream("gzip")).pipeTo(file.writable);
}

async function* tarBlocks(
  directory: string,
  files: readonly string[],
  mtimeSecs: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (const name of files) {
    using file = await Deno.open(join(directory, name));
    const { size } = await file.stat();
    yield tarHeader(name, size, mtimeSecs);
    yield* contents(file, size);
  }
  yield new Uint8Array(2 * BLOCK);
}

/** As many bytes as were promised, whatever becomes of the file meanwhile, and zeros up to the next block. */
async function* contents(
  file: Deno.FsFile,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let left = size; left > 0;) {
    const buffer = new Uint8Array(Math.min(left, 0x1_0000));
    const read = await file.read(buffer);
    yield read === null ? buffer : buffer.subarray(0, read);
    left -= read ?? buffer.length;
  }
  if (size % BLOCK > 0) yield new Uint8Array(BLOCK - size % BLOCK);
}

/** The block in front of a file. */
export function tarHeader(path: string, size: number, mtimeSecs: number): Uint8Array<ArrayBuffer> {
  const [prefix, name] = splitName(path);
  if (size > SIZE_MAX) throw new Error(`${path} is too large for an archive`);
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => {
    block.set(new TextEncoder().encode(text), at);
  };
  put(0, name);
  put(100, "0000644\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${octal(size, 11)}\0`);
  put(136, `${octal(mtimeSecs, 11)}\0`);
  put(148, "        "); // The checksum counts itself as spaces.
  put(156, "0");
  put(257, "ustar\0" + "00");
  put(345, prefix);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return block;
}

/** A long path is split at a slash. */
function splitName(path: string): readonly [string, string] {
  const bytes = (text: string): number => new TextEncoder().encode(text).length;
  if (bytes(path) <= NAME_BYTES_MAX) return ["", path];
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (bytes(prefix) <= PREFIX_BYTES_MAX && bytes(name) <= NAME_BYTES_MAX) return [prefix, name];
  }
  throw new Error(`${path} is too long a name for an archive`);
}

function octal(value: number, digits: number): string {
  return Math.floor(value).toString(8).padStart(digits, "0");
}
