/** From a snapshot's blocks to an engine. */
import type { CoreConfig } from "../../core/config.ts";
import { acceptBlock, beginRestore, finishRestore } from "../../core/snapshot.ts";
import type { Engine } from "../../core/state.ts";
import { readU64 } from "../../core/words.ts";
import type { SnapshotHeader } from "./format.ts";
import type { BlockSink } from "./reader.ts";

/** Takes a snapshot's blocks; the engine then stands where the snapshot's header says. */
export class RestoringSink implements BlockSink {
  /** Set by {@linkcode RestoringSink.finish}. */
  engine: Engine | undefined;
  readonly #sink: ReturnType<typeof beginRestore>;
  readonly #header: SnapshotHeader;

  /**
   * @param core Bounds of the engine.
   * @param hashSeed Perturbs the layout of its indexes.
   * @param header Of the snapshot.
   */
  constructor(core: CoreConfig, hashSeed: number, header: SnapshotHeader) {
    this.#sink = beginRestore(core, { hashSeed });
    this.#header = header;
  }

  accept(block: Uint8Array): string | undefined {
    return acceptBlock(this.#sink, block);
  }

  finish(): string | undefined {
    const engine = finishRestore(this.#sink);
    if (typeof engine === "string") return engine;
    if (readU64(engine.progress, 0) !== this.#header.lsn) return "content and header differ in lsn";
    this.engine = engine;
    return undefined;
  }
}
