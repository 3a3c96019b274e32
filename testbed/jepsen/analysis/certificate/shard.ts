/**
 * Reservations once more, as plainly as they can be said: maps, sets and whole numbers of any size. It shares nothing with the
 * search but the words of a history, so that a mistake there is none here.
 */
import type {
  AppliedAnswer,
  HistoryAnswer,
  HistoryRequest,
  ReadAnswer,
} from "../../history/operation.ts";

/** What the system may do to answers; what is absent is not known, and then nothing is wrong. */
export interface ShardRules {
  readonly mayFill: boolean;
  readonly mayRetire: boolean;
  /** Whether invalid state, stale epoch and retired are told apart. */
  readonly isExact: boolean;
  readonly maxBundleSize: number | undefined;
  readonly maxTtlSlots: bigint | undefined;
}

/** One operation that happens. */
export interface Happening {
  readonly request: HistoryRequest;
  /** What it must answer; undefined where nobody was told. */
  readonly answer: HistoryAnswer | undefined;
  /** Slots at which it can happen, the lowest first; empty where the server chose. */
  readonly slots: readonly bigint[];
  /** Of a reserve that nobody was told about: the id that it makes, and its deadline where one was seen. */
  readonly makes?: { readonly id: bigint | undefined; readonly deadline: bigint | undefined };
}

interface Claim {
  readonly id: bigint | undefined;
  readonly holderId: bigint;
  readonly members: readonly bigint[];
  readonly deadline: bigint;
  state: "reserved" | "confirmed" | "revoking" | "released" | "expired" | "revoked";
}

interface Resource {
  claim: Claim | undefined;
  version: bigint;
  /** No slot of a later success is lower. */
  floor: bigint;
}

const REFUSALS_OF_STATE: readonly string[] = [
  "invalid_state",
  "stale_epoch",
  "reservation_retired",
];

/** See the top of this file. */
export class Shard {
  readonly #rules: ShardRules;
  /** Ids that an answered reserve made, at any time. */
  readonly #made: ReadonlySet<bigint>;
  readonly #resources = new Map<bigint, Resource>();
  readonly #claims = new Map<bigint, Claim>();

  constructor(rules: ShardRules, made: ReadonlySet<bigint>, initial: Iterable<bigint>) {
    this.#rules = rules;
    this.#made = made;
    for (const id of initial) {
      this.#resources.set(id, { claim: undefined, version: 0n, floor: 0n });
    }
  }

  /** The same again. */
  copy(): Shard {
    const copy = new Shard(this.#rules, this.#made, []);
    const claims = new Map<Claim, Claim>();
    const again = (claim: Claim): Claim => {
      let known = claims.get(claim);
      if (known === undefined) claims.set(claim, known = { ...claim });
      return known;
    };
    for (const [id, claim] of this.#claims) copy.#claims.set(id, again(claim));
    for (const [id, { claim, ...rest }] of this.#resources) {
      copy.#resources.set(id, { ...rest, claim: claim === undefined ? undefined : again(claim) });
    }
    return copy;
  }

  /** Resources whose hold may end by itself, each hold once. */
  expirable(): (readonly bigint[])[] {
    const held = new Set<Claim>();
    for (const { claim } of this.#resources.values()) {
      if (claim?.state === "reserved") held.add(claim);
    }
    return [...held].map(({ members }) => members);
  }

  /** Ends the hold of these resources by itself; false when there is no such hold. */
  expire([first]: readonly bigint[]): boolean {
    const claim = first === undefined ? undefined : this.#resources.get(first)?.claim;
    if (claim?.state !== "reserved") return false;
    for (const member of claim.members) {
      const resource = this.#resources.get(member)!;
      if (claim.deadline > resource.floor) resource.floor = claim.deadline;
    }
    this.#move(claim, "expired");
    return true;
  }

  /** Lets an operation happen; false, and nothing happens, when it cannot answer as it did. */
  apply(happening: Happening): boolean {
    const { request, answer } = happening;
    if (request.kind === "get_resource" || request.kind === "get_reservation") {
      return answer === undefined || this.#sees(request, answer as ReadAnswer);
    }
    const wanted = answer as AppliedAnswer | undefined;
    const slot = this.#slotOf(happening);
    if (slot === undefined) return false;
    const code = this.#codeOf(request);
    if (wanted !== undefined && wanted.code !== "ok") {
      return this.#mayRefuse(request, code, wanted.code);
    }
    if (code !== "ok") return false;
    return this.#succeed(happening, slot);
  }

  /** The lowest slot at which it can happen; undefined for none. */
  #slotOf({ request, slots }: Happening): bigint | undefined {
    let floor = 0n;
    for (const id of this.#about(request)) {
      const its = this.#resources.get(id)?.floor ?? 0n;
      if (its > floor) floor = its;
    }
    return slots.length === 0 ? floor : slots.find((slot) => slot >= floor);
  }

  #about(request: HistoryRequest): readonly bigint[] {
    if ("resourceId" in request) return [request.resourceId];
    if ("resourceIds" in request) return request.resourceIds;
    return this.#claims.get(request.reservationId)?.members ?? [];
  }

  #codeOf(request: HistoryRequest): string {
    if (request.kind === "create_resource") {
      return this.#resources.has(request.resourceId) ? "already_exists" : "ok";
    }
    if ("ttlSlots" in request) return this.#reserveCode(this.#about(request), request.ttlSlots);
    return "reservationId" in request ? this.#claimCode(request) : "ok";
  }

  #reserveCode(ids: readonly bigint[], ttlSlots: bigint): string {
    const { maxBundleSize, maxTtlSlots } = this.#rules;
    if (ids.length === 0 || ids.length > (maxBundleSize ?? Infinity)) return "bundle_too_large";
    if (ttlSlots === 0n || (maxTtlSlots !== undefined && ttlSlots > maxTtlSlots)) {
      return "ttl_out_of_range";
    }
    for (const [i, id] of ids.entries()) {
      const resource = this.#resources.get(id);
      if (ids.indexOf(id) < i) return "resource_busy";
      if (resource === undefined) return "resource_not_found";
      if (resource.claim !== undefined) return "resource_busy";
    }
    return "ok";
  }

  #claimCode(request: Extract<HistoryRequest, { reservationId: bigint }>): string {
    const claim = this.#claims.get(request.reservationId);
    if (claim === undefined) return "reservation_not_found";
    if ("holderId" in request) {
      if (claim.holderId !== request.holderId) return "holder_mismatch";
      if (request.epoch !== epochOf(claim)) return "stale_epoch";
    }
    if (isOver(claim)) return "reservation_retired";
    return FROM[request.kind]!.includes(claim.state) ? "ok" : "invalid_state";
  }

  #mayRefuse(request: HistoryRequest, code: string, said: string): boolean {
    if (said === code) return true;
    const { mayFill, maxBundleSize, maxTtlSlots, isExact } = this.#rules;
    if ("ttlSlots" in request) {
      const isLong = said === "ttl_out_of_range" && maxTtlSlots === undefined;
      const isLarge = said === "bundle_too_large" && maxBundleSize === undefined &&
        this.#about(request).length > 1;
      if (isLong || isLarge) return true;
      return mayFill && code === "ok" &&
        (said === "reservation_table_full" || said === "expiration_index_full");
    }
    if (request.kind === "create_resource") {
      return mayFill && code === "ok" && said === "resource_table_full";
    }
    if (!("reservationId" in request) || !REFUSALS_OF_STATE.includes(said)) return false;
    const isRetired = this.#mayBeRetired(request.reservationId);
    if (isExact) return said === "reservation_retired" && isRetired;
    return isRetired || REFUSALS_OF_STATE.includes(code);
  }

  #mayBeRetired(id: bigint): boolean {
    if (!this.#rules.mayRetire) return false;
    const claim = this.#claims.get(id);
    return claim === undefined ? !this.#made.has(id) : isOver(claim);
  }

  #succeed({ request, answer, slots, makes }: Happening, slot: bigint): boolean {
    const wanted = answer as AppliedAnswer | undefined;
    if (request.kind === "create_resource") {
      this.#resources.set(request.resourceId, { claim: undefined, version: 0n, floor: slot });
    } else if ("ttlSlots" in request) {
      const made = wanted?.reserved;
      const deadline = made?.deadlineSlot ?? makes?.deadline ?? slot + request.ttlSlots;
      const id = made?.reservationId ?? makes?.id;
      return this.#hold(request, id, deadline, slots);
    } else if ("reservationId" in request) {
      const claim = this.#claims.get(request.reservationId)!;
      for (const id of slots.length > 0 ? claim.members : []) this.#resources.get(id)!.floor = slot;
      this.#move(claim, TO[request.kind]!);
    }
    return true;
  }

  #hold(
    request: Extract<HistoryRequest, { ttlSlots: bigint }>,
    id: bigint | undefined,
    deadline: bigint,
    slots: readonly bigint[],
  ): boolean {
    const members = this.#about(request);
    const slot = deadline - request.ttlSlots;
    if (slots.length > 0 && !slots.includes(slot)) return false;
    if (members.some((member) => this.#resources.get(member)!.floor > slot)) return false;
    if (id !== undefined && this.#claims.has(id)) return false;
    const { holderId } = request;
    const claim: Claim = { id, holderId, members, deadline, state: "reserved" };
    if (id !== undefined) this.#claims.set(id, claim);
    for (const member of members) this.#resources.get(member)!.floor = slot;
    this.#move(claim, "reserved");
    return true;
  }

  #move(claim: Claim, to: Claim["state"]): void {
    claim.state = to;
    for (const member of claim.members) {
      const resource = this.#resources.get(member)!;
      resource.claim = isOver(claim) ? undefined : claim;
      resource.version++;
    }
  }

  #sees(request: HistoryRequest, seen: ReadAnswer): boolean {
    if (request.kind === "get_resource") {
      const resource = this.#resources.get(request.resourceId);
      if (resource === undefined) return seen.kind === "not_found";
      return seen.kind === "resource" && seen.state === (resource.claim?.state ?? "available") &&
        seen.reservationId === resource.claim?.id && isOrUnsaid(seen.version, resource.version);
    }
    const id = (request as { reservationId: bigint }).reservationId;
    if (seen.kind === "retired") return this.#mayBeRetired(id);
    const claim = this.#claims.get(id);
    if (claim === undefined) return seen.kind === "not_found";
    return seen.kind === "reservation" && seen.state === claim.state &&
      isOrUnsaid(seen.holderId, claim.holderId) && isOrUnsaid(seen.epoch, epochOf(claim)) &&
      isOrUnsaid(seen.deadlineSlot, claim.deadline) &&
      isOrUnsaid(seen.memberResourceIds?.join(), claim.members.join());
  }
}

const FROM: Readonly<Record<string, readonly string[]>> = {
  confirm: ["reserved"],
  release: ["reserved", "confirmed"],
  revoke: ["confirmed"],
  reclaim: ["revoking"],
};
const TO: Readonly<Record<string, Claim["state"]>> = {
  confirm: "confirmed",
  release: "released",
  revoke: "revoking",
  reclaim: "revoked",
};

function isOver({ state }: Claim): boolean {
  return state === "released" || state === "expired" || state === "revoked";
}

function epochOf({ state }: Claim): bigint {
  return state === "reserved" || state === "confirmed" ? 1n : 2n;
}

function isOrUnsaid<T>(said: T | undefined, is: T): boolean {
  return said === undefined || said === is;
}
