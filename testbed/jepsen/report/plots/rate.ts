/** How much was answered: completions per second by outcome, and the stretches without an ok. */
import { OUTCOMES } from "../attempts.ts";
import type { Gap } from "../figures.ts";
import type { Survey } from "../survey.ts";
import { escapeHtml } from "../text/escape.ts";
import { duration, grouped } from "../text/numbers.ts";
import {
  AXIS_HEIGHT,
  faultBands,
  label,
  LABELS_HEIGHT,
  LEFT,
  niceStep,
  type Plot,
  RIGHT,
  ROOM,
  round,
  timeAxis,
  WIDTH,
  xOf,
} from "./frame.ts";

const HEIGHT = 150;
const TOP = LABELS_HEIGHT;
const BOTTOM = TOP + HEIGHT;
const STRIP_TOP = 18;
const STRIP_HEIGHT = 20;
/** A gap narrower than this many pixels is not labelled. */
const LABEL_ROOM = 46;

/** Completions per second in each window, by outcome. */
export function rate(survey: Survey): Plot {
  const { windows, windowNs } = survey.figures!;
  const perSecond = (count: number): number => count / (windowNs / 1e9);
  const top = Math.max(1, ...windows.flatMap(({ counts }) => Object.values(counts))) / windowNs *
    1e9;
  const step = niceStep(top / 4);
  const high = Math.ceil(top / step) * step;
  const yOf = (value: number): number => round(BOTTOM - value / high * HEIGHT);
  const rows = Array.from(
    { length: Math.round(high / step) + 1 },
    (_, i) =>
      `<path class="grid" d="M${LEFT} ${yOf(i * step)}H${WIDTH - RIGHT}"/>` +
      label(
        LEFT - 8,
        yOf(i * step) + 4,
        `${grouped(Number((i * step).toPrecision(3)))}/s`,
        "axis end",
      ),
  );
  const lines = OUTCOMES.map((outcome) => {
    const steps = windows.map(({ fromNs, counts }) => {
      const end = Math.min(survey.end, fromNs + windowNs);
      return `V${yOf(perSecond(counts[outcome]))}H${xOf(survey, end)}`;
    }).join("");
    const area = outcome === "ok"
      ? `<path class="area" d="M${LEFT} ${BOTTOM}${steps}V${BOTTOM}z"/>`
      : "";
    return `${area}<path class="line ${outcome}" d="M${LEFT} ${BOTTOM}${steps}"/>`;
  });
  return {
    name: "rate",
    title: "Completions per second by outcome",
    height: BOTTOM + AXIS_HEIGHT,
    isOnAxis: true,
    body: faultBands(survey, TOP, BOTTOM) + timeAxis(survey, TOP, BOTTOM) + rows.join("") +
      lines.join(""),
  };
}

/** A strip that is filled where something ended ok; the longest stretches without are marked and told. */
export function availability(survey: Survey): Plot {
  const { gaps } = survey.figures!;
  const bottom = STRIP_TOP + STRIP_HEIGHT;
  return {
    name: "availability",
    title: `Availability: the longest stretch without an ok is ${gapWords(gaps[0])}`,
    height: bottom + AXIS_HEIGHT,
    isOnAxis: true,
    body: `${faultBands(survey, STRIP_TOP - 4, bottom + 4, false)}${
      timeAxis(survey, bottom, bottom + 2)
    }${label(LEFT - 8, STRIP_TOP + 14, "an ok", "axis end")}<path class="alive" d="${
      alive(survey)
    }"/>${gaps.map((gap, index) => gapMark(survey, gap, index === 0)).join("")}`,
  };
}

/** Every column of pixels in which something ended ok, neighbours as one. */
function alive(survey: Survey): string {
  const columns = new Set<number>();
  for (const { outcome, end } of survey.attempts) {
    if (outcome === "ok" && end !== undefined) {
      columns.add(Math.min(ROOM - 1, Math.floor(end / survey.end * ROOM)));
    }
  }
  let path = "";
  for (let column = 0; column < ROOM; column++) {
    if (!columns.has(column)) continue;
    const from = column;
    while (columns.has(column + 1)) column++;
    path += `M${LEFT + from} ${STRIP_TOP}h${column - from + 1}v${STRIP_HEIGHT}h-${
      column - from + 1
    }z`;
  }
  return path;
}

function gapMark(survey: Survey, gap: Gap, isLongest: boolean): string {
  const [x, end] = [xOf(survey, gap.fromNs), xOf(survey, gap.toNs)];
  if (end - x < 2 && !isLongest) return "";
  const middle = Math.max(LEFT + 30, Math.min(WIDTH - 60, (x + end) / 2));
  const words = isLongest
    ? label(middle, STRIP_TOP - 6, `longest without an ok: ${gapWords(gap)}`, "gapname middle")
    : end - x >= LABEL_ROOM
    ? label(middle, STRIP_TOP + 14, gapWords(gap), "axis middle")
    : "";
  return `<g class="gap${isLongest ? " longest" : ""}"><rect x="${x}" y="${STRIP_TOP}" width="${
    round(Math.max(1.5, end - x))
  }" height="${STRIP_HEIGHT}"/><title>${
    escapeHtml(`no ok for ${gapWords(gap)} from ${duration(gap.fromNs)}`)
  }</title></g>${words}`;
}

function gapWords(gap: Gap | undefined): string {
  return gap === undefined ? "none" : duration(gap.toNs - gap.fromNs);
}
