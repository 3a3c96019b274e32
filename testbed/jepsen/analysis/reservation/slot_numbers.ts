/** Slots, deadlines and versions as small numbers. */
import type { ReservationSeen } from "../../history/operation.ts";
import type { LogicalOperation } from "./logical.ts";
import { SLOT_MAX } from "./problem.ts";
import type { Sighting } from "./sightings.ts";

/** Where slots begin to count: at 0, or long before the first one that is known. */
export function firstSlotOf(
  drafts: Iterable<{ readonly slot: bigint | undefined }>,
  operations: readonly LogicalOperation[],
): bigint {
  let first: bigint | undefined;
  const see = ({ slot }: { readonly slot: bigint | undefined }): void => {
    if (slot !== undefined && (first === undefined || slot < first)) first = slot;
  };
  for (const draft of drafts) see(draft);
  for (const { slots } of operations) slots?.forEach(see);
  const early = BigInt(SLOT_MAX) / 2n;
  return first === undefined || first < early ? 0n : first - early;
}

/** Rounding down to `SLOT_MAX` keeps every order that there is: it can hide a violation, never make one. */
export function clamp(slots: bigint): number {
  return slots > BigInt(SLOT_MAX) ? SLOT_MAX : Number(slots);
}

/** A version as a number, -1 for none. */
export function versionOf(version: bigint | undefined): number {
  return version === undefined ? -1 : clamp(version);
}

/** The deadline that a record of an id of unclear origin shows, if one does. */
export function recordedDeadline({ records }: Sighting): bigint | undefined {
  for (const { answer } of records) {
    const { deadlineSlot } = answer as ReservationSeen;
    if (deadlineSlot !== undefined) return deadlineSlot;
  }
  return undefined;
}
