/** What reads saw, held against the replayed log: the state at the lsn that they say, or at one that time allows. */
import type { ModelReservation, ModelResource } from "../../model/model.ts";
import { Finder } from "../analysis/gate/finder.ts";
import type { CheckResult } from "../analysis/judgement.ts";
import type { HistoryOperation, ReadAnswer, ReservationSeen } from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";
import type { Replay } from "./replay.ts";
import type { TimeBounds } from "./time_bounds.ts";

/** See the top of this file. */
export function checkReads(
  { operations }: Recording,
  replay: Replay,
  bounds: TimeBounds,
): CheckResult {
  const finder = new Finder({
    name: "reads_follow_from_log",
    unit: "answered reads",
    holds: "every read saw a state that the replayed log had when it was asked",
    nothing: "no read was answered",
  });
  for (const read of operations) {
    const { request, outcome, servedBy } = read;
    if (request.kind !== "get_resource" && request.kind !== "get_reservation") continue;
    if (outcome.kind !== "ok" || outcome.answer.kind === "applied") continue;
    finder.examined++;
    const span = spanOf(read, replay, bounds);
    if (whenTrue(replay, read, outcome.answer, span.from, span.to) !== undefined) continue;
    const earlier = whenTrue(replay, read, outcome.answer, 0, replay.truth.lsn);
    const subject = request.kind === "get_resource"
      ? `resource ${request.resourceId}`
      : `reservation ${request.reservationId}`;
    const state = "state" in outcome.answer ? outcome.answer.state : outcome.answer.kind;
    finder.add({
      fields: {
        replica_id: servedBy?.replicaId,
        observed_lsn: servedBy?.observedLsn,
        from_lsn: span.from,
        to_lsn: span.to,
        true_at_lsn: earlier,
      },
      sentence:
        `${subject} was read as ${state} (event ${read.invokedAt}), which by the log it was ` +
        `not ${
          span.from === span.to ? `at lsn ${span.from}` : `from lsn ${span.from} to ${span.to}`
        }` +
        (earlier === undefined ? ", nor ever" : `, but at lsn ${earlier}`),
      resourceIds: request.kind === "get_resource" ? [request.resourceId] : [],
      operations: [read],
    });
  }
  return finder.result();
}

/** Where a read does not say its lsn, time and its fence do. */
function spanOf(
  { request, servedBy, invokedAt, completedAt }: HistoryOperation,
  { truth }: Replay,
  bounds: TimeBounds,
): { readonly from: number; readonly to: number } {
  const observed = servedBy?.observedLsn;
  if (observed !== undefined) return { from: Number(observed), to: Number(observed) };
  const required = "requiredLsn" in request ? Number(request.requiredLsn ?? 0n) : 0;
  const to = Math.min(truth.lsn, bounds.before(completedAt ?? Infinity));
  return { from: Math.max(required, bounds.known(invokedAt)), to };
}

function whenTrue(
  { truth }: Replay,
  { request, slot }: HistoryOperation,
  answer: ReadAnswer,
  from: number,
  to: number,
): number | undefined {
  if (to > truth.lsn) return undefined;
  if (request.kind === "get_resource") {
    return truth.whenResource(request.resourceId, (model) => isResource(model, answer), from, to);
  }
  if (request.kind !== "get_reservation") return undefined;
  const id = request.reservationId;
  // Whoever did not say as of which slot may have been told of an ended one by either name.
  const mayBeRetired = slot === undefined;
  const matches = (model: ModelReservation | "retired" | "not_found"): boolean =>
    isReservation(model, answer, mayBeRetired);
  const when = truth.whenReservation(id, slot ?? 0n, matches, from, to);
  if (when !== undefined || answer.kind !== "retired") return when;
  const wasMade = truth.whenReservation(id, 0n, (model) => model !== "not_found", 0, truth.lsn);
  // Below the watermark an id that never was reads as retired, too.
  return wasMade === undefined && BigInt.asUintN(64, id) <= BigInt(to) ? from : undefined;
}

function isResource(model: ModelResource | undefined, answer: ReadAnswer): boolean {
  if (model === undefined || answer.kind !== "resource") {
    return model === undefined && answer.kind === "not_found";
  }
  return model.state === answer.state && model.currentReservationId === answer.reservationId &&
    (answer.version === undefined || model.version === answer.version);
}

function isReservation(
  model: ModelReservation | "retired" | "not_found",
  answer: ReadAnswer,
  mayBeRetired: boolean,
): boolean {
  if (typeof model === "string") return model === answer.kind;
  if (answer.kind === "retired") return mayBeRetired && model.retireAfterSlot !== undefined;
  return answer.kind === "reservation" && model.state === answer.state &&
    factsOf(answer).every(([name, value]) => `${model[name]}` === `${value}`);
}

/** What of a record was written down. */
function factsOf(
  answer: ReservationSeen,
): [keyof ReservationSeen & keyof ModelReservation, unknown][] {
  const { holderId, epoch, deadlineSlot, memberResourceIds } = answer;
  const { createdLsn, releasedLsn, retireAfterSlot } = answer;
  const facts = { holderId, epoch, deadlineSlot, memberResourceIds, createdLsn };
  const ends = { releasedLsn, retireAfterSlot };
  return Object.entries({ ...facts, ...ends }).filter(([, value]) => value !== undefined) as [
    keyof ReservationSeen & keyof ModelReservation,
    unknown,
  ][];
}
