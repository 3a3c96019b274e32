/** The file of `--min-coverage`: a JSON object of figures' names and what they have to reach. */
import * as v from "valibot";
import { quote } from "../../../node/cli/text.ts";
import { CliError } from "../../../node/errors.ts";

const MINIMUM = v.record(v.string(), v.pipe(v.number(), v.safeInteger(), v.minValue(0)));

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
    bytes = Deno.readFileSync(path);
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

function badMinimum(path: string, problem: string): CliError {
  return new CliError("E_BAD_CONFIG", `${quote(path)} has no figures to reach: ${problem}`, {
    hint: 'write it like {"contended_reserves": 100, "reads_during_faults": 10}',
  });
}
