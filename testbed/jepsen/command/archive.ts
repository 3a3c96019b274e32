/** `jepsen archive`: a bundle of a history that is there. */
import type { CliIo } from "../../../node/cli/io.ts";
import type { JepsenRequest } from "../../../node/cli/jepsen_options.ts";
import { jsonText } from "../../../node/cli/output.ts";
import { printable } from "../../../node/cli/text.ts";
import { CliError } from "../../../node/errors.ts";
import { HistoryError } from "../history/history_error.ts";
import { type Archived, archiveRun } from "../run/archive.ts";
import { backendMaker } from "./backends.ts";

type ArchiveRequest = Extract<JepsenRequest, { readonly verb: "archive" }>;

/**
 * Archives.
 *
 * @throws {CliError} E_BAD_HISTORY; E_CHECK_FAILED when the gate is blocked, E_INCONCLUSIVE when nothing can be said.
 */
export async function runArchive(request: ArchiveRequest, io: CliIo): Promise<void> {
  const { runId, historyFile, outputRoot, json } = request;
  const notice = (text: string): void => io.err.write(`notice: ${printable(text)}\n`);
  const backend = backendMaker(request.backend, undefined)(request.workspace, notice);
  let archived: Archived;
  try {
    archived = await archiveRun({ runId, historyFile, outputRoot, backend });
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    throw new CliError("E_BAD_HISTORY", printable(error.message), { cause: error });
  }
  const { bundle, logsArchive, analyzed: { judgement, isGatePassed, report } } = archived;
  const facts = { artifact_bundle: bundle, local_logs_archive: logsArchive };
  if (json) {
    const verdict = { verdict: judgement.verdict, release_gate_passed: isGatePassed };
    io.out.write(jsonText({ version: 1, ...facts, ...verdict }, 2));
  } else {
    const lines = Object.entries(facts).map(([key, value]) => printable(`${key}=${value}`));
    io.out.write(`${lines.join("\n")}\n${report}`);
  }
  if (judgement.verdict === "unknown") {
    throw new CliError("E_INCONCLUSIVE", "nothing can be said of the history");
  }
  if (!isGatePassed) throw new CliError("E_CHECK_FAILED", "the release gate is blocked");
}
