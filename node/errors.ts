/**
 * The one error contract of the program: whatever ends a command short of its purpose is a `CliError`.
 * Source: docs/cli.md#errors.
 */
import { type ErrorCode, ERRORS, type Retry } from "./error_catalogue.ts";

/** Facts for whoever handles the error; a `bigint` is printed as a decimal string. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | bigint | undefined>>;

/** What a code's page does not say: this occurrence. */
export interface ErrorDetail {
  /** What to do now, with a command to paste if there is one. Defaults to the code's own advice. */
  readonly hint?: string;
  readonly context?: ErrorContext;
  /** Overrides the code's own answer. */
  readonly retry?: Retry;
  readonly cause?: unknown;
}

/** A command that did not do what it was asked. Only `cli.ts` catches it, prints it and exits. */
export class CliError extends Error {
  /** Stable class name, kept through bundling. */
  override readonly name = "CliError";
  readonly code: ErrorCode;
  readonly hint: string;
  readonly exitCode: number;
  readonly retry: Retry;
  readonly context: ErrorContext;

  /**
   * @param code What kind of failure; decides the exit code.
   * @param message What happened, in one sentence without a full stop.
   * @param detail Hint, facts and cause of this occurrence.
   */
  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? {} : { cause: detail.cause });
    const page = ERRORS[code];
    this.code = code;
    this.hint = detail.hint ?? page.advice;
    this.exitCode = page.exitCode;
    this.retry = detail.retry ?? page.retry;
    this.context = detail.context ?? {};
  }
}
