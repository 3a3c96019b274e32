/** The events log of a run as lines of a report. */
import type { HistoryHeader } from "../history/event.ts";
import type { LogLine } from "../report/input.ts";

/** Those of the run that a header is about: the log goes on from run to run. */
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

function unescape(text: string): string {
  return text.replace(/\\(\\|n)/g, (_, escaped) => escaped === "n" ? "\n" : "\\");
}
