/** The floor under every durable answer: one 4 KiB write and one fdatasync, with nothing around it. */
import {
  latencyHistogram,
  latencyOf,
  type Measurement,
  type Peer,
  recordLatency,
  type Scenario,
  type System,
} from "./measurement.ts";

const BLOCK_BYTES = 4096;
/** Size of the file that is written over, from its start again and again. */
const OVERWRITE_BLOCKS = 4096;
/** The disk settles on a figure quickly, and it holds up everybody else meanwhile. */
const SECONDS_MAX = 2;

function fill(file: Deno.FsFile, blocks: number, block: Uint8Array): void {
  for (let index = 0; index < blocks; index++) writeBlock(file, block);
  file.syncSync();
  file.seekSync(0, Deno.SeekMode.Start);
}

function writeBlock(file: Deno.FsFile, block: Uint8Array): void {
  const written = file.writeSync(block);
  if (written !== block.length) throw new Error(`Wrote ${written} of ${block.length} bytes`);
}

/** Writes and syncs block after block; goes back to the start after `wrapBlocks`. */
function measureBlocks(file: Deno.FsFile, wrapBlocks: number, seconds: number): Measurement {
  const block = crypto.getRandomValues(new Uint8Array(BLOCK_BYTES));
  if (wrapBlocks < Infinity) fill(file, wrapBlocks, block);
  const histogram = latencyHistogram();
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let nowMs = startMs;
  let count = 0;
  while (nowMs < endMs) {
    if (count > 0 && count % wrapBlocks === 0) file.seekSync(0, Deno.SeekMode.Start);
    writeBlock(file, block);
    file.syncDataSync();
    const beforeMs = nowMs;
    nowMs = performance.now();
    recordLatency(histogram, (nowMs - beforeMs) * 1000);
    count++;
  }
  const opsPerSecond = count / ((nowMs - startMs) / 1000);
  return { opsPerSecond, latencyUs: latencyOf(histogram) };
}

function rawDisk(name: string, wrapBlocks: number, settings: string): System {
  return {
    name,
    supports: ({ clients, depth }: Scenario): boolean => clients * depth === 1,
    open: ({ directory }): Promise<Peer> =>
      Promise.resolve({
        version: `Deno ${Deno.version.deno}, synchronous calls`,
        settings,
        measure: (_: Scenario, seconds: number): Promise<Measurement> => {
          const path = `${directory}/blocks`;
          using file = Deno.openSync(path, { create: true, truncate: true, write: true });
          return Promise.resolve(measureBlocks(file, wrapBlocks, Math.min(seconds, SECONDS_MAX)));
        },
      }),
  };
}

/** Writes past the end of a growing file. */
export const DISK_APPEND: System = rawDisk(
  "disk append",
  Infinity,
  "4 KiB write past the end of a file, fdatasync",
);

/** Writes over blocks that exist: no size or extent changes with it. */
export const DISK_OVERWRITE: System = rawDisk(
  "disk overwrite",
  OVERWRITE_BLOCKS,
  "4 KiB write over 16 MiB that exist, fdatasync",
);
