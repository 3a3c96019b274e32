/** A hold ends late, perhaps, but never early: whatever is known to have expired did so at or after its deadline. */
import type { HistoryOperation } from "../../history/operation.ts";
import type { CheckResult } from "../judgement.ts";
import { expiriesOf, type Expiry } from "./endings.ts";
import { Finder } from "./finder.ts";
import type { Material } from "./material.ts";
import type { Hold } from "./reservation.ts";
import { SlotBounds } from "./slots.ts";
import { attemptText, placeOf } from "./words.ts";

/** See the top of this file. */
export function checkExpirations(material: Material): CheckResult {
  const finder = new Finder({
    name: "early_expiration_release",
    unit: "expirations seen",
    holds: "no hold is known to have expired before its deadline",
    nothing: "nobody saw a hold expire",
  });
  const slots = new SlotBounds(material);
  for (const { hold } of material.reservations.values()) {
    if (hold === undefined) continue;
    const expiries = expiriesOf(material, hold);
    finder.examined += expiries.length;
    for (const expiry of expiries) {
      if (judge(finder, material, slots, hold, expiry)) break;
    }
  }
  return finder.result();
}

/** A slot at which it had expired at the latest, and the reserve that shows it. */
interface Latest {
  readonly slot: bigint;
  readonly by: Hold | undefined;
}

function judge(
  finder: Finder,
  material: Material,
  slots: SlotBounds,
  hold: Hold,
  expiry: Expiry,
): boolean {
  const latest = latestOf(slots, expiry);
  const { deadlineSlot, resourceIds, reservation, maker } = hold;
  if (latest === undefined || latest.slot >= deadlineSlot) return false;
  const witness = latest.by && attemptText(material, latest.by.maker);
  const by = "request" in expiry.by
    ? attemptText(material, expiry.by)
    : `\`tick_expirations\` (${placeOf(material, expiry.by)})`;
  const how = witness === undefined ? "" : `, which ${witness} shows`;
  finder.add({
    fields: {
      resource_id: resourceIds[0],
      reservation_id: reservation.id,
      expires_at_slot: deadlineSlot,
      released_at_slot: latest.slot,
    },
    sentence: `reservation ${reservation.id} of ${attemptText(material, maker)} had its deadline ` +
      `at slot ${deadlineSlot}, and by ${by} it had expired at slot ${latest.slot} or before${how}`,
    resourceIds,
    operations: [maker, ...attemptsOf(expiry), ...(latest.by ? [latest.by.maker] : [])],
    first: attemptsOf(expiry)[0] ?? maker,
  });
  return true;
}

function attemptsOf({ by }: Expiry): HistoryOperation[] {
  return "request" in by ? [by] : [];
}

/** The lowest of what is known. */
function latestOf(slots: SlotBounds, { slot, lsn, until }: Expiry): Latest | undefined {
  const known: (Latest | undefined)[] = [
    slot === undefined ? undefined : { slot, by: undefined },
    lsn === undefined ? undefined : slots.behindLsn(lsn),
    slots.behindPosition(until),
  ];
  return known.reduce((lowest, next) =>
    lowest === undefined || (next !== undefined && next.slot < lowest.slot) ? next : lowest
  );
}
