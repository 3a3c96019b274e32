/** The buyers together: let in, waited for, sent home. */
import { ReservationState } from "../../core/tables.ts";
import type { AllocDbClient } from "../client/client.ts";
import { CliError } from "../errors.ts";
import { Buyer, type Floor, type Manners } from "./buyer.ts";
import { Random } from "./random.ts";
import type { Story } from "./story.ts";
import { sleep, unlessAborted } from "./waiting.ts";

/** How the sale goes. */
export interface CrowdOptions {
  readonly buyers: number;
  readonly seed: number;
  /** How long an unpaid hold lasts, in milliseconds. */
  readonly holdMs: number;
  /** How long selling everything shall take while nothing goes wrong, in milliseconds. */
  readonly saleMs: number;
  readonly connect: () => Promise<AllocDbClient>;
  readonly onAnswer: Floor["onAnswer"];
  /** Fires when somebody has seen enough. */
  readonly interruption: AbortSignal;
}

/** More wishes than seats, so that somebody is always too late. */
const WISHES_PER_SEAT = 1.3;
/** Attempts that a sold seat takes, roughly. */
const ATTEMPTS_PER_SEAT = 1.6;
const PAUSE_MS_MAX = 600;
/** Buyers beyond these share connections. */
const CONNECTIONS_MAX = 200;
/** How often the crowd is looked at, in milliseconds. */
const LOOK_MS = 15;
/** How long unpaid holds may take to end after their time, in milliseconds: only broken replicas take as long. */
const SETTLE_MS_MAX = 20_000;

/** Makes a resource of every seat. */
export async function makeSeats(client: AllocDbClient, story: Story): Promise<void> {
  const commands = story.hall.seats.map(({ resourceId }) => {
    return { kind: "create_resource", resourceId } as const;
  });
  for (const result of await client.submitMany(commands)) {
    if (result.kind !== "committed") throw new CliError("E_INDEFINITE", "a seat was not made");
    story.ledger.note(result);
  }
}

/** Buyers at work. Disposing of it sends them home at once. */
export class Crowd implements AsyncDisposable {
  readonly #story: Story;
  readonly #options: CrowdOptions;
  readonly #clients: readonly AllocDbClient[];
  readonly #closing = new AbortController();
  readonly #buying: Promise<unknown>;

  private constructor(story: Story, options: CrowdOptions, clients: readonly AllocDbClient[]) {
    this.#story = story;
    this.#options = options;
    this.#clients = clients;
    this.#buying = this.#letIn();
  }

  /**
   * Opens the doors.
   *
   * @param story What is told; its seats are made.
   * @param options How the sale goes.
   * @returns The buyers, who have begun to buy.
   */
  static async letIn(story: Story, options: CrowdOptions): Promise<Crowd> {
    const count = Math.min(options.buyers, CONNECTIONS_MAX);
    const connecting = Array.from({ length: count }, () => options.connect());
    const clients = await Promise.allSettled(connecting);
    const open = clients.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    const failed = clients.find((one) => one.status === "rejected");
    if (failed === undefined) return new Crowd(story, options, open);
    await closeAll(open);
    throw failed.reason;
  }

  /**
   * Waits until a share of the seats is sold, or for some time.
   *
   * @param share From 0 to 1.
   * @param withinMs How long at most, in milliseconds.
   */
  async untilSold(share: number, withinMs: number): Promise<void> {
    const { hall } = this.#story;
    const isSold = (): boolean => hall.count("sold") >= hall.seats.length * share;
    await this.#until(isSold, withinMs);
  }

  /** Waits until somebody waits for an answer, for a moment at most. */
  async untilBusy(withinMs: number): Promise<void> {
    await this.#until(() => this.#story.ledger.inFlight > 0, withinMs);
  }

  /** Closes the doors. What is under way is answered first, and what was never paid is free again. */
  async close(): Promise<void> {
    this.#closing.abort();
    await unlessAborted(this.#buying, this.#options.interruption);
    await this.#letHoldsRunOut(this.#clients[0]!);
  }

  /** Ends whatever is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await closeAll(this.#clients);
    await Promise.allSettled([this.#buying]);
  }

  #letIn(): Promise<unknown> {
    const { buyers, seed, onAnswer } = this.#options;
    const { hall, ledger } = this.#story;
    const closing = this.#closing.signal;
    const floor: Floor = { hall, ledger, manners: this.#manners(), closing, onAnswer };
    const wishes = Math.ceil(hall.seats.length * WISHES_PER_SEAT);
    return Promise.all(Array.from({ length: buyers }, (_, i) => {
      const wanted = Math.floor((wishes * (i + 1)) / buyers) - Math.floor((wishes * i) / buyers);
      const client = this.#clients[i % this.#clients.length]!;
      return new Buyer(i + 1, client, floor, new Random(seed, i), Math.max(wanted, 1)).buy();
    }));
  }

  /** So many buyers shall sell the house in the time there is. */
  #manners(): Manners {
    const { holdMs, saleMs, buyers } = this.#options;
    const attempts = this.#story.hall.seats.length * ATTEMPTS_PER_SEAT;
    // Two pauses for each attempt: looking, and thinking.
    const pauseMs = Math.min((saleMs * buyers) / attempts / 2, PAUSE_MS_MAX);
    return {
      holdMs,
      pauseMs: Math.min(pauseMs, holdMs / 4), // Most who mean to pay are in time.
      walksAway: 0.12,
      givesBack: 0.05,
      wantsNeighbours: 0.3,
    };
  }

  /** Unpaid holds end by themselves; the proof wants to see that too. */
  async #letHoldsRunOut(client: AllocDbClient): Promise<void> {
    const { ledger, hall } = this.#story;
    const { holdMs } = this.#options;
    let open = ledger.claims.filter(({ confirmedLsn, releasedLsn }) =>
      confirmedLsn === undefined && releasedLsn === undefined
    );
    await this.#until(() => open.length === 0, holdMs + SETTLE_MS_MAX, async () => {
      const reads = await Promise.all(
        open.map(({ reservationId }) => client.getReservation(reservationId)),
      );
      open = open.filter((_, i) => {
        const read = reads[i]!;
        return read.kind === "found" && read.state === ReservationState.reserved;
      });
    });
    if (open.length > 0) {
      throw new CliError("E_WAIT_TIMEOUT", `${open.length} unpaid holds do not end`);
    }
    for (const seat of hall.seats) if (seat.state === "held") seat.state = "free";
  }

  async #until(
    isSo: () => boolean,
    withinMs: number,
    look: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const { interruption } = this.#options;
    const endsAtMs = this.#story.elapsedMs + withinMs;
    await look();
    while (!isSo() && this.#story.elapsedMs < endsAtMs) {
      await sleep(LOOK_MS, interruption);
      interruption.throwIfAborted();
      await look();
    }
  }
}

async function closeAll(clients: readonly AllocDbClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
}
