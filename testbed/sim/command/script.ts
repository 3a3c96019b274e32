/** A protocol script, played for whoever wrote it. Source: docs/simulator.md#protocol-scripts. */
import type { CliIo } from "../../../node/cli/io.ts";
import { show, type Style } from "../../../node/cli/output.ts";
import type { SimLives } from "../../../node/cli/sim_options.ts";
import { CliError } from "../../../node/errors.ts";
import { runScript, type ScriptRun } from "../scenario/run.ts";
import { readText, writeText } from "./files.ts";

/** Longest script in bytes. */
const SCRIPT_BYTES_MAX = 1024 * 1024;

/**
 * Plays it and compares what happened with what the file says, or writes it there.
 *
 * @param which The file.
 * @param style How to print.
 * @param io The outside.
 * @throws {CliError} E_BAD_PLAN when it is no script, E_CHECK_FAILED when it went another way or broke a promise.
 */
export async function playScript(
  { file, updates }: Extract<SimLives, { readonly kind: "script" }>,
  style: Style,
  io: CliIo,
): Promise<void> {
  const text = readText(file, SCRIPT_BYTES_MAX);
  const run = runScript(text, { name: file });
  const isUpdated = updates && run.failure === undefined && run.output !== text;
  if (isUpdated) writeText(file, run.output);
  if (run.differences !== "" && !updates && style.format === "table" && !style.quiet) {
    io.out.write(run.differences);
  }
  judge(run, updates);
  await tell(run, { file, isUpdated }, style, io);
}

function judge({ title, failure, differences }: ScriptRun, updates: boolean): void {
  if (failure !== undefined && title === "") {
    throw new CliError("E_BAD_PLAN", failure, {
      hint: "docs/simulator.md#protocol-scripts has every verb",
    });
  }
  if (failure !== undefined) throw new CliError("E_CHECK_FAILED", failure);
  if (differences === "" || updates) return;
  throw new CliError("E_CHECK_FAILED", "the script went another way than it says", {
    hint: "if what happens is right, write it down with --update",
    context: { differences },
  });
}

async function tell(
  { title }: ScriptRun,
  { file, isUpdated }: { readonly file: string; readonly isUpdated: boolean },
  style: Style,
  io: CliIo,
): Promise<void> {
  if (style.format !== "table") {
    return await show(io, { data: { script: file, title, updated: isUpdated } }, style);
  }
  if (!style.quiet) io.out.write(`${title}: ${isUpdated ? "written down" : "as it says"}\n`);
}
