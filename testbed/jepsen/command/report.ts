/** The files of `--report`: what a run leaves in its bundle, of a history alone. */
import { basename, dirname } from "@std/path";
import type { JepsenAnalyze } from "../../../node/cli/jepsen_options.ts";
import { shellCommand } from "../../../node/cli/text.ts";
import { buildCommit, VERSION } from "../../../node/version.ts";
import type { Judgement } from "../analysis/judgement.ts";
import type { Recording } from "../history/recording.ts";
import { renderReport } from "../report/report.ts";
import { hashFile } from "../run/hashing.ts";
import { writeAll } from "./files.ts";

/**
 * Writes report.html, report.json, summary.txt, junit.xml and the plots.
 *
 * @throws {CliError} E_IO when the system refuses.
 */
export async function writeReport(
  directory: string,
  file: string,
  recording: Recording,
  judgement: Judgement,
  request: JepsenAnalyze,
): Promise<void> {
  const files = file === "-" ? [] : [await hashFile(dirname(file), basename(file))];
  const { html, json, summary, junit, svgs } = renderReport({
    ...{ title: recording.header.runId ?? basename(file), recording, judgement, files },
    judgedBy: `allocdb ${VERSION} (${buildCommit()})`,
    settings: settingsOf(request),
    ...file === "-" ? {} : { reproduce: shellCommand(["allocdb", "jepsen", "analyze", file]) },
  });
  const plots = Object.entries(svgs).map(([name, svg]) => [`${name}.svg`, svg]);
  await writeAll(directory, {
    ...{ "report.html": html, "report.json": json, "summary.txt": summary, "junit.xml": junit },
    ...Object.fromEntries(plots),
  });
}

function settingsOf(request: JepsenAnalyze): Record<string, string> {
  return {
    algorithm: request.algorithm,
    "failed operations": request.failedOps,
    "reads of nil": request.nilRead,
    refusals: request.refusals,
    "time limit": `${request.timeLimitMs} ms`,
    "memory limit": `${request.memoryLimitBytes} bytes`,
  };
}
