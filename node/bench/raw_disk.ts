/** The floor under every durable answer: 4 KiB written and synced, with nothing around it. */
import type { Disk } from "../disk.ts";
import type { Times } from "./recorder.ts";

const BLOCK_BYTES = 4_096;
/** What is written over, from its start again and again: 16 MiB that exist, so that no length changes. */
const BLOCKS = 4_096;
const FILE = "blocks";

/** A file to write to and sync. */
export class RawDisk implements Disposable {
  readonly #file;
  readonly #block = new Uint8Array(BLOCK_BYTES).fill(0xab);
  #next = 0;

  /** @param disk Where the file goes. */
  constructor(disk: Disk) {
    this.#file = disk.create(FILE, BLOCKS * BLOCK_BYTES);
    for (let block = 0; block < BLOCKS; block++) this.#write(block);
    this.#file.sync();
  }

  /**
   * Writes and syncs block after block. The thread does nothing else meanwhile.
   *
   * @param seconds How long.
   * @param times Gets the time of each write with its sync.
   */
  measure(seconds: number, times: Times): void {
    let nowMs = performance.now();
    const endMs = nowMs + seconds * 1_000;
    while (nowMs < endMs) {
      this.#write(this.#next++ % BLOCKS);
      this.#file.sync();
      const beforeMs = nowMs;
      nowMs = performance.now();
      times.add(nowMs - beforeMs);
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #write(block: number): void {
    this.#file.write(block * BLOCK_BYTES, this.#block);
  }
}
