/** The node's log on standard error: LogTape with a synchronous sink of our own, as text or as JSON lines. */
import { configureSync, getJsonLinesFormatter, getLogger, type LogRecord } from "@logtape/logtape";
import type { NodeLog } from "./log_lines.ts";

/** How lines look. */
export type LogFormat = "text" | "json";

/**
 * Sends the node's log to standard error from now on.
 *
 * @param format `text` for people and grep, `json` for collectors.
 * @param lowestLevel What is below it is thrown away.
 * @returns The node's log.
 */
export function openLog(
  format: LogFormat,
  lowestLevel: "debug" | "info" = "info",
): NodeLog & { debug(line: string): void } {
  const line = format === "json" ? getJsonLinesFormatter() : formatText;
  const encoder = new TextEncoder();
  const write = (record: LogRecord): void => writeAll(encoder.encode(line(record)));
  configureSync({
    reset: true,
    sinks: { stderr: write },
    loggers: [
      { category: "allocdb", lowestLevel, sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
  const logger = getLogger("allocdb");
  return {
    debug: (text) => logger.debug("{text}", { text }),
    info: (text) => logger.info("{text}", { text }),
    warn: (text) => logger.warn("{text}", { text }),
    error: (text) => logger.error("{text}", { text }),
  };
}

/** `2026-11-20T08:00:00.000Z info  recovery complete: …` */
function formatText(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString();
  return `${time} ${record.level.padEnd(7)} ${record.properties["text"] ?? record.rawMessage}\n`;
}

/** Nobody reading the log any more is no reason to stop serving. */
function writeAll(bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
