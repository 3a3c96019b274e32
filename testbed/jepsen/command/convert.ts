/** `jepsen convert`: the same events in another format. */
import { fileError } from "../../../cluster/workspace/workspace_files.ts";
import { type CliIo, OutputClosed } from "../../../node/cli/io.ts";
import type { JepsenRequest } from "../../../node/cli/jepsen_options.ts";
import { jsonText } from "../../../node/cli/output.ts";
import { printable, quote } from "../../../node/cli/text.ts";
import { CliError } from "../../../node/errors.ts";
import { convert, type Converted } from "../codec/convert.ts";
import { HistoryError } from "../history/history_error.ts";
import { readOptionsOf } from "./analyze_file.ts";

type ConvertRequest = Extract<JepsenRequest, { readonly verb: "convert" }>;

/**
 * Converts.
 *
 * @throws {CliError} E_BAD_HISTORY, E_FILE_EXISTS, E_IO; E_USAGE when nobody said what to write.
 */
export async function runConvert(request: ConvertRequest, io: CliIo): Promise<void> {
  const { from, to, toFormat, json } = request;
  if (toFormat === undefined) {
    throw new CliError("E_USAGE", `the name ${quote(to)} does not say what to write`, {
      hint: "name the format with --to, or let the file end in .cbor, .jsonl, .edn or .json",
    });
  }
  const converted = await converting(to, async () => {
    return await convert(from, to, toFormat, readOptionsOf(request));
  });
  const sink = to === "-" ? io.err : io.out;
  sink.write(json ? jsonOf(converted) : linesOf(converted));
}

async function converting(to: string, body: () => Promise<Converted>): Promise<Converted> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof HistoryError) {
      throw new CliError("E_BAD_HISTORY", printable(error.message), { cause: error });
    }
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new CliError("E_FILE_EXISTS", `${quote(to)} exists`, { cause: error });
    }
    if (to === "-" && error instanceof Deno.errors.BrokenPipe) throw new OutputClosed();
    if (!String(error).includes("os error")) throw error;
    throw fileError(error, "write", to);
  }
}

function linesOf({ from, to, events, losses }: Converted): string {
  const lost = [...losses].map(([reason, count]) => `lost=${count} reason=${printable(reason)}`);
  return [`from=${from} to=${to} events=${events}`, ...lost].map((line) => `${line}\n`).join("");
}

function jsonOf({ losses, ...facts }: Converted): string {
  return jsonText({ version: 1, ...facts, losses: Object.fromEntries(losses) }, 2);
}
