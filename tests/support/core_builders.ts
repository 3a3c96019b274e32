/** Small engines, and a way to speak to them in plain values: every command passes through its bytes. */
import { type Command, CommandTag, createCommand } from "../../core/command.ts";
import { decodeCommand, decodeInternalCommand } from "../../core/command_codec.ts";
import type { CoreConfig } from "../../core/config.ts";
import { applyClient, applyInternal, slotOverflow } from "../../core/engine.ts";
import { hashKey } from "../../core/fixed_map.ts";
import { recallLive } from "../../core/operations.ts";
import { createOutcome } from "../../core/outcome.ts";
import {
  acceptBlock,
  beginRestore,
  beginSnapshot,
  BLOCK_BYTES_MAX,
  endSnapshot,
  finishRestore,
  nextBlock,
} from "../../core/snapshot.ts";
import { createEngine, type Engine, type EngineOptions, Position } from "../../core/state.ts";
import { readU64, writeU64 } from "../../core/words.ts";
import type { ClientCommand, ModelCommand, ModelOutcome } from "../../testbed/model/words.ts";
import { encodePlain, plainOutcome, type Request } from "../../testbed/sim/workload/plain.ts";

/** Bounds so low that every one of them is met; single tests change what they are about. */
export const TINY_CONFIG: CoreConfig = {
  shardId: 0n,
  maxResources: 8,
  maxReservations: 8,
  maxOperations: 64,
  maxBundleSize: 4,
  maxTtlSlots: 8n,
  maxExpirationBucketLen: 8,
  reservationHistoryWindowSlots: 4n,
  maxClientRetryWindowSlots: 8n,
  slotDurationMs: 10,
};

const BUNDLE_ROOM = 16;

/** An engine with the place it has come to in its log. */
export interface Bench {
  readonly engine: Engine;
  lsn: bigint;
  slot: bigint;
  /** Next unused operation id. */
  operationId: bigint;
}

/** Makes an engine of {@linkcode TINY_CONFIG} with some bounds changed. */
export function createBench(changes: Partial<CoreConfig> = {}, options: EngineOptions = {}): Bench {
  return benchOf(createEngine({ ...TINY_CONFIG, ...changes }, options));
}

/** Goes on with an engine that has its own past. */
export function benchOf(engine: Engine): Bench {
  const lsn = readU64(engine.progress, 0);
  return { engine, lsn, slot: readU64(engine.progress, 2), operationId: 1n };
}

/** Applies a client command under a fresh operation id at the next lsn and the bench's slot. */
export function apply(bench: Bench, request: Request): ModelOutcome {
  const operationId = bench.operationId++;
  return applyCommand(bench, { ...request, operationId, clientId: 1n } as ClientCommand);
}

/** Applies a command exactly as given at the next lsn and the bench's slot. */
export function applyCommand(bench: Bench, command: ModelCommand): ModelOutcome {
  const outcome = applyAt(bench.engine, command, bench.lsn + 1n, bench.slot);
  if (outcome.code !== "slot_overflow") bench.lsn++;
  return outcome;
}

const out = createOutcome();
const position = new Uint32Array(4);

/** Encodes, decodes and applies one command at a place in the log. */
export function applyAt(
  engine: Engine,
  command: ModelCommand,
  lsn: bigint,
  slot: bigint,
): ModelOutcome {
  return applyRecord(engine, throughBytes(command), lsn, slot);
}

/** Applies one decoded command at a place in the log. */
export function applyRecord(
  engine: Engine,
  record: Command,
  lsn: bigint,
  slot: bigint,
): ModelOutcome {
  writeU64(position, Position.lsn, lsn);
  writeU64(position, Position.slot, slot);
  if (record.tag === CommandTag.expire) applyInternal(engine, record, position, out);
  else applyClient(engine, record, position, out);
  return plainOutcome(out);
}

/** Which sum of slots a decoded command would overflow, by the wire's number; 0 for none. */
export function overflowNumber(engine: Engine, record: Command, slot: bigint): number {
  writeU64(position, Position.slot, slot);
  return slotOverflow(engine, record, position, Position.slot);
}

/** What the engine remembers of a decoded client command at a slot, without applying anything. */
export function recallRecord(
  engine: Engine,
  record: Command,
  slot: bigint,
): ModelOutcome | undefined {
  writeU64(position, Position.slot, slot);
  const hash = hashKey(engine.tables.operationIndex, record.words, 0);
  const words = position.subarray(Position.slot);
  return recallLive(engine, record, words, hash, out) ? plainOutcome(out) : undefined;
}

const decodedRecord = createCommand(BUNDLE_ROOM);

/** The record that decoding the command's bytes gives; overwritten by the next call. */
export function throughBytes(command: ModelCommand): Command {
  const bytes = encodePlain(command);
  const view = new DataView(bytes.buffer);
  const decode = command.kind === "expire" ? decodeInternalCommand : decodeCommand;
  const end = decode(view, 0, bytes.length, decodedRecord);
  if (end !== bytes.length) throw new Error(`${command.kind} does not decode: ${end}`);
  return decodedRecord;
}

/** What a snapshot of an engine restores to, or why it does not. */
export function restoredCopy(engine: Engine, options: EngineOptions = {}): Engine | string {
  const sink = beginRestore(engine.config, options);
  for (const block of snapshotBlocks(engine)) {
    const error = acceptBlock(sink, block);
    if (error !== undefined) return error;
  }
  return finishRestore(sink);
}

/** The blocks of an engine's snapshot. */
export function snapshotBlocks(engine: Engine): Uint8Array[] {
  const source = beginSnapshot(engine);
  const blocks: Uint8Array[] = [];
  const room = new Uint8Array(BLOCK_BYTES_MAX);
  for (let bytes = nextBlock(source, room); bytes > 0; bytes = nextBlock(source, room)) {
    blocks.push(room.slice(0, bytes));
  }
  endSnapshot(source);
  return blocks;
}

/** Everything a command may change but the engine's progress and memory of operations, as one text. */
export function ownershipText(engine: Engine): string {
  const PROGRESS = 0;
  const OPERATIONS = 3;
  return snapshotBlocks(engine)
    .map((block) => new Uint32Array(block.buffer))
    .filter(([table]) => table !== PROGRESS && table !== OPERATIONS)
    .map((words) => words.join())
    .join("\n");
}

/** Fills the memory of operations to its bound with creations that fail. A resource 1 must exist. */
export function fillOperations(bench: Bench): void {
  const { operations } = bench.engine.tables;
  while (operations.used < bench.engine.config.maxOperations) {
    apply(bench, { kind: "create_resource", resourceId: 1n });
  }
}
