/** `jepsen compare`: two bundles on one page. */
import { basename, join } from "@std/path";
import type { CliIo } from "../../../node/cli/io.ts";
import type { JepsenRequest } from "../../../node/cli/jepsen_options.ts";
import { jsonText } from "../../../node/cli/output.ts";
import { printable, quote } from "../../../node/cli/text.ts";
import { CliError } from "../../../node/errors.ts";
import { HistoryError } from "../history/history_error.ts";
import { comparePage } from "../report/compare.ts";
import type { ReportInput } from "../report/input.ts";
import { analyzeRun } from "../run/analyze_run.ts";
import { RECORDING_FILE } from "../run/bundle.ts";
import { checkFiles } from "../run/check_bundle.ts";
import { writeWhole } from "./files.ts";

type CompareRequest = Extract<JepsenRequest, { readonly verb: "compare" }>;

/**
 * Judges both again and draws them side by side.
 *
 * @throws {CliError} E_CHECK_FAILED when a bundle is not what its manifest says, E_BAD_HISTORY, E_IO.
 */
export async function runCompare({ bundles, out, json }: CompareRequest, io: CliIo): Promise<void> {
  const [a, b] = [await bundleInput(bundles[0]), await bundleInput(bundles[1])];
  await writeWhole(out, comparePage(a, b));
  const verdicts = [a, b].map(({ judgement }) => judgement.verdict);
  if (json) return io.out.write(jsonText({ version: 1, page: out, bundles, verdicts }, 2));
  io.out.write(`page=${printable(out)} verdicts=${verdicts.join(",")}\n`);
}

async function bundleInput(directory: string): Promise<ReportInput> {
  const { manifest, problems } = await checkFiles(directory);
  if (manifest === undefined || problems.length > 0) {
    throw new CliError("E_CHECK_FAILED", `${quote(directory)} is no bundle: ${problems[0]}`, {
      hint: "see what is wrong with it: allocdb jepsen verify",
    });
  }
  try {
    const path = join(directory, RECORDING_FILE);
    const { recording, judgement } = await analyzeRun(path, undefined, {});
    const { files, facts, isGateEvidence } = manifest;
    const gateEvidenceReason = isGateEvidence ? "" : manifest.gateEvidenceReason;
    const title = basename(directory);
    return { title, recording, judgement, files, settings: facts, gateEvidenceReason };
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    throw new CliError("E_BAD_HISTORY", printable(error.message), { cause: error });
  }
}
