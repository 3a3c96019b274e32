/**
 * What all clients of a run know together: the resources, the reservations that somebody was told about, the highest lsn.
 * Bounded, however long the run. It is knowledge, not truth: whatever it says of the cluster may be over.
 */
import type { Committed } from "../../../node/client/types.ts";
import type { ReservationSeen, WriteRequest } from "../history/operation.ts";
import { partRandom, type SeededRandom } from "../../sim/random.ts";

/** Reservations that are remembered as live, and as ended. */
const LIVE_MAX = 192;
const ENDED_MAX = 64;
/** Resources that bundles may join: the most that has to be judged together. */
export const GROUP_SIZE = 4;
/** After so many operations of all clients another group is the one that everybody wants. */
const FOCUS_TURNS = 400;

/** A reservation that somebody was told about. */
export interface Hold {
  readonly reservationId: bigint;
  readonly holderId: bigint;
  readonly epoch: bigint;
  readonly members: readonly bigint[];
  readonly deadlineSlot: bigint;
  state: "reserved" | "confirmed" | "revoking" | "ended";
}

/** What somebody was just told. */
export interface News {
  readonly lsn: bigint;
  readonly request: WriteRequest;
}

/** See the top of this file. */
export class Market {
  readonly resourceIds: readonly bigint[];
  /** Highest lsn that any client was told. */
  learnedLsn = 0n;
  news: News | undefined;
  readonly #order: readonly number[];
  readonly #holds = new Map<bigint, Hold>();
  readonly #ended: Hold[] = [];
  #turns = 0;
  #clock: { readonly slot: bigint; readonly ms: number } = { slot: 0n, ms: 0 };
  readonly #slotDurationMs: number;

  /**
   * @param resourceIds A whole number of groups.
   * @param seed Draws in which order groups are wanted.
   * @param slotDurationMs How long a slot takes.
   */
  constructor(resourceIds: readonly bigint[], seed: number, slotDurationMs: number) {
    this.resourceIds = resourceIds;
    this.#slotDurationMs = slotDurationMs;
    const groups = Array.from({ length: Math.floor(resourceIds.length / GROUP_SIZE) }, (_, i) => i);
    this.#order = shuffled(groups, partRandom(seed, "focus"));
  }

  /** Somebody begins something. */
  turn(): void {
    this.#turns++;
  }

  /** A group of resources: mostly the one that everybody wants at the moment. */
  group(random: SeededRandom): readonly bigint[] {
    const at = Math.floor(this.#turns / FOCUS_TURNS);
    const index = random.oneIn(6) ? random.below(this.#order.length) : at % this.#order.length;
    return this.#groupAt(this.#order[index]!);
  }

  /** Any of the groups, where there is more to be had. */
  anyGroup(random: SeededRandom): readonly bigint[] {
    return this.#groupAt(random.below(this.#order.length));
  }

  /** Any of the resources, each as likely as the others. */
  anywhere(random: SeededRandom): bigint {
    return this.resourceIds[random.below(this.resourceIds.length)]!;
  }

  /** A live reservation in one of the states, as far as anybody knows. */
  hold(random: SeededRandom, states: readonly Hold["state"][]): Hold | undefined {
    const found = [...this.#holds.values()].filter(({ state }) => states.includes(state));
    return found[random.below(found.length)];
  }

  /** One whose end somebody knows. */
  endedHold(random: SeededRandom): Hold | undefined {
    return this.#ended[random.below(this.#ended.length)];
  }

  /** The unconfirmed reservation that falls due next, from some slots ago on. */
  nextDue(slot: bigint): Hold | undefined {
    let found: Hold | undefined;
    for (const hold of this.#holds.values()) {
      if (hold.state !== "reserved" || hold.deadlineSlot < slot) continue;
      if (found === undefined || hold.deadlineSlot < found.deadlineSlot) found = hold;
    }
    return found;
  }

  /** About which slot it is, by what servers have said. */
  slotNow(nowMs: number): bigint {
    const { slot, ms } = this.#clock;
    return slot + BigInt(Math.max(0, Math.floor((nowMs - ms) / this.#slotDurationMs)));
  }

  /** How long until a slot, in milliseconds; negative when it is past. */
  msUntil(slot: bigint, nowMs: number): number {
    return Number(slot - this.slotNow(nowMs)) * this.#slotDurationMs;
  }

  /** A server has told its slot. */
  heardSlot(slot: bigint, nowMs: number): void {
    if (slot > this.#clock.slot) this.#clock = { slot, ms: nowMs };
  }

  /** Somebody has been told an lsn. */
  learn(lsn: bigint): void {
    if (lsn > this.learnedLsn) this.learnedLsn = lsn;
  }

  /** Somebody knows how a command ended. */
  noteCommitted(request: WriteRequest, result: Committed, nowMs: number): void {
    this.learn(result.appliedLsn);
    this.news = { lsn: result.appliedLsn, request };
    if (request.kind === "reserve" || request.kind === "reserve_bundle") {
      return this.#noteReserve(request, result, nowMs);
    }
    if (!("reservationId" in request)) return;
    const hold = this.#holds.get(request.reservationId);
    if (hold !== undefined) this.#move(hold, stateAfter(request.kind, result));
  }

  /** Somebody has read a reservation. */
  noteSeen(reservationId: bigint, { state }: ReservationSeen): void {
    const hold = this.#holds.get(reservationId);
    if (hold === undefined) return;
    this.#move(hold, ["released", "expired", "revoked"].includes(state) ? "ended" : undefined);
  }

  /** Reservations that somebody was told about, for whoever wants to read them all. */
  known(): readonly Hold[] {
    return [...this.#holds.values(), ...this.#ended];
  }

  #groupAt(index: number): readonly bigint[] {
    return this.resourceIds.slice(index * GROUP_SIZE, (index + 1) * GROUP_SIZE);
  }

  #noteReserve(
    request: Extract<WriteRequest, { kind: "reserve" | "reserve_bundle" }>,
    result: Committed,
    nowMs: number,
  ): void {
    const { reservationId, epoch, deadlineSlot } = result;
    if (reservationId === undefined || epoch === undefined || deadlineSlot === undefined) return;
    if (!result.fromRetryCache) this.heardSlot(deadlineSlot - request.ttlSlots, nowMs);
    if (this.#holds.has(reservationId)) return;
    const members = request.kind === "reserve" ? [request.resourceId] : request.resourceIds;
    const { holderId } = request;
    const facts = { reservationId, holderId, epoch, members, deadlineSlot };
    this.#holds.set(reservationId, { ...facts, state: "reserved" });
    if (this.#holds.size <= LIVE_MAX) return;
    const [oldest] = this.#holds.values();
    this.#move(oldest!, "ended");
  }

  #move(hold: Hold, state: Hold["state"] | undefined): void {
    if (state === undefined) return;
    hold.state = state;
    if (state !== "ended") return;
    this.#holds.delete(hold.reservationId);
    this.#ended.push(hold);
    if (this.#ended.length > ENDED_MAX) this.#ended.shift();
  }
}

/** What is known of a reservation after an answer about it; nothing when the answer says nothing. */
function stateAfter(
  kind: Exclude<WriteRequest["kind"], "create_resource" | "reserve" | "reserve_bundle">,
  { ok, code }: Committed,
): Hold["state"] | undefined {
  if (code === "reservation_retired" || code === "reservation_not_found") return "ended";
  if (!ok) return undefined;
  return { confirm: "confirmed", release: "ended", revoke: "revoking", reclaim: "ended" }[kind] as
    | Hold["state"]
    | undefined;
}

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const all = [...items];
  for (let left = all.length; left > 1; left--) {
    const at = random.below(left);
    [all[at], all[left - 1]] = [all[left - 1]!, all[at]!];
  }
  return all;
}
