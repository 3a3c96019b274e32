/** Many lives, one after the other or by several processes at once, and what they come to. */
import type { CliIo } from "../../../node/cli/io.ts";
import { show } from "../../../node/cli/output.ts";
import type { SimLives, SimOptions } from "../../../node/cli/sim_options.ts";
import { CliError } from "../../../node/errors.ts";
import type { Program } from "../../../node/process_self.ts";
import { againCommand, leaveBehind, type Remains } from "./aftermath.ts";
import { workTogether } from "./crew.ts";
import type { Lives } from "./lives.ts";
import { Progress } from "./progress.ts";
import { manyData, type ManyReport, manyText } from "./report.ts";
import { Schedule } from "./schedule.ts";
import { Totals } from "./totals.ts";

/** Failures that are looked into: each takes a while. */
const REMAINS_MAX = 3;
/** How long this process lives lives without looking up, in milliseconds. */
const LOOK_UP_MS = 50;

/** The seeds to live. */
type Seeds = Extract<SimLives, { readonly kind: "seeds" }>;

/** What a run of many lives needs. */
export interface ManyOptions {
  readonly options: SimOptions;
  readonly seeds: Seeds;
  readonly io: CliIo;
  readonly lives: Lives;
  readonly program: Program;
}

/**
 * Lives them and reports.
 *
 * @param run What is needed.
 * @throws {CliError} E_CHECK_FAILED when one broke a promise or was not lived, E_INTERRUPTED on Ctrl-C.
 */
export async function liveMany(run: ManyOptions): Promise<void> {
  const { options, seeds, io } = run;
  const interruption = io.interruption();
  const totals = new Totals();
  const progress = new Progress(io, { count: seeds.count, forMs: options.forMs }, totals);
  const schedule = new Schedule({
    from: seeds.from,
    count: seeds.count,
    isOver: () =>
      interruption.aborted ||
      (options.forMs !== undefined && progress.elapsedMs >= options.forMs) ||
      (options.untilFailure && totals.failures.length + totals.lost.length > 0),
  });
  await liveAll(run, { totals, progress, schedule, interruption });
  progress.end();
  const realMs = progress.elapsedMs;
  const remains = interruption.aborted ? [] : lookInto(run, totals, progress);
  await tell(run, { profile: options.profile, from: seeds.from, totals, realMs, remains });
  judge(run, totals, schedule, interruption.aborted);
}

/** What is under way. */
interface UnderWay {
  readonly totals: Totals;
  readonly progress: Progress;
  readonly schedule: Schedule;
  readonly interruption: AbortSignal;
}

async function liveAll(run: ManyOptions, underWay: UnderWay): Promise<void> {
  const { options, seeds, program } = run;
  const { totals, progress, schedule, interruption: signal } = underWay;
  const size = Math.min(options.jobs, seeds.count ?? options.jobs);
  if (size === 1) return await liveHere(run, underWay);
  const again = (seed: number): string => commandFor(options, ["--seed", String(seed)]);
  const work = {
    next: () => schedule.next(),
    done: (outcome: Parameters<Totals["add"]>[0]) => {
      schedule.done(outcome.seed);
      totals.add(outcome);
      if (outcome.violation !== null) {
        progress.say(`${again(outcome.seed)}    # ${outcome.violation}`);
      }
      progress.look();
    },
    lost: (lost: Totals["lost"][number]) => {
      schedule.done(lost.seed);
      totals.lost.push(lost);
      progress.say(`${again(lost.seed)}    # ${lost.why}`);
    },
  };
  await workTogether(work, { program, args: workerArgs(options), size, signal });
  if (signal.aborted) return;
  // Whoever gave up left seeds behind that nobody began.
  for (let seed = schedule.next(); seed !== undefined; seed = schedule.next()) {
    work.lost({ seed, why: "no process was left to live it" });
    if (seeds.count === undefined || totals.lost.length > 1_000) return;
  }
}

async function liveHere({ options, io, lives }: ManyOptions, underWay: UnderWay): Promise<void> {
  const { totals, progress, schedule, interruption } = underWay;
  let lookedUpMs = io.nowMs();
  for (let seed = schedule.next(); seed !== undefined; seed = schedule.next()) {
    const outcome = lives.seed(seed);
    schedule.done(seed);
    totals.add(outcome);
    if (outcome.violation !== null) {
      progress.say(`${commandFor(options, ["--seed", String(seed)])}    # ${outcome.violation}`);
    }
    if (io.nowMs() - lookedUpMs < LOOK_UP_MS) continue;
    progress.look();
    await io.sleep(0, interruption); // Ctrl-C is heard here.
    lookedUpMs = io.nowMs();
  }
}

/** Makes the first failures shorter and writes them down. */
function lookInto(run: ManyOptions, { failed }: Totals, progress: Progress): Remains[] {
  const { options, lives, io } = run;
  const aftermath = { lives, options, nowMs: () => io.nowMs() };
  return failed.slice(0, REMAINS_MAX).flatMap(({ seed }) => {
    const { life } = lives.plan(lives.planOf(seed));
    if (life.violation === undefined) return [];
    return [leaveBehind(life, { ...aftermath, say: (text) => progress.say(text) })];
  });
}

async function tell({ options, io }: ManyOptions, report: ManyReport): Promise<void> {
  const { style } = options;
  if (style.format === "table" && !style.quiet) return io.out.write(manyText(report, io.columns()));
  const bad = report.totals.failures.length + report.totals.lost.length;
  await show(io, { data: manyData(report), quiet: bad }, style);
}

function judge(run: ManyOptions, totals: Totals, schedule: Schedule, isInterrupted: boolean): void {
  const { failed, lost } = totals;
  const first = failed[0] ?? lost[0];
  if (first !== undefined) {
    const again = commandFor(run.options, ["--seed", String(first.seed)]);
    throw new CliError("E_CHECK_FAILED", badText(failed.length, lost.length), {
      hint: `live it again with \`${again}\``,
      context: { failed: failed.length, not_lived: lost.length, seed: first.seed },
    });
  }
  if (!isInterrupted && !totals.sawNothing) return;
  if (!isInterrupted) {
    throw new CliError("E_CHECK_FAILED", "nothing was ever decided, so nothing was judged", {
      hint: "this is a bug of the simulator, or of a plan that lets nobody do anything",
    });
  }
  const rest = ["--from", String(schedule.resumeAt), ...countWords(run.seeds, schedule.resumeAt)];
  throw new CliError(
    "E_INTERRUPTED",
    `interrupted after ${totals.lives} lives, all of them sound`,
    {
      hint: `go on with \`${commandFor(run.options, rest)}\``,
      retry: "never",
    },
  );
}

function badText(failed: number, lost: number): string {
  const broke = failed === 1 ? "1 life broke a promise" : `${failed} lives broke a promise`;
  if (lost === 0) return broke;
  const gone = lost === 1
    ? "1 life was not lived to its end"
    : `${lost} lives were not lived to their end`;
  return failed === 0 ? gone : `${broke}, ${gone}`;
}

function countWords({ from, count }: Seeds, resumeAt: number): string[] {
  return count === undefined ? [] : ["--seeds", String(from + count - resumeAt)];
}

/** A command line for lives of the same kind. */
function commandFor({ profile, stepsMax }: SimOptions, words: readonly string[]): string {
  return againCommand([...words, ...kindWords(profile, stepsMax)]);
}

function workerArgs({ profile, stepsMax }: SimOptions): string[] {
  return ["sim", "--worker", ...kindWords(profile, stepsMax)];
}

function kindWords(profile: string, stepsMax: number | undefined): string[] {
  return [
    ...(profile === "swarm" ? [] : ["--profile", profile]),
    ...(stepsMax === undefined ? [] : ["--steps", String(stepsMax)]),
  ];
}
