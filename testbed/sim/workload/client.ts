/**
 * A client of the cluster: submits commands, looks for the primary, retries under the same operation id until
 * it has an answer, and reads strictly in between.
 */
import type { ReadRefusal, Rejection, ReservationRead, ResourceRead } from "../../../node/api.ts";
import type { Outcome } from "../../../core/outcome.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { EventQueue } from "../world/queue.ts";
import { encodePlain, plainOutcome } from "./plain.ts";
import { type LifeCommands, RESOURCES } from "./life_commands.ts";
import type { ClientCommand, ModelOutcome } from "../../model/words.ts";
import type { SeededRandom } from "../random.ts";

/** One command of one client, from the first attempt to the answer. */
export interface Operation {
  readonly command: ClientCommand;
  readonly bytes: Uint8Array;
  readonly invokedMs: number;
  attempts: number;
  /** Undefined until the client knows. */
  outcome: ModelOutcome | undefined;
  answeredMs: number | undefined;
  /** A definite rejection that no retry would change. */
  failure: Rejection | undefined;
}

/** What a read was about and what it said. */
export interface ReadAnswer {
  readonly machine: ClusterMachine;
  readonly resourceId: bigint | undefined;
  readonly reservationId: bigint | undefined;
  /** The slot as of which a reservation was read. */
  readonly slot: bigint;
  readonly requiredLsn: bigint;
  /** Everything up to here was known to somebody when the read began. */
  readonly floorLsn: number;
  readonly result: ResourceRead | ReservationRead;
}

/** What a client needs of the world. */
export interface ClientHost {
  readonly queue: EventQueue;
  readonly machines: readonly ClusterMachine[];
  readonly commands: LifeCommands;
  /** Whether clients begin new operations. */
  readonly isBusy: boolean;
  /** The highest lsn that any client has learned, of an answer or of a read. */
  readonly learnedLsn: number;
  invoked(operation: Operation): void;
  /** A replica has said how a command ended; the client does not know yet. */
  published(machine: ClusterMachine, operation: Operation, outcome: ModelOutcome): void;
  /** A replica has answered a read. */
  read(answer: ReadAnswer): void;
  /** The client knows. */
  answered(operation: Operation): void;
  violated(what: string): void;
  note(text: () => string): void;
}

const TIMEOUT_MS = 700;
const BACKOFF_MS = 30;
const THINK_MS = 25;

/** See the top of this file. */
export class ClusterClient {
  readonly name: string;
  /** Commands without an answer. */
  readonly open = new Set<Operation>();
  /** How long it thinks between two operations, at most, in milliseconds. */
  thinkMs = THINK_MS;
  reads = 0;
  readsRefused = 0;
  readonly #host: ClientHost;
  readonly #random: SeededRandom;
  #target: number;

  constructor(name: string, host: ClientHost, random: SeededRandom) {
    this.name = name;
    this.#host = host;
    this.#random = random;
    this.#target = random.below(host.machines.length);
  }

  /** Begins to live: one operation after the other, for as long as the world says so. */
  live(): void {
    this.#host.queue.after(this.#random.below(this.thinkMs * 1_000) / 1_000, () => {
      if (!this.#host.isBusy) return this.live();
      if (this.#random.oneIn(4)) return this.#read(() => this.live());
      this.submit(this.#host.commands.draw(), () => this.live());
    });
  }

  /** Submits a command until it is answered. */
  submit(command: ClientCommand, done: (operation: Operation) => void = () => {}): Operation {
    const operation: Operation = {
      command,
      bytes: encodePlain(command),
      invokedMs: this.#host.queue.nowMs,
      attempts: 0,
      outcome: undefined,
      answeredMs: undefined,
      failure: undefined,
    };
    this.open.add(operation);
    this.#host.invoked(operation);
    this.#attempt(operation, done);
    return operation;
  }

  /** Prefers a replica from now on. */
  aim(machine: ClusterMachine): void {
    this.#target = machine.index;
  }

  #attempt(operation: Operation, done: (operation: Operation) => void): void {
    if (!this.open.has(operation)) return;
    operation.attempts++;
    const machine = this.#host.machines[this.#target]!;
    const attempt = { isOver: false };
    const again = (delayMs: number): void => {
      if (attempt.isOver) return;
      attempt.isOver = true;
      this.#host.queue.after(delayMs, () => this.#attempt(operation, done));
    };
    this.#after(TIMEOUT_MS + this.#random.below(300), () => {
      if (!attempt.isOver) this.#turnElsewhere(machine, undefined);
      again(0);
    });
    this.#after(this.#hop(), () => {
      if (!machine.isRunning) {
        this.#turnElsewhere(machine, undefined);
        return again(BACKOFF_MS);
      }
      machine.reach(() => this.#submitTo(machine, operation, done, again));
    });
  }

  #submitTo(
    machine: ClusterMachine,
    operation: Operation,
    done: (operation: Operation) => void,
    again: (delayMs: number) => void,
  ): void {
    const told = { isOver: false };
    const once = (): boolean => {
      if (told.isOver) this.#host.violated("client/answered-once");
      told.isOver = true;
      return true;
    };
    const sink = {
      committed: (_token: number, outcome: Outcome): void => {
        once();
        const plain = plainOutcome(outcome);
        this.#host.published(machine, operation, plain);
        this.#after(this.#hop(), () => this.#learn(operation, plain, done));
      },
      rejected: (_token: number, rejection: Rejection): void => {
        once();
        this.#after(this.#hop(), () => this.#rejected(machine, operation, rejection, again, done));
      },
    };
    const bytes = operation.bytes.slice();
    machine.subject?.submit(new DataView(bytes.buffer), 0, bytes.length, undefined, sink, 7);
    bytes.fill(0xee); // They were only lent.
  }

  #learn(
    operation: Operation,
    outcome: ModelOutcome,
    done: (operation: Operation) => void,
  ): void {
    if (!this.open.delete(operation)) return;
    operation.outcome = outcome;
    operation.answeredMs = this.#host.queue.nowMs;
    const { reserved } = outcome;
    if (reserved !== undefined) this.#host.commands.noteHeld(reserved.reservationId);
    this.#host.answered(operation);
    done(operation);
  }

  #rejected(
    machine: ClusterMachine,
    operation: Operation,
    rejection: Rejection,
    again: (delayMs: number) => void,
    done: (operation: Operation) => void,
  ): void {
    this.#host.note(() => `${this.name}: ${operation.command.operationId} ${rejection.code}`);
    if (rejection.code === "not_primary") {
      this.#turnElsewhere(machine, rejection.primary);
      return again(rejection.primary === undefined ? BACKOFF_MS : 1);
    }
    if (rejection.category === "indefinite" || rejection.code === "overloaded") {
      if (rejection.category === "indefinite") this.#turnElsewhere(machine, undefined);
      return again(BACKOFF_MS);
    }
    if (!this.open.delete(operation)) return;
    operation.failure = rejection;
    operation.answeredMs = this.#host.queue.nowMs;
    this.#host.answered(operation);
    done(operation);
  }

  #read(done: () => void): void {
    const { commands } = this.#host;
    const isResource = commands.held.length === 0 || this.#random.oneIn(2);
    const subject = isResource
      ? BigInt(1 + this.#random.below(RESOURCES))
      : commands.held[this.#random.below(commands.held.length)]!;
    const isFenced = this.#random.oneIn(3);
    const over = { isOver: false };
    const end = (): void => {
      if (over.isOver) return;
      over.isOver = true;
      done();
    };
    // Now and then of whoever comes first: one that leads no longer may not know it.
    const { machines } = this.#host;
    const index = this.#random.oneIn(3) ? this.#random.below(machines.length) : this.#target;
    this.readOnce(isResource, subject, isFenced, end, machines[index]!);
    this.#after(TIMEOUT_MS, end);
  }

  /** Reads a resource or a reservation strictly, once; `done` is told that an answer came, whatever it said. */
  readOnce(
    isResource: boolean,
    subject: bigint,
    isFenced: boolean,
    done: (answer: ReadAnswer | undefined) => void,
    machine = this.#host.machines[this.#target]!,
  ): void {
    const floorLsn = this.#host.learnedLsn;
    const requiredLsn = isFenced ? BigInt(floorLsn) : 0n;
    this.#after(this.#hop(), () => {
      if (!machine.isRunning) {
        this.#turnElsewhere(machine, undefined);
        return done(undefined);
      }
      machine.reach(() => {
        machine.subject?.confirmAuthority((refusal) => {
          const result = refusal ?? readFrom(machine, isResource, subject, requiredLsn);
          this.#noteRead(result, machine);
          const slot = machine.subject?.currentSlot() ?? 0n;
          const answer = {
            machine,
            resourceId: isResource ? subject : undefined,
            reservationId: isResource ? undefined : subject,
            slot,
            requiredLsn,
            floorLsn,
            result,
          };
          this.#host.read(answer);
          this.#after(this.#hop(), () => done(answer));
        });
      });
    });
  }

  #noteRead(result: ResourceRead | ReservationRead, machine: ClusterMachine): void {
    this.reads++;
    if (result.kind === "not_primary") this.#turnElsewhere(machine, result.primary);
    if (isRefusal(result)) this.readsRefused++;
  }

  /** Does what a hint says, or tries the next one; an older answer does not change a newer choice. */
  #turnElsewhere(machine: ClusterMachine, primary: bigint | undefined): void {
    if (this.#target !== machine.index) return;
    const { machines } = this.#host;
    const hinted = machines.findIndex(({ id }) => id === primary);
    this.#target = hinted < 0 || hinted === machine.index
      ? (machine.index + 1) % machines.length
      : hinted;
  }

  #hop(): number {
    return 0.1 + this.#random.below(1_000) / 1_000;
  }

  #after(delayMs: number, task: () => void): void {
    this.#host.queue.after(delayMs, task);
  }
}

/** Whether a read was answered without data. */
export function isRefusal(result: ResourceRead | ReservationRead): result is ReadRefusal {
  const { kind } = result;
  return kind === "not_primary" || kind === "engine_halted" || kind === "fence_not_applied";
}

function readFrom(
  { subject }: ClusterMachine,
  isResource: boolean,
  id: bigint,
  requiredLsn: bigint,
): ResourceRead | ReservationRead {
  return isResource
    ? subject!.getResource(id, requiredLsn)
    : subject!.getReservation(id, requiredLsn, subject!.currentSlot());
}
