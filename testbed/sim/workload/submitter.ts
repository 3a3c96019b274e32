/**
 * Submits commands until each is answered: alone or several in one frame, again under the same operation id after a
 * silence, to somebody else after a refusal; or gives up, and never knows.
 */
import type { Outcome } from "../../../core/outcome.ts";
import { U64_MAX } from "../../../core/config.ts";
import type { Rejection, ResultSink } from "../../../node/api.ts";
import type { ModelOutcome } from "../../model/words.ts";
import type { SeededRandom } from "../random.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { Attempt } from "./history.ts";
import type { ClientHost } from "./host.ts";
import { createOperation, type Operation, type SlotWish, type Wish } from "./operation.ts";
import { plainOutcome } from "./plain.ts";
import type { Route } from "./route.ts";

/** One way of an operation to one replica and back. */
interface Trip {
  readonly operation: Operation;
  readonly machine: ClusterMachine;
  readonly attempt: Attempt | undefined;
  /** Nothing comes after it: another trip goes on. */
  readonly isSide: boolean;
  /** Whether the client has stopped to wait for it. */
  isOver: boolean;
  /** Whether the replica has answered. */
  isAnswered: boolean;
}

const TIMEOUT_SPREAD_MS = 300;

/** Where a replica finds the bytes of a command, for as long as it is being submitted: they are only lent. */
const LENT = viewOfLength(1_024);
/** What they are afterwards. */
const GONE = 0xee;

function viewOfLength(length: number): DataView {
  return new DataView(new ArrayBuffer(length));
}

/** See the top of this file. */
export class Submitter {
  /** Commands without an answer. */
  readonly open = new Map<Operation, (operation: Operation) => void>();
  readonly #name: string;
  readonly #host: ClientHost;
  readonly #random: SeededRandom;
  readonly #route: Route;

  /**
   * @param name Of the client.
   * @param host The world.
   * @param random Draws how long it waits.
   * @param route Knows whom to ask.
   */
  constructor(name: string, host: ClientHost, random: SeededRandom, route: Route) {
    this.#name = name;
    this.#host = host;
    this.#random = random;
    this.#route = route;
  }

  /** Submits commands in one frame, each until it is answered; `done` hears of each. */
  submit(wishes: readonly Wish[], done: (operation: Operation) => void): Operation[] {
    const operations = wishes.map((wish) =>
      createOperation(this.#name, wish, this.#host.queue.nowMs)
    );
    for (const operation of operations) {
      this.open.set(operation, done);
      this.#host.invoked(operation);
    }
    this.#go(operations, this.#route.next(), false);
    const twice = operations.filter(({ wish }) => wish.isTwice === true);
    if (twice.length > 0) this.#go(twice, this.#route.any(), true);
    return operations;
  }

  #go(operations: readonly Operation[], machine: ClusterMachine, isSide: boolean): void {
    const trips = operations.map((operation) => this.#begin(operation, machine, isSide));
    const { timeoutMs } = this.#host.workload;
    if (!isSide) {
      this.#after(timeoutMs + this.#random.below(TIMEOUT_SPREAD_MS), () => this.#timeOut(trips));
    }
    this.#after(this.#route.hopMs(), () => {
      if (machine.isRunning) {
        machine.request(() => {
          for (const trip of trips) this.#arrive(trip);
        });
      } else for (const trip of trips) this.#unreached(trip);
    });
  }

  #begin(operation: Operation, machine: ClusterMachine, isSide: boolean): Trip {
    operation.attempts++;
    const attempt = this.#host.history.write(operation);
    return { operation, machine, attempt, isSide, isOver: false, isAnswered: false };
  }

  #timeOut(trips: readonly Trip[]): void {
    for (const trip of trips) {
      if (trip.isOver || !this.open.has(trip.operation)) continue;
      this.#route.turnFrom(trip.machine, undefined);
      this.#again(trip, 0);
    }
  }

  #unreached(trip: Trip): void {
    this.#host.history.unreached(trip.attempt);
    this.#route.turnFrom(trip.machine, undefined);
    this.#again(trip, this.#host.workload.backoffMs);
  }

  #again(trip: Trip, delayMs: number): void {
    if (trip.isOver) return;
    trip.isOver = true;
    const { operation, isSide } = trip;
    if (isSide || !this.open.has(operation)) return;
    const { attemptsMax } = this.#host.workload;
    if (attemptsMax > 0 && operation.attempts >= attemptsMax) {
      operation.isAbandoned = true;
      return this.#close(operation);
    }
    this.#after(delayMs, () => {
      if (this.open.has(operation)) this.#go([operation], this.#route.next(), false);
    });
  }

  /** The command has come to a replica that runs. */
  #arrive(trip: Trip): void {
    const { operation, machine } = trip;
    const { subject } = machine;
    if (subject === undefined) return;
    const slot = slotOf(operation.wish.slot ?? "none", subject.currentSlot());
    this.#host.submitted(machine, operation);
    const { bytes } = operation;
    const lent = bytes.length > LENT.byteLength ? viewOfLength(bytes.length) : LENT;
    for (let at = 0; at < bytes.length; at++) lent.setUint8(at, bytes[at]!);
    subject.submit(lent, 0, bytes.length, slot, this.#sink(trip), TOKEN);
    for (let at = 0; at < bytes.length; at++) lent.setUint8(at, GONE);
  }

  #sink(trip: Trip): ResultSink {
    const { operation, machine } = trip;
    return {
      committed: (token: number, outcome: Outcome): void => {
        this.#once(trip, token);
        const plain = plainOutcome(outcome);
        this.#host.published(machine, operation, plain);
        this.#after(this.#route.hopMs(), () => this.#learn(trip, plain));
      },
      rejected: (token: number, rejection: Rejection): void => {
        this.#once(trip, token);
        this.#host.refused(machine, operation, rejection);
        this.#after(this.#route.hopMs(), () => this.#rejected(trip, rejection));
      },
    };
  }

  #once(trip: Trip, token: number): void {
    if (trip.isAnswered || token !== TOKEN) this.#host.violated("client/answered-once");
    trip.isAnswered = true;
  }

  #learn({ operation, attempt }: Trip, outcome: ModelOutcome): void {
    this.#host.history.applied(attempt, outcome);
    if (!this.open.has(operation)) return;
    operation.outcome = outcome;
    this.#host.commands.noteAnswer(operation.command, outcome);
    this.#close(operation);
  }

  #rejected(trip: Trip, rejection: Rejection): void {
    const { operation, machine } = trip;
    const { backoffMs } = this.#host.workload;
    this.#host.history.rejected(trip.attempt, rejection);
    this.#host.note(() => `${this.#name}: ${operation.command.operationId} ${rejection.code}`);
    if (rejection.code === "not_primary") {
      this.#route.turnFrom(machine, rejection.primary);
      return this.#again(trip, rejection.primary === undefined ? backoffMs : 1);
    }
    if (rejection.category === "indefinite" || rejection.code === "overloaded") {
      if (rejection.category === "indefinite") this.#route.turnFrom(machine, undefined);
      return this.#again(trip, backoffMs);
    }
    if (!this.open.has(operation)) return;
    operation.failure = rejection;
    this.#close(operation);
  }

  #close(operation: Operation): void {
    const done = this.open.get(operation)!;
    this.open.delete(operation);
    operation.answeredMs = this.#host.queue.nowMs;
    this.#host.answered(operation);
    done(operation);
  }

  #after(delayMs: number, task: () => void): void {
    this.#host.queue.after(delayMs, task, "client");
  }
}

/** Handed back with every answer. */
const TOKEN = 7;
/** How far back a slot of the past is. */
export const PAST_SLOTS = 20n;

/** The slot that a client names to a server whose own is `current`. */
function slotOf(wish: SlotWish, current: bigint): bigint | undefined {
  switch (wish) {
    case "none":
      return undefined;
    case "now":
      return current;
    case "past":
      return current > PAST_SLOTS ? current - PAST_SLOTS : 0n;
    case "far":
      return current % 2n === 0n ? U64_MAX - current : current + 2n ** 32n;
  }
}
