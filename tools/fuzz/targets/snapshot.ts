/**
 * Two generations of a snapshot, damaged. What loads is one of them, bit for bit; what is damaged is said to
 * be; and content that only passes because its checksums were put right is a state like any other, or refused.
 */
import type { CoreConfig } from "../../../core/config.ts";
import { crc32c } from "../../../core/crc32c.ts";
import { digest } from "../../../core/digest.ts";
import { firstViolation } from "../../../core/invariants.ts";
import {
  acceptBlock,
  beginRestore,
  finishRestore,
  type SnapshotSink,
} from "../../../core/snapshot.ts";
import { createEngine, type Engine } from "../../../core/state.ts";
import { BLOCK_HEADER_BYTES, blockSpan, FOOTER_BYTES } from "../../../node/snapshot/format.ts";
import { type BlockSink, loadSnapshot } from "../../../node/snapshot/reader.ts";
import {
  SNAPSHOT_FILE,
  SNAPSHOT_PREVIOUS_FILE,
  SNAPSHOT_TEMPORARY_FILE,
  snapshotBytesMax,
} from "../../../node/snapshot/store.ts";
import { drawConfig, drawOrigin, drawStep } from "../../../tests/engine/draw_step.ts";
import { applyAt, snapshotBlocks } from "../../../tests/support/core_builders.ts";
import { MemoryDisk } from "../../../testbed/sim/disk/memory_disk.ts";
import { applyToModel, createModel } from "../../../testbed/model/model.ts";
import type { ClientCommand } from "../../../testbed/model/words.ts";
import { SeededRandom } from "../../../testbed/sim/random.ts";
import { snapshotHeader, writeSnapshot } from "../../../tests/support/snapshots.ts";
import { applyEdits, drawScript, type EditRules, type Files } from "../file_edits.ts";
import { join } from "../mutate.ts";
import { equalBytes, expect, expectEqual, type Target } from "../target.ts";

/** Loads the newest good generation; a test of the fuzzer brings one that believes too much. */
export type LoadSnapshot = typeof loadSnapshot;

/** How many different pairs of generations there are to damage. */
const PAIRS = 6;

const HEADER_BYTES = 512;

/** Two generations as they were written. */
interface Pair {
  readonly config: CoreConfig;
  readonly files: Files;
  /** By content, in the order newest, previous. */
  readonly generations: readonly { readonly bytes: Uint8Array; readonly digest: bigint }[];
}

const OUTCOMES = [
  ...["ok newest", "ok previous", "ok forged", "none", "checksum_mismatch", "bad_magic"],
  ...["unsupported_version", "unused_bytes_not_zero", "block_out_of_order", "length_mismatch"],
  ...["block_length_out_of_range", "block_count_mismatch", "too_short", "too_large"],
  ...["content_refused", "other_cluster", "other_shard", "other_configuration"],
];

const RULES: EditRules = {
  names: [SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE, SNAPSHOT_TEMPORARY_FILE],
  landmarks: (_, bytes) => [
    ...[0, footerAt(bytes) + 12, footerAt(bytes) + 12, footerAt(bytes) + 12],
    ...blockOffsets(bytes).flatMap((at) => [at, at + 16, at + 32]),
  ],
  reseal: resealSnapshot,
};

/** Makes the target. */
export function snapshotTarget(load: LoadSnapshot = loadSnapshot): Target {
  const pairs = new Map<number, Pair>();
  const pairOf = (choice: number): Pair => {
    const variant = choice % PAIRS;
    const pair = pairs.get(variant) ?? makePair(variant);
    pairs.set(variant, pair);
    return pair;
  };
  return {
    name: "snapshot",
    outcomes: OUTCOMES,
    draw: (random) => {
      const choice = random.below(PAIRS);
      return drawScript(random, choice, pairOf(choice).files, RULES);
    },
    judge: (input) => judgeSnapshot(load, pairOf(input[0] ?? 0), input),
  };
}

/** The states of one history at two places. */
function makePair(variant: number): Pair {
  const random = new SeededRandom(variant);
  const config = drawConfig(random);
  const engine = createEngine(config);
  const model = createModel(config);
  const disk = new MemoryDisk();
  const past: ClientCommand[] = [];
  let slot = drawOrigin(random);
  let calls = 0;
  const live = (steps: number): Pair["generations"][number] => {
    for (let i = 0; i < steps; i++) {
      const step = drawStep(random, model, slot, past);
      slot = step.slot;
      if (step.command.kind !== "expire") past[calls++ % 24] = step.command;
      applyAt(engine, step.command, model.lastLsn + 1n, slot);
      applyToModel(model, step.command, slot);
    }
    writeSnapshot(disk, snapshotHeader(model.lastLsn), snapshotBlocks(engine));
    return { bytes: disk.readAll(SNAPSHOT_FILE), digest: digest(engine) };
  };
  const previous = live(30 + random.below(60));
  const newest = live(10 + random.below(60));
  const files = new Map(disk.list().map((name) => [name, disk.readAll(name)]));
  return { config, files, generations: [newest, previous] };
}

function judgeSnapshot(load: LoadSnapshot, pair: Pair, input: Uint8Array): string {
  const { files, isForged } = applyEdits(pair.files, input, RULES);
  const disk = new MemoryDisk();
  for (const [name, bytes] of files) disk.install(name, bytes);
  const { config } = pair;
  const sinkOf = () => new EngineSink(config);
  const loaded = load(disk, snapshotHeader(0n), snapshotBytesMax(config), sinkOf);
  const newest = files.get(SNAPSHOT_FILE);
  const previous = files.get(SNAPSHOT_PREVIOUS_FILE);
  const originals = [newest, previous].map((bytes) => originalOf(pair, bytes));
  if (loaded.kind === "none") expect(newest === undefined && previous === undefined, "none found");
  if (loaded.kind === "refused") {
    expect(isForged, `refused: ${loaded.refusal.message}`);
    return loaded.refusal.kind;
  }
  if (loaded.kind !== "loaded") {
    expect(originals.every((original) => original === undefined), "a sound generation is not used");
    return loaded.kind === "none" ? "none" : loaded.errors[0]!.kind;
  }
  const isNewest = loaded.generation === "newest";
  expect(isNewest || originals[0] === undefined, "the newest generation is sound and not used");
  const original = originals[isNewest ? 0 : 1];
  const { engine } = loaded.sink;
  expect(engine !== undefined, "loaded without a state");
  if (original === undefined) {
    expect(isForged, `${loaded.generation} was damaged and loaded all the same`);
    judgeForged(engine, (isNewest ? newest : previous)!);
    return "ok forged";
  }
  expectEqual(digest(engine), original.digest, "digest");
  return `ok ${loaded.generation}`;
}

function originalOf(
  { generations }: Pair,
  bytes: Uint8Array | undefined,
): Pair["generations"][number] | undefined {
  return generations.find((each) => bytes !== undefined && equalBytes(each.bytes, bytes));
}

/** A state that nobody wrote is still a state: every fact holds, and it is written as it was read. */
function judgeForged(engine: Engine, file: Uint8Array): void {
  expectEqual(firstViolation(engine), undefined, "violation");
  const blocks = blockOffsets(file).map((at) => {
    const length = new DataView(file.buffer, file.byteOffset).getUint32(at + 12, true);
    return file.subarray(at + BLOCK_HEADER_BYTES, at + BLOCK_HEADER_BYTES + length);
  });
  expectEqual(rowsText(snapshotBlocks(engine)), rowsText(blocks), "rows written again");
}

/** The rows of every table, whatever blocks they came in. */
function rowsText(blocks: readonly Uint8Array[]): string {
  const tables: string[][] = [];
  for (const block of blocks) {
    const words = new Uint32Array(block.slice().buffer);
    (tables[words[0]!] ??= []).push(...Array.from(words.subarray(4), String));
  }
  return tables.map((words) => words.join(" ")).join("\n");
}

function footerAt(bytes: Uint8Array): number {
  return Math.max(0, bytes.length - FOOTER_BYTES);
}

/** Offsets of blocks, as their lengths say, up to the footer. */
function blockOffsets(bytes: Uint8Array): number[] {
  const offsets: number[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = HEADER_BYTES; at + BLOCK_HEADER_BYTES <= footerAt(bytes);) {
    offsets.push(at);
    at += blockSpan(view.getUint32(at + 12, true));
  }
  return offsets;
}

/** Checksums of header, blocks and footer; with an odd choice the footer's counts as well. */
export function resealSnapshot(_name: string, bytes: Uint8Array, choice: number): void {
  const last = footerAt(bytes);
  if (last < HEADER_BYTES) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const seal = (at: number, end: number): Uint8Array => {
    view.setUint32(at, crc32c(bytes, at + 4, Math.min(end, last)), true);
    return bytes.slice(at, at + 4);
  };
  const checksums = [seal(0, HEADER_BYTES)];
  const blocks = blockOffsets(bytes);
  for (const at of blocks) checksums.push(seal(at, at + blockSpan(view.getUint32(at + 12, true))));
  const all = join(...checksums);
  view.setUint32(last + 24, crc32c(all, 0, all.length), true);
  if ((choice & 1) === 1) {
    view.setUint32(last + 12, blocks.length, true);
    view.setBigUint64(last + 16, BigInt(bytes.length), true);
  }
  view.setUint32(last, crc32c(bytes, last + 4, bytes.length), true);
}

class EngineSink implements BlockSink {
  engine: Engine | undefined;
  readonly #sink: SnapshotSink;

  constructor(config: CoreConfig) {
    this.#sink = beginRestore(config);
  }

  accept(block: Uint8Array): string | undefined {
    return acceptBlock(this.#sink, block);
  }

  finish(): string | undefined {
    const engine = finishRestore(this.#sink);
    if (typeof engine === "string") return engine;
    this.engine = engine;
    return undefined;
  }
}
