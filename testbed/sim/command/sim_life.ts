/** What the command knows of lives, whatever they are lives of. Tests bring their own. */
import type { SimProfile } from "../../../node/cli/sim_options.ts";
import type { Plan } from "../life/plan.ts";
import type { SinglePlan } from "../single/plan.ts";
import type { WorldObserver } from "../world/observer.ts";

/** A life as data: of a cluster, or of a single node. */
export type SimPlan = Plan | SinglePlan;

/** Who watches a life. Nobody changes its course. */
export interface Watch {
  /** The life is stopped after so many events; only clusters' lives can be. */
  readonly eventsMax?: number | undefined;
  /** Is told what happens; only clusters have something to tell. */
  readonly observer?: WorldObserver | undefined;
  /** Takes what happens in words, line by line. */
  readonly says?: ((line: string) => void) | undefined;
}

/** One life, lived. */
export interface SimLife {
  readonly plan: SimPlan;
  /** The broken promise, and what was seen of it; undefined when all were kept. */
  readonly violation: string | undefined;
  /** 16 hexadecimal digits: the same plan has the same hash, watched or not. */
  readonly hash: string;
  /** Whether it was stopped before its end. */
  readonly isCutShort: boolean;
  readonly events: number;
  readonly simulatedMs: number;
  /** How often each judge had something to judge and, as `strike/…`, how often each fault struck. */
  readonly counts: Readonly<Record<string, number>>;
  /** What there was at the end, a line for each replica. */
  readonly lastWords: readonly string[];
  /** A life that breaks the same promise and has less in it, after at most so many tries; itself when there is none. */
  shrunk(runsMax: number): SimLife;
}

/** See the top of this file. */
export interface Simulator {
  drawPlan(seed: number, profile: SimProfile): SimPlan;
  live(plan: SimPlan, watch?: Watch): SimLife;
}
