/** Records of the node's own vocabulary as records to print: camelCase in, snake_case out. */
import type { Data, Value } from "./output.ts";

/** Deepest nesting of what a node answers, with room to spare. */
const DEPTH_MAX = 8;

/** `lastAppliedLsn` as `last_applied_lsn`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * A record to print, in the order of its fields.
 *
 * @param record Numbers, texts, booleans, bytes and records of these.
 * @returns The same under operators' names; bytes as hex digits.
 */
export function dataOf(record: object, depth = 0): Data {
  if (depth > DEPTH_MAX) throw new RangeError("The record is nested too deeply to print");
  return Object.fromEntries(
    Object.entries(record).map(([name, value]: [string, unknown]) => [
      snakeCase(name),
      valueOf(value, depth),
    ]),
  );
}

function valueOf(value: unknown, depth: number): Value | Data {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
    case "undefined":
      return value;
    case "object":
      if (value === null) return undefined;
      return value instanceof Uint8Array ? hexOf(value) : dataOf(value, depth + 1);
    default:
      return String(value);
  }
}

/** Bytes as lower-case hex digits. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
