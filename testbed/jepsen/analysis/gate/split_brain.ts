/** One command a place in the log: two operations that were both told the same lsn were decided by two logs. */
import type { HistoryOperation } from "../../history/operation.ts";
import type { CheckResult } from "../judgement.ts";
import { repeatsOf } from "../repeats.ts";
import { requestText } from "../reservation/texts.ts";
import { Finder } from "./finder.ts";
import { appliedOf, keyText, type Material } from "./material.ts";
import { attemptText } from "./words.ts";

/** See the top of this file. */
export function checkSplitBrain(material: Material): CheckResult {
  const finder = new Finder({
    name: "split_brain",
    unit: "answers with an lsn",
    holds: "no two operations were told the same lsn",
    nothing: "no answer names its lsn",
  });
  const placed = placedIn(material);
  finder.examined = placed.length;
  const lsns = new BigUint64Array(placed.length);
  for (let i = 0; i < placed.length; i++) lsns[i] = placed[i]!.lsn;
  const isRepeated = repeatsOf(lsns);
  const byLsn = new Map<bigint, HistoryOperation>();
  for (const { lsn, write } of placed.filter((_, i) => isRepeated[i] === 1)) {
    const known = byLsn.get(lsn);
    if (known === undefined) byLsn.set(lsn, write);
    else if (!isSame(known, write)) report(finder, material, lsn, known, write);
  }
  return finder.result();
}

interface Placed {
  readonly lsn: bigint;
  readonly write: HistoryOperation;
}

function placedIn(material: Material): Placed[] {
  const placed: Placed[] = [];
  for (const write of material.writes) {
    const lsn = placeOf(write, material);
    if (lsn !== undefined) placed.push({ lsn, write });
  }
  return placed;
}

function report(
  finder: Finder,
  material: Material,
  lsn: bigint,
  known: HistoryOperation,
  write: HistoryOperation,
): void {
  finder.add({
    fields: {
      lsn,
      operation_id: known.key?.operationId,
      other_operation_id: write.key?.operationId,
    },
    sentence: `${attemptText(material, known)} and ${
      attemptText(material, write)
    } were both applied at lsn ${lsn}`,
    operations: [known, write],
  });
}

/** A conflict names the lsn of the other command, and a reservation's id the lsn of its reserve. */
function placeOf(write: HistoryOperation, { bounds }: Material): bigint | undefined {
  const answer = appliedOf(write);
  if (answer === undefined || answer.code === "operation_conflict") return undefined;
  if (answer.lsn !== undefined) return answer.lsn;
  if (answer.reserved === undefined || bounds.reservationIds === "opaque") return undefined;
  return BigInt.asUintN(64, answer.reserved.reservationId);
}

/** Two commands under one key are for another check. */
function isSame(one: HistoryOperation, other: HistoryOperation): boolean {
  if (one.key !== undefined && other.key !== undefined) {
    return keyText(one.key) === keyText(other.key);
  }
  return one.key === other.key && requestText(one.request) === requestText(other.request);
}
