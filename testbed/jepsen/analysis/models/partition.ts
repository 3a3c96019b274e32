/** Which objects can be judged by themselves: keys, and for transactions all keys that some of them have in common. */
import type { ModelName, ModelOperation, Value } from "../../history/model.ts";
import { partsOf } from "./multi_register.ts";
import { shortened, textOf } from "./values.ts";

/** Operations on objects that have nothing to do with any others. */
export interface Partition {
  /** `key "7"`, `keys 1, 2`; empty for a history without keys. */
  readonly name: string;
  readonly operations: readonly ModelOperation[];
}

/** Divides a history, in the order in which each partition is first mentioned. */
export function divide(
  operations: readonly ModelOperation[],
  model: ModelName,
  usePartitions: boolean,
): readonly Partition[] {
  if (!usePartitions && model === "kv") return [{ name: "", operations }];
  const groups = new Groups();
  const keys = operations.map((operation) => groups.join(keysOf(operation, model, usePartitions)));
  const divided = new Map<string, ModelOperation[]>();
  operations.forEach((operation, index) => {
    const group = groups.find(keys[index]!);
    const known = divided.get(group);
    if (known === undefined) divided.set(group, [operation]);
    else known.push(operation);
  });
  return [...divided].map(([group, members]) => ({
    name: nameOf(groups.membersOf(group)),
    operations: members,
  }));
}

/** The last part of what is joined is a key of the history itself: other tests' keys of the same name are others. */
function keysOf(
  operation: ModelOperation,
  model: ModelName,
  usePartitions: boolean,
): readonly string[] {
  const outer = operation.key === undefined ? "" : textOf(operation.key);
  if (model !== "multi-register" || !usePartitions) return [outer];
  const inner = new Set(partsOf(operation).map(({ key }) => textWithin(operation.key, key)));
  return inner.size === 0 ? [outer] : [...inner];
}

function textWithin(outer: Value | undefined, key: Value): string {
  return outer === undefined ? textOf(key) : `${textOf(outer)} ${textOf(key)}`;
}

function nameOf(keys: readonly string[]): string {
  const named = keys.filter((key) => key !== "");
  if (named.length === 0) return "";
  const shown = named.slice(0, NAMES_MAX).map(shortened).join(", ");
  const rest = named.length > NAMES_MAX ? ` and ${named.length - NAMES_MAX} more` : "";
  return `${named.length === 1 ? "key" : "keys"} ${shown}${rest}`;
}

const NAMES_MAX = 4;

/** Sets of keys that grow together. */
class Groups {
  readonly #parents = new Map<string, string>();

  /** Makes all of them one, and returns one of them. */
  join(keys: readonly string[]): string {
    const first = this.find(keys[0]!);
    for (const key of keys) {
      const other = this.find(key);
      if (other !== first) this.#parents.set(other, first);
    }
    return first;
  }

  find(key: string): string {
    const parent = this.#parents.get(key);
    if (parent === undefined) this.#parents.set(key, key);
    if (parent === undefined || parent === key) return key;
    const root = this.#rootOf(parent);
    this.#parents.set(key, root);
    return root;
  }

  membersOf(group: string): string[] {
    const isLarge = this.#parents.size > LOOKED_AT_MAX;
    if (isLarge) return [group];
    return [...this.#parents.keys()].filter((key) => this.find(key) === group);
  }

  #rootOf(key: string): string {
    let at = key;
    for (let parent = this.#parents.get(at)!; parent !== at; parent = this.#parents.get(at)!) {
      at = parent;
    }
    return at;
  }
}

/** Keys above which a partition goes by one of its names. */
const LOOKED_AT_MAX = 1_000;
