/** What the command lines of the benchmarks have in common. Pure. */
import { parseArgs } from "@std/cli/parse-args";
import type { Scenario } from "./measurement.ts";

/** A command line that makes no sense; the message says what. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Flags as they were given. */
export interface Flags<Value extends string, Switch extends string> {
  /** @throws {UsageError} when it is given twice or without a value. */
  one(name: Value): string | undefined;
  has(name: Switch): boolean;
}

/**
 * Finds the flags.
 *
 * @param args The command line.
 * @param values Names of flags with a value.
 * @param switches Names of flags without.
 * @throws {UsageError} when there is anything else.
 */
export function readFlags<const Value extends string, const Switch extends string>(
  args: readonly string[],
  values: readonly Value[],
  switches: readonly Switch[],
): Flags<Value, Switch> {
  const found: Record<string, unknown> = parseArgs([...args], {
    string: [...values],
    collect: [...values],
    boolean: [...switches],
    unknown: (argument: string) => {
      throw new UsageError(`Unknown argument '${argument}'`);
    },
  });
  return {
    one: (name) => single(name, (found[name] ?? []) as readonly string[]),
    has: (name) => found[name] === true,
  };
}

function single(name: string, given: readonly string[]): string | undefined {
  if (given.length > 1) throw new UsageError(`--${name} is given more than once`);
  if (given[0] === "") throw new UsageError(`--${name} needs a value`);
  return given[0];
}

/** @throws {UsageError} when it is none from 1 to `max`. */
export function wholeNumber(
  text: string | undefined,
  fallback: number,
  flag: string,
  max: number,
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^[1-9][0-9]*$/.test(text) && value <= max) return value;
  throw new UsageError(`${flag} '${text}' is not a whole number from 1 to ${max}`);
}

/**
 * Finds loads by name, in the order they were asked for.
 *
 * @throws {UsageError} when there is no such load.
 */
export function chooseScenarios(
  text: string | undefined,
  scenarios: readonly Scenario[],
): readonly Scenario[] {
  if (text === undefined) return scenarios;
  return text.split(",").map((name) => {
    const scenario = scenarios.find((scenario) => scenario.name === name);
    if (scenario !== undefined) return scenario;
    throw new UsageError(`There is no load '${name}'`);
  });
}
