/**
 * What is left behind when a life went wrong: a plan that goes wrong the same way and has less in it, and what
 * happened in it, in words.
 */
import type { SimOptions } from "../../../node/cli/sim_options.ts";
import { shellCommand } from "../../../node/cli/text.ts";
import type { Life } from "../life/life.ts";
import { type Plan, planText } from "../life/plan.ts";
import { makeDirectory, writeText } from "./files.ts";
import type { Lives } from "./lives.ts";
import { grouped, spanText } from "./progress.ts";
import type { Simulator } from "./simulator.ts";
import { TranscriptObserver } from "./transcript.ts";

/** Lives that may be lived to make one shorter. */
const SHRINK_RUNS_MAX = 150;
/** Real time after which no shorter life is tried, in milliseconds. */
const SHRINK_MS_MAX = 120_000;

/** Lines of a transcript that are kept: its end. */
const LINES_MAX = 20_000;

/** What was left behind. */
export interface Remains {
  readonly seed: number;
  /** The broken promise, in full. */
  readonly violation: string;
  /** What was left out, in a sentence; `undefined` when nothing was. */
  readonly shrunk: string | undefined;
  readonly planFile: string;
  readonly transcriptFile: string;
}

/** What is needed to look after a failure. */
export interface AftermathOptions {
  readonly simulator: Simulator;
  readonly lives: Lives;
  readonly options: Pick<SimOptions, "out" | "shrinks">;
  readonly nowMs: () => number;
  /** Told of what takes long. */
  readonly say: (text: string) => void;
}

/**
 * Looks after a life that went wrong.
 *
 * @param life With its violation.
 * @param aftermath What is needed.
 * @returns What was left behind, and where.
 * @throws {CliError} When it cannot be written.
 */
export function leaveBehind(life: Life, aftermath: AftermathOptions): Remains {
  const { out, shrinks } = aftermath.options;
  const smaller = shrinks ? shrinkLife(life, aftermath) : life;
  const name = `${out === "." ? "" : `${out}/`}sim-failure-${life.plan.seed}`;
  if (out !== ".") makeDirectory(out);
  const planFile = `${name}.json`;
  const transcriptFile = `${name}.txt`;
  writeText(planFile, planText(smaller.plan));
  writeText(transcriptFile, transcriptOf(smaller, aftermath));
  return {
    seed: life.plan.seed,
    violation: smaller.violation!.what,
    shrunk: smaller === life ? undefined : shrunkText(life, smaller),
    planFile,
    transcriptFile,
  };
}

/** Stops by way of the report when it takes too long; what was found until then counts. */
function shrinkLife(life: Life, { simulator, lives, nowMs, say }: AftermathOptions): Life {
  const untilMs = nowMs() + SHRINK_MS_MAX;
  let best = life;
  say(`seed ${life.plan.seed}: looking for a shorter life that breaks the same promise`);
  for (let runsLeft = SHRINK_RUNS_MAX; runsLeft > 0 && nowMs() < untilMs;) {
    const runsMax = Math.min(runsLeft, 50);
    const smaller = simulator.shrink(best, { runsMax, life: lives.options });
    if (smaller === best) break;
    best = smaller;
    runsLeft -= runsMax;
  }
  return best;
}

/** The plan's worth in words, the replicas at the end, and everything that happened. */
function transcriptOf({ plan }: Life, { lives }: AftermathOptions): string {
  const lines: string[] = [];
  let dropped = 0;
  const observer = new TranscriptObserver((line) => {
    lines.push(line);
    if (lines.length >= 2 * LINES_MAX) dropped += lines.splice(0, LINES_MAX).length;
  });
  const { life } = lives.plan(plan, observer);
  const cut = Math.max(0, lines.length - LINES_MAX);
  const replicas = life.world.machines.map((machine) => life.world.describe(machine));
  return [
    `seed ${plan.seed}, ${sizeText(plan)}, transcript hash ${life.transcriptHash}`,
    ...(dropped + cut > 0 ? [`… ${grouped(dropped + cut)} lines before these`] : []),
    ...lines.slice(cut),
    "",
    `broken: ${life.violation?.what ?? "nothing"}`,
    ...replicas.map((line) => `replica ${line}`),
    "",
  ].join("\n");
}

function shrunkText(life: Life, smaller: Life): string {
  return `from ${sizeText(life.plan)}, to ${sizeText(smaller.plan)}`;
}

/** How much there is in a plan. */
export function sizeText({ world, workload, strikes, troubleMs }: Plan): string {
  const faults = strikes.length === 1 ? "1 fault" : `${strikes.length} faults`;
  const clients = workload.clients === 1 ? "1 client" : `${workload.clients} clients`;
  return `${faults} in ${spanText(troubleMs)} on ${world.replicas} replicas with ${clients}`;
}

/** The command line that lives a life again. */
export function againCommand(words: readonly string[]): string {
  return shellCommand(["allocdb", "sim", ...words]);
}
