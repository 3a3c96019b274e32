/** One life, looked at closely. */
import type { CliIo } from "../../../node/cli/io.ts";
import { show } from "../../../node/cli/output.ts";
import type { SimOptions } from "../../../node/cli/sim_options.ts";
import { CliError } from "../../../node/errors.ts";
import { TimelineRecorder } from "../timeline/recorder.ts";
import { timelinePage } from "../timeline/page.ts";
import { againCommand, leaveBehind, type Remains } from "./aftermath.ts";
import { writeText } from "./files.ts";
import { LineWriter } from "./line_writer.ts";
import type { Lived, Lives } from "./lives.ts";
import type { Outcome } from "./outcome.ts";
import { oneData, type OneReport, oneText } from "./report.ts";
import type { SimLife, SimPlan } from "./sim_life.ts";

/** What one life needs. */
export interface OneOptions {
  readonly options: SimOptions;
  readonly plan: SimPlan;
  readonly io: CliIo;
  readonly lives: Lives;
}

/**
 * Lives it and reports.
 *
 * @param run What is needed.
 * @throws {CliError} E_CHECK_FAILED when it broke a promise, or took another course the second time.
 */
export async function liveOne(run: OneOptions): Promise<void> {
  const recorder = recorderFor(run);
  const { life, outcome } = watch(run, recorder);
  const isSame = run.options.twice ? sameAgain(run, outcome) : undefined;
  const messages = recorder && draw(run, life, outcome, recorder);
  const remains = outcome.violation === null ? undefined : whatIsLeft(run, life);
  await tell(run, {
    plan: run.plan,
    outcome,
    files: filesOf(run.options),
    ...(isSame === undefined ? {} : { isSame }),
    ...(messages === undefined ? {} : { messages }),
    ...(remains === undefined ? {} : { remains }),
  });
  judge(run, outcome, { isSame, planFile: remains?.planFile });
}

/** A picture has replicas and what they say to each other; a single node has neither. */
function recorderFor({ options, plan }: OneOptions): TimelineRecorder | undefined {
  if (options.html === undefined) return undefined;
  if (plan.profile !== "single") return new TimelineRecorder({ plan, atMs: options.atMs });
  throw new CliError("E_USAGE", "--html is about clusters, and this is the life of a single node", {
    hint: "read it instead: --trace FILE",
  });
}

/** Lives the life before whoever wants to see it. */
function watch({ options, plan, io, lives }: OneOptions, recorder?: TimelineRecorder): Lived {
  if (options.trace === undefined) return lives.plan(plan, { observer: recorder });
  using lines = options.trace === "output"
    ? LineWriter.to((text) => io.out.write(text))
    : LineWriter.file(options.trace.file);
  const lived = lives.plan(plan, { observer: recorder, says: (line) => lines.write(line) });
  const { violation, hash } = lived.outcome;
  lines.write(
    `transcript hash ${hash}, ${
      violation === null ? "every promise was kept" : `broken: ${violation}`
    }`,
  );
  lines.end();
  return lived;
}

/** Whether a second life, watched by nobody, takes the same course. */
function sameAgain({ plan, lives }: OneOptions, first: Outcome): boolean {
  const { outcome } = lives.plan(plan);
  return outcome.hash === first.hash && outcome.events === first.events &&
    outcome.violation === first.violation;
}

function draw(
  { options }: OneOptions,
  life: SimLife,
  outcome: Outcome,
  recorder: TimelineRecorder,
): OneReport["messages"] {
  const timeline = recorder.timeline(life, outcome.violation);
  writeText(options.html!, timelinePage(timeline));
  return { shown: timeline.messages.length, all: timeline.messagesWatched };
}

/** A plan from a file is left as it is. */
function whatIsLeft(run: OneOptions, life: SimLife): Remains | undefined {
  const { options, lives, io } = run;
  if (options.lives.kind === "plan" || life.violation === undefined) return undefined;
  const say = (text: string): void => io.err.write(`${text}\n`);
  return leaveBehind(life, { lives, options, nowMs: () => io.nowMs(), say });
}

function filesOf({ trace, html }: SimOptions): Record<string, string> {
  return {
    ...(typeof trace === "object" ? { trace_file: trace.file } : {}),
    ...(html === undefined ? {} : { html_file: html }),
  };
}

async function tell({ options, io }: OneOptions, report: OneReport): Promise<void> {
  const { style } = options;
  if (style.format === "table" && !style.quiet) return io.out.write(oneText(report, io.columns()));
  await show(io, { data: oneData(report), quiet: report.outcome.hash }, style);
}

/** What was found out besides. */
interface Found {
  readonly isSame: boolean | undefined;
  readonly planFile: string | undefined;
}

function judge(run: OneOptions, { violation }: Outcome, { isSame, planFile }: Found): void {
  const context = { seed: run.plan.seed, violation: violation ?? undefined };
  if (isSame === false) {
    throw new CliError("E_CHECK_FAILED", "the same life took another course the second time", {
      hint: "this is a bug of the simulator: please report it with the command line",
      context,
    });
  }
  if (violation === null) return;
  const again = planFile === undefined ? wordsFor(run) : ["--replay", planFile];
  const name = planFile === undefined ? "life." : planFile.replace(/json$/, "");
  const look = run.plan.profile === "single"
    ? ["--trace", `${name}log`]
    : ["--html", `${name}html`];
  throw new CliError("E_CHECK_FAILED", violation, {
    hint: `see it with \`${againCommand([...again, ...look])}\``,
    context,
  });
}

/** The flags that stand for the life. */
function wordsFor({ options: { lives, profile }, plan }: OneOptions): string[] {
  if (lives.kind === "plan") return ["--replay", lives.file];
  const kind = profile === "swarm" ? [] : ["--profile", profile];
  return ["--seed", String(plan.seed), ...kind];
}
