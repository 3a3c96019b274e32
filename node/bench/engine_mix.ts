/** Scenario engine: how fast the engine itself is. Encoded bytes in, outcomes out, in memory, in one thread. */
import {
  applyFromGroup,
  beginGroup,
  createEntryGroup,
  decodeIntoGroup,
  type EntryGroup,
  GROUP_ENTRIES,
  readAhead,
} from "../../core/apply_group.ts";
import { CommandTag, createCommand, Field } from "../../core/command.ts";
import { COMMAND_BYTES, encodeCommand } from "../../core/command_codec.ts";
import { type CoreConfig, tableBytes } from "../../core/config.ts";
import { createOutcome, RESULT_NAMES, ResultCode } from "../../core/outcome.ts";
import { createEngine, type Engine, Position, POSITION_WORDS } from "../../core/state.ts";
import { bumpU64, copyU64 } from "../../core/words.ts";
import { invariantViolation, pause } from "./scenario.ts";

/** How much. */
export interface EngineSizes {
  readonly resources: number;
  /** How many of them are in demand. */
  readonly wanted: number;
  /** Reservations held at any time; fewer than are wanted. */
  readonly held: number;
  /** Commands that are timed, at least. */
  readonly commands: number;
  /** Commands after which the engine's clock goes on by a slot of 10 ms. */
  readonly commandsPerSlot: number;
}

/** What it came to. */
export interface EngineRun {
  readonly commands: number;
  readonly elapsedMs: number;
  /** Growth of the JavaScript heap while commands were timed, in bytes. */
  readonly heapGrowthBytes: number;
  readonly tableBytes: number;
  readonly operationsRemembered: number;
}

/** The name of the scenario. */
export const ENGINE_SCENARIO = "engine";
/** Reserves, confirms and releases that are encoded at a time, before the clock starts. */
const ROUNDS_PER_BATCH = 4_096;
const TTL_SLOTS = 100n;
const WINDOW_SLOTS = 50n;
const COMMAND_STRIDE = COMMAND_BYTES[CommandTag.reserve]!;
/** Slots for which an operation is remembered, its own and a spare one included. */
const REMEMBERED_SLOTS = Number(TTL_SLOTS + WINDOW_SLOTS) + 2;
/** Batches between two looks at whether the user has had enough. */
const BATCHES_PER_PAUSE = 128;

/** Bounds for an engine in which nothing ever fills up. */
function engineConfig({ resources, held, commandsPerSlot }: EngineSizes): CoreConfig {
  const ended = Math.ceil((Number(WINDOW_SLOTS) + 2) * commandsPerSlot / 3);
  const maxReservations = held + ended + ROUNDS_PER_BATCH;
  return {
    shardId: 0n,
    maxResources: resources,
    maxReservations,
    maxOperations: REMEMBERED_SLOTS * commandsPerSlot,
    maxBundleSize: 1,
    maxTtlSlots: TTL_SLOTS,
    maxExpirationBucketLen: maxReservations,
    reservationHistoryWindowSlots: WINDOW_SLOTS,
    maxClientRetryWindowSlots: WINDOW_SLOTS,
    slotDurationMs: 10,
  };
}

/**
 * Runs the scenario.
 *
 * @param sizes How much.
 * @param signal Ends it early.
 * @returns The figures of the steady state: every table has filled up to where it stays.
 * @throws {CliError} E_BUG when a command does not end with `ok`.
 */
export async function runEngineMix(sizes: EngineSizes, signal: AbortSignal): Promise<EngineRun> {
  const config = engineConfig(sizes);
  const mix = new EngineMix(createEngine(config), sizes);
  for (let made = 0; made < sizes.resources;) made += mix.createBatch(made);
  await mix.run(3 * sizes.held + REMEMBERED_SLOTS * sizes.commandsPerSlot, signal);
  const heapBefore = Deno.memoryUsage().heapUsed;
  const { commands, elapsedMs } = await mix.run(sizes.commands, signal);
  return {
    commands,
    elapsedMs,
    heapGrowthBytes: Deno.memoryUsage().heapUsed - heapBefore,
    tableBytes: tableBytes(config),
    operationsRemembered: mix.operationsRemembered,
  };
}

/** Each reservation is confirmed when half as many as are held have been made after it, then released. */
class EngineMix {
  readonly #engine: Engine;
  readonly #resources: number;
  readonly #wanted: number;
  readonly #held: number;
  readonly #step: number;
  readonly #commandsPerSlot: number;
  readonly #bytes = new DataView(new ArrayBuffer(3 * ROUNDS_PER_BATCH * COMMAND_STRIDE));
  readonly #command = createCommand(1);
  readonly #group: EntryGroup = createEntryGroup(1);
  readonly #lsn = new Uint32Array(2);
  readonly #outcome = createOutcome();
  readonly #position = new Uint32Array(POSITION_WORDS);
  /** Lsn of each reserve that is still held; its reservation has the same number. */
  readonly #reservedAt: Float64Array;
  #encoded = 0;
  #reserves = 0;
  #operations = 0;
  #untilNextSlot: number;

  constructor(engine: Engine, { resources, wanted, held, commandsPerSlot }: EngineSizes) {
    this.#engine = engine;
    this.#commandsPerSlot = commandsPerSlot;
    this.#untilNextSlot = commandsPerSlot;
    this.#resources = resources;
    this.#wanted = wanted;
    this.#held = held;
    this.#step = coprimeStep(wanted);
    this.#reservedAt = new Float64Array(held + 1);
    this.#position[Position.slot] = 1;
  }

  get operationsRemembered(): number {
    return this.#engine.tables.operations.used;
  }

  /** Creates the resources from `first` on, as many as fit a batch; answers how many. */
  createBatch(first: number): number {
    const end = Math.min(first + ROUNDS_PER_BATCH, this.#resources);
    let at = 0;
    for (let id = first; id < end; id++) at = this.#encode(at, CommandTag.create_resource, id, 0);
    this.#encoded = at;
    this.#apply(COMMAND_BYTES[CommandTag.create_resource]!);
    return end - first;
  }

  /** Applies `commands` of the mix or a few more; only applying is timed, encoding is not. */
  async run(
    commands: number,
    signal: AbortSignal,
  ): Promise<{ commands: number; elapsedMs: number }> {
    let applied = 0;
    let elapsedMs = 0;
    for (let batch = 0; applied < commands; batch++) {
      if (batch % BATCHES_PER_PAUSE === 0) await pause(signal);
      this.#encodeBatch();
      const startMs = performance.now();
      this.#apply(COMMAND_STRIDE);
      elapsedMs += performance.now() - startMs;
      applied += this.#encoded / COMMAND_STRIDE;
    }
    return { commands: applied, elapsedMs };
  }

  #encodeBatch(): void {
    let at = 0;
    for (let i = 0; i < ROUNDS_PER_BATCH; i++) {
      const made = this.#reserves++;
      const ring = this.#reservedAt;
      ring[made % ring.length] = this.#operations + 1;
      const resource = (made % this.#wanted) * this.#step % this.#wanted;
      at = this.#encode(at, CommandTag.reserve, resource, Number(TTL_SLOTS));
      const confirmed = made - (this.#held >>> 1);
      if (confirmed >= 0) {
        at = this.#encode(at, CommandTag.confirm, ring[confirmed % ring.length]!, 1);
      }
      const released = made - this.#held;
      if (released >= 0) {
        at = this.#encode(at, CommandTag.release, ring[released % ring.length]!, 1);
      }
    }
    this.#encoded = at;
  }

  /** Every command is applied in the order in which it is encoded, so its operation id is its lsn, too. */
  #encode(at: number, tag: CommandTag, subjectId: number, quantity: number): number {
    const { words } = this.#command;
    this.#command.tag = tag;
    words[Field.operationId] = ++this.#operations;
    words[Field.clientId] = 1;
    words[Field.subjectId] = subjectId;
    words[Field.holderId] = 7;
    words[Field.quantity] = quantity;
    return encodeCommand(this.#bytes, at, this.#command);
  }

  #apply(stride: number): void {
    const group = this.#group;
    for (let at = 0; at < this.#encoded;) {
      this.#decodeGroup(at, stride);
      for (let i = 0; i < group.count; i++, at += stride) {
        bumpU64(this.#position, Position.lsn, 1);
        if (--this.#untilNextSlot === 0) this.#nextSlot();
        applyFromGroup(this.#engine, group, i, this.#position, this.#outcome);
        if (this.#outcome.code !== ResultCode.ok) this.#fail(RESULT_NAMES[this.#outcome.code]!);
      }
    }
  }

  /** Decodes as many commands as a node would at a time. */
  #decodeGroup(from: number, stride: number): void {
    const engine = this.#engine;
    const group = this.#group;
    copyU64(this.#lsn, 0, this.#position, Position.lsn);
    beginGroup(group);
    for (let at = from; group.count < GROUP_ENTRIES && at < this.#encoded; at += stride) {
      bumpU64(this.#lsn, 0, 1);
      const end = at + stride;
      const failed = decodeIntoGroup(engine, group, false, this.#bytes, at, end, this.#lsn, 0);
      if (failed !== 0) this.#fail("a codec error");
    }
    readAhead(engine, group);
  }

  #nextSlot(): void {
    bumpU64(this.#position, Position.slot, 1);
    this.#untilNextSlot = this.#commandsPerSlot;
  }

  #fail(found: string): never {
    const step = `command ${this.#position[Position.lsn]}`;
    throw invariantViolation(ENGINE_SCENARIO, step, `${found} instead of ok`);
  }
}

/** A step through a ring of `length` that meets every place once, far from the place before. */
function coprimeStep(length: number): number {
  let step = Math.max(1, Math.floor(length * 0.618));
  while (greatestCommonDivisor(step, length) !== 1) step++;
  return step;
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
