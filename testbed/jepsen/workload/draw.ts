/** What a client does next: drawn from its seed by the habits of its family and by what is known at the time. */
import type { HistoryBounds } from "../history/event.ts";
import type { WriteRequest } from "../history/operation.ts";
import type { SeededRandom } from "../../sim/random.ts";
import { type Habits, type IntentName, INTENTS } from "./habits.ts";
import { holderIdOf } from "./ids.ts";
import type { Act, Intent, ReadIntent } from "./intent.ts";
import type { Hold, Market } from "./market.ts";
import type { OperationLog } from "./operation_log.ts";
import { twisted } from "./twist.ts";

/** A fence above everything that a run decides. */
const FAR_LSN = 1_000_000_000_000n;
/** One in so many fences is that. */
const FAR_ONE_IN = 40;
/** A hold counts as falling due from so many slots before now on. */
const DUE_BEHIND_SLOTS = 4n;
/** Longest wait for a hold to fall due, in milliseconds. */
const DUE_MS_MAX = 500;

/** See the top of this file. */
export class Draw {
  readonly #random: SeededRandom;
  readonly #habits: Habits;
  readonly #market: Market;
  readonly #log: OperationLog;
  readonly #holderId: bigint;
  readonly #holders: number;
  readonly #bounds: HistoryBounds;
  readonly #weightSum: number;

  /**
   * @param random Draws everything.
   * @param habits Of the family.
   * @param market What all clients know.
   * @param log Of this client.
   * @param client Its number.
   * @param clients How many there are, which is how many holders there are.
   * @param bounds Of the cluster.
   */
  constructor(
    random: SeededRandom,
    habits: Habits,
    market: Market,
    log: OperationLog,
    client: number,
    clients: number,
    bounds: HistoryBounds,
  ) {
    this.#random = random;
    this.#habits = habits;
    this.#market = market;
    this.#log = log;
    this.#holderId = holderIdOf(client);
    this.#holders = clients;
    this.#bounds = bounds;
    this.#weightSum = INTENTS.reduce((sum, name) => sum + habits.weights[name], 0);
  }

  /** The next thing to do. */
  next(nowMs: number): Intent {
    const name = this.#drawName();
    const patienceMs = this.patienceMs();
    return { name, patienceMs, ...this.#intent(name, nowMs) };
  }

  /** How long a call may take, in milliseconds. */
  patienceMs(): number {
    const { patiencesMs } = this.#habits;
    return patiencesMs[this.#random.below(patiencesMs.length)]!;
  }

  /** A read of something, as anybody may ask for it. */
  read(): ReadIntent {
    return this.#random.oneIn(3) ? this.#readReservation() : this.#readResource();
  }

  #drawName(): IntentName {
    let at = this.#random.below(this.#weightSum);
    return INTENTS.find((name) => (at -= this.#habits.weights[name]) < 0)!;
  }

  #intent(name: IntentName, nowMs: number): Act {
    switch (name) {
      case "read_resource":
        return this.#readResource();
      case "read_reservation":
        return this.#readReservation();
      case "read_news":
        return this.#readNews();
      case "sweep":
        return { kind: "sweep", resourceId: this.#resource() };
      case "tick":
        return { kind: "tick", ...(this.#random.oneIn(4) ? this.#slot(nowMs) : {}) };
      case "twin":
      case "abandon":
        return { kind: name, request: this.#anything() };
      case "clash":
        return this.#clash();
      case "again":
      case "reuse":
        return this.#earlier(name);
      case "race":
        return this.#race(nowMs);
      default:
        return this.#write(this.#request(name), nowMs);
    }
  }

  #write(request: WriteRequest, nowMs: number): Act {
    const hasSlot = this.#random.oneIn(this.#habits.slotOneIn);
    return { kind: "write", request, ...(hasSlot ? this.#slot(nowMs) : {}) };
  }

  #request(name: IntentName): WriteRequest {
    switch (name) {
      case "create":
        return { kind: "create_resource", resourceId: this.#resource() };
      case "reserve_bundle":
        return this.#bundle();
      case "confirm":
        return this.#byHolder("confirm", ["reserved"]);
      case "release":
        return this.#byHolder("release", ["reserved", "confirmed"]);
      case "revoke":
        return this.#byOperator("revoke", ["confirmed"]);
      case "reclaim":
        return this.#byOperator("reclaim", ["revoking"]);
      case "stale_confirm":
        return this.#stale("confirm");
      case "stale_release":
        return this.#stale("release");
      case "invalid":
        return this.#invalid();
      default:
        return this.#reserve();
    }
  }

  /** Whatever changes something. */
  #anything(): WriteRequest {
    const names = ["reserve", "reserve", "reserve_bundle", "confirm", "release", "revoke"] as const;
    return this.#request(names[this.#random.below(names.length)]!);
  }

  #clash(): Act {
    const request = this.#anything();
    return { kind: "clash", request, rival: twisted(request) };
  }

  #earlier(kind: "again" | "reuse"): Act {
    const operation = this.#log.answered(this.#random);
    if (operation === undefined) return { kind: "write", request: this.#reserve() };
    return kind === "again"
      ? { kind, operation } as const
      : { kind, operation, request: twisted(operation.request) };
  }

  #resource(): bigint {
    if (this.#random.oneIn(4)) return this.#market.anywhere(this.#random);
    const group = this.#market.group(this.#random);
    return group[this.#random.oneIn(3) ? 0 : this.#random.below(group.length)]!;
  }

  #reserve(): WriteRequest {
    return { kind: "reserve", resourceId: this.#resource(), ...this.#claim() };
  }

  /** In any order, of one group; where everybody is, few get all of what they want. */
  #bundle(): WriteRequest {
    const market = this.#market;
    const group = this.#random.oneIn(2)
      ? [...market.group(this.#random)]
      : [...market.anyGroup(this.#random)];
    const most = Math.min(group.length, this.#bounds.maxBundleSize ?? group.length);
    const count = Math.min(most, 2 + this.#random.below(3));
    const resourceIds = Array.from(
      { length: Math.max(1, count) },
      () => group.splice(this.#random.below(group.length), 1)[0]!,
    );
    return { kind: "reserve_bundle", resourceIds, ...this.#claim() };
  }

  #claim(): { readonly holderId: bigint; readonly ttlSlots: bigint } {
    const { ttlSlotsMin, ttlSlotsMax } = this.#habits;
    const ttlSlots = BigInt(ttlSlotsMin + this.#random.below(ttlSlotsMax - ttlSlotsMin + 1));
    const longest = this.#bounds.maxTtlSlots ?? ttlSlots;
    return { holderId: this.#holderId, ttlSlots: ttlSlots < longest ? ttlSlots : longest };
  }

  #byHolder(kind: "confirm" | "release", states: readonly Hold["state"][]): WriteRequest {
    const hold = this.#market.hold(this.#random, states);
    if (hold === undefined) return this.#reserve();
    const { reservationId, holderId, epoch } = hold;
    return { kind, reservationId, holderId, epoch };
  }

  #byOperator(kind: "revoke" | "reclaim", states: readonly Hold["state"][]): WriteRequest {
    const hold = this.#random.oneIn(12)
      ? this.#market.endedHold(this.#random)
      : this.#market.hold(this.#random, states);
    return hold === undefined ? this.#reserve() : { kind, reservationId: hold.reservationId };
  }

  /** Of what has been revoked or has ended, with its old epoch; or of what has not, with another or for another. */
  #stale(kind: "confirm" | "release"): WriteRequest {
    const hold = this.#market.hold(this.#random, ["revoking"]) ??
      this.#market.endedHold(this.#random) ?? this.#market.hold(this.#random, ["reserved"]);
    if (hold === undefined) return this.#reserve();
    const { reservationId, holderId, epoch } = hold;
    if (!this.#random.oneIn(3)) return { kind, reservationId, holderId, epoch };
    const rival = holderIdOf(this.#random.below(this.#holders + 1));
    return { kind, reservationId, holderId: rival, epoch: BigInt(this.#random.below(4)) };
  }

  /** As close to the deadline as may be. */
  #race(nowMs: number): Act {
    const slot = this.#market.slotNow(nowMs);
    const due = this.#market.nextDue(slot > DUE_BEHIND_SLOTS ? slot - DUE_BEHIND_SLOTS : 0n);
    if (due === undefined) return { kind: "write", request: this.#reserve() };
    const jitterMs = this.#random.below(60) - 30;
    const untilMs = this.#market.msUntil(due.deadlineSlot, nowMs) + jitterMs;
    const waitMs = Math.min(DUE_MS_MAX, Math.max(0, untilMs));
    return { kind: "write", request: this.#raced(due), waitMs };
  }

  #raced({ reservationId, holderId, epoch, members }: Hold): WriteRequest {
    switch (this.#random.below(4)) {
      case 0: {
        const resourceId = members[this.#random.below(members.length)]!;
        return { kind: "reserve", resourceId, ...this.#claim() };
      }
      case 1:
        return { kind: "release", reservationId, holderId, epoch };
      default:
        return { kind: "confirm", reservationId, holderId, epoch };
    }
  }

  #invalid(): WriteRequest {
    const { maxTtlSlots, maxBundleSize } = this.#bounds;
    const resourceId = this.#resource();
    const holderId = this.#holderId;
    switch (this.#random.below(5)) {
      case 0:
        return { kind: "reserve", resourceId, holderId, ttlSlots: 0n };
      case 1:
        return { kind: "reserve", resourceId, holderId, ttlSlots: (maxTtlSlots ?? 2n ** 40n) + 1n };
      case 2: {
        const length = Math.min(64, (maxBundleSize ?? 16) + 1);
        const first = this.#market.group(this.#random)[0]!;
        const resourceIds = Array.from({ length }, () => first);
        return { kind: "reserve_bundle", resourceIds, ...this.#claim() };
      }
      case 3:
        return { kind: "reserve_bundle", resourceIds: [resourceId, resourceId], ...this.#claim() };
      default:
        return { kind: "revoke", reservationId: FAR_LSN + BigInt(this.#random.below(1_000)) };
    }
  }

  #readResource(): ReadIntent {
    const resourceId = this.#resource();
    return { kind: "read", request: { kind: "get_resource", resourceId, ...this.#fence() } };
  }

  #readReservation(): ReadIntent {
    const hold = this.#random.oneIn(4)
      ? this.#market.endedHold(this.#random)
      : this.#market.hold(this.#random, ["reserved", "confirmed", "revoking"]);
    return hold === undefined
      ? this.#readResource()
      : this.#lookAt(hold.reservationId, this.#fence());
  }

  #readNews(): ReadIntent {
    const { news } = this.#market;
    if (news === undefined) return this.#readResource();
    const fence = { requiredLsn: news.lsn };
    const { request } = news;
    if ("reservationId" in request) return this.#lookAt(request.reservationId, fence);
    const resourceId = "resourceId" in request ? request.resourceId : request.resourceIds[0]!;
    return { kind: "read", request: { kind: "get_resource", resourceId, ...fence } };
  }

  /** Mostly from slot 0, from which nothing has been retired by the mere passing of time. */
  #lookAt(reservationId: bigint, fence: { readonly requiredLsn?: bigint }): ReadIntent {
    const request = { kind: "get_reservation", reservationId, ...fence } as const;
    return { kind: "read", request, ...(this.#random.oneIn(4) ? {} : { slot: 0n }) };
  }

  #fence(): { readonly requiredLsn?: bigint } {
    if (!this.#random.oneIn(this.#habits.fenceOneIn)) return {};
    const requiredLsn = this.#random.oneIn(FAR_ONE_IN) ? FAR_LSN : this.#market.learnedLsn;
    return { requiredLsn };
  }

  #slot(nowMs: number): { readonly slot: bigint } {
    const slot = this.#market.slotNow(nowMs) + BigInt(this.#random.below(5) - 2);
    return { slot: slot > 0n ? slot : 0n };
  }
}
