/** Figures and bounds under the names operators know: snake_case trees, for JSON and for people. */
import type { Metrics } from "../api.ts";

/** What the trees are made of. A u64 or u128 is a decimal string, what is absent is null. */
export type TreeValue = string | number | boolean | null | Tree;

/** An object whose names are snake_case. */
export interface Tree {
  readonly [name: string]: TreeValue;
}

/** A record of this code base, whose names are camelCase. */
type Fields = { readonly [name: string]: unknown };

/**
 * The runbook's metrics tree.
 *
 * @param metrics As the node answers them.
 * @returns Ready for `JSON.stringify`. Names are only ever added.
 */
export function metricsToJson(metrics: Metrics): Tree {
  return toTree({ ...metrics });
}

/** A record with its names in snake_case, its `bigint`s as decimal strings and `undefined` as null. */
export function toTree(fields: Fields): Tree {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [snakeCase(name), toTreeValue(value)]),
  );
}

/**
 * The metrics as lines `core.logical_slot_lag=3`, in the tree's order; what is absent reads `none`.
 *
 * @param metrics As the node answers them.
 * @returns Lines that each end in a newline.
 */
export function renderMetricsText(metrics: Metrics): string {
  return leaves(metricsToJson(metrics))
    .map(([path, value]) => `${path}=${value ?? "none"}\n`)
    .join("");
}

/** Every value of a tree with the dotted path that leads to it. */
export function leaves(
  tree: Tree,
  prefix = "",
): [path: string, value: Exclude<TreeValue, Tree>][] {
  return Object.entries(tree).flatMap(([name, value]) =>
    typeof value === "object" && value !== null
      ? leaves(value, `${prefix}${name}.`)
      : [[`${prefix}${name}`, value]]
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
      return value === null ? null : toTree({ ...value });
    default:
      return null;
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
