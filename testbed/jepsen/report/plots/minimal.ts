/** A minimal history as a picture: a lane for each process, a bar for each attempt, places by order and not by time. */
import type { Attempt } from "../attempts.ts";
import { cut, escapeHtml } from "../text/escape.ts";
import { label, LEFT, type Plot, round, WIDTH } from "./frame.ts";

const LANE = 34;
const BAR = 24;
const TOP = 6;
/** Attempts of the picture; a list tells all of them. */
const BARS_MAX = 16;

/** Draws attempts; `first` is the position of the one that gets a frame. */
export function minimalHistory(all: readonly Attempt[], first: number | undefined): Plot {
  const attempts = shown(all, first);
  const processes = [...new Set(attempts.map(({ process }) => process))];
  const moments = attempts.flatMap((
    { position, endPosition },
  ) => [position, endPosition ?? Infinity]);
  const ranks = new Map([...new Set(moments)].sort((a, b) => a - b).map((at, rank) => [at, rank]));
  const step = (WIDTH - LEFT - 30) / Math.max(1, ranks.size - 1);
  const xOf = (at: number): number => round(LEFT + 8 + ranks.get(at)! * step);
  const bottom = TOP + processes.length * LANE;
  const lines = [...ranks.keys()].map((at) =>
    `<path class="grid" d="M${xOf(at)} ${TOP}V${bottom}"/>`
  );
  const lanes = processes.map((process, index) =>
    label(LEFT - 8, TOP + index * LANE + 21, `process ${process}`, "lane end")
  );
  const bars = attempts.map((attempt) => {
    const y = TOP + processes.indexOf(attempt.process) * LANE + (LANE - BAR) / 2;
    const x = xOf(attempt.position);
    const end = attempt.outcome === "info" ? WIDTH - 4 : xOf(attempt.endPosition ?? Infinity);
    return bar(attempt, { x, y, width: round(end - x) }, attempt.position === first);
  });
  const body = `<g class="mini">${lines.join("")}${lanes.join("")}${bars.join("")}</g>`;
  const title = "Attempts that cannot be explained together";
  return { name: "minimal", title, height: bottom + 4, isOnAxis: false, body };
}

/** The last ones, which are where it shows, and that one in any case. */
function shown(all: readonly Attempt[], first: number | undefined): readonly Attempt[] {
  if (all.length <= BARS_MAX) return all;
  const at = all.findIndex(({ position }) => position === first);
  const end = at < 0 ? all.length : Math.max(BARS_MAX, at + 1);
  return all.slice(end - BARS_MAX, end);
}

function bar(
  attempt: Attempt,
  place: { x: number; y: number; width: number },
  isFirst: boolean,
): string {
  const { x, y, width } = place;
  const { outcome, request, answer } = attempt;
  const sign = { ok: "", fail: "✕ ", info: "◇ " }[outcome];
  const words = cut(
    `${sign}${request}${answer === "" ? "" : ` → ${answer}`}`,
    Math.floor((width - 10) / 5.9),
  );
  return `<g><rect class="${outcome}${isFirst ? " first" : ""}" x="${x}" y="${y}" width="${
    Math.max(6, width)
  }" height="${BAR}" rx="3"/>${words.length < 3 ? "" : label(x + 6, y + 16, words)}<title>${
    escapeHtml(`${request} → ${answer}`)
  }</title></g>`;
}
