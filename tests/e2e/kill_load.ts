/** Clients that fight over a few resources and note every answer. */
import type { AllocDbClient } from "../../node/client/client.ts";
import type { ClientCommand, Committed } from "../../node/client/types.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import type { KillHistory } from "./kill_history.ts";

/** Longest bundle. */
const BUNDLE_MAX = 3;

/** One client's life: it claims, and then confirms, gives back, is revoked, or lets go. */
export class Contender {
  readonly #client: AllocDbClient;
  readonly #history: KillHistory;
  readonly #resourceIds: readonly bigint[];
  readonly #random: SeededRandom;
  readonly #holderId: bigint;
  #isStopped = false;

  constructor(
    client: AllocDbClient,
    history: KillHistory,
    resourceIds: readonly bigint[],
    seed: number,
  ) {
    this.#client = client;
    this.#history = history;
    this.#resourceIds = resourceIds;
    this.#random = new SeededRandom(seed);
    this.#holderId = BigInt(seed + 1);
  }

  /** Goes on until told to stop, whatever happens to the server. */
  async run(): Promise<void> {
    while (!this.#isStopped) await this.#claim();
  }

  /** Ends after the claim under way. */
  stop(): void {
    this.#isStopped = true;
  }

  async #claim(): Promise<void> {
    const reserved = await this.#do(this.#drawReserve());
    if (!reserved.ok) return;
    const reservationId = reserved.reservationId!;
    const holderId = this.#holderId;
    const epoch = reserved.epoch!;
    if (this.#random.oneIn(4)) return; // Its time runs out.
    if (this.#random.oneIn(4)) {
      await this.#do({ kind: "release", reservationId, holderId, epoch });
      return;
    }
    const confirmed = await this.#do({ kind: "confirm", reservationId, holderId, epoch });
    if (!confirmed.ok) return;
    if (this.#random.oneIn(3)) {
      await this.#do({ kind: "revoke", reservationId });
      await this.#do({ kind: "reclaim", reservationId });
    } else await this.#do({ kind: "release", reservationId, holderId, epoch });
  }

  #drawReserve(): ClientCommand {
    const holderId = this.#holderId;
    const ttlMs = 50 + this.#random.below(400);
    const at = this.#random.below(this.#resourceIds.length - BUNDLE_MAX);
    if (this.#random.oneIn(3)) {
      const count = 2 + this.#random.below(BUNDLE_MAX - 1);
      const resourceIds = this.#resourceIds.slice(at, at + count);
      return { kind: "reserve_bundle", resourceIds, holderId, ttlMs };
    }
    return { kind: "reserve", resourceId: this.#resourceIds[at]!, holderId, ttlMs };
  }

  /** The client retries by itself; an answer must come in the end. */
  async #do(command: ClientCommand): Promise<Committed> {
    const [result] = await this.#client.submitMany([command]);
    if (result?.kind !== "committed") {
      throw new Error(`${command.kind} ended as ${JSON.stringify(result, withBigints)}`);
    }
    this.#history.add({ client: this.#client, command, result });
    return result;
  }
}

function withBigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
