/** Failures on their way to standard error: two lines for people, one JSON object for programs. */
import picocolors from "picocolors";
import { AssertionFailure } from "../../core/assert.ts";
import { CliError, type ErrorDetail } from "../errors.ts";
import { VERSION } from "../version.ts";
import { wantsColor } from "./color.ts";
import { type CliIo, OutputClosed } from "./io.ts";
import { jsonText, toJson } from "./output.ts";
import { printable } from "./text.ts";

/**
 * Says what went wrong.
 *
 * @param error What was thrown.
 * @param argv The command line, which says in which form.
 * @param io Where to.
 * @returns The exit code.
 */
export function reportFailure(error: unknown, argv: readonly string[], io: CliIo): number {
  // Whoever read our output has seen enough, as in `allocdb metrics | head -1`.
  if (error instanceof OutputClosed) return 0;
  const failure = asCliError(error);
  const text = wantsJson(argv) ? jsonForm(failure) : humanForm(failure, argv, io);
  writeQuietly(io, text + trace(error, io));
  return failure.exitCode;
}

/** Whatever was thrown, as an error of the contract. What has no place in it is a bug. */
export function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const detail: ErrorDetail = { cause: error, context: { version: VERSION } };
  if (error instanceof AssertionFailure) {
    return new CliError("E_BUG", `this fact does not hold: ${error.fact}`, detail);
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new CliError("E_BUG", message, detail);
}

/** Whether the command line asks for JSON. Read from the words, as the parser may be what failed. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  return words.some((word, i) =>
    word === "--json" || /^(--output=|-o=?)(nd)?json$/.test(word) ||
    (/^(nd)?json$/.test(word) && /^(-o|--output)$/.test(words[i - 1] ?? ""))
  );
}

function jsonForm({ code, exitCode, message, hint, retry, context }: CliError): string {
  const error = { code, exit: exitCode, message, hint, retry, context: toJson(context) };
  return jsonText({ ok: false, error }, 0);
}

function humanForm({ code, message, hint }: CliError, argv: readonly string[], io: CliIo): string {
  const colors = picocolors.createColors(wantsColor(io, io.err, colorChoice(argv)));
  const first = `${colors.red(colors.bold(`error[${code}]`))}: ${printable(message)}`;
  return `${first}\n  ${colors.cyan("hint")}: ${printable(hint)}\n`;
}

/** `--color` as typed; what is no choice counts as none, it has been refused already. */
function colorChoice(argv: readonly string[]): string | undefined {
  const at = argv.findIndex((word) => word === "--color" || word.startsWith("--color="));
  const word = argv[at]?.startsWith("--color=") ? argv[at].slice(8) : argv[at + 1];
  return at >= 0 && (word === "always" || word === "never") ? word : undefined;
}

function trace(error: unknown, io: CliIo): string {
  if (io.env("ALLOCDB_TRACE") !== "1" || !(error instanceof Error)) return "";
  const cause = error.cause instanceof Error ? `\ncaused by: ${error.cause.stack}` : "";
  return `${error.stack}${cause}\n`;
}

/** Standard error may be closed too; there is nobody left to tell. */
function writeQuietly(io: CliIo, text: string): void {
  try {
    io.err.write(text);
  } catch (error) {
    if (!(error instanceof OutputClosed)) throw error;
  }
}
