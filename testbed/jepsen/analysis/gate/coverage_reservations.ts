/** Figures of coverage that only histories of reservations have. */
import type { HistoryOperation } from "../../history/operation.ts";
import type { Recording } from "../../history/recording.ts";
import { expiriesOf } from "./endings.ts";
import type { Figures } from "./figures.ts";
import { appliedOf, executedOf, type Material, membersOf } from "./material.ts";
import type { Hold, Reservation } from "./reservation.ts";
import { isWrite } from "../reservation/logical.ts";
import { type Span, Spans } from "./spans.ts";

/** Adds them. */
export function coverReservations(figures: Figures, material: Material): void {
  coverRetries(figures, material);
  coverResources(figures, material);
  coverExpiries(figures, material);
  coverReads(figures, material);
}

function coverRetries(figures: Figures, material: Material): void {
  const retries = material.tried.flatMap((attempts) => attempts.slice(1))
    .sort((a, b) => a.invokedAt - b.invokedAt);
  const answered = retries.length === 0 ? [] : placedByAnswer(material.recording);
  let [next, highest, after] = [0, -1n, 0];
  for (const retry of retries) {
    while (next < answered.length && answered[next]!.completedAt! < retry.invokedAt) {
      const lsn = appliedOf(answered[next++]!)!.lsn!;
      if (lsn > highest) highest = lsn;
    }
    const lsn = executedOf(retry)?.lsn;
    if (material.hasTime && lsn !== undefined && lsn <= highest) after++;
  }
  figures.add("retries", retries.length, "attempts of an operation that had been sent before");
  const meaning = "retries sent when the operation had certainly been executed already";
  figures.add("retries_after_execution", after, meaning);
}

/** What was told an lsn, in the order in which it was told. */
function placedByAnswer({ operations }: Recording): HistoryOperation[] {
  return operations.filter((attempt) =>
    appliedOf(attempt)?.lsn !== undefined && attempt.completedAt !== undefined
  ).sort((a, b) => a.completedAt! - b.completedAt!);
}

function spanOf({ invokedAt, completedAt, outcome }: HistoryOperation): Span {
  return { from: invokedAt, to: outcome.kind === "info" ? Infinity : completedAt ?? Infinity };
}

function coverResources(figures: Figures, { writes, hasTime }: Material): void {
  const reserves = new Map<bigint, HistoryOperation[]>();
  let [bundles, busy] = [0, 0];
  for (const write of writes) {
    if (write.request.kind === "reserve_bundle") bundles++;
    if (appliedOf(write)?.code === "resource_busy") busy++;
    if (!isWrite(write.request)) continue;
    for (const id of distinct(membersOf(write.request))) pushTo(reserves, id, write);
  }
  const each = [...reserves.values()];
  const contended = hasTime ? each.reduce((sum, those) => sum + spansOf(those).contended, 0) : 0;
  const once = each.filter(({ length }) => length === 1).length;
  figures.add("resources_wanted", each.length, "resources that somebody tried to reserve");
  figures.add("resources_wanted_once", once, "resources that one attempt alone tried to reserve");
  const meaning = "attempts to reserve a resource while another one was under way";
  figures.add("contended_reserves", contended, meaning);
  figures.add("refused_busy", busy, "reserves that found somebody else there");
  figures.add("bundles", bundles, "attempts to reserve several resources at once");
}

function distinct(ids: readonly bigint[]): Iterable<bigint> {
  return ids.length < 2 ? ids : new Set(ids);
}

function coverExpiries(figures: Figures, material: Material): void {
  let [expired, raced, stale] = [0, 0, 0];
  for (const reservation of material.reservations.values()) {
    stale += staleOf(reservation);
    const { hold } = reservation;
    if (hold === undefined || expiriesOf(material, hold).length === 0) continue;
    expired++;
    if (isRaced(hold)) raced++;
  }
  figures.add("expirations_seen", expired, "reservations that somebody saw to have expired");
  const meaning = "of those, such as somebody was confirming";
  figures.add("expiries_racing_confirm", raced, meaning);
  figures.add("stale_epochs", stale, "holders that were refused because their claim was lost");
}

function isRaced({ reservation: { commands } }: Hold): boolean {
  return commands.some(({ request }) => request.kind === "confirm");
}

function staleOf({ commands }: Reservation): number {
  return commands.filter(({ answer }) =>
    answer?.kind === "applied" && answer.code === "stale_epoch"
  )
    .length;
}

function coverReads(figures: Figures, material: Material): void {
  const reads = new Map<bigint, HistoryOperation[]>();
  let fenced = 0;
  for (const read of material.reads) {
    const { request } = read;
    if ("requiredLsn" in request && (request.requiredLsn ?? 0n) > 0n) fenced++;
    if (request.kind === "get_resource") pushTo(reads, request.resourceId, read);
  }
  const overlapping = material.hasTime ? overlappingOf(material, reads) : 0;
  figures.add("fenced_reads", fenced, "reads answered that asked for an lsn");
  const meaning = "reads of a resource answered while a write of it was under way";
  figures.add("reads_overlapping_write", overlapping, meaning);
}

/** Resource by resource: the spans of all together would be more than the history. */
function overlappingOf(
  material: Material,
  reads: ReadonlyMap<bigint, readonly HistoryOperation[]>,
): number {
  let overlapping = 0;
  for (const [id, writes] of writesByResource(material)) {
    const seen = reads.get(id);
    if (seen === undefined) continue;
    const spans = spansOf(writes);
    for (const read of seen) if (spans.meets(spanOf(read))) overlapping++;
  }
  return overlapping;
}

/** Reserves of a resource, and whatever is done to a reservation of it. */
function writesByResource(
  { writes, reservations }: Material,
): ReadonlyMap<bigint, readonly HistoryOperation[]> {
  const byResource = new Map<bigint, HistoryOperation[]>();
  for (const write of writes) {
    const { request } = write;
    if (!isWrite(request)) continue;
    const ids = "reservationId" in request
      ? reservations.get(request.reservationId)?.hold?.resourceIds ?? []
      : membersOf(request);
    for (const id of ids) pushTo(byResource, id, write);
  }
  return byResource;
}

function spansOf(attempts: readonly HistoryOperation[]): Spans {
  return new Spans(attempts.map(spanOf));
}

function pushTo(lists: Map<bigint, HistoryOperation[]>, id: bigint, of: HistoryOperation): void {
  const known = lists.get(id);
  if (known === undefined) lists.set(id, [of]);
  else known.push(of);
}
