/** Who held which resource and when: a row for each resource, a bar for each hold. */
import type { Hold } from "../holds.ts";
import type { Survey } from "../survey.ts";
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
const HOLDS_MAX = 3_000;

/** A picture, and how much of everything it is. */
export interface ResourcePlot {
  readonly plot: Plot;
  readonly rows: number;
  readonly holds: number;
}

/** Draws the resources of violations and overlaps first, then those that were held most often. */
export function resources(survey: Survey): ResourcePlot {
  const chosen = chosenResources(survey);
  const top = LABELS_HEIGHT;
  const bottom = top + chosen.length * ROW;
  const rows = chosen.map(([resourceId, holds], index) => {
    const y = top + index * ROW;
    return `<path class="grid" d="M${LEFT} ${y + ROW}H${WIDTH}"/>${
      label(LEFT - 8, y + 17, cut(String(resourceId), 12), "lane end")
    }${holds.map((hold) => bar(survey, hold, y)).join("")}`;
  });
  return {
    rows: chosen.length,
    holds: chosen.reduce((sum, [, holds]) => sum + holds.length, 0),
    plot: {
      name: "resources",
      title: "Who held which resource and when",
      height: bottom + AXIS_HEIGHT,
      isOnAxis: true,
      body: faultBands(survey, top, bottom) + timeAxis(survey, top, bottom) + rows.join(""),
    },
  };
}

/** Resources with their holds, in the order of their ids. */
function chosenResources(survey: Survey): [bigint, Hold[]][] {
  const blamed = new Set(survey.violations.flatMap(({ violation }) => violation.resourceIds));
  const weight = ([id, holds]: [bigint, Hold[]]): number =>
    (blamed.has(id) || holds.some(({ over }) => over !== undefined) ? 1e9 : 0) + holds.length;
  const byWeight = [...Map.groupBy(survey.holds, ({ resourceId }) => resourceId)]
    .sort((a, b) => weight(b) - weight(a));
  const chosen: [bigint, Hold[]][] = [];
  let count = 0;
  for (const row of byWeight) {
    if (chosen.length === ROWS_MAX || (count > 0 && count + row[1].length > HOLDS_MAX)) break;
    chosen.push([row[0], row[1].slice(0, HOLDS_MAX)]);
    count += row[1].length;
  }
  return chosen.sort(([a], [b]) => (a < b ? -1 : 1));
}

function bar(survey: Survey, hold: Hold, rowTop: number): string {
  const y = rowTop + (ROW - BAR) / 2 + (hold.over === undefined ? 0 : 5);
  const [sent, from, to] = [hold.sent, hold.from, hold.to].map((at) => xOf(survey, at));
  const width = Math.max(1.5, round(to! - from!));
  const confirmed = hold.confirmedAt === undefined ? "" : confirmedPart(survey, hold, y, to!);
  const deadline = hold.deadlineAt !== undefined && hold.deadlineAt <= survey.end
    ? deadlineMark(xOf(survey, hold.deadlineAt), y)
    : "";
  const words = `${hold.holderId}`;
  const name = words.length * 6.1 + 6 <= width
    ? label(from! + 3, y + 10, words, hold.confirmedAt === undefined ? "" : "onconfirmed")
    : "";
  const waiting = from! - sent! >= 1 ? `<path d="M${sent} ${y + BAR / 2}H${from}"/>` : "";
  return `<g class="hold h${String(hold.holderId % 4n)}${
    hold.over === undefined ? "" : " over"
  }">${waiting}<rect x="${from}" y="${y}" width="${width}" height="${BAR}"/>${confirmed}${name}${deadline}<title>${
    escapeHtml(holdWords(survey, hold))
  }</title></g>`;
}

function confirmedPart(survey: Survey, { confirmedAt }: Hold, y: number, to: number): string {
  const x = xOf(survey, confirmedAt!);
  return `<rect class="confirmed" x="${x}" y="${y}" width="${
    Math.max(1, round(to - x))
  }" height="${BAR}"/>`;
}

/** A small triangle on its tip: the moment when a hold falls due. */
function deadlineMark(x: number, y: number): string {
  return `<path class="deadline" d="M${x} ${y + BAR}v${-BAR - 2}m-3-3h6l-3 5z"/>`;
}

/** The hold in words, for a tooltip. */
export function holdWords({ isTimed }: Survey, hold: Hold): string {
  const at = (value: number): string => isTimed ? duration(value) : `position ${grouped(value)}`;
  const parts = [
    `resource ${hold.resourceId}: holder ${hold.holderId}, reservation ${hold.reservationId}`,
    `known to hold from ${at(hold.from)}, until slot ${hold.deadlineSlot}`,
  ];
  if (hold.confirmedAt !== undefined) parts.push(`confirmed at ${at(hold.confirmedAt)}`);
  if (hold.revokedAt !== undefined) parts.push(`revoke begun at ${at(hold.revokedAt)}`);
  parts.push(endingWords(hold, at));
  if (hold.over !== undefined) {
    parts.push(`OVERLAP: reservation ${hold.over} cannot have ended before`);
  }
  return parts.join("; ");
}

function endingWords({ ending, to }: Hold, at: (value: number) => string): string {
  if (ending === "due") return `nobody ended it: fell due about ${at(to)}`;
  return ending === "open" ? "no end of it was seen" : `${ending} at ${at(to)}`;
}
