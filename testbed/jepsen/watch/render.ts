/** A dashboard as lines of text. Pure: the same view and time give the same lines. */
import { createColors } from "picocolors";
import { printable } from "../../../node/cli/text.ts";
import type { LaneView, ReplicaView, SeenEvent } from "./view.ts";
import { bar, compact, cut, percent, since, span } from "./words.ts";

/** How to draw. */
export interface Drawing {
  readonly color: boolean;
  readonly refreshMs: number;
  readonly follow: boolean;
  readonly nowMillis: number;
}

const WIDTH = 88;
const BAR_CELLS = 18;
const EVENTS_MAX = 8;
const FLEET_EVENTS_MAX = 4;
/** Silence of a run that is worth a word, in seconds. */
const SILENT_SECS_MIN = 15;

/** One cluster, or a fleet. */
export function dashboard(
  lanes: readonly LaneView[],
  isFleet: boolean,
  drawing: Drawing,
): string[] {
  return isFleet ? fleet(lanes, drawing) : single(lanes[0]!, drawing);
}

function single(lane: LaneView, drawing: Drawing): string[] {
  const { bold, dim } = createColors(drawing.color);
  return [
    bold("allocdb jepsen watch"),
    dim(`status_file=${printable(lane.statusFile)} ${mode(drawing)}`),
    ...section("Run Summary", drawing),
    ...summary(lane, drawing),
    ...section("Replicas", drawing),
    ...replicaTable(lane.replicas.map((replica) => ({ lane: "", replica })), drawing),
    ...problemLines(lane, drawing),
    ...section("Recent Events", drawing),
    ...eventLines(lane, EVENTS_MAX, drawing),
  ];
}

function fleet(lanes: readonly LaneView[], drawing: Drawing): string[] {
  const { bold, dim } = createColors(drawing.color);
  const replicas = lanes.flatMap((lane) =>
    lane.replicas.map((replica) => ({ lane: lane.name, replica }))
  );
  return [
    bold("allocdb jepsen watch: fleet"),
    dim(`lanes=${lanes.length} ${mode(drawing)}`),
    ...section("Lanes", drawing),
    ...laneTable(lanes, drawing),
    ...section("Replicas", drawing),
    ...replicaTable(replicas, drawing),
    ...lanes.flatMap((lane) => [
      ...section(printable(lane.name), drawing),
      ...problemLines(lane, drawing),
      ...eventLines(lane, FLEET_EVENTS_MAX, drawing),
    ]),
  ];
}

function mode({ refreshMs, follow }: Drawing): string {
  return `refresh=${refreshMs}ms mode=${follow ? "follow" : "once"}`;
}

function section(title: string, { color }: Drawing): string[] {
  const { cyan } = createColors(color);
  return ["", cyan(`── ${title} ${"─".repeat(Math.max(0, WIDTH - title.length - 4))}`)];
}

/** What the status file says, or that it says nothing yet. */
function summary({ status }: LaneView, drawing: Drawing): string[] {
  if (status === undefined) return ["  waiting for a run"];
  const rows: readonly (readonly [string, string])[] = [
    ["Run", said(status, "run_id")],
    ["State", painted(said(status, "state"), drawing)],
    ["Phase", said(status, "phase")],
    ["Elapsed", span(numberIn(status, "elapsed_secs") ?? 0) + silence(status, drawing)],
    ["Window", windowText(status)],
    ["History", `${said(status, "history_events")} events`],
    ["Gate", painted(gateText(status), drawing)],
    ["Blockers", said(status, "blockers")],
    ["Detail", said(status, "detail")],
    ["Last Error", said(status, "last_error")],
  ];
  return rows.map(([name, text]) => `  ${name.padEnd(12)}${text}`);
}

/** A run tells every few seconds how it goes, but for the time in which it judges; one that was killed never again. */
function silence(status: ReadonlyMap<string, string>, { nowMillis }: Drawing): string {
  const updated = numberIn(status, "updated_at_millis");
  if (updated === undefined || said(status, "state") !== "running") return "";
  const secs = (nowMillis - updated) / 1_000;
  return secs < SILENT_SECS_MIN ? "" : `, nothing heard for ${span(secs)}`;
}

function windowText(status: ReadonlyMap<string, string>): string {
  const target = numberIn(status, "minimum_fault_window_secs");
  if (target === undefined) return "control run";
  const elapsed = numberIn(status, "fault_window_elapsed_secs") ??
    numberIn(status, "elapsed_secs") ?? 0;
  const done = Math.min(elapsed, target);
  return `${bar(done, target, BAR_CELLS)} ${span(done)}/${span(target)} ${percent(done, target)}`;
}

function gateText(status: ReadonlyMap<string, string>): string {
  const passed = status.get("release_gate_passed");
  return passed === "true" ? "clear" : passed === "false" ? "blocked" : "pending";
}

const LANE_COLUMNS = [10, 34, 9, 11, 9, 20, 9, 6] as const;

function laneTable(lanes: readonly LaneView[], drawing: Drawing): string[] {
  const head = ["lane", "run", "state", "phase", "elapsed", "window", "hist", "lead", "note"];
  return table([head, ...lanes.map((lane) => laneRow(lane, drawing))], LANE_COLUMNS, drawing);
}

function laneRow(
  { name, status, problem, replicas }: LaneView,
  drawing: Drawing,
): string[] {
  const lead = replicas.find(({ role, health, writes }) =>
    role === "primary" && health === "up" && writes === "on"
  );
  const leads = lead === undefined ? "-" : `r${lead.id}`;
  if (status === undefined) {
    return [name, "-", "waiting", "-", "-", "-", "-", leads, problem ?? ""];
  }
  const target = numberIn(status, "minimum_fault_window_secs");
  const elapsed = numberIn(status, "elapsed_secs") ?? 0;
  const window = target === undefined ? "control" : `${bar(elapsed, target, 8)} ${span(target)}`;
  return [
    ...[name, said(status, "run_id"), said(status, "state"), said(status, "phase")],
    ...[span(elapsed), window, compact(numberIn(status, "history_events")), leads],
    problem ??
      noneToEmpty(said(status, "last_error")) + silence(status, drawing).slice(", ".length),
  ];
}

const REPLICA_COLUMNS = [4, 8, 12, 7, 9, 4, 6, 6, 6] as const;

function replicaTable(
  rows: readonly { readonly lane: string; readonly replica: ReplicaView }[],
  drawing: Drawing,
): string[] {
  const hasLanes = rows.some(({ lane }) => lane !== "");
  const head = ["id", "health", "role", "view", "commit", "wr", "queue", "lag", "due", "note"];
  const cells = rows.map(({ lane, replica }) => {
    const { id, health, role, view, commit, writes, queue, lag, due, note } = replica;
    const figures = [compact(queue), compact(lag), compact(due)];
    const row = [id, health, role, compact(view), compact(commit), writes, ...figures, note];
    return hasLanes ? [lane, ...row] : row;
  });
  if (cells.length === 0) return ["  no replicas to see"];
  const widths = hasLanes ? [LANE_COLUMNS[0], ...REPLICA_COLUMNS] : REPLICA_COLUMNS;
  return table([hasLanes ? ["lane", ...head] : head, ...cells], widths, drawing);
}

/** Columns of fixed width; the last one takes what is left. */
function table(
  [head, ...rows]: readonly (readonly string[])[],
  widths: readonly number[],
  drawing: Drawing,
): string[] {
  const { dim } = createColors(drawing.color);
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => {
      const text = printable(cell);
      const width = widths[i];
      return width === undefined ? cut(text, WIDTH) : cut(text, width).padEnd(width);
    }).join(" ").trimEnd();
  return [
    dim(`  ${line(head!)}`),
    ...rows.map((cells) => `  ${paintedRow(line(cells), cells, drawing)}`),
  ];
}

function problemLines({ problem }: LaneView, drawing: Drawing): string[] {
  const { red } = createColors(drawing.color);
  return problem === undefined ? [] : [red(`  ${printable(problem)}`)];
}

function eventLines({ events, status }: LaneView, most: number, drawing: Drawing): string[] {
  if (events.length === 0) return ["  nothing yet"];
  const begin = status === undefined ? undefined : numberIn(status, "started_at_millis");
  return events.slice(-most).map((event) =>
    eventLine(event, begin ?? events[0]!.timeMillis, drawing)
  );
}

function eventLine({ timeMillis, detail }: SeenEvent, begin: number, { color }: Drawing): string {
  const { dim } = createColors(color);
  return `  ${dim(since(timeMillis - begin).padStart(10))}  ${cut(printable(detail), WIDTH - 14)}`;
}

const GOOD = new Set(["passed", "clear", "up"]);
const BAD = new Set(["failed", "blocked", "faulted", "down"]);

/** A word in the colour of what it means. */
function painted(word: string, { color }: Drawing): string {
  const { green, red, yellow } = createColors(color);
  if (GOOD.has(word)) return green(word);
  return BAD.has(word) ? red(word) : yellow(word);
}

function paintedRow(line: string, cells: readonly string[], { color }: Drawing): string {
  const { red } = createColors(color);
  return cells.some((cell) => BAD.has(cell)) ? red(line) : line;
}

function said(status: ReadonlyMap<string, string>, key: string): string {
  return printable(status.get(key) ?? "none");
}

function noneToEmpty(text: string): string {
  return text === "none" ? "" : text;
}

/** A whole number in the status file. */
export function numberIn(status: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = status.get(key) ?? "";
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}
