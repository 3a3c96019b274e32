/** Reads a history of any format, from a file or from standard input. */
import { HistoryError } from "../history/history_error.ts";
import { Pairing } from "../history/pairing.ts";
import type { Recording } from "../history/recording.ts";
import type { EventSink, Format, ReadOptions } from "./format.ts";
import { RecordingSink } from "./recording_sink.ts";
import { openSource } from "./source.ts";

/**
 * Reads a history.
 *
 * @param path A file, also a gzipped one; `-` is standard input.
 * @throws {HistoryError} For everything that is wrong with it, also that there is no such file; names the file.
 */
export async function readHistory(path: string, options: ReadOptions): Promise<Recording> {
  return await namingSource(path, async () => {
    const { format, chunks } = await openSource(path, options);
    if (format === undefined) {
      for await (const _ of chunks);
      return nothingIn(options);
    }
    const sink = new RecordingSink(options.maxSkipped ?? format.skippedMax);
    await pump(format, chunks, sink, options);
    return sink.finish();
  });
}

/** What a file without anything in it says. */
function nothingIn({ model }: ReadOptions): Recording {
  return new Pairing({ model: model ?? "reservation" }).finish();
}

/** Gives everything that there is to a sink. */
export async function pump(
  format: Format,
  chunks: AsyncIterable<Uint8Array>,
  sink: EventSink,
  options: ReadOptions,
): Promise<void> {
  const reader = format.read(sink, options);
  for await (const chunk of chunks) reader.push(chunk);
  reader.end();
}

/** Sees to it that errors say which file. */
export async function namingSource<Result>(
  path: string,
  body: () => Promise<Result>,
): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof HistoryError) || error.source !== undefined) throw error;
    throw error.inSource(path === "-" ? "standard input" : path);
  }
}
