/**
 * What is left behind when a life went wrong: a plan that goes wrong the same way and has less in it, and what
 * happened in it, in words.
 */
import type { SimOptions } from "../../../node/cli/sim_options.ts";
import { shellCommand } from "../../../node/cli/text.ts";
import { planText } from "../life/plan.ts";
import { makeDirectory, writeText } from "./files.ts";
import type { Lives } from "./lives.ts";
import { sizeText } from "./size.ts";
import { firstLine, grouped } from "./words.ts";
import type { SimLife, SimPlan } from "./sim_life.ts";

/** Lives that may be lived to make one shorter. */
const SHRINK_RUNS_MAX = 200;
const SHRINK_RUNS_AT_ONCE = 50;
/** Real time after which no shorter life is tried, in milliseconds. */
const SHRINK_MS_MAX = 120_000;

/** Lines of a transcript that are kept: its end. */
const LINES_MAX = 20_000;

/** What was left behind. */
export interface Remains {
  readonly seed: number;
  /** The broken promise, and what was seen of it. */
  readonly violation: string;
  /** What was left out, in a sentence; `undefined` when nothing was. */
  readonly shrunk: string | undefined;
  readonly planFile: string;
  /** Whether the life can be drawn: a cluster's can. */
  readonly hasPicture: boolean;
  readonly transcriptFile: string;
}

/** What is needed to look after a failure. */
export interface AftermathOptions {
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
export function leaveBehind(life: SimLife, aftermath: AftermathOptions): Remains {
  const { out, shrinks } = aftermath.options;
  const smaller = shrinks ? shrinkLife(life, aftermath) : life;
  const name = `${out === "." ? "" : `${out}/`}sim-failure-${kindOf(life.plan)}${life.plan.seed}`;
  if (out !== ".") makeDirectory(out);
  const planFile = `${name}.json`;
  const transcriptFile = `${name}.txt`;
  writeText(planFile, textOfPlan(smaller.plan));
  writeText(transcriptFile, transcriptOf(smaller.plan, aftermath.lives));
  return {
    seed: life.plan.seed,
    violation: firstLine(smaller.violation ?? "nothing"),
    shrunk: smaller === life ? undefined : shrunkText(life, smaller),
    planFile,
    hasPicture: life.plan.profile !== "single",
    transcriptFile,
  };
}

/** In parts, so that what takes too long ends; what was found until then counts. */
function shrinkLife(life: SimLife, { nowMs, say }: AftermathOptions): SimLife {
  const untilMs = nowMs() + SHRINK_MS_MAX;
  let best = life;
  say(`seed ${life.plan.seed}: looking for a shorter life that breaks the same promise`);
  for (let runsLeft = SHRINK_RUNS_MAX; runsLeft > 0 && nowMs() < untilMs;) {
    const runs = Math.min(runsLeft, SHRINK_RUNS_AT_ONCE);
    const smaller = best.shrunk(runs);
    if (smaller === best) break;
    best = smaller;
    runsLeft -= runs;
  }
  return best;
}

/** How much was in the plan, everything that happened, and what there was at the end. */
function transcriptOf(plan: SimPlan, lives: Lives): string {
  const lines: string[] = [];
  let dropped = 0;
  const { life } = lives.plan(plan, {
    says: (line) => {
      lines.push(line);
      if (lines.length >= 2 * LINES_MAX) dropped += lines.splice(0, LINES_MAX).length;
    },
  });
  const cut = Math.max(0, lines.length - LINES_MAX);
  return [
    `seed ${plan.seed}, ${sizeText(plan)}, transcript hash ${life.hash}`,
    ...(dropped + cut > 0 ? [`… ${grouped(dropped + cut)} lines before these`] : []),
    ...lines.slice(cut),
    "",
    `broken: ${firstLine(life.violation ?? "nothing")}`,
    ...life.lastWords.map((line) => `replica ${line}`),
    "",
  ].join("\n");
}

/** Part of a file's name: what tells plans of one seed apart. */
function kindOf({ profile }: SimPlan): string {
  return profile === "swarm" ? "" : `${profile}-`;
}

function textOfPlan(plan: SimPlan): string {
  return plan.profile === "single" ? `${JSON.stringify(plan, undefined, 2)}\n` : planText(plan);
}

function shrunkText(life: SimLife, smaller: SimLife): string {
  return `from ${sizeText(life.plan)}, to ${sizeText(smaller.plan)}`;
}

/** The command line that lives a life again. */
export function againCommand(words: readonly string[]): string {
  return shellCommand(["allocdb", "sim", ...words]);
}
