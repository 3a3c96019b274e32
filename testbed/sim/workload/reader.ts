/** Reads strictly: one question to one replica, with a fence or without, and whatever it answers. */
import type { ReservationRead, ResourceRead } from "../../../node/api.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { Attempt } from "./history.ts";
import type { ClientHost } from "./host.ts";
import { isRefusal, type ReadAnswer } from "./operation.ts";
import type { Route } from "./route.ts";

/** What is asked of whom. */
export interface Question {
  readonly isResource: boolean;
  readonly id: bigint;
  /** The fence; 0 is none. */
  readonly requiredLsn: bigint;
  readonly machine: ClusterMachine;
}

/** See the top of this file. */
export class Reader {
  /** Reads that were answered, with data or without. */
  reads = 0;
  /** Those without. */
  readsRefused = 0;
  readonly #host: ClientHost;
  readonly #route: Route;

  /**
   * @param host The world.
   * @param route Learns from refusals who leads.
   */
  constructor(host: ClientHost, route: Route) {
    this.#host = host;
    this.#route = route;
  }

  /** Asks once; `done` is told that an answer came, whatever it said, or that nobody was there. */
  ask(question: Question, done: (answer: ReadAnswer | undefined) => void): void {
    const { queue, history, learnedLsn } = this.#host;
    const { machine, isResource, id, requiredLsn } = question;
    const attempt = history.read(isResource, id, requiredLsn);
    queue.after(this.#route.hopMs(), () => {
      if (machine.isRunning) {
        machine.request(() => this.#arrive(question, learnedLsn, attempt, done));
        return;
      }
      history.unreached(attempt);
      this.#route.turnFrom(machine, undefined);
      done(undefined);
    }, "client");
  }

  #arrive(
    question: Question,
    floorLsn: number,
    attempt: Attempt | undefined,
    done: (answer: ReadAnswer) => void,
  ): void {
    const { machine } = question;
    machine.subject?.confirmAuthority((refusal) => {
      const slot = machine.subject?.currentSlot() ?? 0n;
      const result = refusal ?? readFrom(question, slot);
      this.#noteRead(result, machine);
      const answer = answerOf(question, slot, floorLsn, result);
      this.#judgeFence(answer);
      this.#host.read(answer);
      this.#host.queue.after(this.#route.hopMs(), () => {
        this.#host.history.seen(attempt, result);
        done(answer);
      }, "client");
    });
  }

  #noteRead(result: ResourceRead | ReservationRead, machine: ClusterMachine): void {
    this.reads++;
    if (result.kind === "not_primary") this.#route.turnFrom(machine, result.primary);
    if (isRefusal(result)) this.readsRefused++;
  }

  /** Who has shown that it leads has whatever anybody was told of; and no fence holds up what is there. */
  #judgeFence({ result, requiredLsn, floorLsn, machine }: ReadAnswer): void {
    if (result.kind !== "fence_not_applied") return;
    const { lastAppliedLsn = 0n } = result;
    const isMet = lastAppliedLsn >= requiredLsn || result.requiredLsn !== requiredLsn;
    if (!isMet && requiredLsn > BigInt(floorLsn)) return;
    this.#host.violated(
      `R8 no fence refuses what is there: replica ${machine.id} has ${lastAppliedLsn}, ` +
        `${requiredLsn} is asked for and ${floorLsn} known`,
    );
  }
}

function readFrom(
  { machine, isResource, id, requiredLsn }: Question,
  slot: bigint,
): ResourceRead | ReservationRead {
  return isResource
    ? machine.subject!.getResource(id, requiredLsn)
    : machine.subject!.getReservation(id, requiredLsn, slot);
}

function answerOf(
  { machine, isResource, id, requiredLsn }: Question,
  slot: bigint,
  floorLsn: number,
  result: ResourceRead | ReservationRead,
): ReadAnswer {
  return {
    machine,
    resourceId: isResource ? id : undefined,
    reservationId: isResource ? undefined : id,
    slot,
    requiredLsn,
    floorLsn,
    result,
  };
}
