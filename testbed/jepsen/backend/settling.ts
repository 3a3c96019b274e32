/** What an operator does until a cluster is well again: the same for every backend. */
import { CliError } from "../../../node/errors.ts";
import type { Backend, Mended, ReplicaDigest, ReplicaStatus, Settled } from "./backend.ts";

/** The verbs that are needed. */
export type Patient = Pick<Backend, "heal" | "statuses" | "kill" | "restart" | "resume">;

/** How patient the operator is, in milliseconds. */
export interface Patience {
  readonly totalMs: number;
  /** How long a replica may be faulted with nothing wrong any more until it is started again. */
  readonly faultedMs: number;
  /** The same for one whose process lives and does not answer. */
  readonly unreachableMs: number;
  /** Between two looks. */
  readonly lookMs: number;
}

/** Only a broken replica takes as long. */
export const PATIENCE: Patience = {
  ...{ totalMs: 90_000, faultedMs: 3_000, unreachableMs: 20_000, lookMs: 50 },
};

/** A replica that is faulted again after so many starts stays so: what it finds on its disk does not change. */
const FAULTED_STARTS_MAX = 6;

/**
 * Heals everything and helps every replica until all take part and one serves.
 *
 * @throws {CliError} E_WAIT_TIMEOUT when that does not come to be, be it that a replica is faulted whenever it is started;
 * E_INTERRUPTED when told to stop.
 */
export async function mendCluster(
  patient: Patient,
  signal: AbortSignal | undefined,
  patience: Patience = PATIENCE,
): Promise<Mended> {
  await patient.heal();
  const operator = new Operator(patient, patience);
  await until("all replicas take part", patient, signal, patience, async (statuses) => {
    await operator.help(statuses);
    return takePart(statuses) ? true : undefined;
  });
  return operator.mended;
}

/**
 * The same, until all hold and have applied one op.
 *
 * @param digests Asks every replica for its state; nothing when one does not answer.
 */
export async function settleCluster(
  patient: Patient,
  digests: () => Promise<readonly ReplicaDigest[] | undefined>,
  signal: AbortSignal | undefined,
  patience: Patience = PATIENCE,
): Promise<Settled> {
  const since = performance.now();
  await patient.heal();
  const operator = new Operator(patient, patience);
  const states = await until("one op on all replicas", patient, signal, patience, async (all) => {
    await operator.help(all);
    if (!isAtRest(all)) return undefined;
    const found = await digests();
    return found?.every(({ op }) => op === found[0]!.op) ? found : undefined;
  });
  return { ...operator.mended, digests: states, settleMs: performance.now() - since };
}

/** Starts, wakes and restarts, and remembers whom. */
class Operator {
  readonly #patient: Patient;
  readonly #patience: Patience;
  readonly #badSince = new Map<number, number>();
  readonly #started: number[] = [];
  readonly #resumed: number[] = [];
  readonly #restarted: number[] = [];

  constructor(patient: Patient, patience: Patience) {
    this.#patient = patient;
    this.#patience = patience;
  }

  get mended(): Mended {
    const [started, resumed] = [this.#started, this.#resumed];
    return { started, resumed, operatorRestarts: this.#restarted };
  }

  async help(statuses: readonly ReplicaStatus[]): Promise<void> {
    for (const status of statuses) {
      if (this.#isHopeless(status)) throw hopeless(statuses, status);
      await this.#helpOne(status);
    }
  }

  #isHopeless({ id, state }: ReplicaStatus): boolean {
    const starts = this.#restarted.filter((restarted) => restarted === id).length;
    return state === "faulted" && starts >= FAULTED_STARTS_MAX;
  }

  async #helpOne({ id, state }: ReplicaStatus): Promise<void> {
    switch (state) {
      case "active":
        this.#badSince.delete(id);
        return;
      case "stopped":
        if (await attempted(() => this.#patient.restart(id))) this.#started.push(id);
        return;
      case "paused":
        if (await attempted(() => this.#patient.resume(id))) this.#resumed.push(id);
        return;
      case "faulted":
        return await this.#restartAfter(id, this.#patience.faultedMs);
      case "unreachable":
        return await this.#restartAfter(id, this.#patience.unreachableMs);
    }
  }

  async #restartAfter(id: number, ms: number): Promise<void> {
    const since = this.#badSince.get(id) ?? performance.now();
    this.#badSince.set(id, since);
    if (performance.now() - since < ms) return;
    this.#badSince.delete(id);
    this.#restarted.push(id);
    await attempted(() => this.#patient.kill(id));
    await attempted(() => this.#patient.restart(id));
  }
}

/** What does not work now is tried again at the next look. */
async function attempted(verb: () => Promise<void>): Promise<boolean> {
  try {
    await verb();
    return true;
  } catch (error) {
    if (error instanceof CliError) return false;
    throw error;
  }
}

async function until<T>(
  what: string,
  patient: Patient,
  signal: AbortSignal | undefined,
  { totalMs, lookMs }: Patience,
  look: (statuses: readonly ReplicaStatus[]) => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + totalMs;
  for (;;) {
    const statuses = await patient.statuses();
    const found = await look(statuses);
    if (found !== undefined) return found;
    if (signal?.aborted) throw new CliError("E_INTERRUPTED", `interrupted before ${what}`);
    if (performance.now() > deadline) throw never(what, statuses, totalMs);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

function never(what: string, statuses: readonly ReplicaStatus[], totalMs: number): CliError {
  return givenUp(`not within ${totalMs} ms ${what}`, statuses);
}

function hopeless(statuses: readonly ReplicaStatus[], { id }: ReplicaStatus): CliError {
  return givenUp(`replica ${id} is faulted after ${FAULTED_STARTS_MAX} starts`, statuses);
}

function givenUp(why: string, statuses: readonly ReplicaStatus[]): CliError {
  const states = statuses.map((status) => `replica ${status.id} is ${inWords(status)}`);
  return new CliError("E_WAIT_TIMEOUT", `${why}: ${states.join("; ")}`, {
    hint: "the logs of the replicas say more",
  });
}

function inWords({ state, role, view, commitOp, tipOp, serves, detail }: ReplicaStatus): string {
  const place = view === undefined ? "" : ` ${role} in view ${view} at op ${commitOp} of ${tipOp}`;
  return `${state}${place}${serves ? ", serving" : ""}${detail === undefined ? "" : `, ${detail}`}`;
}

function takePart(statuses: readonly ReplicaStatus[]): boolean {
  return statuses.some(({ serves }) => serves) &&
    statuses.every(({ state, role }) =>
      state === "active" && (role === "primary" || role === "backup")
    );
}

function isAtRest(statuses: readonly ReplicaStatus[]): boolean {
  const [first] = statuses;
  return first?.tipOp !== undefined && takePart(statuses) &&
    statuses.every(({ view, tipOp, commitOp, appliedOp }) =>
      view === first.view && tipOp === first.tipOp && commitOp === tipOp && appliedOp === tipOp
    );
}
