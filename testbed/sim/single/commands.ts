/** What the clients of a single node ask for: few ids, so that everything collides, retries, reused keys and wrong words. */
import type { CoreConfig } from "../../../core/config.ts";
import type { ClientCommand } from "../../model/words.ts";
import type { SeededRandom } from "../random.ts";
import type { Request } from "../workload/plain.ts";
import {
  bundle,
  confirm,
  create,
  reclaim,
  release,
  reserve,
  revoke,
} from "../workload/requests.ts";

/** A reservation that somebody may know of. */
export interface Known {
  readonly reservationId: bigint;
  readonly holderId: bigint;
}

/** Commands that are sent again come from so many latest ones. */
const PAST_MAX = 24;
/** Reservations that are spoken of, the latest ones. */
const KNOWN_MAX = 6;
const HOLDERS = [77n, 78n, 77n << 96n];
const U64_MAX = 2n ** 64n - 1n;

/** See the top of this file. */
export class SingleCommands {
  readonly #core: CoreConfig;
  #past: ClientCommand[] = [];
  #operations = 0n;

  constructor(core: CoreConfig) {
    this.#core = core;
  }

  /** The next command: mostly a new one. */
  draw(random: SeededRandom, known: readonly Known[]): ClientCommand {
    const past = this.#past[random.below(this.#past.length)];
    if (past !== undefined && random.oneIn(7)) {
      if (random.oneIn(4)) return { ...past, ...this.#drawRequest(random, known) } as ClientCommand;
      return past;
    }
    const key = { operationId: ++this.#operations, clientId: BigInt(1 + random.below(2)) };
    const command = { ...this.#drawRequest(random, known), ...key } as ClientCommand;
    this.#past = [...this.#past, command].slice(-PAST_MAX);
    return command;
  }

  #drawRequest(random: SeededRandom, known: readonly Known[]): Request {
    const held = known.slice(-KNOWN_MAX)[random.below(Math.min(known.length, KNOWN_MAX))];
    if (held !== undefined && random.below(8) < 5) return drawAboutHeld(random, held);
    const { maxResources, maxBundleSize } = this.#core;
    const resource = (): bigint => BigInt(1 + random.below(maxResources + 1));
    switch (random.below(5)) {
      case 0:
      case 1:
        return create(resource());
      case 2: {
        const count = random.oneIn(8) ? maxBundleSize + 1 : 1 + random.below(maxBundleSize);
        const first = resource();
        const ids = Array.from({ length: count }, (_, i) => first + BigInt(i));
        return bundle(random.oneIn(8) ? [] : ids, this.#drawTtl(random), drawHolder(random));
      }
      default:
        return reserve(resource(), this.#drawTtl(random), drawHolder(random));
    }
  }

  #drawTtl(random: SeededRandom): bigint {
    const most = Number(this.#core.maxTtlSlots);
    switch (random.below(24)) {
      case 0:
        return 0n;
      case 1:
        return BigInt(most + 1);
      case 2:
        return U64_MAX;
      default:
        return BigInt(1 + random.below(most));
    }
  }
}

function drawAboutHeld(random: SeededRandom, held: Known): Request {
  const isWrong = random.oneIn(8);
  const reservationId = isWrong ? held.reservationId + 1n : held.reservationId;
  const holderId = random.oneIn(8) ? drawHolder(random) : held.holderId;
  const epoch = BigInt(random.oneIn(6) ? random.below(4) : 1);
  switch (random.below(6)) {
    case 0:
    case 1:
      return confirm(reservationId, epoch, holderId);
    case 2:
      return release(reservationId, epoch, holderId);
    case 3:
    case 4:
      return revoke(reservationId);
    default:
      return reclaim(reservationId);
  }
}

function drawHolder(random: SeededRandom): bigint {
  return HOLDERS[random.below(HOLDERS.length)]!;
}
