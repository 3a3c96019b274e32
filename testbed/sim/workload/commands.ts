/** What the clients of one life ask for: commands that collide, come again, contradict each other or make no sense. */
import type { CoreConfig } from "../../../core/config.ts";
import type { ClientCommand, ModelOutcome } from "../../model/words.ts";
import type { SeededRandom } from "../random.ts";
import type { SlotWish, Wish } from "./operation.ts";
import type { ActionName, PlanWorkload } from "./plan.ts";
import { encodePlain, type Request } from "./plain.ts";
import { bundle, confirm, create, HOLDER, reclaim, release, reserve, revoke } from "./requests.ts";

/** How many of the latest commands may come again. */
const RECENT_MAX = 256;

/** Something that a client has just been told of. */
export interface News {
  readonly lsn: bigint;
  readonly resourceId: bigint | undefined;
  readonly reservationId: bigint | undefined;
}

interface Held {
  readonly reservationId: bigint;
  readonly holderId: bigint;
}

/** See the top of this file. */
export class WorkloadCommands {
  /** What somebody was told last. */
  news: News | undefined;
  readonly #random: SeededRandom;
  readonly #workload: PlanWorkload;
  readonly #core: CoreConfig;
  readonly #recent: ClientCommand[] = [];
  /** Reservations that somebody was told about, the latest last. */
  readonly #held: Held[] = [];
  #operations = 0;

  /**
   * @param random Draws the commands.
   * @param workload What they are like.
   * @param core Bounds that invalid ones exceed.
   */
  constructor(random: SeededRandom, workload: PlanWorkload, core: CoreConfig) {
    this.#random = random;
    this.#workload = workload;
    this.#core = core;
  }

  /** The next command of a client. */
  draw(action: ActionName, clientId: bigint): Wish {
    switch (action) {
      case "retry":
        return { command: this.#earlier() ?? this.#fresh(this.#any(), clientId) };
      case "reuse":
        return { command: this.#reuse(clientId) };
      case "twice":
        return { command: this.#fresh(this.#any(), clientId), isTwice: true };
      case "slot":
        return this.#withSlot(clientId);
      case "invalid": {
        const command = this.#fresh(this.#invalid(), clientId);
        return { command, refusals: ["command_too_large"] };
      }
      case "malformed":
        return this.#malformed(clientId);
      default:
        return { command: this.#fresh(this.#request(action), clientId) };
    }
  }

  /** A resource, some more often than others. */
  resource(): bigint {
    const { resources, skew } = this.#workload;
    let least = this.#random.below(resources);
    for (let left = skew; left > 0; left--) {
      least = Math.min(least, this.#random.below(resources));
    }
    return BigInt(1 + least);
  }

  /** One of the latest reservations, if there is one. */
  reservation(): bigint | undefined {
    return this.#drawHeld()?.reservationId;
  }

  /** Somebody knows how a command ended: later ones may be about it. */
  noteAnswer(command: ClientCommand, outcome: ModelOutcome): void {
    const { reserved, appliedLsn } = outcome;
    const reservationId = reserved?.reservationId ??
      ("reservationId" in command ? command.reservationId : undefined);
    const resourceId = "resourceId" in command ? command.resourceId : undefined;
    this.news = { lsn: appliedLsn, resourceId, reservationId };
    if (reserved === undefined || !("holderId" in command)) return;
    const held = this.#held;
    if (held.some((other) => other.reservationId === reserved.reservationId)) return;
    held.push({ reservationId: reserved.reservationId, holderId: command.holderId });
    if (held.length > this.#workload.heldMax) held.shift();
  }

  #drawHeld(): Held | undefined {
    return this.#held[this.#random.below(this.#held.length)];
  }

  #fresh(request: Request, clientId: bigint): ClientCommand {
    return this.#keep({ ...request, clientId, operationId: BigInt(++this.#operations) });
  }

  #keep(command: ClientCommand): ClientCommand {
    if (this.#recent.length < RECENT_MAX) this.#recent.push(command);
    else this.#recent[this.#operations % RECENT_MAX] = command;
    return command;
  }

  #earlier(): ClientCommand | undefined {
    return this.#recent[this.#random.below(this.#recent.length)];
  }

  /** Not kept: its key belongs to the other one. */
  #reuse(clientId: bigint): ClientCommand {
    const earlier = this.#earlier();
    if (earlier === undefined) return this.#fresh(this.#any(), clientId);
    return { ...this.#any(), clientId: earlier.clientId, operationId: earlier.operationId };
  }

  #any(): Request {
    const random = this.#random;
    const held = this.#drawHeld();
    if (held === undefined || random.oneIn(2)) {
      return random.oneIn(4) ? create(this.resource()) : reserve(this.resource(), this.#ttl());
    }
    const { reservationId, holderId } = held;
    return random.oneIn(2)
      ? confirm(reservationId, 1n, holderId)
      : release(reservationId, 1n, holderId);
  }

  /** Until somebody holds something there is nothing to confirm. */
  #request(action: ActionName): Request {
    if (action === "create_resource") return create(this.resource());
    if (action === "reserve_bundle") return bundle(this.#members(), this.#ttl(), this.#rival());
    const held = this.#drawHeld();
    if (held === undefined || action === "reserve") {
      return reserve(this.resource(), this.#ttl(), this.#rival());
    }
    const { reservationId, holderId } = held;
    if (action === "revoke") return revoke(reservationId);
    if (action === "reclaim") return reclaim(reservationId);
    const holder = this.#isImpostor() ? this.#rival() : holderId;
    const epoch = this.#isImpostor() ? BigInt(this.#random.below(4)) : 1n;
    return action === "release"
      ? release(reservationId, epoch, holder)
      : confirm(reservationId, epoch, holder);
  }

  /** Mostly others than each other; where one is twice, the bundle is refused. */
  #members(): bigint[] {
    const count = 2 + this.#random.below(this.#workload.bundleMax - 1);
    const first = this.resource();
    const resources = BigInt(this.#workload.resources);
    return Array.from({ length: count }, (_, i) => (first - 1n + BigInt(i)) % resources + 1n);
  }

  #ttl(): bigint {
    const { ttlSlotsMin, ttlSlotsMax } = this.#workload;
    return BigInt(ttlSlotsMin + this.#random.below(ttlSlotsMax - ttlSlotsMin + 1));
  }

  #rival(): bigint {
    return HOLDER + BigInt(this.#random.below(this.#workload.holders));
  }

  #isImpostor(): boolean {
    const { impostorOneIn } = this.#workload;
    return impostorOneIn > 0 && this.#random.oneIn(impostorOneIn);
  }

  /** The slot is refused if it is past or too far ahead, and so is whatever is retried too late. */
  #withSlot(clientId: bigint): Wish {
    const slots: readonly SlotWish[] = ["now", "past", "far"];
    return {
      command: this.#fresh(this.#any(), clientId),
      slot: slots[this.#random.below(slots.length)]!,
      refusals: ["slot_rewound", "slot_too_far", "slot_overflow"],
    };
  }

  #invalid(): Request {
    const { maxTtlSlots, maxBundleSize, shardId } = this.#core;
    const id = this.resource();
    const nobody = ((shardId + BigInt(this.#random.below(2))) << 64n) | 0x7fff_ffffn;
    switch (this.#random.below(8)) {
      case 0:
        return reserve(id, 0n);
      case 1:
        return reserve(id, maxTtlSlots + 1n + BigInt(this.#random.below(1_000)));
      case 2:
        return bundle(Array.from({ length: maxBundleSize + 1 }, (_, i) => BigInt(i + 1)));
      case 3:
        return bundle([]);
      case 4:
        return bundle([id, id], this.#ttl());
      case 5:
        return reserve(2n ** 127n + id, this.#ttl());
      case 6:
        return revoke(nobody);
      default:
        return confirm(nobody);
    }
  }

  #malformed(clientId: bigint): Wish {
    const command = this.#fresh(this.#any(), clientId);
    const malformed = this.#spoil(encodePlain(command));
    return { command, malformed, refusals: ["invalid_request", "command_too_large"] };
  }

  /** Cut off, too long, of no known kind, or what no client may say. */
  #spoil(bytes: Uint8Array): Uint8Array {
    switch (this.#random.below(4)) {
      case 0:
        return bytes.slice(0, this.#random.below(bytes.length));
      case 1:
        return Uint8Array.of(...bytes, 0);
      case 2:
        bytes[1] = 9 + this.#random.below(14);
        return bytes;
      default: {
        const reservationId = this.reservation() ?? 1n;
        return encodePlain({ kind: "expire", reservationId, deadlineSlot: 1n });
      }
    }
  }
}
