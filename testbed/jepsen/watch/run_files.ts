/** The files of a run as a watcher reads them: while they are written, and whatever is in them. */
import { fileError } from "../../../cluster/workspace/workspace_files.ts";
import type { SeenEvent } from "./view.ts";

/** Longer status files are none. */
const STATUS_BYTES_MAX = 65_536;
/** The end of an events log that is looked at. */
const TAIL_BYTES = 16_384;

/**
 * The keys of a status file; nothing when there is none.
 *
 * @throws {CliError} When it cannot be read.
 */
export function readStatus(path: string): ReadonlyMap<string, string> | undefined {
  const text = readTail(path, STATUS_BYTES_MAX);
  return text === undefined ? undefined : parseStatus(text);
}

/** Lines of `key=value`; what is none is passed over. */
export function parseStatus(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split("\n").flatMap((line): [string, string][] => {
      const at = line.indexOf("=");
      return at <= 0 ? [] : [[line.slice(0, at), unescape(line.slice(at + 1))]];
    }),
  );
}

/**
 * The last events of a log; none when there is no log.
 *
 * @throws {CliError} When it cannot be read.
 */
export function readEventsTail(path: string, most: number): readonly SeenEvent[] {
  const text = readTail(path, TAIL_BYTES);
  return text === undefined ? [] : parseEvents(text).slice(-most);
}

/** Lines of `time_millis=… detail=…`; others, such as the first of a tail or the last one half written, are passed over. */
export function parseEvents(text: string): readonly SeenEvent[] {
  return text.split("\n").slice(0, -1).flatMap((line) => {
    const [, time, detail] = /^time_millis=([0-9]{1,15}) detail=(.*)$/.exec(line) ?? [];
    return time === undefined ? [] : [{ timeMillis: Number(time), detail: unescape(detail!) }];
  });
}

function unescape(text: string): string {
  return text.replace(/\\(\\|n)/g, (_, escaped) => escaped === "n" ? "\n" : "\\");
}

/** The end of a file. */
function readTail(path: string, bytes: number): string | undefined {
  try {
    using file = Deno.openSync(path, { read: true });
    const { size } = file.statSync();
    file.seekSync(Math.max(0, size - bytes), Deno.SeekMode.Start);
    const buffer = new Uint8Array(bytes);
    let length = 0;
    for (;;) {
      const read = file.readSync(buffer.subarray(length));
      if (read === null || read === 0) break;
      length += read;
    }
    return new TextDecoder().decode(buffer.subarray(0, length));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fileError(error, "read", path);
  }
}
