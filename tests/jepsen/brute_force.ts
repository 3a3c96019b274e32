/**
 * Whether a small history is linearizable, by trying every order. It knows nothing of folding, partitions, numbering or
 * caches: attempts happen one by one, with a table of answers in the state, and reservations are plain objects in maps.
 * Slots are kept per resource, as the checker does; lsns count by the rules that the checker states for pairs.
 */
import type {
  AppliedAnswer,
  HistoryOperation,
  HistoryRequest,
  ReadAnswer,
} from "../../testbed/jepsen/history/operation.ts";

/** What the shard may do to answers. */
export interface BruteRules {
  readonly mayFill: boolean;
  readonly mayRetire: boolean;
  /** Whether operations must happen in the order of their lsns, and reads see all up to theirs and no more. */
  readonly isInLsnOrder?: boolean;
  /** Whether invalid state, stale epoch and retired are one refusal. */
  readonly isByClass?: boolean;
  /** Resources that are there before the history begins. */
  readonly prepared: readonly bigint[];
}

interface Claim {
  /** Undefined when nobody ever names it. */
  readonly id: bigint | undefined;
  readonly holderId: bigint;
  readonly members: readonly bigint[];
  readonly deadline: bigint;
  state: string;
}

interface Resource {
  claim: Claim | undefined;
  version: bigint;
  floor: bigint;
}

interface Answered {
  readonly command: string;
  readonly code: string;
  readonly id: bigint | undefined;
}

interface State {
  /** Keys, or for what has none the attempt itself, of what has happened. */
  readonly happened: Set<string | HistoryOperation>;
  readonly resources: Map<bigint, Resource>;
  readonly claims: Claim[];
  readonly answers: Map<string, Answered>;
}

/** Tries every order of a history of a handful of attempts. */
export function isLinearizable(
  history: readonly HistoryOperation[],
  rules: BruteRules,
): boolean {
  const attempts = history.filter(({ outcome }) =>
    outcome.kind !== "fail" &&
    !(rules.mayFill && outcome.kind === "ok" && outcome.answer.kind === "applied" &&
      outcome.answer.code === "operation_table_full")
  );
  if (!pairsAgree(attempts)) return false;
  return new BruteForce(attempts, rules).search();
}

class BruteForce {
  readonly #attempts: readonly HistoryOperation[];
  readonly #rules: BruteRules;
  readonly #ids: readonly bigint[];
  readonly #made: ReadonlySet<bigint>;
  readonly #deadlines: ReadonlyMap<bigint, bigint>;

  constructor(attempts: readonly HistoryOperation[], rules: BruteRules) {
    this.#attempts = attempts;
    this.#rules = rules;
    this.#ids = mentionedIds(attempts);
    this.#made = new Set(attempts.flatMap((it) => reservedOf(it)?.reservationId ?? []));
    this.#deadlines = deadlinesOf(attempts);
  }

  search(): boolean {
    const fresh = (): Resource => ({ claim: undefined, version: 0n, floor: 0n });
    const resources = new Map(this.#rules.prepared.map((id) => [id, fresh()]));
    const state = { happened: new Set<never>(), resources, claims: [], answers: new Map() };
    return this.#extend(state, new Set(this.#attempts));
  }

  #extend(state: State, left: ReadonlySet<HistoryOperation>): boolean {
    const waiting = [...left].filter(({ outcome }) => outcome.kind === "ok");
    if (waiting.length === 0) return true;
    const until = Math.min(...waiting.map(({ completedAt }) => completedAt!));
    for (const attempt of left) {
      if (attempt.invokedAt > until) continue;
      const rest = new Set(left);
      rest.delete(attempt);
      if (!this.#fenceIsMet(attempt, left)) continue;
      for (const next of this.#apply(state, attempt)) if (this.#extend(next, rest)) return true;
    }
    for (const [i, claim] of state.claims.entries()) {
      if (claim.state !== "reserved") continue;
      const next = copy(state);
      end(next, next.claims[i]!, "expired");
      for (const id of claim.members) {
        const resource = next.resources.get(id)!;
        if (claim.deadline > resource.floor) resource.floor = claim.deadline;
      }
      if (this.#extend(next, left)) return true;
    }
    return false;
  }

  #fenceIsMet({ request }: HistoryOperation, left: ReadonlySet<HistoryOperation>): boolean {
    if (!("requiredLsn" in request) || request.requiredLsn === undefined) return true;
    const fence = request.requiredLsn;
    // Another attempt of the same operation may have happened: then this one only repeats its answer.
    return [...left].every((other) => {
      const lsn = lsnOf(other);
      if (lsn === undefined || lsn > fence) return true;
      return this.#attempts.some((it) => lsnOf(it) === lsn && !left.has(it)) ||
        this.#unansweredTwinHappened(other, left);
    });
  }

  #unansweredTwinHappened(
    other: HistoryOperation,
    left: ReadonlySet<HistoryOperation>,
  ): boolean {
    return this.#attempts.some((it) =>
      keyOf(it) === keyOf(other) && keyOf(it) !== "" && it.outcome.kind === "info" &&
      textOf(it.request) === textOf(other.request) && !left.has(it)
    );
  }

  /** Every state that an attempt can lead to, answered as it was. */
  #apply(state: State, attempt: HistoryOperation): State[] {
    const { request, outcome } = attempt;
    if (request.kind === "get_resource" || request.kind === "get_reservation") {
      if (outcome.kind !== "ok") return [state];
      if (!this.#isInOrder(state, attempt)) return [];
      if (!this.#sees(state, request, outcome.answer as ReadAnswer)) return [];
      const next = copy(state);
      next.happened.add(attempt);
      return [next];
    }
    const wanted = outcome.kind === "ok" ? outcome.answer as AppliedAnswer : undefined;
    const known = state.answers.get(keyOf(attempt));
    if (known !== undefined) {
      if (known.command !== textOf(request)) {
        return wanted === undefined || wanted.code === "operation_conflict" ? [state] : [];
      }
      if (wanted === undefined) return [state];
      if (wanted.code !== known.code) return [];
      return wanted.reserved?.reservationId === known.id ? [state] : [];
    }
    if (wanted?.code === "operation_conflict") return [];
    return this.#isInOrder(state, attempt) ? this.#execute(state, attempt, wanted) : [];
  }

  /** Whether everything with a lower lsn has happened, and nothing with a higher one. */
  #isInOrder({ happened }: State, attempt: HistoryOperation): boolean {
    if (this.#rules.isInLsnOrder !== true) return true;
    const place = this.#placeOf(attempt);
    if (place === undefined) return true;
    return this.#attempts.every((other) => {
      const its = other === attempt || isTwin(other, attempt) ? undefined : this.#placeOf(other);
      if (its === undefined) return true;
      const has = happened.has(keyOf(other) === "" ? other : keyOf(other) + textOf(other.request));
      return its < place ? has : its === place || !has;
    });
  }

  /** The lsn that an operation, or an attempt of it, was answered with; reads come after the write that they saw. */
  #placeOf(attempt: HistoryOperation): bigint | undefined {
    const observed = observedOf(attempt);
    if (observed !== undefined) return observed * 2n + 1n;
    const own = this.#attempts.find((it) =>
      (it === attempt || isTwin(it, attempt)) && lsnOf(it) !== undefined
    );
    return own === undefined ? undefined : lsnOf(own)! * 2n;
  }

  #execute(
    state: State,
    attempt: HistoryOperation,
    wanted: AppliedAnswer | undefined,
  ): State[] {
    const { request } = attempt;
    const code = this.#check(state, request);
    if (!slotFits(state, attempt)) return [];
    const ended = "reservationId" in request && this.#mayBeRetired(state, request.reservationId);
    const refusals = new Set([code]);
    if (this.#rules.mayFill && code === "ok") {
      if (request.kind === "create_resource") refusals.add("resource_table_full");
      if ("ttlSlots" in request) {
        refusals.add("reservation_table_full").add("expiration_index_full");
      }
    }
    if (ended) refusals.add("reservation_retired");
    if (this.#rules.isByClass === true && [...refusals].some((it) => OF_CLASS.includes(it))) {
      for (const other of OF_CLASS) refusals.add(other);
    }
    const next: State[] = [];
    for (const possible of refusals) {
      if (wanted !== undefined && wanted.code !== possible) continue;
      // An attempt that nobody heard of can be taken as refused only in the plain way, or by a full table.
      next.push(...this.#settle(state, attempt, possible, wanted));
    }
    return next;
  }

  #settle(
    state: State,
    attempt: HistoryOperation,
    code: string,
    wanted: AppliedAnswer | undefined,
  ): State[] {
    const { request } = attempt;
    const remember = (next: State, id: bigint | undefined): State => {
      if (attempt.key !== undefined) {
        next.happened.add(keyOf(attempt) + textOf(request));
        next.answers.set(keyOf(attempt), { command: textOf(request), code, id });
      }
      return next;
    };
    if (code !== "ok") return [remember(copy(state), undefined)];
    if ("ttlSlots" in request) {
      const ids = wanted?.reserved === undefined
        ? [undefined, ...this.#ids]
        : [wanted.reserved.reservationId];
      return ids.flatMap((id) => {
        const next = this.#reserve(state, attempt, request, id);
        return next === undefined ? [] : [remember(next, id)];
      });
    }
    const next = remember(copy(state), undefined);
    const { slot } = attempt;
    if (request.kind === "create_resource") {
      next.resources.set(request.resourceId, {
        claim: undefined,
        version: 0n,
        floor: slot ?? 0n,
      });
    } else if ("reservationId" in request) {
      const claim = next.claims.find(({ id }) => id === request.reservationId)!;
      for (const member of slot === undefined ? [] : claim.members) {
        next.resources.get(member)!.floor = slot!;
      }
      if (request.kind === "release") end(next, claim, "released");
      else if (request.kind === "reclaim") end(next, claim, "revoked");
      else move(next, claim, request.kind === "confirm" ? "confirmed" : "revoking");
    }
    return [next];
  }

  #reserve(
    state: State,
    attempt: HistoryOperation,
    request: Extract<HistoryRequest, { ttlSlots: bigint }>,
    id: bigint | undefined,
  ): State | undefined {
    const members = membersOf(request);
    const floors = members.map((member) => state.resources.get(member)!.floor);
    const floor = floors.reduce((a, b) => a > b ? a : b);
    if (id !== undefined) {
      if (state.claims.some((claim) => claim.id === id)) return undefined;
      const isOwn = this.#attempts.some((it) =>
        keyOf(it) === keyOf(attempt) && reservedOf(it)?.reservationId === id
      );
      if (this.#made.has(id) && !isOwn) return undefined;
      if (!isOwn && !this.#isAfterWhatWasKnown(attempt, id)) return undefined;
    }
    const known = id === undefined ? undefined : this.#deadlines.get(id);
    const deadline = known ?? (attempt.slot ?? floor) + request.ttlSlots;
    const slot = deadline - request.ttlSlots;
    if (slot < floor || (attempt.slot !== undefined && attempt.slot !== slot)) return undefined;
    const next = copy(state);
    const claim: Claim = { id, holderId: request.holderId, members, deadline, state: "" };
    next.claims.push(claim);
    for (const member of members) {
      const resource = next.resources.get(member)!;
      resource.claim = claim;
      resource.floor = slot;
    }
    move(next, claim, "reserved");
    return next;
  }

  /** An id is the lsn of its reserve, and higher than every lsn that was known before that began. */
  #isAfterWhatWasKnown(attempt: HistoryOperation, id: bigint): boolean {
    const twins = this.#attempts.filter((it) => it === attempt || isTwin(it, attempt));
    const from = Math.min(...twins.map(({ invokedAt }) => invokedAt));
    return this.#attempts.every((other) => {
      const lsn = lsnOf(other);
      return lsn === undefined || firstAnswerOf(this.#attempts, other) >= from || lsn < id;
    });
  }

  #check(state: State, request: HistoryRequest): string {
    if (request.kind === "create_resource") {
      return state.resources.has(request.resourceId) ? "already_exists" : "ok";
    }
    if ("ttlSlots" in request) {
      const members = membersOf(request);
      if (members.length === 0) return "bundle_too_large";
      if (request.ttlSlots === 0n) return "ttl_out_of_range";
      for (const [i, id] of members.entries()) {
        if (members.indexOf(id) < i) return "resource_busy";
        const resource = state.resources.get(id);
        if (resource === undefined) return "resource_not_found";
        if (resource.claim !== undefined) return "resource_busy";
      }
      return "ok";
    }
    if (!("reservationId" in request)) return "impossible";
    const claim = state.claims.find(({ id }) => id === request.reservationId);
    if (claim === undefined) return "reservation_not_found";
    if (request.kind === "confirm" || request.kind === "release") {
      if (claim.holderId !== request.holderId) return "holder_mismatch";
      if (request.epoch !== epochOf(claim)) return "stale_epoch";
    }
    if (isOver(claim)) return "reservation_retired";
    const from: Record<string, string[]> = {
      confirm: ["reserved"],
      release: ["reserved", "confirmed"],
      revoke: ["confirmed"],
      reclaim: ["revoking"],
    };
    return from[request.kind]!.includes(claim.state) ? "ok" : "invalid_state";
  }

  /** Whether the shard may have dropped the record, or has such a high watermark that it says so. */
  #mayBeRetired(state: State, id: bigint): boolean {
    if (!this.#rules.mayRetire) return false;
    const claim = state.claims.find((other) => other.id === id);
    return claim === undefined ? !this.#made.has(id) : isOver(claim);
  }

  #sees(state: State, request: HistoryRequest, answer: ReadAnswer): boolean {
    if (request.kind === "get_resource") {
      const resource = state.resources.get(request.resourceId);
      if (answer.kind === "not_found") return resource === undefined;
      if (answer.kind !== "resource" || resource === undefined) return false;
      if (answer.version !== undefined && answer.version !== resource.version) return false;
      if (answer.state !== (resource.claim?.state ?? "available")) return false;
      return answer.reservationId === resource.claim?.id;
    }
    if (request.kind !== "get_reservation") return false;
    const claim = state.claims.find(({ id }) => id === request.reservationId);
    if (answer.kind === "not_found") return claim === undefined;
    if (answer.kind === "retired") return this.#mayBeRetired(state, request.reservationId);
    if (answer.kind !== "reservation" || claim === undefined) return false;
    const { holderId, epoch, deadlineSlot, memberResourceIds } = answer;
    // What was not recorded is not checked.
    return answer.state === claim.state && (holderId ?? claim.holderId) === claim.holderId &&
      (epoch ?? epochOf(claim)) === epochOf(claim) &&
      (deadlineSlot ?? claim.deadline) === claim.deadline &&
      `${memberResourceIds ?? claim.members}` === `${claim.members}`;
  }
}

const OF_CLASS: readonly string[] = ["invalid_state", "stale_epoch", "reservation_retired"];

/** Slots never go back, per resource; what is refused does not move them on. */
function slotFits(
  { resources, claims }: State,
  { request, slot }: HistoryOperation,
): boolean {
  if (slot === undefined) return true;
  const named = "ttlSlots" in request
    ? membersOf(request)
    : "resourceId" in request
    ? [request.resourceId]
    : claims.find(({ id }) => id === ("reservationId" in request ? request.reservationId : -1n))
      ?.members ?? [];
  return named.every((id) => (resources.get(id)?.floor ?? 0n) <= slot);
}

function copy({ happened, resources, claims, answers }: State): State {
  const copies = new Map(claims.map((claim) => [claim, { ...claim }]));
  return {
    happened: new Set(happened),
    resources: new Map([...resources].map(([id, resource]) => [
      id,
      { ...resource, claim: resource.claim && copies.get(resource.claim) },
    ])),
    claims: [...copies.values()],
    answers: new Map(answers),
  };
}

function move(state: State, claim: Claim, to: string): void {
  claim.state = to;
  for (const id of claim.members) state.resources.get(id)!.version += 1n;
}

function end(state: State, claim: Claim, to: string): void {
  move(state, claim, to);
  for (const id of claim.members) state.resources.get(id)!.claim = undefined;
}

function isOver({ state }: Claim): boolean {
  return ["released", "expired", "revoked"].includes(state);
}

function epochOf({ state }: Claim): bigint {
  return state === "reserved" || state === "confirmed" ? 1n : 2n;
}

function membersOf(request: Extract<HistoryRequest, { ttlSlots: bigint }>): readonly bigint[] {
  return request.kind === "reserve" ? [request.resourceId] : request.resourceIds;
}

function appliedOf({ outcome }: HistoryOperation): AppliedAnswer | undefined {
  return outcome.kind === "ok" && outcome.answer.kind === "applied" ? outcome.answer : undefined;
}

function reservedOf(attempt: HistoryOperation): AppliedAnswer["reserved"] {
  return appliedOf(attempt)?.reserved;
}

function lsnOf(attempt: HistoryOperation): bigint | undefined {
  const applied = appliedOf(attempt);
  return applied?.code === "operation_conflict" ? undefined : applied?.lsn;
}

function observedOf({ request, servedBy }: HistoryOperation): bigint | undefined {
  const isRead = request.kind === "get_resource" || request.kind === "get_reservation";
  return isRead ? servedBy?.observedLsn : undefined;
}

function keyOf({ key }: HistoryOperation): string {
  return key === undefined ? "" : `${key.clientId} ${key.operationId}`;
}

function textOf(request: HistoryRequest): string {
  return Object.entries(request).sort().join(" ");
}

function isTwin(a: HistoryOperation, b: HistoryOperation): boolean {
  return keyOf(a) !== "" && keyOf(a) === keyOf(b) && textOf(a.request) === textOf(b.request);
}

/** When the answer of the operation that an attempt belongs to was first known. */
function firstAnswerOf(attempts: readonly HistoryOperation[], attempt: HistoryOperation): number {
  const lsn = lsnOf(attempt);
  return Math.min(...attempts.filter((it) => lsnOf(it) === lsn).map((it) => it.completedAt!));
}

function mentionedIds(attempts: readonly HistoryOperation[]): bigint[] {
  const ids = new Set<bigint>();
  for (const { request, outcome } of attempts) {
    if ("reservationId" in request) ids.add(request.reservationId);
    if (outcome.kind !== "ok") continue;
    const { answer } = outcome;
    if (answer.kind === "applied" && answer.reserved !== undefined) {
      ids.add(answer.reserved.reservationId);
    }
    if (answer.kind === "resource" && answer.reservationId !== undefined) {
      ids.add(answer.reservationId);
    }
  }
  return [...ids];
}

function deadlinesOf(attempts: readonly HistoryOperation[]): Map<bigint, bigint> {
  const deadlines = new Map<bigint, bigint>();
  for (const attempt of attempts) {
    const { request, outcome } = attempt;
    const reserved = reservedOf(attempt);
    if (reserved !== undefined) deadlines.set(reserved.reservationId, reserved.deadlineSlot);
    if (request.kind !== "get_reservation" || outcome.kind !== "ok") continue;
    const { answer } = outcome;
    if (answer.kind !== "reservation" || answer.deadlineSlot === undefined) continue;
    deadlines.set(request.reservationId, answer.deadlineSlot);
  }
  return deadlines;
}

/** What two answers alone can contradict: one key, one lsn, one record. */
function pairsAgree(attempts: readonly HistoryOperation[]): boolean {
  for (const a of attempts) {
    if (!agreesWithItself(attempts, a)) return false;
    for (const b of attempts) if (a !== b && !pairAgrees(attempts, a, b)) return false;
  }
  return true;
}

function agreesWithItself(
  attempts: readonly HistoryOperation[],
  attempt: HistoryOperation,
): boolean {
  const reserved = reservedOf(attempt);
  const { request, outcome } = attempt;
  if (outcome.kind === "ok" && outcome.answer.kind === "resource") {
    const { state, reservationId } = outcome.answer;
    if ((state === "available") !== (reservationId === undefined)) return false;
  }
  const observed = observedOf(attempt);
  if (observed !== undefined && "requiredLsn" in request) {
    if ((request.requiredLsn ?? 0n) > observed) return false;
  }
  if (reserved === undefined) {
    return !("ttlSlots" in request) || appliedOf(attempt)?.code !== "ok";
  }
  const slot = "ttlSlots" in request ? reserved.deadlineSlot - request.ttlSlots : 0n;
  const asked = twinsOf(attempts, attempt).map((it) => it.slot);
  if (!asked.some((it) => it === undefined || it === slot)) return false;
  return reserved.epoch === 1n && slot >= 0n && reserved.reservationId === lsnOf(attempt);
}

function pairAgrees(
  attempts: readonly HistoryOperation[],
  a: HistoryOperation,
  b: HistoryOperation,
): boolean {
  const [applied, other] = [appliedOf(a), appliedOf(b)];
  if (isTwin(a, b) && applied !== undefined && other !== undefined) {
    if (applied.code === "operation_conflict" || other.code === "operation_conflict") return true;
    return `${Object.values(applied)} ${Object.values(applied.reserved ?? {})}` ===
      `${Object.values(other)} ${Object.values(other.reserved ?? {})}`;
  }
  const [lsnA, lsnB] = [lsnOf(a), lsnOf(b)];
  if (lsnA !== undefined && lsnA === lsnB) return false;
  const [placeA, placeB] = [pairPlace(a), pairPlace(b)];
  const isBefore = firstAnswer(attempts, a) < beginning(attempts, b);
  if (placeA !== undefined && placeB !== undefined && isBefore && placeA > placeB) return false;
  const [slotA, slotB] = [certainSlot(attempts, a), certainSlot(attempts, b)];
  if (slotA !== undefined && slotB !== undefined && slotA > slotB) {
    if (isBefore) return false;
    if (lsnA !== undefined && lsnB !== undefined && lsnA < lsnB) return false;
  }
  return recordsAgree(a, b);
}

/** Where lsns put it; a read comes after the write that it saw last. */
function pairPlace(attempt: HistoryOperation): bigint | undefined {
  const observed = observedOf(attempt);
  if (observed !== undefined) return observed * 2n + 1n;
  const lsn = lsnOf(attempt);
  return lsn === undefined ? undefined : lsn * 2n;
}

/** When anybody first knew the answer of the operation that an attempt belongs to. */
function firstAnswer(attempts: readonly HistoryOperation[], attempt: HistoryOperation): number {
  if (isConflict(attempt)) return attempt.completedAt!;
  const answered = attempts.filter((it) =>
    (it === attempt || isTwin(it, attempt)) && it.outcome.kind === "ok" && !isConflict(it)
  );
  return Math.min(Infinity, ...answered.map(({ completedAt }) => completedAt!));
}

/** When the first attempt began that can have been the one that happened. */
function beginning(attempts: readonly HistoryOperation[], attempt: HistoryOperation): number {
  const ran = ranAt(attempts, attempt);
  const fitting = twinsOf(attempts, attempt).filter(({ slot }) =>
    ran === undefined || slot === undefined || slot === ran
  );
  return Math.min(Infinity, ...fitting.map(({ invokedAt }) => invokedAt));
}

function twinsOf(
  attempts: readonly HistoryOperation[],
  attempt: HistoryOperation,
): readonly HistoryOperation[] {
  return attempts.filter((it) =>
    it === attempt || (isTwin(it, attempt) && !isConflict(it) && !isConflict(attempt))
  );
}

function isConflict(attempt: HistoryOperation): boolean {
  return appliedOf(attempt)?.code === "operation_conflict";
}

/** The slot at which a reserve ran that was answered with a deadline. */
function ranAt(
  attempts: readonly HistoryOperation[],
  attempt: HistoryOperation,
): bigint | undefined {
  for (const twin of twinsOf(attempts, attempt)) {
    const reserved = reservedOf(twin);
    const { request } = twin;
    if (reserved !== undefined && "ttlSlots" in request) {
      return reserved.deadlineSlot - request.ttlSlots;
    }
  }
  return undefined;
}

/** The slot at which an answered operation ran, if it can be no other. */
function certainSlot(
  attempts: readonly HistoryOperation[],
  attempt: HistoryOperation,
): bigint | undefined {
  if (isConflict(attempt) || firstAnswer(attempts, attempt) === Infinity) return undefined;
  const ran = ranAt(attempts, attempt);
  if (ran !== undefined) return ran;
  if (keyOf(attempt) === "") return undefined;
  const slots = new Set(twinsOf(attempts, attempt).map(({ slot }) => slot));
  return slots.size === 1 ? [...slots][0] : undefined;
}

/** Records and the answers of those who made and ended them name the same lsns. */
function recordsAgree(a: HistoryOperation, b: HistoryOperation): boolean {
  const [one, two] = [recordOf(a), recordOf(b)];
  if (one === undefined || two === undefined || one.id !== two.id) return true;
  const agree = (x: unknown, y: unknown): boolean =>
    x === undefined || y === undefined || `${x}` === `${y}`;
  return agree(one.created, two.created) && agree(one.ended, two.ended) &&
    agree(one.deadline, two.deadline);
}

function recordOf(
  { request, outcome }: HistoryOperation,
): { id: bigint; created?: unknown; ended?: unknown; deadline?: unknown } | undefined {
  if (outcome.kind !== "ok") return undefined;
  const { answer } = outcome;
  if (answer.kind === "reservation" && request.kind === "get_reservation") {
    const { createdLsn, releasedLsn, deadlineSlot } = answer;
    const id = request.reservationId;
    return { id, created: createdLsn, ended: releasedLsn, deadline: deadlineSlot };
  }
  if (answer.kind !== "applied" || answer.code !== "ok") return undefined;
  if (answer.reserved !== undefined) {
    const { reservationId, deadlineSlot } = answer.reserved;
    return { id: reservationId, created: answer.lsn, deadline: deadlineSlot };
  }
  const ends = request.kind === "release" || request.kind === "reclaim";
  return ends ? { id: request.reservationId, ended: answer.lsn } : undefined;
}
