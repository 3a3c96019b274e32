/** Figures and bounds under the names operators know, as JSON. */
import type { Metrics } from "../api.ts";
import { hexOf, snakeCase } from "../cli/fields.ts";

/** What the trees are made of. */
export type TreeValue = string | number | boolean | null | Tree | readonly TreeValue[];

/** An object whose names are snake_case. A u64 in it is a decimal string, what is absent is null. */
export interface Tree {
  readonly [name: string]: TreeValue;
}

/**
 * The runbook's metrics tree.
 *
 * @param metrics As the node answers them.
 * @returns Ready for `JSON.stringify`. Names are only ever added.
 */
export function metricsToJson(metrics: Metrics): Tree {
  return toTree(metrics);
}

/** A record of records, lists, numbers, texts, booleans and bytes; bytes become hex digits. */
export function toTree(record: object): Tree {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [snakeCase(name), toTreeValue(value)]),
  );
}

function toTreeValue(value: unknown): TreeValue {
  switch (typeof value) {
    case "bigint":
      return value.toString();
    case "string":
    case "number":
    case "boolean":
      return value;
    case "object":
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(toTreeValue);
      return value instanceof Uint8Array ? hexOf(value) : toTree(value);
    default:
      return null;
  }
}
