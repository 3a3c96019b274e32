/**
 * The ground that all plots share: one time axis with the same margins, so that plots below each other can be compared,
 * with the faults as bands behind them. Coordinates are pixels of a view box; colours come from classes.
 */
import type { FaultSpan } from "../../history/recording.ts";
import { escapeHtml } from "../text/escape.ts";
import { duration, grouped } from "../text/numbers.ts";
import type { Survey } from "../survey.ts";

export const WIDTH = 1120;
export const LEFT = 84;
export const RIGHT = 12;
/** Width of what is drawn on. */
export const ROOM = WIDTH - LEFT - RIGHT;
const LABEL_ROWS = 2;
const LABEL_HEIGHT = 13;
/** Height of the labels of faults, above everything else. */
export const LABELS_HEIGHT = LABEL_ROWS * LABEL_HEIGHT + 4;
export const AXIS_HEIGHT = 20;
/** Roughly, of a character in a label. */
const CHARACTER = 6.1;

/** What a plot is drawn of. */
export interface Plot {
  /** Names it: in files, and for whoever cannot see it. */
  readonly name: string;
  readonly title: string;
  readonly height: number;
  /** SVG elements. */
  readonly body: string;
  /** Whether its axis is that of the whole run, for the line that follows the pointer. */
  readonly isOnAxis: boolean;
}

/** A plot as an element of a page. */
export function svgOf({ name, title, height, body, isOnAxis }: Plot): string {
  const axis = isOnAxis ? ` data-left="${LEFT}" data-room="${ROOM}"` : "";
  return `<svg class="plot" data-plot="${name}"${axis} viewBox="0 0 ${WIDTH} ${
    round(height)
  }" role="img" aria-label="${escapeHtml(title)}">${body}</svg>`;
}

/** Where a moment of the run lies. */
export function xOf(survey: Survey, at: number): number {
  return round(
    LEFT + Math.max(0, Math.min(1, (at - survey.from) / (survey.end - survey.from))) * ROOM,
  );
}

/** To a tenth of a pixel: more cannot be seen and costs bytes. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A line of text; `classes` may be empty. */
export function label(x: number, y: number, text: string, classes = ""): string {
  return `<text x="${round(x)}" y="${round(y)}"${classes === "" ? "" : ` class="${classes}"`}>${
    escapeHtml(text)
  }</text>`;
}

/** Faults of the run as bands from `top` to `bottom`, with labels above `top`. */
export function faultBands(survey: Survey, top: number, bottom: number, hasLabels = true): string {
  if (!survey.isTimed) return "";
  const faults = survey.input.recording.faults
    .filter(({ startNs, stopNs }) => startNs < survey.end && (stopNs ?? Infinity) > survey.from)
    .sort((a, b) => a.startNs - b.startNs);
  const bands = faults.map((fault) => faultBand(survey, fault, top, bottom));
  return bands.join("") + (hasLabels ? faultLabels(survey, faults, top) : "");
}

function faultBand(survey: Survey, fault: FaultSpan, top: number, bottom: number): string {
  const x = xOf(survey, fault.startNs);
  const width = Math.max(1.5, xOf(survey, fault.stopNs ?? survey.end) - x);
  return `<g class="fault"><rect x="${x}" y="${round(top)}" width="${round(width)}" height="${
    round(bottom - top)
  }"/><path d="M${x} ${round(top)}V${round(bottom)}"/><title>${
    escapeHtml(faultWords(fault))
  }</title></g>`;
}

/** `kill, 1.20 s at 3.000 s, replica 1: ...`. */
export function faultWords({ name, detail, replicaIds, startNs, stopNs }: FaultSpan): string {
  const replicas = replicaIds.length === 0 ? "" : `, replica ${replicaIds.join(", ")}`;
  const span = stopNs === undefined ? "never put right" : duration(stopNs - startNs);
  return `${name.replaceAll("_", " ")}${replicas}: from ${duration(startNs)}, ${span}${
    detail === "" ? "" : `; ${detail}`
  }`;
}

/** As many labels as there is room for: the bands have tooltips too, and section 7 lists every fault. */
function faultLabels(survey: Survey, faults: readonly FaultSpan[], top: number): string {
  const freeFrom: number[] = Array.from({ length: LABEL_ROWS }, () => 0);
  return faults.map((fault) => {
    const x = xOf(survey, fault.startNs);
    const text = `⚡${fault.name.replaceAll("_", " ").slice(0, 24)}`;
    const width = text.length * CHARACTER + 10;
    const row = freeFrom.findIndex((from) => from <= x);
    if (row < 0 || x + width > WIDTH) return "";
    freeFrom[row] = x + width;
    return label(x + 1, top - 5 - (LABEL_ROWS - 1 - row) * LABEL_HEIGHT, text, "faultname");
  }).join("");
}

/** Time below a plot, with lines through it. */
export function timeAxis(survey: Survey, top: number, bottom: number): string {
  const { from, end } = survey;
  const step = Math.max(1, niceStep((end - from) / 9));
  const first = Math.ceil(from / step);
  const count = Math.floor(end / step) - first + 1;
  const ticks = Array.from({ length: count }, (_, i) => (first + i) * step);
  return ticks.map((at) => {
    const x = xOf(survey, at);
    const words = survey.isTimed ? axisTime(at, step) : grouped(at);
    const isLast = x + words.length * CHARACTER > WIDTH;
    return `<path class="grid" d="M${x} ${round(top)}V${round(bottom)}"/>` +
      label(x, bottom + 14, words, isLast ? "axis end" : at === 0 ? "axis" : "axis middle");
  }).join("");
}

/** The least of 1, 2 or 5 times a power of ten that is not below this. */
export function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999)!;
}

function axisTime(ns: number, stepNs: number): string {
  const digits = stepNs >= 1e9 ? 0 : Math.min(6, Math.ceil(9 - Math.log10(stepNs)));
  if (stepNs < 1e6 && ns < 1e6) return duration(ns);
  const [whole, rest] = (ns / 1e9).toFixed(digits).split(".");
  return `${grouped(whole!)}${rest === undefined ? "" : `.${rest}`} s`;
}
