/**
 * What the engine must do, said a second time: maps, `bigint` and scans over everything, straight from
 * docs/semantics.md. It imports nothing of the engine, so one mistake cannot excuse the other.
 */
import type { ClientCommand, ModelBounds, ModelCommand, ModelOutcome } from "./words.ts";

/** A resource. */
export interface ModelResource {
  state: "available" | "reserved" | "confirmed" | "revoking";
  currentReservationId: bigint | undefined;
  version: bigint;
}

/** A reservation. */
export interface ModelReservation {
  readonly reservationId: bigint;
  readonly holderId: bigint;
  readonly createdLsn: bigint;
  readonly deadlineSlot: bigint;
  readonly memberResourceIds: readonly bigint[];
  state: "reserved" | "confirmed" | "revoking" | "released" | "expired" | "revoked";
  epoch: bigint;
  releasedLsn: bigint | undefined;
  retireAfterSlot: bigint | undefined;
}

interface ModelOperation {
  readonly command: string;
  readonly outcome: ModelOutcome;
  readonly retireAfterSlot: bigint;
}

/** The whole state of one shard. */
export interface Model {
  readonly bounds: ModelBounds;
  readonly resources: Map<bigint, ModelResource>;
  readonly reservations: Map<bigint, ModelReservation>;
  readonly operations: Map<string, ModelOperation>;
  lastLsn: bigint;
  lastSlot: bigint;
  /** Highest reservation lsn that was ever dropped; 0 when none was. */
  retiredLsn: bigint;
}

const U64_MAX = 2n ** 64n - 1n;
const OK = "ok";

/** A shard before its first command. */
export function createModel(bounds: ModelBounds): Model {
  return {
    bounds,
    resources: new Map(),
    reservations: new Map(),
    operations: new Map(),
    lastLsn: 0n,
    lastSlot: 0n,
    retiredLsn: 0n,
  };
}

/** Applies one command at the next place in the log. */
export function applyToModel(model: Model, command: ModelCommand, slot: bigint): ModelOutcome {
  const lsn = model.lastLsn + 1n;
  if (overflowOf(model.bounds, command, slot) !== undefined) {
    return { code: "slot_overflow", appliedLsn: lsn, fromRetryCache: false };
  }
  model.lastLsn = lsn;
  model.lastSlot = slot;
  retire(model);
  if (command.kind === "expire") return execute(model, command);
  const remembered = recallFromModel(model, command, slot);
  if (remembered !== undefined) return remembered;
  forgetForRoom(model);
  const full = model.operations.size >= model.bounds.maxOperations;
  if (full && !(isFreeing(command) && check(model, command) === OK)) {
    return { code: "operation_table_full", appliedLsn: lsn, fromRetryCache: false };
  }
  const outcome = execute(model, command);
  const { maxTtlSlots, maxClientRetryWindowSlots } = model.bounds;
  model.operations.set(operationKey(command), {
    command: canonical(command),
    outcome,
    retireAfterSlot: slot + maxTtlSlots + maxClientRetryWindowSlots,
  });
  return outcome;
}

/** Which sum of slots leaves 64 bits; the command's own sum is looked at first. */
export function overflowOf(
  bounds: ModelBounds,
  command: ModelCommand,
  slot: bigint,
): "deadline" | "reservation_history" | "operation_window" | undefined {
  const { kind } = command;
  if ("ttlSlots" in command && slot + command.ttlSlots > U64_MAX) return "deadline";
  const ends = kind === "release" || kind === "reclaim" || kind === "expire";
  if (ends && slot + bounds.reservationHistoryWindowSlots > U64_MAX) return "reservation_history";
  if (kind === "expire") return undefined;
  const keptSlots = bounds.maxTtlSlots + bounds.maxClientRetryWindowSlots;
  return slot + keptSlots > U64_MAX ? "operation_window" : undefined;
}

/** What is remembered of an operation at a slot, without applying anything. */
export function recallFromModel(
  model: Model,
  command: ClientCommand,
  slot: bigint,
): ModelOutcome | undefined {
  const operation = model.operations.get(operationKey(command));
  if (operation === undefined || slot > operation.retireAfterSlot) return undefined;
  if (operation.command === canonical(command)) {
    return { ...operation.outcome, fromRetryCache: true };
  }
  const { appliedLsn } = operation.outcome;
  return { code: "operation_conflict", appliedLsn, fromRetryCache: true };
}

/** Reads a reservation as of a slot. */
export function readModelReservation(
  model: Model,
  reservationId: bigint,
  slot: bigint,
): ModelReservation | "retired" | "not_found" {
  const found = model.reservations.get(reservationId);
  if (found === undefined) return isBelowWatermark(model, reservationId) ? "retired" : "not_found";
  const { retireAfterSlot } = found;
  return retireAfterSlot !== undefined && slot > retireAfterSlot ? "retired" : found;
}

/** Reserved reservations whose deadline has come, soonest first, oldest first among equals. */
export function dueInModel(model: Model, slot: bigint): ModelReservation[] {
  return [...model.reservations.values()]
    .filter(({ state, deadlineSlot }) => state === "reserved" && deadlineSlot <= slot)
    .sort((a, b) =>
      ascending(a.deadlineSlot, b.deadlineSlot) || ascending(a.createdLsn, b.createdLsn)
    );
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isFreeing({ kind }: ModelCommand): boolean {
  return kind === "release" || kind === "revoke" || kind === "reclaim";
}

function operationKey({ clientId, operationId }: ClientCommand): string {
  return `${clientId} ${operationId}`;
}

/** Every field but the retry key, so that equal text means the same command. */
function canonical(command: ClientCommand): string {
  switch (command.kind) {
    case "create_resource":
      return `${command.kind} ${command.resourceId}`;
    case "reserve":
      return `${command.kind} ${command.resourceId} ${command.holderId} ${command.ttlSlots}`;
    case "reserve_bundle":
      return `${command.kind} ${command.resourceIds} ${command.holderId} ${command.ttlSlots}`;
    case "confirm":
    case "release":
      return `${command.kind} ${command.reservationId} ${command.holderId} ${command.epoch}`;
    case "revoke":
    case "reclaim":
      return `${command.kind} ${command.reservationId}`;
  }
}

/** A full memory forgets its oldest operations, as far as they are past the retry window by itself. */
function forgetForRoom({ operations, bounds, lastSlot }: Model): void {
  for (const [key, { retireAfterSlot }] of operations) {
    if (operations.size < bounds.maxOperations) return;
    if (retireAfterSlot - bounds.maxTtlSlots >= lastSlot) return;
    operations.delete(key);
  }
}

/** Everything whose last readable slot has passed goes. Slots never go back: operations go in the order they came. */
function retire(model: Model): void {
  for (const { reservationId, retireAfterSlot, createdLsn } of model.reservations.values()) {
    if (retireAfterSlot === undefined || retireAfterSlot >= model.lastSlot) continue;
    if (createdLsn > model.retiredLsn) model.retiredLsn = createdLsn;
    model.reservations.delete(reservationId);
  }
  for (const [key, { retireAfterSlot }] of model.operations) {
    if (retireAfterSlot >= model.lastSlot) return;
    model.operations.delete(key);
  }
}

function execute(model: Model, command: ModelCommand): ModelOutcome {
  const code = check(model, command);
  const outcome = { code, appliedLsn: model.lastLsn, fromRetryCache: false };
  if (code !== OK) return outcome;
  if (command.kind === "create_resource") {
    const fresh = { state: "available", currentReservationId: undefined, version: 0n } as const;
    model.resources.set(command.resourceId, fresh);
    return outcome;
  }
  if (command.kind === "reserve" || command.kind === "reserve_bundle") {
    const { reservationId, epoch, deadlineSlot } = createReservation(model, command);
    return { ...outcome, reserved: { reservationId, epoch, deadlineSlot } };
  }
  move(model, model.reservations.get(command.reservationId)!, command.kind);
  return outcome;
}

/** The first check that fails, or `ok`. */
function check(model: Model, command: ModelCommand): string {
  switch (command.kind) {
    case "create_resource":
      if (model.resources.has(command.resourceId)) return "already_exists";
      return model.resources.size === model.bounds.maxResources ? "resource_table_full" : OK;
    case "reserve":
      return checkReserve(model, [command.resourceId], command.ttlSlots);
    case "reserve_bundle":
      return checkReserve(model, command.resourceIds, command.ttlSlots);
    default:
      return checkReservation(model, command);
  }
}

function checkReserve(model: Model, resourceIds: readonly bigint[], ttlSlots: bigint): string {
  const { bounds } = model;
  if (resourceIds.length === 0 || resourceIds.length > bounds.maxBundleSize) {
    return "bundle_too_large";
  }
  if (ttlSlots === 0n || ttlSlots > bounds.maxTtlSlots) return "ttl_out_of_range";
  for (const [position, id] of resourceIds.entries()) {
    if (resourceIds.indexOf(id) < position) return "resource_busy";
    const resource = model.resources.get(id);
    if (resource === undefined) return "resource_not_found";
    if (resource.state !== "available") return "resource_busy";
  }
  if (model.reservations.size === bounds.maxReservations) return "reservation_table_full";
  const wheel = bounds.maxTtlSlots + 1n;
  const bucket = (model.lastSlot + ttlSlots) % wheel;
  const neighbours = [...model.reservations.values()].filter((other) =>
    other.state === "reserved" && other.deadlineSlot % wheel === bucket
  );
  return neighbours.length >= bounds.maxExpirationBucketLen ? "expiration_index_full" : OK;
}

/** Commands that name a reservation. */
function checkReservation(
  model: Model,
  command: Extract<ModelCommand, { reservationId: bigint }>,
): string {
  const { reservationId } = command;
  const found = model.reservations.get(reservationId);
  if (found === undefined) {
    return isBelowWatermark(model, reservationId) ? "reservation_retired" : "reservation_not_found";
  }
  if (command.kind === "expire") {
    const due = found.deadlineSlot === command.deadlineSlot && model.lastSlot >= found.deadlineSlot;
    return due && found.state === "reserved" ? OK : "noop";
  }
  if (command.kind === "confirm" || command.kind === "release") {
    if (found.holderId !== command.holderId) return "holder_mismatch";
    if (found.epoch !== command.epoch) return "stale_epoch";
  }
  if (["released", "expired", "revoked"].includes(found.state)) return "reservation_retired";
  return COMES_FROM[command.kind].includes(found.state) ? OK : "invalid_state";
}

const COMES_FROM: Record<"confirm" | "release" | "revoke" | "reclaim", readonly string[]> = {
  confirm: ["reserved"],
  release: ["reserved", "confirmed"],
  revoke: ["confirmed"],
  reclaim: ["revoking"],
};

const GOES_TO = {
  confirm: "confirmed",
  release: "released",
  revoke: "revoking",
  reclaim: "revoked",
  expire: "expired",
} as const;

function isBelowWatermark(model: Model, reservationId: bigint): boolean {
  const lsn = reservationId & U64_MAX;
  if (reservationId >> 64n !== model.bounds.shardId) return false;
  return model.retiredLsn > 0n && lsn <= model.retiredLsn;
}

function createReservation(
  model: Model,
  command: Extract<ModelCommand, { ttlSlots: bigint }>,
): ModelReservation {
  const reservationId = (model.bounds.shardId << 64n) | model.lastLsn;
  const members = command.kind === "reserve" ? [command.resourceId] : command.resourceIds;
  const reservation: ModelReservation = {
    reservationId,
    holderId: command.holderId,
    createdLsn: model.lastLsn,
    deadlineSlot: model.lastSlot + command.ttlSlots,
    memberResourceIds: members,
    state: "reserved",
    epoch: 1n,
    releasedLsn: undefined,
    retireAfterSlot: undefined,
  };
  model.reservations.set(reservationId, reservation);
  moveMembers(model, reservation, "reserved");
  return reservation;
}

function move(model: Model, reservation: ModelReservation, kind: keyof typeof GOES_TO): void {
  const state = GOES_TO[kind];
  reservation.state = state;
  if (kind === "release" || kind === "revoke" || kind === "expire") reservation.epoch += 1n;
  if (state === "confirmed" || state === "revoking") {
    moveMembers(model, reservation, state);
    return;
  }
  moveMembers(model, reservation, "available");
  reservation.releasedLsn = model.lastLsn;
  reservation.retireAfterSlot = model.lastSlot + model.bounds.reservationHistoryWindowSlots;
}

function moveMembers(
  model: Model,
  { memberResourceIds, reservationId }: ModelReservation,
  state: ModelResource["state"],
): void {
  for (const id of memberResourceIds) {
    const resource = model.resources.get(id)!;
    resource.state = state;
    resource.currentReservationId = state === "available" ? undefined : reservationId;
    resource.version += 1n;
  }
}
