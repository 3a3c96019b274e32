/** How long clients waited: a point for each attempt, and quantiles for each window. Logarithmic scale. */
import { type Outcome, OUTCOMES } from "../attempts.ts";
import { latencyOf, QUANTILES } from "../figures.ts";
import type { Survey } from "../survey.ts";
import { duration } from "../text/numbers.ts";
import {
  AXIS_HEIGHT,
  faultBands,
  label,
  LABELS_HEIGHT,
  LEFT,
  type Plot,
  RIGHT,
  round,
  timeAxis,
  WIDTH,
  xOf,
} from "./frame.ts";

const HEIGHT = 240;
const TOP = LABELS_HEIGHT;
const BOTTOM = TOP + HEIGHT;
/** Marks that are drawn at most; what lies on each other is drawn once. */
const MARKS_MAX = 12_000;

/** Marks of outcomes: a dot, a cross, a diamond, so that nobody needs the colours. */
const MARKS: Readonly<Record<Outcome, string>> = {
  ok: "h0",
  fail: "m-2.5-2.5l5 5m0-5l-5 5",
  info: "m0-3.5l3.5 3.5-3.5 3.5-3.5-3.5z",
};

/** Pixels within which marks count as one. */
const CELL = 1.5;
/** More than there are rows in any grid. */
const ROWS = 1_024;

/** Powers of ten of nanoseconds between which the values lie. */
interface Scale {
  readonly low: number;
  readonly high: number;
}

/** Draws a point for each attempt that ended; those of one operation and outcome can be hidden together. */
export function latencyPoints(survey: Survey): Plot {
  const scale = scaleOf(survey);
  const names = operationNames(survey);
  const groups = marksOf(survey, scale);
  for (let cell = 2; countOf(groups) > MARKS_MAX; cell++) thin(groups, cell);
  const paths = OUTCOMES.flatMap((outcome) =>
    names.map((f, index) => {
      const marks = [...groups.get(`${outcome} ${f}`) ?? []];
      const path = marks.map((mark) =>
        `M${round(Math.floor(mark / ROWS) * CELL)} ${round((mark % ROWS) * CELL)}${MARKS[outcome]}`
      ).join("");
      return path === ""
        ? ""
        : `<g class="f${index}"><path class="mark ${outcome}" d="${path}"/></g>`;
    })
  );
  return {
    name: "latency-points",
    title: "Latency of every attempt by operation and outcome, logarithmic",
    height: BOTTOM + AXIS_HEIGHT,
    isOnAxis: true,
    body: ground(survey, scale) + paths.join(""),
  };
}

/** Names of operations, the commonest first: the place in it is the class of a point. */
export function operationNames({ figures }: Survey): string[] {
  return [...new Set((figures?.latencies ?? []).map(({ f }) => f))];
}

/** Places of marks on a grid of {@linkcode CELL}, column times {@linkcode ROWS} plus row, by outcome and operation. */
function marksOf(survey: Survey, scale: Scale): Map<string, ReadonlySet<number>> {
  const groups = new Map<string, Set<number>>();
  for (const attempt of survey.attempts) {
    if (attempt.end === undefined) continue;
    const name = `${attempt.outcome} ${attempt.f}`;
    let group = groups.get(name);
    if (group === undefined) groups.set(name, group = new Set());
    const column = Math.round(xOf(survey, attempt.end) / CELL);
    group.add(column * ROWS + Math.round(yOf(scale, latencyOf(attempt)) / CELL));
  }
  return groups;
}

/**
 * Fewer marks of the largest group: one in each cell of a larger grid, which stays where it is, so that no pattern shows.
 * The others, which are what somebody looks for, are left as they are.
 */
function thin(groups: Map<string, ReadonlySet<number>>, cell: number): void {
  const [name, marks] = [...groups].reduce((a, b) => b[1].size > a[1].size ? b : a);
  const kept = new Map<number, number>();
  for (const mark of marks) {
    const [column, row] = [Math.floor(mark / ROWS), mark % ROWS];
    const place = Math.floor(column / cell) * ROWS + Math.floor(row / cell);
    if (!kept.has(place)) kept.set(place, mark);
  }
  groups.set(name, new Set(kept.values()));
}

function countOf(groups: ReadonlyMap<string, ReadonlySet<number>>): number {
  return [...groups.values()].reduce((sum, { size }) => sum + size, 0);
}

/** Draws the quantiles of what ended ok in each window. */
export function latencyQuantiles(survey: Survey): Plot {
  const scale = scaleOf(survey);
  const lines = QUANTILES.map((_, index) => quantileLine(survey, scale, index));
  return {
    name: "latency-quantiles",
    title:
      "Quantiles 0.5, 0.95, 0.99 and 1 of the latency of what ended ok, by window, logarithmic",
    height: BOTTOM + AXIS_HEIGHT,
    isOnAxis: true,
    body: ground(survey, scale) + lines.join(""),
  };
}

/** A line that is broken where a window had no ok. */
function quantileLine(survey: Survey, scale: Scale, index: number): string {
  const { windows, windowNs } = survey.figures!;
  let path = "";
  let isDown = false;
  for (const { fromNs, quantiles } of windows) {
    const value = quantiles[index];
    if (value !== undefined) {
      const x = xOf(survey, fromNs + windowNs / 2);
      path += `${isDown ? "L" : "M"}${x} ${round(yOf(scale, value))}${isDown ? "" : "h.1"}`;
    }
    isDown = value !== undefined;
  }
  return `<path class="line q${index}" d="${path}"/>`;
}

function ground(survey: Survey, scale: Scale): string {
  const rows = Array.from({ length: scale.high - scale.low + 1 }, (_, i) => {
    const value = 10 ** (scale.low + i);
    const y = round(yOf(scale, value));
    return `<path class="grid" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/>` +
      label(LEFT - 8, y + 4, duration(value).replace(/\.0+ /, " "), "axis end");
  });
  return faultBands(survey, TOP, BOTTOM) + timeAxis(survey, TOP, BOTTOM) + rows.join("");
}

function scaleOf(survey: Survey): Scale {
  let [least, greatest] = [Infinity, 1];
  for (const attempt of survey.attempts) {
    if (attempt.end === undefined) continue;
    const value = latencyOf(attempt);
    least = Math.min(least, Math.max(1_000, value));
    greatest = Math.max(greatest, value);
  }
  const low = Math.floor(Math.log10(Number.isFinite(least) ? least : 1e5));
  return { low, high: Math.max(low + 1, Math.ceil(Math.log10(greatest))) };
}

function yOf({ low, high }: Scale, ns: number): number {
  const share = (Math.log10(Math.max(1, ns)) - low) / (high - low);
  return BOTTOM - Math.max(0, Math.min(1, share)) * HEIGHT;
}
