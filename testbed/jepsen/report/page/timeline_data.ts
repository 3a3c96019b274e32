/**
 * The timeline for the script of the page: columns of numbers and text, compressed. Times are whole microseconds, or
 * positions in a recording without times. At most so many bars are in it one by one; the others are counted.
 */
import { gzipSync } from "node:zlib";
import { type Attempt, OUTCOMES, outcomeWords } from "../attempts.ts";
import { BAND_KINDS } from "../cluster.ts";
import { QUANTILES, windowSize, windowsOf } from "../figures.ts";
import { faultWords } from "../plots/frame.ts";
import { slotAxisOf } from "../holds.ts";
import { changesOf } from "../states.ts";
import type { Survey } from "../survey.ts";
import { cut, plain } from "../text/escape.ts";

const BARS_MAX = 5_000;
const BINS = 400;
const WINDOWS_MAX = 600;
/** Attempts in a window at least, on the average: a quantile of fewer says nothing. */
const PER_WINDOW = 40;
const LANES_MAX = 200;
const TEXT_MAX = 400;

/** What the script gets, and how much of everything it is. */
export interface TimelineData {
  /** Compressed with gzip, in base64. */
  readonly packed: string;
  readonly shown: number;
  readonly total: number;
}

/** Packs the timeline of a run; the same bytes for the same run. */
export function timelineData(survey: Survey): TimelineData {
  const { attempts } = survey;
  const bars = chosenBars(survey);
  const text = JSON.stringify(content(survey, bars));
  const packed = gzipSync(new TextEncoder().encode(text), { level: 9 });
  // The tenth byte names the system that packed it, which is nothing to a reader.
  packed[9] = 255;
  return { packed: base64(packed), shown: bars.length, total: attempts.length };
}

/** What stands in the element of the script. */
function content(survey: Survey, bars: readonly Attempt[]): Record<string, unknown> {
  const { isTimed, cluster, input: { recording } } = survey;
  const scale = isTimed ? (ns: number): number => Math.round(ns / 1e3) : (at: number): number => at;
  return {
    isTimed,
    end: scale(survey.end),
    focus: focusOf(survey).map(scale),
    slots: isTimed ? slotsOf(survey) : null,
    lanes: laneNames(survey),
    fs: [...new Set(bars.map(({ f }) => f))].map(plain),
    bars: columns(survey, bars, scale),
    density: density(survey, bars),
    plots: plots(survey),
    violations: survey.violations.flatMap(({ number, violation: { first } }) =>
      first === undefined ? [] : [[number, first.invokedAt]]
    ),
    kinds: BAND_KINDS,
    replicas: !isTimed ? [] : cluster.replicas.map(({ replicaId, bands, commits }) => ({
      id: replicaId,
      bands: bands.map(({ fromNs, toNs, kind, role, view, detail }) => [
        ...[scale(fromNs), scale(toNs), BAND_KINDS.indexOf(kind)],
        ...[plain(role), plain(view), plain(cut(detail, TEXT_MAX))],
      ]),
      commits: commits.map(({ atNs, lsn, lag }) => [scale(atNs), lsn, lag]),
    })),
    faults: !isTimed ? [] : recording.faults.map((fault) => [
      ...[scale(fault.startNs), scale(fault.stopNs ?? survey.end), plain(cut(fault.name, 40))],
      ...[plain(cut(faultWords(fault), TEXT_MAX)), fault.replicaIds],
    ]),
    views: !isTimed ? [] : cluster.viewChanges.map(({ atNs, view, cause }) => [
      scale(atNs),
      plain(view),
      plain(cause),
    ]),
  };
}

/** Slot at time 0 and microseconds in a slot; null where nothing tells of slots. */
function slotsOf({ input: { recording } }: Survey): [number, number] | null {
  const axis = slotAxisOf(recording);
  return axis === undefined ? null : [axis.atZero, axis.slotNs / 1e3];
}

/** Bars around where it shows, and all that a violation names. */
function chosenBars(survey: Survey): Attempt[] {
  const { attempts, evidence, input: { barsMax = BARS_MAX } } = survey;
  if (attempts.length <= barsMax) return [...attempts];
  const [from] = focusOf(survey);
  const found = attempts.findIndex(({ start }) => start >= from!);
  const at = found < 0 ? attempts.length : found;
  const first = Math.max(0, Math.min(attempts.length - barsMax, at - Math.floor(barsMax / 2)));
  const near = attempts.slice(first, first + barsMax);
  const far = attempts.filter(({ position }, index) =>
    evidence.has(position) && (index < first || index >= first + barsMax)
  );
  const kept = far.length < barsMax ? far : far.slice(0, barsMax);
  return [...near.slice(0, barsMax - kept.length), ...kept].sort((a, b) => a.position - b.position);
}

/** What to look at first: the first violation, else the longest stretch without an ok, else everything. */
function focusOf({ violations, attempts, figures, end }: Survey): [number, number] {
  const found = violations.find(({ violation }) => violation.first !== undefined)?.violation;
  if (found === undefined) {
    const gap = figures?.gaps[0];
    return gap === undefined ? [0, end] : [gap.fromNs, gap.toNs];
  }
  const named = new Set([...found.operations, ...found.modelOperations].map((o) => o.invokedAt));
  named.add(found.first!.invokedAt);
  const these = attempts.filter(({ position }) => named.has(position));
  const last = these.find(({ position }) => position === found.first!.invokedAt) ?? these.at(-1);
  if (last === undefined) return [0, end];
  return [last.start, last.end ?? last.start];
}

/** Clients by lane: `3` or, where one went on for another, `3 …`; names where a history has them. */
function laneNames({ lanes, input: { recording: { processNames } } }: Survey): string[] {
  const names: string[] = [];
  for (const [process, lane] of lanes) {
    const row = Math.min(lane, LANES_MAX - 1);
    const name = plain(cut(processNames.get(process) ?? String(process), 14));
    names[row] = names[row] === undefined ? name : names[row]!.replace(/( …)?$/, " …");
  }
  return names;
}

function columns(
  survey: Survey,
  bars: readonly Attempt[],
  scale: (at: number) => number,
): Record<string, readonly unknown[]> {
  const changes = changesOf(
    survey.input.recording.operations,
    new Set(bars.map(({ position }) => position)),
  );
  const fs = [...new Set(bars.map(({ f }) => f))];
  const indexOfF = new Map(fs.map((f, index) => [f, index]));
  let last = 0;
  const starts = bars.map(({ start }) => {
    const step = scale(start) - last;
    last += step;
    return step;
  });
  return {
    lane: bars.map(({ process }) => rowOf(survey, process)),
    process: bars.map(({ process }) => process),
    start: starts,
    span: bars.map(({ start, end }) =>
      end === undefined ? -1 : Math.max(0, scale(end) - scale(start))
    ),
    outcome: bars.map(({ outcome }) => OUTCOMES.indexOf(outcome)),
    f: bars.map(({ f }) => indexOfF.get(f)),
    position: bars.map(({ position }) => position),
    key: bars.map(({ key }) => key ?? ""),
    request: bars.map(({ request }) => plain(cut(request, TEXT_MAX))),
    answer: bars.map((bar) => plain(cut(outcomeWords(bar), TEXT_MAX))),
    servedBy: bars.map(({ servedBy }) => plain(cut(servedBy, TEXT_MAX))),
    before: bars.map(({ position }) => plain(cut(changes.get(position)?.before ?? "", TEXT_MAX))),
    after: bars.map(({ position }) => plain(cut(changes.get(position)?.after ?? "", TEXT_MAX))),
    evidence: bars.map(({ position }) => survey.evidence.has(position) ? 1 : 0),
  };
}

/** Quantiles in microseconds and rates, in windows that are finer than those of the pictures; null where there is nothing. */
function plots({ figures, attempts, end }: Survey): Record<string, unknown> | null {
  if (figures === undefined) return null;
  const count = Math.max(60, Math.min(WINDOWS_MAX, Math.floor(attempts.length / PER_WINDOW)));
  const windowNs = windowSize(end, count);
  const windows = windowsOf(attempts, windowNs, end);
  const micros = (ns: number | undefined): number | null =>
    ns === undefined ? null : Math.max(1, Math.round(ns / 1e3));
  return {
    windowNs,
    quantiles: QUANTILES.map((_, index) =>
      windows.map((window) => micros(window.quantiles[index]))
    ),
    rates: OUTCOMES.map((outcome) =>
      windows.map(({ counts }) => Number((counts[outcome] / windowNs * 1e9).toPrecision(4)))
    ),
  };
}

/** Attempts in each part of the run: all of them by outcome, and those without a bar by lane. */
function density(survey: Survey, bars: readonly Attempt[]): Record<string, unknown> {
  const all = OUTCOMES.map(() => new Array<number>(BINS).fill(0));
  const hidden: number[][] = [];
  const isShown = new Set(bars);
  for (const attempt of survey.attempts) {
    const bin = Math.max(0, Math.min(BINS - 1, Math.floor(attempt.start / survey.end * BINS)));
    all[OUTCOMES.indexOf(attempt.outcome)]![bin]!++;
    if (isShown.has(attempt)) continue;
    const lane = hidden[rowOf(survey, attempt.process)] ??= new Array<number>(BINS).fill(0);
    lane[bin]!++;
  }
  return { bins: BINS, all, hidden: Array.from(hidden, (lane) => lane ?? null) };
}

function rowOf({ lanes }: Survey, process: number): number {
  return Math.min(LANES_MAX - 1, lanes.get(process) ?? 0);
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3_000) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + 3_000)));
  }
  return text;
}
