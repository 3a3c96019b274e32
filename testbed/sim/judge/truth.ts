/**
 * What the cluster has decided: each op the first time that any replica calls it committed, applied to the
 * model, which knows nothing of replicas. Everything that replicas and clients say is compared with this.
 */
import { createEngine, type Engine } from "../../../core/state.ts";
import { digest } from "../../../core/digest.ts";
import { createCommand } from "../../../core/command.ts";
import type { CoreConfig } from "../../../core/config.ts";
import { createOutcome } from "../../../core/outcome.ts";
import { applyEntry } from "../../../core/replay.ts";
import { writeU64 } from "../../../core/words.ts";
import { commandOf } from "./command.ts";
import { HashColumn } from "./hash_column.ts";
import { viewUnder } from "./kept_bytes.ts";
import type { MirrorFrame } from "./log_mirror.ts";
import {
  applyToModel,
  createModel,
  type Model,
  type ModelReservation,
  type ModelResource,
  readModelReservation,
} from "../../model/model.ts";
import type { ModelCommand, ModelOutcome } from "../../model/words.ts";

/** One decided entry. */
export interface Decided {
  readonly frame: MirrorFrame;
  /** Absent for entries that are no commands. */
  readonly command: ModelCommand | undefined;
  readonly outcome: ModelOutcome | undefined;
  /** Virtual time at which the first replica called it committed. */
  readonly decidedMs: number;
}

type Change<T> = { readonly lsn: number; readonly value: T };

/** Entries of which everything is kept, however old they are. */
const KEPT_MIN = 4_096;

/** How many more than that there are before any is dropped. */
const KEPT_SLACK = 1_024;

/**
 * See the top of this file. Of old entries only their hashes are kept, once nobody can ask for them any more: see
 * {@linkcode ClusterTruth.forget}.
 */
export class ClusterTruth {
  /** Lsn of the last decided command. */
  lsn = 0;
  readonly #core: CoreConfig;
  readonly #model: Model;
  readonly #engine: Engine;
  readonly #hashes = new HashColumn();
  readonly #byOp = new Map<number, Decided>();
  readonly #byLsn = new Map<number, Decided>();
  readonly #firstByKey = new Map<string, Decided>();
  readonly #resources = new Map<bigint, Change<ModelResource>[]>();
  readonly #reservations = new Map<bigint, Change<ModelReservation | "retired">[]>();
  /** Reservations that are not retired yet. */
  readonly #live = new Set<bigint>();
  /** Entries up to here are forgotten. */
  #forgottenOp = 0;
  /** The latest reservation of which nothing is kept any more, by the lsn that made it. */
  #forgottenReservation = 0n;
  readonly #position = new Uint32Array(4);
  readonly #scratch;
  readonly #outcome = createOutcome();
  #digest: { readonly op: number; readonly digest: bigint } | undefined;

  constructor(core: CoreConfig) {
    this.#core = core;
    this.#model = createModel(core);
    this.#engine = createEngine(core, { hashSeed: 99 });
    this.#scratch = createCommand(core.maxBundleSize);
  }

  /** The last decided op. */
  get op(): number {
    return this.#hashes.length;
  }

  /** Entries, changes of rows and keys that are kept: what must not grow for ever. */
  get kept(): number {
    let changes = 0;
    for (const all of [this.#resources, this.#reservations]) {
      for (const { length } of all.values()) changes += length;
    }
    return this.#byOp.size + this.#byLsn.size + this.#firstByKey.size + changes;
  }

  /** Digest of the state after everything that is decided; slow the first time at each op. */
  digest(): bigint {
    const known = this.#digest;
    if (known?.op === this.op) return known.digest;
    this.#digest = { op: this.op, digest: digest(this.#engine) };
    return this.#digest.digest;
  }

  /** Rows of the largest table: what a digest costs. */
  get rows(): number {
    return this.#engine.tables.operations.used;
  }

  /** Chain hash of the decided entry at an op. */
  hashAt(op: number): bigint | undefined {
    return this.#hashes.at(op - 1);
  }

  /** The decided entry at an op, unless it is forgotten. */
  at(op: number): Decided | undefined {
    return this.#byOp.get(op);
  }

  /** The decided entries behind an op, but for those that are forgotten. */
  after(op: number): Decided[] {
    const all: Decided[] = [];
    for (let next = op + 1; next <= this.op; next++) {
      const decided = this.#byOp.get(next);
      if (decided !== undefined) all.push(decided);
    }
    return all;
  }

  /** The entry at an lsn, unless it is forgotten. */
  atLsn(lsn: bigint): Decided | undefined {
    return this.#byLsn.get(Number(lsn));
  }

  /** The entry that decided an operation: the first with its key. */
  firstOf(clientId: bigint, operationId: bigint): Decided | undefined {
    return this.#firstByKey.get(`${clientId} ${operationId}`);
  }

  /** Learns the next entry. */
  decide(frame: MirrorFrame, nowMs: number): Decided {
    const isCommand = frame.isCommand;
    const command = isCommand ? commandOf(frame.isInternal, frame.payload) : undefined;
    const outcome = command && this.#apply(frame, command);
    const decided = { frame, command, outcome, decidedMs: nowMs };
    this.#hashes.push(frame.hash);
    this.#byOp.set(this.op, decided);
    if (command === undefined) return decided;
    this.#byLsn.set(frame.lsn, decided);
    const key = keyOf(command);
    if (key !== undefined && !this.#firstByKey.has(key)) this.#firstByKey.set(key, decided);
    return decided;
  }

  /**
   * Drops what was decided before a moment, but for the latest entries. Nobody may ask again for an operation that was
   * answered before it, nor read as of an lsn of then.
   *
   * @param beforeMs Virtual time.
   * @param forgotten Told the key of every operation that is dropped.
   * @returns The last op that is dropped; 0 when none is.
   */
  forget(beforeMs: number, forgotten: (key: string) => void): number {
    let through = 0;
    let throughLsn = 0;
    if (this.#byOp.size < KEPT_MIN + KEPT_SLACK) return through;
    // Seldom, and then much at once.
    const isWorthIt = this.#byOp.get(this.#forgottenOp + KEPT_SLACK)!.decidedMs < beforeMs;
    if (!isWorthIt) return through;
    for (const [op, decided] of this.#byOp) {
      if (this.#byOp.size <= KEPT_MIN || decided.decidedMs >= beforeMs) break;
      const { frame, command } = decided;
      this.#byOp.delete(op);
      this.#byLsn.delete(frame.lsn);
      through = op;
      if (command !== undefined) throughLsn = frame.lsn;
      const key = command && keyOf(command);
      if (key === undefined || this.#firstByKey.get(key) !== decided) continue;
      this.#firstByKey.delete(key);
      forgotten(key);
    }
    this.#forgottenOp = through;
    this.#forgetChanges(throughLsn);
    return through;
  }

  /** The first lsn from `from` to `to` at which a resource was exactly so; `undefined` when there is none. */
  whenResource(
    id: bigint,
    matches: (resource: ModelResource | undefined) => boolean,
    from: number,
    to: number,
  ): number | undefined {
    return whenMatches(this.#resources.get(id), undefined, matches, from, to);
  }

  /** The same of a reservation, as of a slot. */
  whenReservation(
    id: bigint,
    slot: bigint,
    matches: (reservation: ModelReservation | "retired" | "not_found") => boolean,
    from: number,
    to: number,
  ): number | undefined {
    const seen = (value: ModelReservation | "retired" | "not_found"): boolean => {
      if (typeof value === "string") return matches(value);
      const { retireAfterSlot } = value;
      return matches(retireAfterSlot !== undefined && slot > retireAfterSlot ? "retired" : value);
    };
    return whenMatches(this.#reservations.get(id), this.#withoutChanges(id), seen, from, to);
  }

  #apply(frame: MirrorFrame, command: ModelCommand): ModelOutcome {
    const outcome = applyToModel(this.#model, command, frame.slot);
    if (outcome.appliedLsn === BigInt(frame.lsn) && this.#model.lastLsn !== BigInt(frame.lsn)) {
      throw new Error(`An entry that changes nothing took lsn ${frame.lsn}`);
    }
    this.lsn = frame.lsn;
    const position = this.#position;
    writeU64(position, 0, BigInt(frame.lsn));
    writeU64(position, 2, frame.slot);
    const { payload } = frame;
    applyEntry(
      this.#engine,
      frame.isInternal,
      viewUnder(payload),
      payload.byteOffset,
      payload.byteOffset + payload.length,
      position,
      this.#scratch,
      this.#outcome,
    );
    this.#noteChanges(frame.lsn, command, outcome);
    return outcome;
  }

  /** What a reservation is of which no change is kept: unknown, unless it is older than those that are forgotten. */
  #withoutChanges(id: bigint): "retired" | "not_found" {
    const lsn = id & 0xffff_ffff_ffff_ffffn;
    const isOurs = id >> 64n === this.#core.shardId;
    return isOurs && lsn <= this.#forgottenReservation ? "retired" : "not_found";
  }

  /** Of what was so until an lsn only the last is kept, and nothing of a reservation that was retired by then. */
  #forgetChanges(lsn: number): void {
    for (const changes of this.#resources.values()) dropBefore(changes, lsn);
    for (const [id, changes] of this.#reservations) {
      dropBefore(changes, lsn);
      const last = changes[0];
      if (last?.value !== "retired" || last.lsn > lsn) continue;
      this.#reservations.delete(id);
      const madeAt = id & 0xffff_ffff_ffff_ffffn;
      if (madeAt > this.#forgottenReservation) this.#forgottenReservation = madeAt;
    }
  }

  /** Only what a command names or makes can change by it, and what is retired before it. */
  #noteChanges(lsn: number, command: ModelCommand, { reserved }: ModelOutcome): void {
    const { reservations } = this.#model;
    if (command.kind === "create_resource") this.#noteResource(lsn, command.resourceId);
    const id = "reservationId" in command ? command.reservationId : reserved?.reservationId;
    const reservation = id === undefined ? undefined : reservations.get(id);
    if (reservation !== undefined) this.#noteReservation(lsn, reservation);
    for (const member of reservation?.memberResourceIds ?? []) this.#noteResource(lsn, member);
    if (this.#live.size > reservations.size) this.#noteRetired(lsn);
  }

  #noteResource(lsn: number, id: bigint): void {
    const resource = this.#model.resources.get(id);
    if (resource === undefined) return;
    const changes = changesOf(this.#resources, id);
    if (changes.at(-1)?.value.version === resource.version) return;
    changes.push({ lsn, value: { ...resource } });
  }

  #noteReservation(lsn: number, reservation: ModelReservation): void {
    const { reservationId, state } = reservation;
    const changes = changesOf(this.#reservations, reservationId);
    const last = changes.at(-1)?.value;
    if (typeof last === "object" && last.state === state) return;
    this.#live.add(reservationId);
    changes.push({ lsn, value: { ...reservation } });
  }

  #noteRetired(lsn: number): void {
    for (const id of this.#live) {
      if (readModelReservation(this.#model, id, 0n) !== "retired") continue;
      changesOf(this.#reservations, id).push({ lsn, value: "retired" });
      this.#live.delete(id);
    }
  }
}

function keyOf(command: ModelCommand): string | undefined {
  return command.kind === "expire" ? undefined : `${command.clientId} ${command.operationId}`;
}

/** Leaves the last change at or before an lsn, and what came later. */
function dropBefore<T>(changes: Change<T>[], lsn: number): void {
  let last = 0;
  while (last + 1 < changes.length && changes[last + 1]!.lsn <= lsn) last++;
  if (last > 0) changes.splice(0, last);
}

function changesOf<T>(all: Map<bigint, Change<T>[]>, id: bigint): Change<T>[] {
  const known = all.get(id);
  if (known !== undefined) return known;
  const fresh: Change<T>[] = [];
  all.set(id, fresh);
  return fresh;
}

function whenMatches<T, Before>(
  changes: readonly Change<T>[] | undefined,
  before: Before,
  matches: (value: T | Before) => boolean,
  from: number,
  to: number,
): number | undefined {
  const end = changes?.length ?? 0;
  for (let i = -1; i < end; i++) {
    const change = i < 0 ? undefined : changes![i]!;
    const at = Math.max(change?.lsn ?? 0, from);
    const until = (changes?.[i + 1]?.lsn ?? Infinity) - 1;
    if (at > Math.min(until, to)) continue;
    if (matches(change === undefined ? before : change.value)) return at;
  }
  return undefined;
}
