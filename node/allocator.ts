import { type Command, CommandTag, createCommand, Field } from "../core/command.ts";
import { BUNDLE_MEMBERS_MAX, decodeCommand } from "../core/command_codec.ts";
import { checkCoreConfig, type CoreConfig, DEFAULT_CORE_CONFIG, U64_MAX } from "../core/config.ts";
import { digest } from "../core/digest.ts";
import { applyClient, applyInternal } from "../core/engine.ts";
import { createOutcome, type Outcome, ResultCode } from "../core/outcome.ts";
import { lastAppliedLsn, reservationIdOf, viewReservation, viewResource } from "../core/query.ts";
import { createEngine, type Engine, Position, POSITION_WORDS, Progress } from "../core/state.ts";
import { Reservation } from "../core/tables.ts";
import { collectDue } from "../core/timing_wheel.ts";
import { bumpU64, copyU64, readU64, writeU128, writeU64 } from "../core/words.ts";
import type { NotFound, ReservationView, ResourceView, Retired } from "./api.ts";
import { checkedId, randomId, writeCommand } from "./client/encode.ts";
import { committedAt } from "./client/results.ts";
import type { ClientCommand, Committed } from "./client/types.ts";
import { createResultColumns, setCommitted } from "./wire/results.ts";
import { WireWriter } from "./wire/writer.ts";

/** Expirations looked for at a time. */
const EXPIRE_BATCH = 1_024;

/**
 * The engine of a server, in memory and without one: for simulations, for tests of programs that use
 * AllocDB, and for programs that need no durability. It reads no clock: time is the slots it is given, and
 * the same commands at the same slots have the same results. Nothing expires until it is told to.
 *
 * @example
 * ```ts
 * import { Allocator } from "./allocator.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const allocator = new Allocator();
 * allocator.submit({ kind: "create_resource", resourceId: 21n }, 0n);
 * const claim = { kind: "reserve", resourceId: 21n, holderId: 7n, ttlSlots: 30n } as const;
 * assertEquals(allocator.submit(claim, 10n).code, "ok");
 * assertEquals(allocator.submit(claim, 10n).code, "resource_busy");
 * assertEquals(allocator.expire(40n), 1);
 * assertEquals(allocator.submit(claim, 40n).code, "ok");
 * ```
 */
export class Allocator {
  readonly #engine: Engine;
  readonly #slotDurationMs: number;
  readonly #command: Command;
  readonly #outcome: Outcome = createOutcome();
  readonly #position = new Uint32Array(POSITION_WORDS);
  readonly #columns = createResultColumns(1);
  readonly #scratch = new WireWriter();
  readonly #due = new Uint32Array(EXPIRE_BATCH);

  /**
   * Makes an empty one.
   *
   * @param config Bounds, where they differ from {@linkcode DEFAULT_CORE_CONFIG}.
   * @throws {RangeError} When the engine cannot run with them.
   */
  constructor(config: Partial<CoreConfig> = {}) {
    const complete = { ...DEFAULT_CORE_CONFIG, ...config };
    const error = checkCoreConfig(complete);
    if (error !== undefined) throw new RangeError(error.message);
    this.#engine = createEngine(complete);
    this.#slotDurationMs = complete.slotDurationMs;
    this.#command = createCommand(complete.maxBundleSize);
  }

  /**
   * Applies one command.
   *
   * @param command What to do. Milliseconds are rounded up to slots.
   * @param slot When; never lower than the last one.
   * @param clientId Half of the retry key.
   * @returns How it ended.
   * @throws {RangeError} When a number does not fit its field, or the slot goes back.
   */
  submit(command: ClientCommand, slot: bigint, clientId = 0n): Committed {
    const operationId = command.operationId ?? randomId();
    const out = this.#scratch;
    out.clear(BUNDLE_MEMBERS_MAX);
    writeCommand(out, command, checkedId("clientId", clientId), operationId, this.#slotDurationMs);
    decodeCommand(out.view, 0, out.end, this.#command);
    this.#moveTo(slot);
    applyClient(this.#engine, this.#command, this.#position, this.#outcome);
    setCommitted(this.#columns, 0, this.#outcome);
    return committedAt(this.#columns, 0, operationId);
  }

  /**
   * Expires every reservation that is due.
   *
   * @param slot Up to and with which deadline; never lower than the last one.
   * @returns How many expired.
   * @throws {RangeError} When the slot goes back.
   */
  expire(slot: bigint): number {
    this.#moveTo(slot);
    const until = this.#position.slice(Position.slot, Position.slot + 2);
    let expired = 0;
    for (let due = EXPIRE_BATCH; due === EXPIRE_BATCH;) {
      due = collectDue(this.#engine.wheel, until, this.#due);
      for (let i = 0; i < due; i++) this.#expireRow(this.#due[i]!, slot);
      expired += due;
    }
    return expired;
  }

  /** Reads a resource; `undefined` when there is none. */
  resource(resourceId: bigint): ResourceView | undefined {
    const record = viewResource(this.#engine, checkedId("resourceId", resourceId));
    return record && { kind: "found", ...record, observedLsn: lastAppliedLsn(this.#engine) };
  }

  /**
   * Reads a reservation.
   *
   * @param reservationId Which.
   * @param slot As of when: an ended reservation is readable for the history window.
   * @returns What is known of it.
   */
  reservation(
    reservationId: bigint,
    slot: bigint,
  ): ReservationView | NotFound | Retired {
    const record = viewReservation(this.#engine, checkedId("reservationId", reservationId), slot);
    const observedLsn = lastAppliedLsn(this.#engine);
    return typeof record === "string"
      ? { kind: record, observedLsn }
      : { kind: "found", ...record, observedLsn };
  }

  /** A number that two allocators with different contents share by accident only. */
  digest(): bigint {
    return digest(this.#engine);
  }

  #moveTo(slot: bigint): void {
    const { progress } = this.#engine;
    const last = readU64(progress, Progress.lastSlot);
    if (slot < last || slot > U64_MAX) {
      throw new RangeError(`slot must be from ${last} to ${U64_MAX}`);
    }
    copyU64(this.#position, Position.lsn, progress, Progress.lastLsn);
    bumpU64(this.#position, Position.lsn, 1);
    writeU64(this.#position, Position.slot, slot);
  }

  #expireRow(row: number, slot: bigint): void {
    const { words, stride } = this.#engine.tables.reservations;
    const command = this.#command;
    command.tag = CommandTag.expire;
    command.memberCount = 0;
    command.words.fill(0);
    writeU128(command.words, Field.subjectId, reservationIdOf(this.#engine, row));
    copyU64(command.words, Field.quantity, words, row * stride + Reservation.deadlineSlot);
    this.#moveTo(slot);
    applyInternal(this.#engine, command, this.#position, this.#outcome);
    if (this.#outcome.code !== ResultCode.ok) throw new RangeError("slot leaves the 64-bit range");
  }
}
