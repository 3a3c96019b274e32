/**
 * Two reserves that both succeeded for one resource, the first of which cannot have ended when the second took it: it
 * was neither released nor reclaimed, and was confirmed or not yet due, or gave a sign of life afterwards.
 */
import type { HistoryOperation } from "../../history/operation.ts";
import type { CheckResult } from "../judgement.ts";
import { confirmBefore, expiriesOf, mayBeFreedBefore, signOfLifeAfter } from "./endings.ts";
import { Finder } from "./finder.ts";
import type { Material } from "./material.ts";
import { isBefore } from "./moment.ts";
import type { Hold } from "./reservation.ts";
import { attemptText } from "./words.ts";

/** See the top of this file. */
export function checkAllocations(material: Material): CheckResult {
  const finder = new Finder({
    name: "double_allocation",
    unit: "successful reserves, by resource",
    holds: "no resource was given to two at a time",
    nothing: "no reserve succeeded",
  });
  for (const [resourceId, holds] of holdsByResource(material)) {
    finder.examined += holds.length;
    for (let i = 1; i < holds.length; i++) {
      judge(finder, material, resourceId, holds[i - 1]!, holds[i]!);
    }
  }
  return finder.result();
}

function holdsByResource({ reservations }: Material): Map<bigint, Hold[]> {
  const byResource = new Map<bigint, Hold[]>();
  for (const { hold } of reservations.values()) {
    for (const resourceId of new Set(hold?.resourceIds)) {
      const holds = byResource.get(resourceId);
      if (holds === undefined) byResource.set(resourceId, [hold!]);
      else holds.push(hold!);
    }
  }
  for (const holds of byResource.values()) holds.sort(compare);
  return byResource;
}

/** By lsn where both have one; else as they were answered, which is one of the orders that are possible. */
function compare(one: Hold, other: Hold): number {
  if (one.lsn !== undefined && other.lsn !== undefined) return one.lsn < other.lsn ? -1 : 1;
  return one.completedAt - other.completedAt || one.invokedAt - other.invokedAt;
}

function judge(
  finder: Finder,
  material: Material,
  resourceId: bigint,
  one: Hold,
  other: Hold,
): void {
  const why = whyStillHeld(material, one, other);
  if (why === undefined) return;
  const isOrdered = isBefore(one, other) === true;
  if (!isOrdered && whyStillHeld(material, other, one) === undefined) return;
  const witness = why.by === undefined ? [] : [why.by];
  finder.add({
    fields: {
      resource_id: resourceId,
      existing_operation_id: one.maker.key?.operationId,
      conflicting_operation_id: other.maker.key?.operationId,
    },
    sentence: `resource ${resourceId}: ${attemptText(material, other.maker)} and ${
      attemptText(material, one.maker)
    } both succeeded; ${why.sentence}`,
    resourceIds: [resourceId],
    operations: [...new Set([one.maker, other.maker, ...witness])],
    first: other.maker,
  });
}

interface Why {
  readonly sentence: string;
  readonly by: HistoryOperation | undefined;
}

/** Why the first hold cannot have ended when the second took the resource; undefined when it can. */
function whyStillHeld(material: Material, first: Hold, second: Hold): Why | undefined {
  const alive = signOfLifeAfter(material, first, second);
  if (alive !== undefined) {
    const sentence = `the first ended no earlier than ${attemptText(material, alive)}`;
    return { sentence, by: alive };
  }
  if (mayBeFreedBefore(material, first, second)) return undefined;
  const confirm = confirmBefore(material, first, second);
  if (confirm !== undefined) {
    const sentence = `the first was confirmed by ${attemptText(material, confirm)} ` +
      "and neither released nor reclaimed in between";
    return { sentence, by: confirm };
  }
  // What is known to have expired is a matter of when, and that is another check.
  if (second.slot >= first.deadlineSlot || expiriesOf(material, first).length > 0) return undefined;
  const sentence = `the first was held until slot ${first.deadlineSlot}, and at slot ` +
    `${second.slot} the second had it`;
  return { sentence, by: undefined };
}
