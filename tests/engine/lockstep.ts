/**
 * The engine and the model, side by side: after every command the outcome and everything that can be read
 * are compared, on a live engine and on a twin with another hash seed that is replaced by a restored one
 * from time to time.
 */
import type { CoreConfig } from "../../core/config.ts";
import { digest } from "../../core/digest.ts";
import { firstViolation } from "../../core/invariants.ts";
import { health, viewReservation, viewResource } from "../../core/query.ts";
import { createEngine, type Engine } from "../../core/state.ts";
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../../core/tables.ts";
import { collectDue } from "../../core/timing_wheel.ts";
import { writeU64 } from "../../core/words.ts";
import {
  applyRecord,
  overflowNumber,
  recallRecord,
  restoredCopy,
  throughBytes,
} from "../support/core_builders.ts";
import {
  applyToModel,
  createModel,
  dueInModel,
  type Model,
  overflowOf,
  readModelReservation,
  recallFromModel,
} from "../../testbed/model/model.ts";
import type { ModelOutcome } from "../../testbed/model/words.ts";
import type { Step } from "./draw_step.ts";

/** Two engines and what they must agree with. */
export interface Lockstep {
  readonly live: Engine;
  twin: Engine;
  readonly model: Model;
  steps: number;
  /** How often each command ended in each way. */
  readonly seen: Map<string, number>;
}

/** Commands between two comparisons of whole states. */
const DIGEST_EVERY = 30;
const RESTORE_EVERY = 60;

/** Starts both engines and the model before their first command. */
export function createLockstep(
  config: CoreConfig,
  seen: Map<string, number>,
): Lockstep {
  return {
    live: createEngine(config, { hashSeed: 1 }),
    twin: createEngine(config, { hashSeed: -7 }),
    model: createModel(config),
    steps: 0,
    seen,
  };
}

/** Applies one step everywhere. Returns the first difference there is, in words. */
export function takeStep(lockstep: Lockstep, { command, slot }: Step): string | undefined {
  const { live, model, seen } = lockstep;
  const record = throughBytes(command);
  if (command.kind !== "expire") {
    const recalled = outcomeText(recallRecord(live, record, slot));
    const remembered = outcomeText(recallFromModel(model, command, slot));
    if (recalled !== remembered) return `recall: ${recalled}, not ${remembered}`;
  }
  const overflow = overflowNumber(live, record, slot);
  const overflows = OVERFLOW_NUMBERS[overflowOf(model.bounds, command, slot) ?? "none"];
  if (overflow !== overflows) return `overflow: ${overflow}, not ${overflows}`;
  const lsn = model.lastLsn + 1n;
  const expected = applyToModel(model, command, slot);
  const expectedText = outcomeText(expected);
  for (const engine of [live, lockstep.twin]) {
    const got = outcomeText(applyRecord(engine, record, lsn, slot));
    if (got !== expectedText) return `${command.kind}: ${got}, not ${expectedText}`;
  }
  const what = `${command.kind} ${expected.code}${expected.fromRetryCache ? " again" : ""}`;
  count(seen, what);
  if (model.operations.size > model.bounds.maxOperations) count(seen, "headroom used");
  // A reader may be a slot ahead of the last command: history ends on time all the same.
  const readAt = slot === 2n ** 64n - 1n ? slot : slot + BigInt(lockstep.steps & 1);
  return differenceInViews(live, model, readAt) ?? wholeStateDifference(lockstep);
}

/** The wire's numbers. */
const OVERFLOW_NUMBERS = { none: 0, operation_window: 1, deadline: 2, reservation_history: 3 };

function count(seen: Map<string, number>, what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1);
}

function outcomeText(outcome: ModelOutcome | undefined): string {
  if (outcome === undefined) return "nothing";
  const { code, appliedLsn, fromRetryCache, reserved } = outcome;
  const place = reserved && `${reserved.reservationId} ${reserved.epoch} ${reserved.deadlineSlot}`;
  return `${code} at ${appliedLsn}${fromRetryCache ? " again" : ""} ${place ?? ""}`;
}

function wholeStateDifference(lockstep: Lockstep): string | undefined {
  const { live, model } = lockstep;
  lockstep.steps++;
  if (lockstep.steps % DIGEST_EVERY !== 0) return undefined;
  const violation = firstViolation(live) ?? firstViolation(lockstep.twin);
  if (violation !== undefined) return violation;
  if (digest(live) !== digest(lockstep.twin)) return "the digests of both engines differ";
  if (lockstep.steps % RESTORE_EVERY !== 0) return undefined;
  const restored = restoredCopy(live, { hashSeed: lockstep.steps });
  if (typeof restored === "string") return `restore: ${restored}`;
  if (digest(restored) !== digest(live)) return "the restored engine has another digest";
  lockstep.twin = restored;
  return differenceInViews(restored, model, model.lastSlot);
}

/** Compares every resource, every reservation, what is due, and the figures. */
function differenceInViews(engine: Engine, model: Model, slot: bigint): string | undefined {
  for (const id of model.resources.keys()) {
    const difference = differenceInResource(engine, model, id);
    if (difference !== undefined) return difference;
  }
  for (const id of idsToProbe(model)) {
    const difference = differenceInReservation(engine, model, id, slot);
    if (difference !== undefined) return `reservation ${id} at slot ${slot}: ${difference}`;
  }
  return differenceInDue(engine, model, slot) ?? differenceInHealth(engine, model, slot);
}

function differenceInResource(engine: Engine, model: Model, id: bigint): string | undefined {
  const got = viewResource(engine, id);
  const expected = model.resources.get(id)!;
  const same = got !== undefined && RESOURCE_STATE_NAMES[got.state] === expected.state &&
    got.currentReservationId === expected.currentReservationId && got.version === expected.version;
  return same
    ? undefined
    : `resource ${id}: ${expected.state} version ${expected.version} expected`;
}

/** Every record, and ids without one on both sides of what decides between retired and unknown. */
function idsToProbe(model: Model): bigint[] {
  const { retiredLsn, lastLsn, bounds: { shardId } } = model;
  const lsns = [0n, retiredLsn, retiredLsn + 1n, lastLsn, lastLsn + 1n, retiredLsn / 2n];
  const shard = shardId << 64n;
  const otherShard = 1n << 64n;
  return [
    ...model.reservations.keys(),
    ...lsns.map((lsn) => shard | lsn),
    (shard | retiredLsn) ^ otherShard,
    (firstOf(model.reservations.keys()) ?? shard) ^ otherShard,
  ];
}

function firstOf<T>(values: Iterable<T>): T | undefined {
  for (const value of values) return value;
  return undefined;
}

function differenceInReservation(
  engine: Engine,
  model: Model,
  id: bigint,
  slot: bigint,
): string | undefined {
  const got = viewReservation(engine, id, slot);
  const expected = readModelReservation(model, id, slot);
  if (typeof got === "string" || typeof expected === "string") {
    return got === expected ? undefined : `${describe(got)}, not ${describe(expected)}`;
  }
  if (RESERVATION_STATE_NAMES[got.state] !== expected.state) return `not ${expected.state}`;
  for (const field of COMPARED) {
    if (got[field] !== expected[field]) return `${field} is ${got[field]}, not ${expected[field]}`;
  }
  const members = expected.memberResourceIds;
  const sameMembers = got.memberResourceIds.length === members.length &&
    members.every((member, at) => member === got.memberResourceIds[at]);
  return sameMembers ? undefined : `members are ${got.memberResourceIds}, not ${members}`;
}

const COMPARED = [
  "reservationId",
  "holderId",
  "epoch",
  "createdLsn",
  "deadlineSlot",
  "releasedLsn",
  "retireAfterSlot",
] as const;

function describe(view: string | object): string {
  return typeof view === "string" ? view : "a record";
}

const dueRows = new Uint32Array(16);
const until = new Uint32Array(2);

function differenceInDue(engine: Engine, model: Model, slot: bigint): string | undefined {
  writeU64(until, 0, slot);
  const count = collectDue(engine.wheel, until, dueRows);
  const { words, stride } = engine.tables.reservations;
  const got = Array.from(dueRows.subarray(0, count), (row) => words[row * stride]).join();
  const expected = dueInModel(model, slot).map(({ createdLsn }) => createdLsn).join();
  return got === expected ? undefined : `due are ${got}, not ${expected}`;
}

function differenceInHealth(engine: Engine, model: Model, slot: bigint): string | undefined {
  const applied = model.lastLsn > 0n;
  const reservations = [...model.reservations.values()];
  const members = reservations.reduce((sum, each) => sum + each.memberResourceIds.length, 0);
  const ahead = slot > model.lastSlot ? slot - model.lastSlot : 0n;
  const expected: Record<string, bigint | number | undefined> = {
    lastAppliedLsn: applied ? model.lastLsn : undefined,
    lastRequestSlot: applied ? model.lastSlot : undefined,
    logicalSlotLag: applied ? ahead : 0n,
    expirationBacklog: dueInModel(model, slot).length,
    operationTableUsed: model.operations.size,
    resourceTableUsed: model.resources.size,
    reservationTableUsed: reservations.length,
    reservationMemberTableUsed: members,
  };
  for (const [name, value] of Object.entries(health(engine, slot))) {
    if (value !== expected[name]) return `${name} is ${value}, not ${expected[name]}`;
  }
  return undefined;
}
