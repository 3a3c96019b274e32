/** Turns the operations of one part of a history into a problem: everything becomes an index or a small number. */
import type { HistoryAnswer, HistoryRequest } from "../../history/operation.ts";
import { NOT_FOUND, RETIRED } from "./answers.ts";
import type { Material } from "./material.ts";
import { fencesOf } from "./fences.ts";
import { isWrite, type LogicalOperation } from "./logical.ts";
import type { Claim, Problem, SlotNumber, Work } from "./problem.ts";
import { memberIds, type Sighting } from "./sightings.ts";
import { clamp, firstSlotOf, recordedDeadline, versionOf } from "./slot_numbers.ts";
import { requestText } from "./texts.ts";
import type { ReservationBounds } from "./verdict.ts";
import { Code, codeNumber, Kind, Status } from "./words.ts";

type Draft = Omit<Claim, "slot" | "rivals" | "settled"> & {
  readonly slot: bigint | undefined;
  readonly rivals: number[];
};

const NOTHING: readonly number[] = [];
const UNASKED: readonly boolean[] = [];

/** See the top of this file. */
export class Numbering {
  readonly #material: Material;
  readonly #orphans: ReadonlyMap<LogicalOperation, readonly Sighting[]>;
  readonly #operations: readonly LogicalOperation[];
  readonly #resources = new Map<bigint, number>();
  readonly #groups = new Map<number, GroupNumbers>();
  readonly #drafts: Draft[] = [];
  readonly #claimsById = new Map<bigint, number[]>();
  readonly #claimsByReserve = new Map<LogicalOperation, number[]>();
  readonly #likenesses = new Map<string, number>();
  readonly #settled = new Map<bigint, number>();
  readonly #singles: (readonly number[])[] = [];
  #usedBits = 0;

  /** Of one part; `orphans` are the ids that an unanswered reserve may have made. */
  constructor(
    material: Material,
    orphans: ReadonlyMap<LogicalOperation, readonly Sighting[]>,
    operations: readonly LogicalOperation[],
  ) {
    this.#material = material;
    this.#orphans = orphans;
    this.#operations = operations;
  }

  /** The problem. */
  problem(): Problem {
    const { bounds, initialResourceIds } = this.#material;
    for (const operation of this.#operations) this.#number(operation);
    for (const operation of this.#operations) {
      this.#draftClaims(operation);
      this.#settle(operation);
    }
    const firstSlot = firstSlotOf(this.#drafts, this.#operations);
    const works = this.#operations.map((operation, index) =>
      this.#work(operation, index, firstSlot)
    );
    const resourceIds = [...this.#resources.keys()];
    return {
      resourceIds,
      wasThere: resourceIds.map((id) => initialResourceIds.has(id)),
      claims: this.#drafts.map((draft) => ({
        ...draft,
        slot: draft.slot === undefined ? -1 : clamp(draft.slot - firstSlot),
        settled: draft.id === undefined ? 0 : this.#settled.get(draft.id) ?? 0,
      })),
      isOpenBelow: firstSlot > 0n,
      hasSlots: works.some(({ slots }) => slots !== undefined),
      works,
      after: fencesOf(works),
      groups: this.#groups.size,
      usedBits: this.#usedBits,
      mayFill: bounds.tables !== "roomy",
      mayRetire: bounds.history !== "kept",
      isExact: bounds.refusals !== "class",
    };
  }

  #number({ request, group }: LogicalOperation): void {
    if ("resourceId" in request) this.#numberResource(request.resourceId);
    else if ("resourceIds" in request) request.resourceIds.forEach(this.#numberResource, this);
    if (group < 0) return;
    let numbers = this.#groups.get(group);
    if (numbers === undefined) {
      numbers = { index: this.#groups.size, variants: new Map() };
      this.#groups.set(group, numbers);
    }
    const text = requestText(request);
    if (!numbers.variants.has(text)) numbers.variants.set(text, numbers.variants.size + 1);
  }

  #numberResource(id: bigint): void {
    if (!this.#resources.has(id)) this.#resources.set(id, this.#resources.size);
  }

  #settle({ request, answer, isOptional }: LogicalOperation): void {
    if (isOptional || !isWrite(request) || !("reservationId" in request)) return;
    if (answer?.kind !== "applied" || answer.code !== "ok") return;
    const kinds = this.#settled.get(request.reservationId) ?? 0;
    this.#settled.set(request.reservationId, kinds | (1 << KINDS[request.kind]));
  }

  #draftClaims(operation: LogicalOperation): void {
    const { request, answer, isConflict } = operation;
    if (!("ttlSlots" in request) || isConflict) return;
    if (answer?.kind === "applied") {
      const { reserved } = answer;
      if (reserved === undefined) return;
      this.#draft(operation, reserved.reservationId, reserved.deadlineSlot);
      return;
    }
    this.#draft(operation, undefined, undefined);
    for (const seen of this.#orphans.get(operation) ?? []) {
      this.#draft(operation, seen.id, recordedDeadline(seen));
    }
  }

  #draft(
    operation: LogicalOperation,
    id: bigint | undefined,
    deadline: bigint | undefined,
  ): void {
    const { request } = operation;
    if (!("ttlSlots" in request)) return;
    const index = this.#drafts.length;
    const rivals = id === undefined ? [] : listOf(this.#claimsById, id);
    rivals.push(index);
    listOf(this.#claimsByReserve, operation).push(index);
    const members = request.kind === "reserve"
      ? this.#alone(this.#resources.get(request.resourceId)!)
      : [...new Set(this.#membersOf(request))];
    this.#drafts.push({
      id,
      holderId: request.holderId,
      members,
      slot: deadline === undefined ? undefined : deadline - request.ttlSlots,
      ttl: clamp(request.ttlSlots),
      rivals,
      likeness: this.#likeness(operation, id, index),
    });
  }

  #work(operation: LogicalOperation, index: number, firstSlot: bigint): Work {
    const { request, answer, isOptional, isConflict, invokedAt, completedAt } = operation;
    const kind = isConflict ? Kind.conflict : KINDS[request.kind];
    const code = isWrite(request) && answer?.kind === "applied" ? codeNumber(answer.code) : 0;
    const members = isConflict ? NOTHING : this.#membersOf(request);
    const claims = isConflict ? NOTHING : this.#claimsOf(operation);
    const { group, variant } = this.#groupOf(operation);
    const usedBit = isOptional && kind === Kind.reserve ? this.#usedBits++ : -1;
    const isGrouped = group >= 0;
    return {
      index,
      operation,
      kind,
      code,
      invokedAt,
      completedAt,
      isOptional,
      isActive: isWrite(request) && !isConflict && (isOptional || code === Code.ok || isGrouped),
      touches: this.#touches(members, claims, group),
      members,
      duplicateAt: members.length < 2
        ? -1
        : members.findIndex((member, i) => members.indexOf(member) < i),
      staticCode: staticCodeOf(request, code, this.#material.bounds),
      claims,
      holderFits: "holderId" in request && claims.length > 0
        ? claims.map((claim) => this.#drafts[claim]!.holderId === request.holderId)
        : UNASKED,
      epoch: "epoch" in request && request.epoch <= 2n ? Number(request.epoch) : 0,
      group,
      variant,
      seen: seenBy(answer),
      version: answer?.kind === "resource" ? versionOf(answer.version) : -1,
      mayBeBelowWatermark: "reservationId" in request &&
        this.#material.sightings.get(request.reservationId)?.hasMaker === false,
      usedBit,
      slots: operation.slots?.map(({ slot, from }): SlotNumber => ({
        slot: slot === undefined ? -1 : clamp(slot - firstSlot),
        from,
      })),
    };
  }

  #claimsOf(operation: LogicalOperation): readonly number[] {
    const { request, answer } = operation;
    if ("ttlSlots" in request) return this.#claimsByReserve.get(operation) ?? NOTHING;
    if ("reservationId" in request) return this.#claimsById.get(request.reservationId) ?? NOTHING;
    if (answer?.kind !== "resource" || answer.reservationId === undefined) return NOTHING;
    return this.#claimsById.get(answer.reservationId) ?? NOTHING;
  }

  #membersOf(request: HistoryRequest): readonly number[] {
    if ("resourceId" in request) return this.#alone(this.#resources.get(request.resourceId)!);
    return "resourceIds" in request
      ? request.resourceIds.map((id) => this.#resources.get(id)!)
      : NOTHING;
  }

  /** One resource by itself; the list is shared by all that name it. */
  #alone(resource: number): readonly number[] {
    return this.#singles[resource] ??= [resource];
  }

  #touches(
    members: readonly number[],
    claims: readonly number[],
    group: number,
  ): readonly number[] {
    if (group < 0 && claims.length === 0) return members;
    if (group < 0 && claims.length === 1 && members.length === 0) {
      return this.#drafts[claims[0]!]!.members;
    }
    const touched = new Set(members);
    for (const claim of claims) {
      for (const member of this.#drafts[claim]!.members) touched.add(member);
    }
    if (group >= 0) touched.add(this.#resources.size + group);
    return [...touched];
  }

  #groupOf({ group, request }: LogicalOperation): { group: number; variant: number } {
    const numbers = this.#groups.get(group);
    if (numbers === undefined) return { group: -1, variant: 0 };
    return { group: numbers.index, variant: numbers.variants.get(requestText(request))! };
  }

  /** An answered reserve is like no other. The holder matters once anybody speaks of one. */
  #likeness(operation: LogicalOperation, id: bigint | undefined, index: number): number {
    const { request, answer, isOptional } = operation;
    if (!("ttlSlots" in request) || !isOptional) return -1;
    const orphans = this.#orphans.get(operation) ?? [];
    const isHolderSeen = orphans.some(({ records, commands }) =>
      records.length > 0 || commands.length > 0
    );
    const { slots } = operation;
    const text = answer === undefined && (slots === undefined || slots.length === 1)
      ? `${slots?.[0]?.slot} ${memberIds(operation)} ${request.ttlSlots} ${
        isHolderSeen ? request.holderId : ""
      } ${id}`
      : `made ${index}`;
    const known = this.#likenesses.get(text) ?? this.#likenesses.size;
    this.#likenesses.set(text, known);
    return known;
  }
}

interface GroupNumbers {
  readonly index: number;
  readonly variants: Map<string, number>;
}

const KINDS: Record<HistoryRequest["kind"], Kind> = {
  create_resource: Kind.create,
  reserve: Kind.reserve,
  reserve_bundle: Kind.reserve,
  confirm: Kind.confirm,
  release: Kind.release,
  revoke: Kind.revoke,
  reclaim: Kind.reclaim,
  get_resource: Kind.readResource,
  get_reservation: Kind.readReservation,
};

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  let list = lists.get(key);
  if (list === undefined) lists.set(key, list = []);
  return list;
}

function seenBy(answer: HistoryAnswer | undefined): number {
  if (answer === undefined || answer.kind === "applied") return 0;
  if (answer.kind === "not_found") return NOT_FOUND;
  if (answer.kind === "retired") return RETIRED;
  return answer.state === "available" ? Status.none : Status[answer.state];
}

/** What a reserve of this size and time to live answers in any state. A bound that is not known is what the answer says it is. */
function staticCodeOf(request: HistoryRequest, code: number, bounds: ReservationBounds): number {
  if (!("ttlSlots" in request)) return 0;
  const { maxBundleSize, maxTtlSlots } = bounds;
  const size = "resourceIds" in request ? request.resourceIds.length : 1;
  const isTooLarge = maxBundleSize === undefined
    ? size > 1 && code === Code.bundle_too_large
    : size > maxBundleSize;
  if (size === 0 || isTooLarge) return Code.bundle_too_large;
  const isTooLong = maxTtlSlots === undefined
    ? code === Code.ttl_out_of_range
    : request.ttlSlots > maxTtlSlots;
  return request.ttlSlots === 0n || isTooLong ? Code.ttl_out_of_range : 0;
}
