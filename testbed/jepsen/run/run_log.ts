/** What the runner and the replicas logged, as lines of a report: all on the clock of the recording. */
import type { HistoryHeader } from "../history/event.ts";
import type { LogLine } from "../report/input.ts";

/** Lines of replicas that a page has at most; what is no news goes first. */
const LINES_MAX = 4_000;

/** Those of the run that a header is about: the events log goes on from run to run. */
export function runnerLog(text: string, { startedAtMillis }: HistoryHeader): readonly LogLine[] {
  if (startedAtMillis === undefined) return [];
  const lines = text.split("\n").flatMap((line) => {
    const [, time, detail] = /^time_millis=([0-9]{1,15}) detail=(.*)$/.exec(line) ?? [];
    return time === undefined ? [] : [{ timeMillis: Number(time), text: unescape(detail!) }];
  });
  const first = lines.findLastIndex(({ text }) => text === "run initialized");
  return lines.slice(Math.max(0, first)).map(({ timeMillis, text }) => ({
    timeNs: (timeMillis - startedAtMillis) * 1e6,
    source: "runner",
    level: text.startsWith("error: ") ? "error" : "info",
    text,
  }));
}

/**
 * Lines of replicas' logs, by the ids of those: `2026-11-20T16:25:10.943Z info    replica=1 …`. Others are passed over. Of
 * too many those above `info` are kept, and the latest of the rest.
 */
export function replicaLogs(
  logs: ReadonlyMap<number, string>,
  { startedAtMillis }: HistoryHeader,
): readonly LogLine[] {
  if (startedAtMillis === undefined) return [];
  const lines = [...logs].flatMap(([id, text]) => linesOf(id, text, startedAtMillis));
  lines.sort((a, b) => a.timeNs - b.timeNs);
  if (lines.length <= LINES_MAX) return lines;
  const grave = lines.filter(isGrave).slice(-LINES_MAX);
  const rest = lines.filter((line) => !isGrave(line));
  return [...rest.slice(rest.length - (LINES_MAX - grave.length)), ...grave];
}

function linesOf(id: number, text: string, startedAtMillis: number): readonly LogLine[] {
  return text.split("\n").flatMap((line) => {
    const [, time, level, said] = /^(\S{20,30}Z) ([a-z]{1,10}) +(.*)$/.exec(line) ?? [];
    const millis = time === undefined ? NaN : Date.parse(time);
    if (Number.isNaN(millis)) return [];
    const timeNs = (millis - startedAtMillis) * 1e6;
    return [{ timeNs, source: `replica ${id}`, level: level!, text: said! }];
  });
}

function isGrave({ level }: LogLine): boolean {
  return level !== "info" && level !== "debug" && level !== "trace";
}

function unescape(text: string): string {
  return text.replace(/\\(\\|n)/g, (_, escaped) => escaped === "n" ? "\n" : "\\");
}
