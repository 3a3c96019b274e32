/**
 * Whether a small history is linearizable under a model, by trying every order. It knows nothing of partitions, numbers, caches or
 * searches: states are plain values, all keys of a history are in one map, and an unanswered operation happens in each place or never.
 */
import type { ModelName, ModelOperation, Value } from "../../testbed/jepsen/history/model.ts";

/** How answers are to be read. */
export interface BruteRules {
  readonly model: ModelName;
  readonly init?: Value;
  readonly failedOps: "drop" | "check";
  readonly nilRead: "value" | "unknown";
}

/** What one object holds: a value, a list of elements, or who holds a lock and after which token. */
type Held = Value | Lock;

interface Lock {
  readonly holder: number;
  readonly token: bigint;
  readonly last: bigint;
}

/** By the text of the key. */
export type BruteState = ReadonlyMap<string, Held>;

/** Below every token of a test. */
const NO_TOKEN = -100n;
/** Tokens that are tried where nobody was told one. */
const TOKENS = Array.from({ length: 40 }, (_, i) => BigInt(i - 12));

/** Tries every order of a history of a handful of operations. */
export function isLinearizableModel(
  operations: readonly ModelOperation[],
  rules: BruteRules,
): boolean {
  const left = operations.filter((operation) => saysSomething(operation, rules));
  return search(left, new Map(), rules);
}

/**
 * Whether an order is one in which all answered operations can have happened: judged by the rules above alone.
 *
 * @returns What is wrong with it, undefined if nothing.
 */
export function refuteOrder(
  operations: readonly ModelOperation[],
  order: readonly ModelOperation[],
  rules: BruteRules,
): string | undefined {
  const heard = operations.filter((it) => saysSomething(it, rules));
  if (new Set(order).size !== order.length) return "something happens twice";
  if (order.some((it) => !heard.includes(it))) return "something happens that nobody asked for";
  const happened = new Set(order);
  const isMissing = (it: ModelOperation): boolean =>
    isAnswered(it) && !happened.has(it) && !isBlind(it, rules);
  if (heard.some(isMissing)) return "an answered one is missing";
  let latest = -1;
  let states: BruteState[] = [new Map()];
  for (const operation of order) {
    if ((operation.completedAt ?? Infinity) < latest) return "an order against time";
    latest = Math.max(latest, operation.invokedAt);
    states = states.flatMap((state) => after(state, operation, rules));
    if (states.length === 0) return "an answer that does not fit";
  }
  return undefined;
}

function search(left: readonly ModelOperation[], state: BruteState, rules: BruteRules): boolean {
  const answered = left.filter(isAnswered);
  if (answered.length === 0) return true;
  const end = Math.min(...answered.map(({ completedAt }) => completedAt!));
  return left.some((operation) =>
    operation.invokedAt < end &&
    after(state, operation, rules).some((next) =>
      search(left.filter((other) => other !== operation), next, rules)
    )
  );
}

function isAnswered({ outcome, completedAt }: ModelOperation): boolean {
  return outcome.kind !== "info" && completedAt !== undefined;
}

/** Whether it read what nobody knows. */
function isBlind({ f, outcome }: ModelOperation, { nilRead }: BruteRules): boolean {
  if (outcome.kind !== "ok" || nilRead === "value") return false;
  if (f !== "txn") return (f === "read" || f === "get") && outcome.value === null;
  return (outcome.value as readonly Value[]).every((part) => {
    const [name, , seen] = part as readonly Value[];
    return name === "read" && seen === null;
  });
}

function saysSomething({ f, outcome }: ModelOperation, { failedOps }: BruteRules): boolean {
  if (outcome.kind !== "fail") return true;
  return failedOps === "check" && f === "cas" && outcome.reason === undefined;
}

/** Every state that there may be after an operation. */
export function after(
  state: BruteState,
  operation: ModelOperation,
  rules: BruteRules,
): readonly BruteState[] {
  if (rules.model === "multi-register") return afterTransaction(state, operation, rules);
  const key = String(operation.key);
  const held = state.has(key) ? state.get(key)! : initial(rules);
  return step(held, operation, rules).map((next) => new Map([...state, [key, next]]));
}

function initial({ model, init }: BruteRules): Held {
  if (model === "lock") return { holder: -1, token: NO_TOKEN, last: NO_TOKEN };
  if (model === "kv") return init ?? "";
  if (model === "set") return init ?? [];
  return model === "mutex" ? init ?? false : init ?? null;
}

function step(held: Held, operation: ModelOperation, rules: BruteRules): readonly Held[] {
  const { f, value, outcome } = operation;
  const seen = outcome.kind === "ok" ? outcome.value : undefined;
  const sawNothing = seen === undefined || (seen === null && rules.nilRead === "unknown");
  switch (f) {
    case "read":
    case "get": {
      if (sawNothing) return [held];
      return sees(held as Value, seen, rules) ? [held] : [];
    }
    case "write":
    case "put":
      return [value];
    case "append":
      return [`${held}${value}`];
    case "add":
      return [[...(held as Value[]).filter((it) => it !== value), value]];
    case "cas": {
      const [expected, next] = value as Value[];
      if (outcome.kind === "fail") return held === expected ? [] : [held];
      return held === expected ? [next!] : [];
    }
    default:
      return rules.model === "mutex" ? stepMutex(held, f) : stepLock(held as Lock, operation);
  }
}

function sees(held: Value, seen: Value, { model }: BruteRules): boolean {
  if (model === "kv") return held === (seen ?? "");
  if (model !== "set") return held === seen;
  const there = new Set(held as Value[]);
  const told = new Set((seen ?? []) as Value[]);
  return there.size === told.size && [...told].every((it) => there.has(it));
}

function stepMutex(held: Held, f: string): readonly Held[] {
  const isWanted = f === "acquire";
  return held === isWanted ? [] : [isWanted];
}

function stepLock(lock: Lock, { f, process, value, outcome }: ModelOperation): readonly Held[] {
  const { holder, token, last } = lock;
  if (f === "release") {
    const fits = holder === process && (value === null || value === token);
    return fits ? [{ holder: -1, token: NO_TOKEN, last }] : [];
  }
  if (holder !== -1) return [];
  const told = outcome.kind === "ok" && value === null ? outcome.value : null;
  const tokens = told === null ? TOKENS : [told as bigint];
  return tokens.filter((it) => it > last).map((it) => ({ holder: process, token: it, last: it }));
}

function afterTransaction(
  state: BruteState,
  { key: outer, value, outcome }: ModelOperation,
  { init, nilRead }: BruteRules,
): readonly BruteState[] {
  const next = new Map(state);
  const isTold = outcome.kind === "ok";
  for (const part of (isTold ? outcome.value : value) as readonly Value[]) {
    const [f, key, operand] = part as Value[];
    const name = `${String(outer)} ${String(key)}`;
    if (f === "write" || f === "w") next.set(name, operand!);
    else if (isTold && !(operand === null && nilRead === "unknown")) {
      if ((next.has(name) ? next.get(name) : init ?? null) !== operand) return [];
    }
  }
  return [next];
}
