/** What each replica was, in which view, and how far behind: lanes under the time axis of the run. */
import type { Band, ReplicaLane } from "../cluster.ts";
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
  round,
  timeAxis,
  WIDTH,
  xOf,
} from "./frame.ts";

const LANE = 34;
const BAND = 22;
const VIEWS_HEIGHT = 18;
const LAG_HEIGHT = 90;
const LAG_GAP = 16;

/** Draws bands of roles and views, lines of lag, and every view change. */
export function cluster(survey: Survey): Plot {
  const { replicas, viewChanges } = survey.cluster;
  const top = LABELS_HEIGHT + VIEWS_HEIGHT;
  const lanesEnd = top + replicas.length * LANE;
  const lagTop = lanesEnd + LAG_GAP;
  const bottom = lagTop + LAG_HEIGHT;
  let freeFrom = 0;
  const views = viewChanges.map(({ atNs, view, primary, cause }) => {
    const x = xOf(survey, atNs);
    const words = `view ${view}`;
    const hasRoom = x >= freeFrom && x + words.length * 6.1 < WIDTH;
    if (hasRoom) freeFrom = x + words.length * 6.1 + 8;
    const why = `view ${view} seen at ${duration(atNs)}${
      primary === undefined ? "" : `, primary: replica ${primary}`
    }${cause === "" ? "" : `, after ${cause.replaceAll("_", " ")}`}`;
    return `<g class="viewchange"><path d="M${x} ${top - 4}V${bottom}"/><title>${
      escapeHtml(why)
    }</title></g>${hasRoom ? label(x, top - 7, words, "viewname") : ""}`;
  });
  return {
    name: "cluster",
    title: "Role, view and lag of each replica",
    height: bottom + AXIS_HEIGHT,
    isOnAxis: true,
    body: faultBands(survey, LABELS_HEIGHT, bottom) + timeAxis(survey, lagTop, bottom) +
      replicas.map((lane, index) => laneOf(survey, lane, top + index * LANE)).join("") +
      views.join("") + lagLines(survey, lagTop, bottom),
  };
}

function laneOf(survey: Survey, { replicaId, bands }: ReplicaLane, top: number): string {
  const y = top + (LANE - BAND) / 2;
  return label(LEFT - 8, y + 15, `replica ${replicaId}`, "lane end") +
    bands.map((band) => bandOf(survey, band, y)).join("");
}

function bandOf(survey: Survey, band: Band, y: number): string {
  const [x, end] = [xOf(survey, band.fromNs), xOf(survey, band.toNs)];
  const width = Math.max(1, round(end - x));
  const role = band.role.replaceAll("_", " ");
  const long = band.view === "" ? role : `${role} · view ${band.view}`;
  const words = [long, role].find((text) => text.length * 6.1 + 10 <= width);
  const said = `${long}, from ${duration(band.fromNs)} to ${duration(band.toNs)}${
    band.detail === "" ? "" : `; ${band.detail}`
  }`;
  return `<g class="band ${band.kind}"><rect x="${x}" y="${y}" width="${width}" height="${BAND}"/>${
    words === undefined ? "" : label(x + 5, y + 15, words)
  }<title>${escapeHtml(said)}</title></g>`;
}

function lagLines(survey: Survey, top: number, bottom: number): string {
  const { replicas } = survey.cluster;
  const most = Math.max(4, ...replicas.flatMap(({ commits }) => commits.map(({ lag }) => lag)));
  const step = niceStep(most / 3);
  const high = Math.ceil(most / step) * step;
  const yOf = (lag: number): number => round(bottom - lag / high * (bottom - top));
  const rows = Array.from(
    { length: Math.round(high / step) + 1 },
    (_, i) =>
      `<path class="grid" d="M${LEFT} ${yOf(i * step)}H${WIDTH - RIGHT}"/>` +
      label(
        LEFT - 8,
        yOf(i * step) + 4,
        i === 0 ? "lag 0" : grouped(Math.round(i * step)),
        "axis end",
      ),
  );
  const lines = replicas.map(({ replicaId, commits }, index) => {
    const points = commits.map(({ atNs, lag }) => `${xOf(survey, atNs)} ${yOf(lag)}`);
    return points.length === 0
      ? ""
      : `<g><path class="line r${index % 5}" d="M${
        points.join("L")
      }"/><title>replica ${replicaId}: entries behind the furthest</title></g>`;
  });
  return rows.join("") + lines.join("");
}
