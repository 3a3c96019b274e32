/** What a run of the simulator has to say at its end: records for programs, lines for people. */
import type { Data } from "../../../node/cli/output.ts";
import { FAULTS } from "../nemesis/strike.ts";
import { SINGLE_FAULTS } from "../single/plan.ts";
import { againCommand, type Remains } from "./aftermath.ts";
import type { Outcome } from "./outcome.ts";
import type { SimPlan } from "./sim_life.ts";
import { sizeText } from "./size.ts";
import { Totals } from "./totals.ts";
import { grouped, spanText } from "./words.ts";

/** Where the text of a row begins. */
const INDENT = 13;
/** Failures that are named one by one. */
const FAILURES_SHOWN = 20;

/** What came out of many lives. */
export interface ManyReport {
  readonly profile: string;
  readonly from: number;
  readonly totals: Totals;
  readonly realMs: number;
  readonly remains: readonly Remains[];
}

/** What came out of one life. */
export interface OneReport {
  readonly plan: SimPlan;
  readonly outcome: Outcome;
  /** Whether the second life took the same course; absent when there was none. */
  readonly isSame?: boolean;
  readonly remains?: Remains;
  /** Files that were asked for. */
  readonly files: Readonly<Record<string, string>>;
  /** Of the timeline: how many messages it shows, of how many. */
  readonly messages?: { readonly shown: number; readonly all: number };
}

/** The keys of docs/simulator.md#output. */
export function manyData({ profile, from, totals, realMs, remains }: ManyReport): Data {
  const { failed, lost } = totals;
  return {
    profile,
    from,
    lives: totals.lives,
    failed: failed.length,
    not_lived: lost.length,
    cut_short: totals.cutShort,
    failed_seeds: failed.map(({ seed }) => seed),
    not_lived_seeds: lost.map(({ seed }) => seed),
    ...paceData(totals, realMs),
    lives_per_second: rate(totals.lives, realMs),
    slowest_seed: totals.slowest?.seed,
    struck: totals.struck,
    judged: totals.judged,
    undecided: totals.undecided,
    undecided_seeds: totals.undecidedSeeds,
    never_exercised: totals.neverExercised(faultsOf(profile)),
    plan_files: remains.map(({ planFile }) => planFile),
  };
}

/** The same for people, in lines that fit a terminal where they can. */
export function manyText(report: ManyReport, columns: number): string {
  const { profile, from, totals, realMs } = report;
  const { lives, failed, lost } = totals;
  const verdict = failed.length + lost.length === 0
    ? "every promise was kept"
    : `${failed.length} broke a promise${
      lost.length === 0 ? "" : `, ${lost.length} were not lived`
    }`;
  const cut = totals.cutShort === 0 ? "" : `, ${grouped(totals.cutShort)} of them cut short`;
  return [
    `${grouped(lives)} lives from seed ${from}, profile ${profile}, in ${
      spanText(realMs)
    }${cut}: ${verdict}`,
    ...paceLines(totals, realMs),
    ...happenedLines(totals, columns),
    ...countRows("never", totals.neverExercised(faultsOf(profile)), columns),
    ...failureLines(report),
    ...report.remains.flatMap(remainsLines),
  ].map((line) => `${line}\n`).join("");
}

/** The keys of docs/simulator.md#output. */
export function oneData(report: OneReport): Data {
  const { plan, outcome, isSame, remains, files, messages } = report;
  const totals = totalsOf(outcome);
  return {
    seed: plan.seed,
    profile: plan.profile,
    ok: outcome.violation === null && isSame !== false,
    violation: outcome.violation ?? undefined,
    transcript_hash: outcome.hash,
    same_course_twice: isSame,
    cut_short: outcome.isCutShort,
    ...paceData(totals, outcome.realMs),
    struck: totals.struck,
    judged: totals.judged,
    undecided: totals.undecided,
    ...(remains === undefined ? {} : {
      plan_file: remains.planFile,
      transcript_file: remains.transcriptFile,
    }),
    ...files,
    ...(messages === undefined ? {} : {
      messages_shown: messages.shown,
      messages_watched: messages.all,
    }),
  };
}

/** The same for people, in lines that fit a terminal where they can. */
export function oneText(report: OneReport, columns: number): string {
  const { plan, outcome, isSame, remains, files, messages } = report;
  const totals = totalsOf(outcome);
  const cut = outcome.isCutShort ? " so far" : "";
  return [
    `seed ${plan.seed}, profile ${plan.profile}: ${
      outcome.violation ?? `every promise was kept${cut}`
    }`,
    row("plan", sizeText(plan)),
    ...paceLines(totals, outcome.realMs),
    ...happenedLines(totals, columns),
    row("hash", outcome.hash + sameText(isSame)),
    ...Object.values(files).map((file) => row("written", file)),
    ...(messages === undefined
      ? []
      : [row("messages", `${grouped(messages.shown)} of ${grouped(messages.all)} in the picture`)]),
    ...(remains === undefined ? [] : remainsLines(remains)),
  ].map((line) => `${line}\n`).join("");
}

function sameText(isSame: boolean | undefined): string {
  if (isSame === undefined) return "";
  return isSame ? ", and the second life had the same" : ", and the second life had ANOTHER";
}

function totalsOf(outcome: Outcome): Totals {
  const totals = new Totals();
  totals.add(outcome);
  return totals;
}

/** A profile without trouble owes none. */
function faultsOf(profile: string): readonly string[] {
  if (profile === "single") return SINGLE_FAULTS;
  return profile === "calm" ? [] : FAULTS;
}

function paceData({ events, simulatedMs }: Totals, realMs: number): Data {
  return {
    events,
    simulated_ms: Math.round(simulatedMs),
    real_ms: Math.round(realMs),
    times_real_time: rate(simulatedMs / 1_000, realMs),
    events_per_second: Math.round(rate(events, realMs)),
  };
}

function paceLines({ events, simulatedMs }: Totals, realMs: number): string[] {
  const times = grouped(Math.round(rate(simulatedMs / 1_000, realMs)));
  const eventsPerSecond = grouped(Math.round(rate(events, realMs)));
  return [
    row("simulated", `${spanText(simulatedMs)} in ${spanText(realMs)}, ${times} × real time`),
    row("events", `${grouped(events)}, ${eventsPerSecond} a second`),
  ];
}

function happenedLines(totals: Totals, columns: number): string[] {
  const { undecided, undecidedSeeds } = totals;
  const where = undecidedSeeds.slice(0, 5).join(", ");
  return [
    ...countRows("struck", countsIn(totals.struck), columns),
    ...countRows("judged", countsIn(totals.judged), columns),
    ...(undecided === 0
      ? []
      : [row("undecided", `${undecided} checks of histories did not end: seed ${where}`)]),
  ];
}

function countsIn(counts: Readonly<Record<string, number>>): string[] {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${grouped(count)}`);
  return parts.length === 0 ? ["nothing"] : parts;
}

/** As many to a line as fit; none when there are none. */
function countRows(name: string, parts: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const longer = `${lines.at(-1)} · ${part}`;
    if (lines.length > 0 && longer.length + INDENT <= columns) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines.map((line, i) => row(i === 0 ? name : "", line));
}

function failureLines({ profile, totals: { failed, lost } }: ManyReport): string[] {
  const kind = profile === "swarm" ? [] : ["--profile", profile];
  const lines = [...failed.map(({ seed, violation }) => ({ seed, why: violation })), ...lost]
    .slice(0, FAILURES_SHOWN)
    .map(({ seed, why }) => `  ${againCommand(["--seed", String(seed), ...kind])}    # ${why}`);
  const more = failed.length + lost.length - lines.length;
  return more > 0 ? [...lines, `  and ${grouped(more)} more`] : lines;
}

function remainsLines(remains: Remains): string[] {
  const { seed, violation, shrunk, planFile, hasPicture, transcriptFile } = remains;
  const page = planFile.replace(/json$/, "html");
  return [
    `seed ${seed} broke: ${violation}`,
    ...(shrunk === undefined ? [] : [row("shrunk", shrunk)]),
    row("again", againCommand(["--replay", planFile])),
    ...(hasPicture ? [row("picture", againCommand(["--replay", planFile, "--html", page]))] : []),
    row("in words", transcriptFile),
  ];
}

function row(name: string, text: string): string {
  return `  ${name}`.padEnd(INDENT) + text;
}

/** Per second of real time, to a tenth. */
function rate(count: number, realMs: number): number {
  return realMs === 0 ? 0 : Math.round(count * 10_000 / realMs) / 10;
}
