/**
 * Successful reads that do not show what they must: from a replica that is no primary, not as new as was asked for, or
 * older than what somebody had been told before the read began.
 */
import type { HistoryOperation } from "../../history/operation.ts";
import type { CheckResult } from "../judgement.ts";
import { chosenOf } from "../large_lists.ts";
import { mayBeFreedBefore } from "./endings.ts";
import { Finder } from "./finder.ts";
import { type Fact, Known, Stage, STAGE_OF_STATE } from "./known.ts";
import { type Material, momentOfRead } from "./material.ts";
import { answerText, attemptText } from "./words.ts";

/** See the top of this file. */
export function checkStaleReads(material: Material): CheckResult {
  const finder = new Finder({
    name: "stale_successful_read",
    unit: "successful reads",
    holds: "no read showed less than was asked for, or than was known",
    nothing: "no read succeeded",
  });
  const { reads, recording } = material;
  finder.examined = reads.length;
  const known = new Known(material);
  const answered = material.hasTime ? byAnswer(recording.operations) : [];
  let next = 0;
  for (const read of reads) {
    while (next < answered.length && answered[next]!.completedAt! < read.invokedAt) {
      known.learn(answered[next++]!);
    }
    const wrong = wrongWithServer(read) ??
      (material.hasTime ? isOld(material, known, read) : undefined);
    if (wrong !== undefined) report(finder, material, read, wrong);
  }
  return finder.result();
}

interface Wrong {
  readonly what: string;
  readonly by: HistoryOperation | undefined;
}

function byAnswer(operations: readonly HistoryOperation[]): HistoryOperation[] {
  return chosenOf(
    operations,
    ({ outcome, completedAt }) => outcome.kind === "ok" && completedAt !== undefined,
  ).sort((a, b) => a.completedAt! - b.completedAt!);
}

/** What the answer itself says of where it comes from. */
function wrongWithServer({ request, servedBy }: HistoryOperation): Wrong | undefined {
  if (servedBy === undefined) return undefined;
  const { role, replicaId, observedLsn } = servedBy;
  if (role !== undefined && role !== "primary") {
    return { what: `was answered by replica ${replicaId}, which was ${role}`, by: undefined };
  }
  const required = requiredOf(request);
  if (required === undefined || (observedLsn !== undefined && observedLsn >= required)) {
    return undefined;
  }
  const got = observedLsn === undefined ? "does not say what it shows" : `shows lsn ${observedLsn}`;
  return { what: `asked for lsn ${required} and ${got}`, by: undefined };
}

/** What was known before it began and is not in its answer. */
function isOld(material: Material, known: Known, read: HistoryOperation): Wrong | undefined {
  const observed = read.servedBy?.observedLsn;
  if (observed !== undefined && known.lsn !== undefined && observed < known.lsn.value) {
    return {
      what: `shows lsn ${observed}, when lsn ${known.lsn.value} had been answered`,
      by: known.lsn.by,
    };
  }
  return read.request.kind === "get_resource"
    ? isOldResource(material, known, read, read.request.resourceId)
    : isOldReservation(known, read);
}

function isOldResource(
  material: Material,
  known: Known,
  read: HistoryOperation,
  resourceId: bigint,
): Wrong | undefined {
  const { outcome } = read;
  const answer = outcome.kind === "ok" ? outcome.answer : undefined;
  if (answer?.kind === "not_found") {
    return behind(known.existing.get(resourceId), "found nothing, when the resource was there");
  }
  if (answer?.kind !== "resource") return undefined;
  const version = known.versions.get(resourceId);
  if (answer.version !== undefined && version !== undefined && answer.version < version.value) {
    return behind(version, `shows version ${answer.version}, when ${version.value} had been read`);
  }
  const { reservationId, state } = answer;
  if (reservationId === undefined) return isFreedTooSoon(material, known, read, resourceId);
  const stage = known.stages.get(reservationId);
  if (stage !== undefined && STAGE_OF_STATE[state]! < stage.value) {
    return behind(stage, `shows ${state} by ${reservationId}, when that had gone on`);
  }
  const latest = known.latest.get(resourceId);
  if (latest === undefined || latest.value <= reservationId) return undefined;
  return behind(latest, `shows reservation ${reservationId}, when ${latest.value} had followed it`);
}

/** Seen as available although it was confirmed, and nobody can have freed it. */
function isFreedTooSoon(
  material: Material,
  known: Known,
  read: HistoryOperation,
  resourceId: bigint,
): Wrong | undefined {
  const confirmed = known.confirmed.get(resourceId);
  const hold = confirmed && material.reservations.get(confirmed.value)?.hold;
  if (hold === undefined || mayBeFreedBefore(material, hold, momentOfRead(read, material))) {
    return undefined;
  }
  const what = `shows the resource as available, when reservation ${confirmed!.value} had it`;
  return behind(confirmed, what);
}

function isOldReservation(known: Known, read: HistoryOperation): Wrong | undefined {
  const { request, outcome } = read;
  if (request.kind !== "get_reservation" || outcome.kind !== "ok") return undefined;
  const stage = known.stages.get(request.reservationId);
  const { answer } = outcome;
  const seen = answer.kind === "reservation"
    ? STAGE_OF_STATE[answer.state]!
    : answer.kind === "retired"
    ? Stage.retired
    : 0;
  if (stage === undefined || seen >= stage.value) return undefined;
  return behind(stage, `shows ${answerText(read)}, when the reservation had gone on`);
}

function behind(fact: Fact<unknown> | undefined, what: string): Wrong | undefined {
  return fact && { what, by: fact.by };
}

function report(
  finder: Finder,
  material: Material,
  read: HistoryOperation,
  { what, by }: Wrong,
): void {
  const { request, servedBy } = read;
  const before = by === undefined
    ? ""
    : `: ${attemptText(material, by)} had been answered ${answerText(by)} before it began`;
  finder.add({
    fields: {
      replica_id: servedBy?.replicaId,
      role: servedBy?.role,
      required_lsn: requiredOf(request),
      observed_lsn: servedBy?.observedLsn,
    },
    sentence: `${attemptText(material, read)} was answered ${
      answerText(read)
    } and ${what}${before}`,
    resourceIds: request.kind === "get_resource" ? [request.resourceId] : [],
    operations: by === undefined ? [read] : [by, read],
    first: read,
  });
}

/** 0 is no fence. */
function requiredOf(request: HistoryOperation["request"]): bigint | undefined {
  if (request.kind !== "get_resource" && request.kind !== "get_reservation") return undefined;
  return request.requiredLsn === 0n ? undefined : request.requiredLsn;
}
