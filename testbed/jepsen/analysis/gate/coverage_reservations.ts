/** Figures of coverage that only histories of reservations have. */
import type { HistoryOperation } from "../../history/operation.ts";
import { expiriesOf } from "./endings.ts";
import type { Figures } from "./figures.ts";
import {
  appliedOf,
  executedOf,
  type Hold,
  type Material,
  membersOf,
  type Reservation,
} from "./material.ts";
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
  const answered = material.recording.operations
    .filter((attempt) => appliedOf(attempt)?.lsn !== undefined && attempt.completedAt !== undefined)
    .sort((a, b) => a.completedAt! - b.completedAt!);
  const retries = material.tried.flatMap((attempts) => attempts.slice(1))
    .sort((a, b) => a.invokedAt - b.invokedAt);
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

function spanOf({ invokedAt, completedAt, outcome }: HistoryOperation): Span {
  return { from: invokedAt, to: outcome.kind === "info" ? Infinity : completedAt ?? Infinity };
}

function coverResources(figures: Figures, { writes, hasTime }: Material): void {
  const reserves = new Map<bigint, Span[]>();
  let [bundles, busy] = [0, 0];
  for (const write of writes) {
    if (write.request.kind === "reserve_bundle") bundles++;
    if (appliedOf(write)?.code === "resource_busy") busy++;
    if (!isWrite(write.request)) continue;
    for (const id of new Set(membersOf(write.request))) pushTo(reserves, id, spanOf(write));
  }
  const each = [...reserves.values()];
  const contended = hasTime ? each.reduce((sum, spans) => sum + new Spans(spans).contended, 0) : 0;
  const once = each.filter(({ length }) => length === 1).length;
  figures.add("resources_wanted", each.length, "resources that somebody tried to reserve");
  figures.add("resources_wanted_once", once, "resources that one attempt alone tried to reserve");
  const meaning = "attempts to reserve a resource while another one was under way";
  figures.add("contended_reserves", contended, meaning);
  figures.add("refused_busy", busy, "reserves that found somebody else there");
  figures.add("bundles", bundles, "attempts to reserve several resources at once");
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
  const writes = writesByResource(material);
  let [overlapping, fenced] = [0, 0];
  for (const read of material.reads) {
    const { request } = read;
    if ("requiredLsn" in request && (request.requiredLsn ?? 0n) > 0n) fenced++;
    if (!material.hasTime || request.kind !== "get_resource") continue;
    if (writes.get(request.resourceId)?.meets(spanOf(read)) === true) overlapping++;
  }
  figures.add("fenced_reads", fenced, "reads answered that asked for an lsn");
  const meaning = "reads of a resource answered while a write of it was under way";
  figures.add("reads_overlapping_write", overlapping, meaning);
}

/** Reserves of a resource, and whatever is done to a reservation of it. */
function writesByResource({ writes, reservations }: Material): Map<bigint, Spans> {
  const spans = new Map<bigint, Span[]>();
  for (const write of writes) {
    const { request } = write;
    if (!isWrite(request)) continue;
    const ids = "reservationId" in request
      ? reservations.get(request.reservationId)?.hold?.resourceIds ?? []
      : membersOf(request);
    for (const id of ids) pushTo(spans, id, spanOf(write));
  }
  return new Map([...spans].map(([id, all]) => [id, new Spans(all)]));
}

function pushTo(spans: Map<bigint, Span[]>, id: bigint, span: Span): void {
  const known = spans.get(id);
  if (known === undefined) spans.set(id, [span]);
  else known.push(span);
}
