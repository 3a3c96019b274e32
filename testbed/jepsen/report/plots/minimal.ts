/** A minimal history as a picture: a lane for each process, a bar for each attempt, places by order and not by time. */
import { type Attempt, outcomeWords } from "../attempts.ts";
import { cut, escapeHtml } from "../text/escape.ts";
import { label, LEFT, type Plot, round, WIDTH } from "./frame.ts";

const LANE = 48;
const BAR = 38;
const TOP = 6;
/** Attempts of the picture; a list tells all of them. */
const BARS_MAX = 16;

/** Draws attempts; `first` is the position of the one that gets a frame. */
export function minimalHistory(all: readonly Attempt[], first: number | undefined): Plot {
  const attempts = shown(all, first);
  const processes = [...new Set(attempts.map(({ process }) => process))];
  const places = placesOf(attempts);
  const bottom = TOP + processes.length * LANE;
  const lines = [...places.values()].map((x) => `<path class="grid" d="M${x} ${TOP}V${bottom}"/>`);
  const lanes = processes.map((process, index) =>
    label(LEFT - 8, TOP + index * LANE + LANE / 2 + 4, `process ${process}`, "lane end")
  );
  const bars = attempts.map((attempt) => {
    const y = TOP + processes.indexOf(attempt.process) * LANE + (LANE - BAR) / 2;
    const x = places.get(attempt.position)!;
    const end = attempt.outcome === "info" || attempt.endPosition === undefined
      ? WIDTH - 4
      : places.get(attempt.endPosition)!;
    return bar(attempt, { x, y, width: round(end - x) }, attempt.position === first);
  });
  const body = `<g class="mini">${lines.join("")}${lanes.join("")}${bars.join("")}</g>`;
  const title = "Attempts that cannot be explained together";
  return { name: "minimal", title, height: bottom + 4, isOnAxis: false, body };
}

/** Where moments lie: by their order; stretches in which nobody waits are narrow. */
function placesOf(attempts: readonly Attempt[]): Map<number, number> {
  const ends = attempts.map(({ position, endPosition }) => endPosition ?? position);
  const moments = [...new Set([...attempts.map(({ position }) => position), ...ends])]
    .sort((a, b) => a - b);
  const weights = moments.slice(1).map((to, index) => {
    const from = moments[index]!;
    const isOpen = attempts.some(({ position, endPosition }) =>
      position <= from && to <= (endPosition ?? position)
    );
    return isOpen ? 1 : 0.12;
  });
  const hasOpenEnd = attempts.some(({ outcome }) => outcome === "info");
  const sum = weights.reduce((total, weight) => total + weight, hasOpenEnd ? 0.8 : 0.02);
  let x = LEFT + 8;
  const places = new Map<number, number>();
  for (const [index, moment] of moments.entries()) {
    places.set(moment, round(x));
    x += (weights[index] ?? 0) / sum * (WIDTH - LEFT - 20);
  }
  return places;
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
  const { outcome, request } = attempt;
  const room = Math.floor((width - 12) / 5.7);
  const sign = { ok: "", fail: "✕ ", info: "◇ " }[outcome];
  const asked = room < 4 ? "" : label(x + 6, y + 15, cut(`${sign}${request}`, room));
  const told = room < 4 ? "" : label(x + 6, y + 30, cut(outcomeWords(attempt), room), "axis");
  return `<g><rect class="${outcome}${isFirst ? " first" : ""}" x="${x}" y="${y}" width="${
    Math.max(6, width)
  }" height="${BAR}" rx="3"/>${asked}${told}<title>${
    escapeHtml(`${request}: ${outcomeWords(attempt)}`)
  }</title></g>`;
}
