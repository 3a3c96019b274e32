/** Who held which resource and when: a row for each resource, a bar for each hold. */
import type { Hold } from "../holds.ts";
import { partOf, type Survey } from "../survey.ts";
import { cut, escapeHtml } from "../text/escape.ts";
import { duration, grouped } from "../text/numbers.ts";
import {
  AXIS_HEIGHT,
  faultBands,
  label,
  LABELS_HEIGHT,
  LEFT,
  type Plot,
  round,
  timeAxis,
  WIDTH,
  xOf,
} from "./frame.ts";

const ROW = 26;
const BAR = 12;
const ROWS_MAX = 40;
const HOLDS_MAX = 1_000;

/** A picture, and how much of everything it is. */
export interface ResourcePlot {
  readonly plot: Plot;
  /** Beginning and end of the part that it shows; undefined if that is everything. */
  readonly part: readonly [from: number, end: number] | undefined;
  readonly rows: number;
  readonly holds: number;
}

/** Draws the resources of violations and overlaps first, then those that were held most often. */
export function resources(whole: Survey): ResourcePlot {
  const part = focusedPart(whole);
  const survey = part === undefined ? whole : partOf(whole, ...part);
  const chosen = chosenResources(survey);
  return {
    part,
    rows: chosen.length,
    holds: chosen.reduce((sum, [, holds]) => sum + holds.length, 0),
    plot: { ...rowsOf(survey, chosen, "resources"), isOnAxis: part === undefined },
  };
}

/** Draws the holds of one resource in a part of the run. */
export function holdsOfResource(survey: Survey, resourceId: bigint): Plot {
  const holds = survey.holds.filter((hold) =>
    hold.resourceId === resourceId && hold.to >= survey.from && hold.sent <= survey.end
  );
  return { ...rowsOf(survey, [[resourceId, holds]], "holds", BAR + 8), isOnAxis: false };
}

/** Rows of bars; those in red lie `lower` than the others. */
function rowsOf(
  survey: Survey,
  chosen: readonly [bigint, Hold[]][],
  name: string,
  lower = 5,
): Plot {
  const top = LABELS_HEIGHT;
  const height = ROW + (lower > BAR ? lower : 0);
  const bottom = top + chosen.length * height;
  const rows = chosen.map(([resourceId, holds], index) => {
    const rowTop = top + index * height;
    const y = rowTop + (ROW - BAR) / 2;
    return `<path class="grid" d="M${LEFT} ${rowTop + height}H${WIDTH}"/>${
      label(LEFT - 8, rowTop + 17, cut(String(resourceId), 12), "lane end")
    }${holds.map((hold) => bar(survey, hold, y + (isBlamed(survey, hold) ? lower : 0))).join("")}`;
  });
  return {
    name,
    title: "Who held which resource and when",
    height: bottom + AXIS_HEIGHT,
    isOnAxis: true,
    body: faultBands(survey, top, bottom) + timeAxis(survey, top, bottom) + rows.join(""),
  };
}

/** Whether a hold is drawn in red: it overlaps, or a violation shows at its reserve. */
export function isBlamed({ firsts }: Survey, { over, reserve }: Hold): boolean {
  return over !== undefined || firsts.has(reserve.invokedAt);
}

/**
 * Of more holds than can be told apart, the part of the run around the first violation, else around the longest stretch
 * without an ok.
 */
function focusedPart(
  { holds, violations, figures, isTimed, end }: Survey,
): [number, number] | undefined {
  if (holds.length <= HOLDS_MAX) return undefined;
  const first = violations.find(({ violation }) => violation.first !== undefined)?.violation.first;
  const focus = (isTimed ? first?.invokedNs : first?.invokedAt) ?? figures?.gaps[0]?.fromNs ?? 0;
  const distances = holds.map(({ from }) => Math.abs(from - focus)).sort((a, b) => a - b);
  const reach = distances[HOLDS_MAX - 1]!;
  return [Math.max(0, focus - reach), Math.min(end, focus + reach)];
}

/** Resources with their holds, in the order of their ids. */
function chosenResources(survey: Survey): [bigint, Hold[]][] {
  const blamed = new Set(survey.violations.flatMap(({ violation }) => violation.resourceIds));
  const weight = ([id, holds]: [bigint, Hold[]]): number =>
    (blamed.has(id) || holds.some(({ over }) => over !== undefined) ? 1e9 : 0) + holds.length;
  const seen = survey.holds.filter(({ sent, to }) => to >= survey.from && sent <= survey.end);
  const byWeight = [...Map.groupBy(seen, ({ resourceId }) => resourceId)]
    .sort((a, b) => weight(b) - weight(a));
  const chosen: [bigint, Hold[]][] = [];
  let count = 0;
  for (const row of byWeight) {
    if (chosen.length === ROWS_MAX || (count > 0 && count + row[1].length > 2 * HOLDS_MAX)) break;
    chosen.push([row[0], row[1].slice(0, 2 * HOLDS_MAX)]);
    count += row[1].length;
  }
  return chosen.sort(([a], [b]) => (a < b ? -1 : 1));
}

function bar(survey: Survey, hold: Hold, y: number): string {
  const [sent, from, to] = [hold.sent, hold.from, hold.to].map((at) => xOf(survey, at));
  const width = Math.max(1.5, round(to! - from!));
  const { deadlineAt = Infinity } = hold;
  const deadline = deadlineAt >= survey.from && deadlineAt <= survey.end
    ? deadlineMark(xOf(survey, deadlineAt), y, width)
    : "";
  const waiting = from! - sent! >= 1 ? `<path d="M${sent} ${y + BAR / 2}H${from}"/>` : "";
  return `<g class="hold h${String(hold.holderId % 4n)}${
    isBlamed(survey, hold) ? " over" : ""
  }">${waiting}<rect x="${from}" y="${y}" width="${width}" height="${BAR}"/>${
    confirmedPart(survey, hold, y)
  }${holderName(survey, hold, y)}${deadline}<title>${
    escapeHtml(holdWords(survey, hold))
  }</title></g>`;
}

function confirmedPart(survey: Survey, { confirmedAt, to }: Hold, y: number): string {
  if (confirmedAt === undefined) return "";
  const x = xOf(survey, confirmedAt);
  return `<rect class="confirmed" x="${x}" y="${y}" width="${
    Math.max(1, round(xOf(survey, to) - x))
  }" height="${BAR}"/>`;
}

/** Of whichever part has room for it, the first one before the confirmed one. */
function holderName(survey: Survey, { holderId, from, to, confirmedAt }: Hold, y: number): string {
  const words = cut(String(holderId), 14);
  const room = words.length * 6.1 + 7;
  const middle = xOf(survey, confirmedAt ?? to);
  if (middle - xOf(survey, from) >= room) return label(xOf(survey, from) + 4, y + 10, words);
  return confirmedAt !== undefined && xOf(survey, to) - middle >= room
    ? label(middle + 4, y + 10, words, "onconfirmed")
    : "";
}

/** A line where a hold falls due, with a triangle on its tip where there is room for one. */
function deadlineMark(x: number, y: number, width: number): string {
  const tip = width < 14 ? "" : "m-3-3h6l-3 5z";
  return `<path class="deadline${tip === "" ? " small" : ""}" d="M${x} ${y + BAR}v${
    -BAR - 2
  }${tip}"/>`;
}

/** The hold in words, for a tooltip. */
export function holdWords(survey: Survey, hold: Hold): string {
  const at = (value: number): string =>
    survey.isTimed ? duration(value) : `position ${grouped(value)}`;
  const parts = [
    `resource ${hold.resourceId}: holder ${hold.holderId}, reservation ${hold.reservationId}`,
    `known to hold from ${at(hold.from)}, until slot ${hold.deadlineSlot}`,
  ];
  if (hold.confirmedAt !== undefined) parts.push(`confirmed at ${at(hold.confirmedAt)}`);
  if (hold.revokedAt !== undefined) parts.push(`revoke begun at ${at(hold.revokedAt)}`);
  parts.push(endingWords(hold, at));
  if (hold.over === undefined && isBlamed(survey, hold)) parts.push("here a violation shows");
  if (hold.over !== undefined) {
    parts.push(`OVERLAP: reservation ${hold.over} cannot have ended before`);
  }
  return parts.join("; ");
}

function endingWords({ ending, to }: Hold, at: (value: number) => string): string {
  if (ending === "due") return `nobody ended it: fell due about ${at(to)}`;
  return ending === "open" ? "no end of it was seen" : `${ending} at ${at(to)}`;
}
