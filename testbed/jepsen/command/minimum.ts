/** The file of `--min-coverage`: a JSON object of figures' names and what they have to reach. */
import * as v from "valibot";
import { quote } from "../../../node/cli/text.ts";
import { CliError } from "../../../node/errors.ts";

const MINIMUM = v.pipe(
  v.custom<Record<string, unknown>>((value) => !Array.isArray(value), "an array is no object"),
  v.record(v.string(), v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
);

/** More figures than there are. */
const BYTES_MAX = 65_536;

/**
 * Reads a file of figures.
 *
 * @throws {CliError} E_BAD_CONFIG when it is none, E_IO when it cannot be read.
 */
export function readMinimum(path: string): Readonly<Record<string, number>> {
  const parsed = v.safeParse(MINIMUM, parseJson(path));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw badMinimum(path, `${v.getDotPath(issue) ?? "the document"}: ${issue.message}`);
}

function parseJson(path: string): unknown {
  let bytes: Uint8Array;
  try {
    bytes = beginningOf(path);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError("E_IO", `cannot read ${quote(path)}: ${message}`, { cause: error });
  }
  if (bytes.length > BYTES_MAX) throw badMinimum(path, `it has more than ${BYTES_MAX} bytes`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw badMinimum(path, error instanceof Error ? error.message : String(error));
  }
}

/** As much of a file as is looked at, and a byte more if there is one: some files have no end. */
function beginningOf(path: string): Uint8Array {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(BYTES_MAX + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = file.readSync(buffer.subarray(length));
    if (count === null) break;
    length += count;
  }
  return buffer.subarray(0, length);
}

function badMinimum(path: string, problem: string): CliError {
  return new CliError("E_BAD_CONFIG", `${quote(path)} has no figures to reach: ${problem}`, {
    hint: 'write it like {"contended_reserves": 100, "reads_during_faults": 10}',
  });
}
