/**
 * A client of the cluster. It does one thing after the other or several at once, as the life's plan says: submits
 * commands, looks for the primary, tries again, reads strictly in between.
 */
import type { ClientCommand } from "../../model/words.ts";
import type { SeededRandom } from "../random.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { ClientHost } from "./host.ts";
import type { Operation, ReadAnswer, Wish } from "./operation.ts";
import { type ActionName, ACTIONS } from "./plan.ts";
import { type Question, Reader } from "./reader.ts";
import { Route } from "./route.ts";
import { Submitter } from "./submitter.ts";

export type { ClientHost } from "./host.ts";
export type { Operation, ReadAnswer } from "./operation.ts";
export { isRefusal } from "./operation.ts";

/** Of clients that live by themselves, so that scripts can have theirs. */
const CLIENT_ID = 1_000n;
const CHECKPOINT_ONE_IN = 8;
/** Above whatever a life decides. */
const FAR_LSN = 1_000_000_000n;

/** See the top of this file. */
export class ClusterClient {
  readonly name: string;
  readonly #host: ClientHost;
  readonly #random: SeededRandom;
  readonly #route: Route;
  readonly #submitter: Submitter;
  readonly #reader: Reader;
  readonly #id: bigint;
  /** What is under way. */
  #busy = 0;
  #isWaiting = false;

  /**
   * @param number Tells it from other clients.
   * @param host The world.
   * @param random Draws what it does.
   */
  constructor(number: number, host: ClientHost, random: SeededRandom) {
    this.name = `client ${number}`;
    this.#id = CLIENT_ID + BigInt(number);
    this.#host = host;
    this.#random = random;
    this.#route = new Route(host.machines, random, host.workload.strayOneIn);
    this.#submitter = new Submitter(this.name, host, random, this.#route);
    this.#reader = new Reader(host, this.#route);
  }

  /** Commands without an answer. */
  get open(): ReadonlyMap<Operation, unknown> {
    return this.#submitter.open;
  }

  /** Lives: one action after the other, for as long as the world says so. */
  live(): void {
    this.#think(() => {
      if (!this.#host.isBusy) return this.live();
      this.#act(this.#drawAction());
      if (this.#busy < this.#host.workload.inFlightMax) return this.live();
      this.#isWaiting = true;
    });
  }

  /** Reads from one replica for ever, whether it leads or not. */
  watch(machine: ClusterMachine): void {
    this.#think(() => {
      if (!this.#host.isBusy) return this.watch(machine);
      this.#askSomething(machine, () => {});
      this.watch(machine);
    });
  }

  /** Submits a command until it is answered. */
  submit(command: ClientCommand, done: (operation: Operation) => void = () => {}): Operation {
    return this.#submitter.submit([{ command }], done)[0]!;
  }

  /** Submits commands in one frame, each until it is answered. */
  submitAll(wishes: readonly Wish[], done: (operation: Operation) => void): Operation[] {
    return this.#submitter.submit(wishes, done);
  }

  /** Prefers a replica from now on. */
  aim(machine: ClusterMachine): void {
    this.#route.aim(machine);
  }

  /** Reads a resource or a reservation strictly, once; `done` is told that an answer came, whatever it said. */
  readOnce(
    isResource: boolean,
    id: bigint,
    isFenced: boolean,
    done: (answer: ReadAnswer | undefined) => void,
    machine = this.#route.target,
  ): void {
    const requiredLsn = isFenced ? BigInt(this.#host.learnedLsn) : 0n;
    this.#reader.ask({ isResource, id, requiredLsn, machine }, done);
  }

  #think(then: () => void): void {
    const thinkMs = this.#random.below(this.#host.workload.thinkMs * 1_000) / 1_000;
    this.#host.queue.after(thinkMs, then, "client");
  }

  #drawAction(): ActionName {
    const { weights } = this.#host.workload;
    const sum = ACTIONS.reduce((total, action) => total + weights[action], 0);
    let at = this.#random.below(sum);
    return ACTIONS.find((action) => (at -= weights[action]) < 0)!;
  }

  #act(action: ActionName): void {
    switch (action) {
      case "read_resource":
      case "read_reservation":
      case "read_news":
        return this.#read(this.#question(action, this.#route.next()));
      case "checkpoint":
        return this.#checkpoint(this.#route.any());
      default:
        return this.#write(action);
    }
  }

  /** Rarely: each writes all of the state. */
  #checkpoint(machine: ClusterMachine): void {
    if (!this.#random.oneIn(CHECKPOINT_ONE_IN)) return;
    machine.reachSubject((subject) => subject.checkpoint(() => {}));
  }

  /** Alone, or with others in one frame. */
  #write(action: ActionName): void {
    const { workload, commands } = this.#host;
    const isBatch = workload.batchMax > 1 && this.#random.oneIn(3);
    const count = isBatch ? 2 + this.#random.below(workload.batchMax - 1) : 1;
    const wishes = [commands.draw(action, this.#id)];
    for (let left = count - 1; left > 0; left--) {
      const next = this.#drawAction();
      if (!isRead(next)) wishes.push(commands.draw(next, this.#id));
    }
    this.#busy += wishes.length;
    this.#submitter.submit(wishes, () => this.#ended());
  }

  #read(question: Question): void {
    this.#busy++;
    const over = { isOver: false };
    const end = (): void => {
      if (over.isOver) return;
      over.isOver = true;
      this.#ended();
    };
    this.#reader.ask(question, end);
    this.#host.queue.after(this.#host.workload.timeoutMs, end, "client");
  }

  #ended(): void {
    this.#busy--;
    if (!this.#isWaiting || this.#busy >= this.#host.workload.inFlightMax) return;
    this.#isWaiting = false;
    this.live();
  }

  #askSomething(machine: ClusterMachine, done: () => void): void {
    const actions: readonly ActionName[] = ["read_resource", "read_reservation", "read_news"];
    const action = actions[this.#random.below(actions.length)]!;
    this.#reader.ask(this.#question(action, machine), done);
  }

  /** What was just told is asked for where it is; everything else where there is something. */
  #question(action: ActionName, machine: ClusterMachine): Question {
    const { commands } = this.#host;
    const { news } = commands;
    const requiredLsn = this.#fence();
    if (action === "read_news" && news !== undefined) {
      const { resourceId, reservationId } = news;
      if (reservationId !== undefined && (resourceId === undefined || this.#random.oneIn(2))) {
        return { isResource: false, id: reservationId, requiredLsn, machine };
      }
      if (resourceId !== undefined) {
        return { isResource: true, id: resourceId, requiredLsn, machine };
      }
    }
    const held = action === "read_reservation" ? commands.reservation() : undefined;
    return held === undefined
      ? { isResource: true, id: commands.resource(), requiredLsn, machine }
      : { isResource: false, id: held, requiredLsn, machine };
  }

  #fence(): bigint {
    const { fenceOneIn, fenceTooHighOneIn } = this.#host.workload;
    if (fenceOneIn === 0 || !this.#random.oneIn(fenceOneIn)) return 0n;
    const isTooHigh = fenceTooHighOneIn > 0 && this.#random.oneIn(fenceTooHighOneIn);
    return isTooHigh ? FAR_LSN : BigInt(this.#host.learnedLsn);
  }
}

function isRead(action: ActionName): boolean {
  return action.startsWith("read_") || action === "checkpoint";
}
