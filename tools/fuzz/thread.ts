/**
 * A run in a thread of its own, watched from outside: a case that never ends, or one that takes the thread with
 * it, is a failure with a number like any other.
 */
import { Worker } from "node:worker_threads";
import { type Failure, inputOf, type Tally } from "./run.ts";
import type { Target } from "./target.ts";

/** What the thread is started with. */
export interface ThreadData {
  readonly names: readonly string[];
  readonly seed: number;
  /** For each target; the first bound that is reached ends it. */
  readonly msMax: number;
  readonly casesMax: number;
  /** Where it says which target, by index, and which case it is at. */
  readonly beat: SharedArrayBuffer;
}

/** How to run. */
export interface ThreadPlan extends Omit<ThreadData, "names" | "beat"> {
  readonly targets: readonly Target[];
  /** Longest that one case may take, in milliseconds. */
  readonly hangMs: number;
  /** Told when a target's run has ended. */
  readonly onTally: (tally: Tally) => void | Promise<void>;
  /** The module that runs the targets; a test of the fuzzer brings one that hangs. */
  readonly module?: URL;
}

const MODULE = new URL("./worker.ts", import.meta.url);
const LOOK_MS = 250;
/** In place of a target's index. */
const NOT_STARTED = -1;
/** Longest that a thread may take to load its modules, in milliseconds. */
const START_MS = 120_000;

/** Where the thread is. */
export function beatOf(buffer: SharedArrayBuffer): Float64Array<SharedArrayBuffer> {
  return new Float64Array(buffer);
}

/**
 * Runs targets one after the other.
 *
 * @param plan What to run.
 * @returns When each has ended or failed; a thread that is lost is replaced for the targets behind.
 */
export async function runInThread(plan: ThreadPlan): Promise<void> {
  let left = plan.targets;
  while (left.length > 0) {
    const lost = await runUntilLost(plan, left);
    if (lost === undefined) return;
    await plan.onTally(lost);
    left = left.slice(left.findIndex(({ name }) => name === lost.target) + 1);
  }
}

/** Answers the tally of the target with which the thread was lost, or `undefined` when all have ended. */
function runUntilLost(plan: ThreadPlan, targets: readonly Target[]): Promise<Tally | undefined> {
  const { seed, msMax, casesMax, hangMs, onTally } = plan;
  const beat = beatOf(new SharedArrayBuffer(16)).fill(NOT_STARTED);
  const names = targets.map(({ name }) => name);
  const workerData: ThreadData = { names, seed, msMax, casesMax, beat: beat.buffer };
  const worker = new Worker(plan.module ?? MODULE, { workerData });
  const { promise, resolve } = Promise.withResolvers<Tally | undefined>();
  let told: Promise<void> = Promise.resolve();
  let ended = 0;
  const lose = (message: string): void => {
    const [i, caseNumber] = beat.map((each) => Math.max(0, each));
    resolve(lostTally(targets[i!]!, seed, caseNumber!, message));
  };
  worker.on("message", (tally: Tally) => {
    told = told.then(() => onTally(tally));
    if (++ended === targets.length) void told.then(() => resolve(undefined));
  });
  worker.on("error", ({ message }) => lose(`the thread has died: ${message}`));
  const watch = watchFor(beat, hangMs, lose);
  return promise.finally(async () => {
    clearInterval(watch);
    await worker.terminate();
  });
}

/** Calls when the beat has stood still for too long. */
function watchFor(
  beat: Float64Array,
  hangMs: number,
  lose: (message: string) => void,
): ReturnType<typeof setInterval> {
  let seen = "";
  let sinceMs = performance.now();
  return setInterval(() => {
    const now = beat.join();
    const msMax = beat[0] === NOT_STARTED ? START_MS : hangMs;
    if (now !== seen) {
      seen = now;
      sinceMs = performance.now();
    } else if (performance.now() - sinceMs > msMax) lose(`no end within ${msMax} ms`);
  }, LOOK_MS);
}

/** Nothing is known of the cases before: the thread has taken its counts with it. */
function lostTally(target: Target, seed: number, caseNumber: number, message: string): Tally {
  const input = inputOf(target, seed, caseNumber);
  const failure: Failure = { target: target.name, seed, caseNumber, input, message };
  return { target: target.name, cases: caseNumber + 1, ms: 0, outcomes: new Map(), failure };
}
