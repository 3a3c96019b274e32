/** The bytes of a file or of standard input, unpacked, and what they look like. */
import { HistoryError, shown } from "../history/history_error.ts";
import { type Format, type ReadOptions, SNIFFED_BYTES } from "./format.ts";
import { formatNamed, FORMATS } from "./formats.ts";
import { withoutByteOrderMark } from "./sniff.ts";

const CHUNK_BYTES = 262_144;
const GZIP = [0x1f, 0x8b] as const;
/** Of packed bytes so many are unpacked at a time: they may become a thousand times as many. */
const PACKED_BYTES = 8_192;
/** Stands for standard input. */
export const STANDARD_INPUT = "-";

/** Opened bytes with what they are; undefined format for nothing but blanks. */
export interface Source {
  readonly format: Format | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Opens a file. A chunk is valid until the next one.
 *
 * @throws {HistoryError} When there is none, or it looks like nothing that is known.
 */
export async function openSource(path: string, options: ReadOptions): Promise<Source> {
  const file = await open(path);
  try {
    const [start, packed] = await peek(chunksOf(file), GZIP.length);
    const isPacked = GZIP.every((byte, i) => start[i] === byte);
    const [head, chunks] = await peek(isPacked ? unpacked(packed) : packed, SNIFFED_BYTES);
    return { format: formatOf(withoutByteOrderMark(head), options), chunks };
  } catch (error) {
    closeQuietly(file);
    throw error;
  }
}

interface Readable {
  read(into: Uint8Array): Promise<number | null>;
  close(): void;
}

async function open(path: string): Promise<Readable> {
  // Not ours to close.
  if (path === STANDARD_INPUT) return { read: (into) => Deno.stdin.read(into), close: () => {} };
  try {
    const file = await Deno.open(path);
    if (!(await file.stat()).isDirectory) return file;
    file.close();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new HistoryError(undefined, "no such file", "a history");
    }
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      throw new HistoryError(undefined, "a file that may not be read", "a history");
    }
    throw unreadable(error);
  }
  throw new HistoryError(undefined, "a directory", "a history");
}

/** A socket, a disk that fails: what the system says. */
function unreadable(error: unknown): HistoryError {
  const said = error instanceof Error ? error.message : String(error);
  return new HistoryError(undefined, `something that cannot be read (${shown(said)})`, "a history");
}

function closeQuietly(file: Readable): void {
  try {
    file.close();
  } catch {
    // It is closed: its end has been read.
  }
}

async function* chunksOf(file: Readable): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  try {
    for (;;) {
      const count = await file.read(buffer).catch((error: unknown) => {
        throw unreadable(error);
      });
      if (count === null) return;
      yield buffer.subarray(0, count);
    }
  } finally {
    closeQuietly(file);
  }
}

/** Reads at least so many bytes if there are; answers them, and everything from the beginning. */
async function peek(
  chunks: AsyncIterable<Uint8Array>,
  count: number,
): Promise<readonly [Uint8Array, AsyncGenerator<Uint8Array>]> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < count) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = joined(head, next.value);
  }
  return [head.subarray(0, Math.min(head.length, SNIFFED_BYTES)), rest(head, iterator)];
}

async function* rest(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

async function* unpacked(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  // The stream may look at a chunk after the next one has been asked for.
  const copies = ReadableStream.from(copied(chunks));
  try {
    yield* copies.pipeThrough(new DecompressionStream("gzip"));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new HistoryError(undefined, "a damaged or cut gzip file", "a whole one");
  }
}

async function* copied(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PACKED_BYTES) {
      yield chunk.slice(at, at + PACKED_BYTES);
    }
  }
}

function formatOf(head: Uint8Array, { format }: ReadOptions): Format | undefined {
  if (head.every(isBlank)) return undefined;
  if (format !== undefined) return formatNamed(format);
  const found = FORMATS.find((each) => each.sniff(head));
  if (found !== undefined) return found;
  const known = FORMATS.map(({ name }) => name).join(", ");
  throw new HistoryError(undefined, "the beginning of no format", `one of ${known}`);
}

function isBlank(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}
