/** Reads a history of any format, from a file or from standard input. */
import type { Recording } from "../history/recording.ts";
import type { ReadOptions } from "./format.ts";

/**
 * Reads a history.
 *
 * @param path A file, also a gzipped one; `-` is standard input.
 * @throws {HistoryError} For everything that is wrong with it, also that there is no such file.
 */
export function readHistory(_path: string, _options: ReadOptions): Promise<Recording> {
  return Promise.reject(new Error("not written yet"));
}
