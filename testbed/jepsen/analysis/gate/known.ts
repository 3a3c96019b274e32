/** What somebody knew when a read began: everything that had been answered before. */
import type { HistoryOperation } from "../../history/operation.ts";
import { isWrite } from "../reservation/logical.ts";
import { appliedOf, executedOf, type Material, membersOf } from "./material.ts";

/** How far a reservation's life had come, from 0 for nothing known. */
export const Stage = {
  made: 1,
  confirmed: 2,
  revoking: 3,
  ended: 4,
  retired: 5,
} as const;

/** Something that was known, and who had been told. */
export interface Fact<T> {
  readonly value: T;
  readonly by: HistoryOperation;
}

/** How far a reservation has come by now; it goes on, and each has one. */
interface Stand extends Fact<number> {
  value: number;
  by: HistoryOperation;
}

/** See the top of this file. Facts only ever get better: a later stage, a higher lsn or version. */
export class Known {
  lsn: Fact<bigint> | undefined;
  readonly stages = new Map<bigint, Stand>();
  /** By resource: the highest version that was read. */
  readonly versions = new Map<bigint, Fact<bigint>>();
  /** By resource: the latest reservation that had it, where ids are lsns. */
  readonly latest = new Map<bigint, Fact<bigint>>();
  /** By resource: the reservation that was confirmed last, so that time does not free it. */
  readonly confirmed = new Map<bigint, Fact<bigint>>();
  /** By resource: that it is there. */
  readonly existing = new Map<bigint, Fact<true>>();
  readonly #material: Material;
  readonly #hasLsnIds: boolean;

  constructor(material: Material) {
    this.#material = material;
    this.#hasLsnIds = material.bounds.reservationIds !== "opaque";
  }

  /** Takes in what an attempt was answered. */
  learn(attempt: HistoryOperation): void {
    const { request } = attempt;
    if (isWrite(request)) this.#learnWrite(attempt);
    else this.#learnRead(attempt);
  }

  #learnWrite(attempt: HistoryOperation): void {
    const answer = appliedOf(attempt);
    if (answer?.lsn !== undefined) this.#learnLsn(answer.lsn, attempt);
    if (answer === undefined || executedOf(attempt) === undefined) return;
    const { request } = attempt;
    const isOk = answer.code === "ok";
    if (request.kind === "create_resource") {
      if (isOk || answer.code === "already_exists") this.#exists(request.resourceId, attempt);
    } else if (answer.reserved !== undefined) {
      const { reservationId } = answer.reserved;
      this.#advance(reservationId, Stage.made, attempt);
      if (isWrite(request)) {
        for (const id of membersOf(request)) this.#holds(id, reservationId, attempt);
      }
    } else if ("reservationId" in request && isOk) {
      this.#advance(request.reservationId, STAGE_OF_WRITE[request.kind] ?? 0, attempt);
      if (request.kind === "confirm") this.#confirm(request.reservationId, attempt);
    }
  }

  #learnRead(read: HistoryOperation): void {
    const { request, outcome, servedBy } = read;
    if (servedBy?.observedLsn !== undefined) this.#learnLsn(servedBy.observedLsn, read);
    if (outcome.kind !== "ok") return;
    const { answer } = outcome;
    if (request.kind === "get_resource" && answer.kind === "resource") {
      this.#exists(request.resourceId, read);
      const { version, reservationId, state } = answer;
      if (version !== undefined) raise(this.versions, request.resourceId, version, read);
      if (reservationId === undefined) return;
      this.#advance(reservationId, STAGE_OF_STATE[state]!, read);
      this.#holds(request.resourceId, reservationId, read);
    } else if (request.kind === "get_reservation" && answer.kind === "reservation") {
      this.#advance(request.reservationId, STAGE_OF_STATE[answer.state]!, read);
    }
  }

  #learnLsn(lsn: bigint, by: HistoryOperation): void {
    if (this.lsn === undefined || lsn > this.lsn.value) this.lsn = { value: lsn, by };
  }

  #exists(resourceId: bigint, by: HistoryOperation): void {
    if (!this.existing.has(resourceId)) this.existing.set(resourceId, { value: true, by });
  }

  #holds(resourceId: bigint, reservationId: bigint, by: HistoryOperation): void {
    this.#exists(resourceId, by);
    if (this.#hasLsnIds) raise(this.latest, resourceId, reservationId, by);
  }

  #confirm(reservationId: bigint, by: HistoryOperation): void {
    const hold = this.#material.reservations.get(reservationId)?.hold;
    for (const id of hold?.resourceIds ?? []) this.confirmed.set(id, { value: reservationId, by });
  }

  #advance(reservationId: bigint, stage: number, by: HistoryOperation): void {
    const known = this.stages.get(reservationId);
    if (known === undefined) this.stages.set(reservationId, { value: stage, by });
    else if (known.value < stage) {
      known.value = stage;
      known.by = by;
    }
  }
}

function raise(
  facts: Map<bigint, Fact<bigint>>,
  id: bigint,
  value: bigint,
  by: HistoryOperation,
): void {
  const known = facts.get(id);
  if (known === undefined || known.value < value) facts.set(id, { value, by });
}

const STAGE_OF_WRITE: Readonly<Record<string, number>> = {
  confirm: Stage.confirmed,
  release: Stage.ended,
  revoke: Stage.revoking,
  reclaim: Stage.ended,
};

/** By the state of a reservation, or of the resource that it holds. */
export const STAGE_OF_STATE: Readonly<Record<string, number>> = {
  reserved: Stage.made,
  confirmed: Stage.confirmed,
  revoking: Stage.revoking,
  released: Stage.ended,
  expired: Stage.ended,
  revoked: Stage.ended,
  available: 0,
};
