/**
 * The end of trouble. Among the members of a core, a majority, everything is well again, and what is broken
 * elsewhere stays so for good. Then the core must come to rest: one of it leads within 20 election timeouts, everybody
 * gets an answer, and all of it stands at the same op with the same state.
 */
import { PEER_PROTOCOL_VERSION } from "../../../node/peer/message_types.ts";
import type { ClusterJudges } from "../judge/judges.ts";
import type { ClusterMachine } from "./machine.ts";
import { CALM_WEATHER, type ClusterNetwork } from "./network.ts";
import type { EventQueue } from "./queue.ts";

/** What has to be known of a world, and done to it, until it has come to rest. */
export interface RestlessWorld {
  readonly queue: EventQueue;
  readonly network: ClusterNetwork;
  readonly judges: ClusterJudges;
  /** The longest election timeout in milliseconds. */
  readonly electionMs: number;
  /** Whether views change only when an operator wants it. */
  readonly isManual: boolean;
  /** Whether replicas expire by themselves. */
  readonly isExpiring: boolean;
  /** Whether it has been stopped before its end. */
  readonly isCutShort: boolean;
  /** Whether clients begin new operations. */
  isBusy: boolean;
  /** Replicas whose files were damaged: they alone may need an operator. */
  readonly damaged: ReadonlySet<ClusterMachine>;
  /** What clients still wait for. */
  readonly operations: { readonly size: number };
  run(ms: number): void;
  runUntil(holds: () => boolean, ms: number): boolean;
  replace(machine: ClusterMachine): void;
  describe(machine: ClusterMachine): string;
  judgeBounds(machine: ClusterMachine): void;
  judgeHistory(): void;
  violated(what: string): never;
}

/** How many election timeouts a calm majority may take to elect somebody. Source: docs/simulator.md#liveness. */
export const ELECTIONS_MAX = 20;

/**
 * How long everything else may take at least, in milliseconds: clients wait and fall back by their own clocks, however
 * short elections are.
 */
const REST_MS_MIN = 20_000;
/** A replica that cannot help itself by then does not. */
const HELPLESS_MS = 2_500;
/** What has to be read for one replacement may show that another replica's disk is damaged, too. */
const OPERATOR_ROUNDS_MAX = 4;
/** Looking at everything takes longer than an event. */
const LOOK_MS = 20;

/**
 * Ends trouble among the members of a core, and lets clients begin nothing new.
 *
 * @param world Where.
 * @param core A majority of its machines.
 */
export function calm(world: RestlessWorld, core: readonly ClusterMachine[]): void {
  const { network } = world;
  world.isBusy = false;
  network.tamper = undefined;
  const { delayMsMin, delayMsMax } = CALM_WEATHER;
  network.weather = { ...network.weather, delayMsMin, delayMsMax, dropOneIn: 0, spikeOneIn: 0 };
  network.healAmong(core.map(({ id }) => id));
  for (const machine of core) mend(machine);
}

/** A machine has room on its disk, and a program of the right version that runs. */
export function mend(machine: ClusterMachine): void {
  machine.disk.relieve();
  machine.diskMs = [0.1, 1];
  machine.logMs = undefined;
  machine.resume();
  const isSkewed = machine.protocolVersion !== PEER_PROTOCOL_VERSION;
  machine.protocolVersion = PEER_PROTOCOL_VERSION;
  if (isSkewed || machine.subject?.status().state === "faulted") machine.kill();
  machine.start();
}

/**
 * Lets the core come to rest and compares everything in it with everything.
 *
 * @param world Calm in the core.
 * @param core A majority of its machines.
 * @throws {ClusterViolation} When it does not come to rest, or not to the same.
 */
export function comeToRest(world: RestlessWorld, core: readonly ClusterMachine[]): void {
  const { electionMs } = world;
  const operator = new Operator(world, core);
  const leads = (): boolean => core.some((machine) => isLeading(machine));
  if (!operator.runUntil(leads, ELECTIONS_MAX * electionMs) && !world.isCutShort) {
    world.violated(
      `R18 a majority elects a primary within ${ELECTIONS_MAX} election timeouts: ` +
        describeAll(world, core),
    );
  }
  const rests = (): boolean => isAtRest(world, core);
  const roundMs = Math.max(3 * electionMs, HELPLESS_MS);
  for (let round = 0; round < OPERATOR_ROUNDS_MAX; round++) {
    if (operator.runUntil(rests, roundMs) || world.isCutShort) break;
    replace(world, core);
  }
  const restMs = Math.max(ELECTIONS_MAX * electionMs, REST_MS_MIN);
  if (!operator.runUntil(rests, restMs) && !world.isCutShort) {
    world.violated(`R18 a calm majority goes on: ${whyNotAtRest(world, core)}`);
  }
  if (world.isCutShort) return;
  if (
    world.isExpiring && !world.runUntil(() => isExpired(core), REST_MS_MIN) && !world.isCutShort
  ) {
    world.violated(`R18 what is due expires in the end: ${describeAll(world, core)}`);
  }
  world.run(electionMs);
  if (world.isCutShort) return;
  compareAll(world, core);
  world.judgeHistory();
}

/** Whether nobody who leads holds what is overdue. */
function isExpired(core: readonly ClusterMachine[]): boolean {
  return core.every((machine) =>
    !isLeading(machine) || machine.subject!.metrics().core.expirationBacklog === 0
  );
}

/** Where views change only when an operator wants it, one asks a replica after the other while nobody leads. */
class Operator {
  readonly #world: RestlessWorld;
  readonly #core: readonly ClusterMachine[];
  #turn = 0;
  #quietMs: number;

  constructor(world: RestlessWorld, core: readonly ClusterMachine[]) {
    this.#world = world;
    this.#core = core;
    this.#quietMs = world.queue.nowMs;
  }

  /** Lets time pass until something holds, looking now and then; false when it does not in time. */
  runUntil(holds: () => boolean, ms: number): boolean {
    const { queue } = this.#world;
    const untilMs = queue.nowMs + ms;
    while (!holds()) {
      if (queue.nowMs >= untilMs || this.#world.isCutShort) return false;
      this.#world.run(LOOK_MS);
      if (this.#world.isManual) this.#help();
    }
    return true;
  }

  #help(): void {
    const { queue, electionMs } = this.#world;
    if (this.#core.some((machine) => isLeading(machine))) this.#quietMs = queue.nowMs;
    if (queue.nowMs - this.#quietMs < electionMs) return;
    this.#quietMs = queue.nowMs;
    const machine = this.#core[this.#turn++ % this.#core.length]!;
    machine.reachSubject((subject) => subject.startViewChange());
  }
}

function isLeading({ subject }: ClusterMachine): boolean {
  return subject?.glance().role === "primary";
}

/** What an operator does about replicas that cannot help themselves, which only damage excuses. */
function replace(world: RestlessWorld, core: readonly ClusterMachine[]): void {
  for (const machine of core) {
    const isHelpless = machine.subject === undefined ||
      machine.subject.status().state === "faulted";
    if (!isHelpless) continue;
    if (!world.damaged.has(machine)) {
      world.violated(`R16 a sound replica starts by itself: ${world.describe(machine)}`);
    }
    world.replace(machine);
    machine.start();
  }
}

function isAtRest(world: RestlessWorld, core: readonly ClusterMachine[]): boolean {
  if (!core.some((machine) => isLeading(machine))) return false;
  const op = BigInt(world.judges.truth.op);
  for (const machine of core) {
    const status = machine.subject?.status();
    if (status === undefined || status.state === "faulted") return false;
    const isServing = status.role === "primary" || status.role === "backup";
    const isThere = status.commitOp === op && status.tipOp === op && status.appliedOp === op;
    if (!isServing || !isThere) return false;
  }
  return world.operations.size === 0;
}

function whyNotAtRest(world: RestlessWorld, core: readonly ClusterMachine[]): string {
  return `${world.operations.size} operations wait, truth is at op ${world.judges.truth.op}; ` +
    describeAll(world, core);
}

function describeAll(world: RestlessWorld, core: readonly ClusterMachine[]): string {
  return core.map((machine) => world.describe(machine)).join("; ");
}

function compareAll(world: RestlessWorld, core: readonly ClusterMachine[]): void {
  const { truth } = world.judges;
  for (const machine of core) {
    const { tipOp, tipHash } = machine.subject!.status();
    const last = truth.hashAt(Number(tipOp));
    if (last !== undefined && tipHash !== last) {
      world.violated(`R2 all logs end the same: replica ${machine.id}`);
    }
    world.judges.judgeDigest(machine);
    world.judgeBounds(machine);
  }
}
