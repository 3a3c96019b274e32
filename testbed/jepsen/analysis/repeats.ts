/** What there is more than once among very many. To sort a million takes a small part of the time that a table of them takes. */
import type { HistoryOperation, OperationKey } from "../history/operation.ts";
import { chosenOf } from "./large_lists.ts";

/** By index, 1 for each of the values that there are more than once. */
export function repeatsOf(values: BigUint64Array): Uint8Array {
  const flags = new Uint8Array(values.length);
  const again = repeatedIn(values.slice().sort());
  if (again.size === 0) return flags;
  for (let i = 0; i < values.length; i++) if (again.has(values[i]!)) flags[i] = 1;
  return flags;
}

/** Compares halves: each look at a whole one would allocate. */
function repeatedIn(sorted: BigUint64Array): Set<bigint> {
  const again = new Set<bigint>();
  const halves = new Uint32Array(sorted.buffer);
  for (let i = 2; i < halves.length; i += 2) {
    const isSame = halves[i] === halves[i - 2] && halves[i + 1] === halves[i - 1];
    if (isSame) again.add(sorted[i >>> 1]!);
  }
  return again;
}

/** Attempts of each key, in the order of the first of them; what has no key is left out. Most keys are sent once. */
export function* attemptsByKey(
  attempts: readonly HistoryOperation[],
): Generator<readonly [HistoryOperation, ...HistoryOperation[]]> {
  const keyed = chosenOf(attempts, ({ key }) => key !== undefined);
  const numbers = new BigUint64Array(keyed.length);
  for (let i = 0; i < keyed.length; i++) numbers[i] = numberOf(keyed[i]!.key!);
  const isRepeated = repeatsOf(numbers);
  const several = groupsOf(keyed.filter((_, i) => isRepeated[i] === 1));
  for (let i = 0; i < keyed.length; i++) {
    const attempt = keyed[i]!;
    if (isRepeated[i] === 0) yield [attempt];
    else {
      const group = groupIn(several, attempt.key!);
      if (group[0] === attempt) yield group;
    }
  }
}

type Group = [HistoryOperation, ...HistoryOperation[]];
type Groups = Map<bigint, Map<bigint, Group>>;

function groupsOf(attempts: readonly HistoryOperation[]): Groups {
  const groups: Groups = new Map();
  for (const attempt of attempts) {
    const { clientId, operationId } = attempt.key!;
    let ofClient = groups.get(clientId);
    if (ofClient === undefined) groups.set(clientId, ofClient = new Map());
    const others = ofClient.get(operationId);
    if (others === undefined) ofClient.set(operationId, [attempt]);
    else others.push(attempt);
  }
  return groups;
}

function groupIn(groups: Groups, { clientId, operationId }: OperationKey): Group {
  return groups.get(clientId)!.get(operationId)!;
}

/** Odd, and without a pattern: clients whose operations are numbered alike are far from each other. */
const SPREAD = 0x9e3779b97f4a7c15n;

/** Equal for equal keys, and hardly ever for others. */
function numberOf({ clientId, operationId }: OperationKey): bigint {
  return BigInt.asUintN(64, clientId * SPREAD + operationId);
}
