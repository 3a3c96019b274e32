/** The sale from opening to closing, with the crash in the middle. */
import { ReservationState } from "../../core/tables.ts";
import type { AllocDbClient } from "../client/client.ts";
import type { Committed } from "../client/types.ts";
import { CliError } from "../errors.ts";
import { Buyer, type Floor, type Manners, sleep } from "./buyer.ts";
import { Random } from "./random.ts";
import type { DemoServer } from "./server.ts";
import type { Story } from "./story.ts";

/** How the sale goes. */
export interface SaleOptions {
  readonly buyers: number;
  readonly seed: number;
  readonly fast: boolean;
  /** Fires when somebody has seen enough. */
  readonly interruption: AbortSignal;
}

/** How long things take, in milliseconds. */
interface Tempo {
  readonly holdMs: number;
  /** How long selling everything shall take, without the crash. */
  readonly saleMs: number;
  readonly closesAfterMs: number;
  /** When the server is killed at the latest. */
  readonly killAfterMs: number;
  /** How long the audience looks at the dead server. */
  readonly mourningMs: number;
}

const SLOW: Tempo = {
  holdMs: 2_400,
  saleMs: 6_500,
  closesAfterMs: 8_500,
  killAfterMs: 4_000,
  mourningMs: 600,
};
const FAST: Tempo = {
  holdMs: 250,
  saleMs: 900,
  closesAfterMs: 2_200,
  killAfterMs: 700,
  mourningMs: 20,
};

/** Share of the seats after whose sale the server is killed. */
const KILL_AT_SHARE = 0.4;
/** More wishes than seats, so that somebody is always too late. */
const WISHES_PER_SEAT = 1.3;
/** Attempts that a sold seat takes, roughly. */
const ATTEMPTS_PER_SEAT = 1.6;
const PAUSE_MS_MAX = 600;
/** Buyers beyond these share connections. */
const CONNECTIONS_MAX = 200;
/** How often the sale looks whether it is over, in milliseconds. */
const LOOK_MS = 15;
const SETTLE_MS_MAX = 5_000;
const BUSY_LOOKS_MAX = 300;

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

/** One sale. */
export class Sale {
  readonly #server: DemoServer;
  readonly #story: Story;
  readonly #options: SaleOptions;
  readonly #tempo: Tempo;
  readonly #closing = new AbortController();
  #onAnswer: (answer: Committed) => void = () => {};

  /**
   * @param server A server whose seats are made.
   * @param story What is told.
   * @param options How it goes.
   */
  constructor(server: DemoServer, story: Story, options: SaleOptions) {
    this.#server = server;
    this.#story = story;
    this.#options = options;
    this.#tempo = options.fast ? FAST : SLOW;
  }

  /** Opens the doors, lets the server crash, and closes when everything is sold or time is up. */
  async run(): Promise<void> {
    const { interruption, buyers } = this.#options;
    const count = Math.min(buyers, CONNECTIONS_MAX);
    const clients = await Promise.all(Array.from({ length: count }, () => this.#server.connect()));
    const close = (): void => this.#closing.abort();
    interruption.addEventListener("abort", close);
    if (interruption.aborted) close();
    const opensAtMs = this.#story.elapsedMs;
    try {
      const crowd = this.#letIn(clients);
      await this.#until(() => this.#isHalfTime(opensAtMs));
      await this.#untilBusy();
      if (!interruption.aborted) await this.#crash(clients[0]!);
      await this.#until(() => this.#isOver(opensAtMs));
      close();
      // What is under way is answered first, unless nobody wants to know any more.
      if (interruption.aborted) await closeAll(clients);
      await crowd;
      if (!interruption.aborted) await this.#letHoldsRunOut(clients[0]!);
    } finally {
      close();
      interruption.removeEventListener("abort", close);
      await closeAll(clients);
    }
  }

  #letIn(clients: readonly AllocDbClient[]): Promise<unknown> {
    const { buyers, seed } = this.#options;
    const { hall, ledger } = this.#story;
    const floor: Floor = {
      hall,
      ledger,
      manners: this.#manners(),
      closing: this.#closing.signal,
      onAnswer: (answer) => this.#onAnswer(answer),
    };
    this.#story.tell(`the sale opens: ${buyers} buyers rush in`);
    const wishes = Math.ceil(hall.seats.length * WISHES_PER_SEAT);
    return Promise.all(Array.from({ length: buyers }, (_, i) => {
      const wanted = Math.floor((wishes * (i + 1)) / buyers) - Math.floor((wishes * i) / buyers);
      const client = clients[i % clients.length]!;
      return new Buyer(i + 1, client, floor, new Random(seed, i), Math.max(wanted, 1)).buy();
    }));
  }

  /** So many buyers shall sell the house in the time there is. */
  #manners(): Manners {
    const { holdMs, saleMs } = this.#tempo;
    const attempts = this.#story.hall.seats.length * ATTEMPTS_PER_SEAT;
    // Two pauses for each attempt: looking, and thinking.
    const pauseMs = Math.min((saleMs * this.#options.buyers) / attempts / 2, PAUSE_MS_MAX);
    return {
      holdMs,
      pauseMs: Math.min(pauseMs, holdMs / 4), // Most who mean to pay are in time.
      walksAway: 0.12,
      givesBack: 0.05,
      wantsNeighbours: 0.3,
    };
  }

  #isHalfTime(opensAtMs: number): boolean {
    const { hall, elapsedMs } = this.#story;
    return hall.count("sold") >= hall.seats.length * KILL_AT_SHARE ||
      elapsedMs - opensAtMs > this.#tempo.killAfterMs;
  }

  #isOver(opensAtMs: number): boolean {
    const { hall, elapsedMs } = this.#story;
    return hall.count("sold") === hall.seats.length ||
      elapsedMs - opensAtMs > this.#tempo.closesAfterMs;
  }

  /** kill -9 and a restart, while the buyers go on asking. */
  async #crash(client: AllocDbClient): Promise<void> {
    const story = this.#story;
    const { hall, ledger } = story;
    const killedAtMs = story.elapsedMs;
    const crash = {
      pid: this.#server.pid,
      soldBefore: hall.count("sold"),
      waiting: 0,
      recoveredMs: 0,
      firstWriteMs: 0,
      startupKind: "",
      replayedEntries: 0,
    };
    const gone = this.#server.kill();
    story.server = "dead";
    story.crash = crash;
    story.tell(`kill -9 ${crash.pid}, with ${crash.soldBefore} seats sold`, "bad");
    await gone;
    await sleep(this.#tempo.mourningMs, this.#closing.signal);
    story.server = "recovering";
    const firstWrite = this.#firstWrite(client);
    const recovery = await this.#server.restart();
    story.pid = this.#server.pid;
    story.server = "serving";
    crash.waiting = ledger.inFlight;
    crash.recoveredMs = story.elapsedMs - killedAtMs;
    crash.startupKind = recovery.startupKind;
    crash.replayedEntries = recovery.replayedWalFrameCount;
    story.tell(`restarted as ${story.pid}: ${crash.replayedEntries} log entries read back`, "good");
    await firstWrite;
    crash.firstWriteMs = story.elapsedMs - killedAtMs;
    const seconds = (crash.firstWriteMs / 1_000).toFixed(2);
    story.tell(`first new write ${seconds} s after the kill, on the same connections`, "good");
  }

  /**
   * The first write that no process before the kill can have answered: what that one answered has arrived by
   * now. One is sent, in case nobody buys.
   */
  #firstWrite(client: AllocDbClient): Promise<void> {
    const { ledger, hall } = this.#story;
    const { lastLsn } = ledger;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#onAnswer = ({ appliedLsn, fromRetryCache }) => {
      if (!fromRetryCache && appliedLsn > lastLsn) resolve();
    };
    const { resourceId } = hall.seats[0]!;
    client.createResource({ resourceId }).then((answer) => {
      if (answer.kind !== "committed") {
        return reject(new CliError("E_INDEFINITE", "a write after the restart was not answered"));
      }
      ledger.note(answer);
      this.#onAnswer(answer);
    }, reject);
    promise.catch(() => {}); // Whoever waits sees it; if the restart fails nobody does.
    return promise;
  }

  /** Unpaid holds end by themselves; the proof wants to see that too. */
  async #letHoldsRunOut(client: AllocDbClient): Promise<void> {
    const { ledger, elapsedMs } = this.#story;
    let open = ledger.claims.filter(({ confirmedLsn, releasedLsn }) =>
      confirmedLsn === undefined && releasedLsn === undefined
    );
    while (open.length > 0 && this.#story.elapsedMs - elapsedMs < SETTLE_MS_MAX) {
      const reads = await Promise.all(
        open.map((claim) => client.getReservation(claim.reservationId)),
      );
      open = open.filter((_, i) => {
        const read = reads[i]!;
        return read.kind === "found" && read.state === ReservationState.reserved;
      });
      if (open.length > 0) await sleep(LOOK_MS, this.#options.interruption);
    }
    for (const seat of this.#story.hall.seats) if (seat.state === "held") seat.state = "free";
  }

  /** A crash hurts most while commands are under way; if nobody comes it happens all the same. */
  async #untilBusy(): Promise<void> {
    const { ledger } = this.#story;
    for (let looks = 0; looks < BUSY_LOOKS_MAX && ledger.inFlight === 0; looks++) {
      await sleep(0, this.#options.interruption);
    }
  }

  async #until(isSo: () => boolean): Promise<void> {
    const { interruption } = this.#options;
    while (!isSo() && !interruption.aborted) await sleep(LOOK_MS, interruption);
  }
}

async function closeAll(clients: readonly AllocDbClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
}
