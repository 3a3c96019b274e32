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
import { commandOf } from "./command.ts";
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
import { u64Words } from "../workload/requests.ts";

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

/** See the top of this file. */
export class ClusterTruth {
  /** Entry of op `i + 1`. */
  readonly decided: Decided[] = [];
  /** Lsn of the last decided command. */
  lsn = 0;
  readonly #model: Model;
  readonly #engine: Engine;
  readonly #byLsn: Decided[] = [];
  readonly #firstByKey = new Map<string, Decided>();
  readonly #resources = new Map<bigint, Change<ModelResource>[]>();
  readonly #reservations = new Map<bigint, Change<ModelReservation | "retired">[]>();
  /** Reservations that are not retired yet. */
  readonly #live = new Set<bigint>();
  readonly #scratch;
  readonly #outcome = createOutcome();

  constructor(core: CoreConfig) {
    this.#model = createModel(core);
    this.#engine = createEngine(core, { hashSeed: 99 });
    this.#scratch = createCommand(core.maxBundleSize);
  }

  /** The last decided op. */
  get op(): number {
    return this.decided.length;
  }

  /** Digest of the state after everything that is decided; slow. */
  digest(): bigint {
    return digest(this.#engine);
  }

  /** Chain hash of the decided entry at an op. */
  hashAt(op: number): bigint | undefined {
    return this.decided[op - 1]?.frame.hash;
  }

  /** The decided entry at an op. */
  at(op: number): Decided | undefined {
    return this.decided[op - 1];
  }

  /** The entry at an lsn. */
  atLsn(lsn: bigint): Decided | undefined {
    return this.#byLsn[Number(lsn) - 1];
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
    this.decided.push(decided);
    if (command === undefined) return decided;
    this.#byLsn.push(decided);
    if (command.kind !== "expire") {
      const key = `${command.clientId} ${command.operationId}`;
      if (!this.#firstByKey.has(key)) this.#firstByKey.set(key, decided);
    }
    return decided;
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
    return whenMatches(this.#reservations.get(id), "not_found" as const, seen, from, to);
  }

  #apply(frame: MirrorFrame, command: ModelCommand): ModelOutcome {
    const outcome = applyToModel(this.#model, command, frame.slot);
    if (outcome.appliedLsn === BigInt(frame.lsn) && this.#model.lastLsn !== BigInt(frame.lsn)) {
      throw new Error(`An entry that changes nothing took lsn ${frame.lsn}`);
    }
    this.lsn = frame.lsn;
    const position = new Uint32Array([...u64Words(BigInt(frame.lsn)), ...u64Words(frame.slot)]);
    const { payload } = frame;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    applyEntry(
      this.#engine,
      frame.isInternal,
      view,
      0,
      payload.length,
      position,
      this.#scratch,
      this.#outcome,
    );
    this.#noteChanges(frame.lsn);
    return outcome;
  }

  #noteChanges(lsn: number): void {
    const { resources, reservations } = this.#model;
    for (const [id, resource] of resources) {
      const changes = changesOf(this.#resources, id);
      if (changes.at(-1)?.value.version === resource.version) continue;
      changes.push({ lsn, value: { ...resource } });
    }
    for (const [id, reservation] of reservations) {
      this.#live.add(id);
      const changes = changesOf(this.#reservations, id);
      const last = changes.at(-1)?.value;
      if (typeof last === "object" && last.state === reservation.state) continue;
      changes.push({ lsn, value: { ...reservation } });
    }
    for (const id of this.#live) {
      if (readModelReservation(this.#model, id, 0n) !== "retired") continue;
      changesOf(this.#reservations, id).push({ lsn, value: "retired" });
      this.#live.delete(id);
    }
  }
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
  const all: { lsn: number; value: T | Before }[] = [{ lsn: 0, value: before }, ...(changes ?? [])];
  for (const [i, { lsn, value }] of all.entries()) {
    const until = (all[i + 1]?.lsn ?? Infinity) - 1;
    const at = Math.max(lsn, from);
    if (at <= Math.min(until, to) && matches(value)) return at;
  }
  return undefined;
}
