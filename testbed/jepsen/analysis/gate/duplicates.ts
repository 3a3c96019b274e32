/**
 * Whether an operation was executed twice: two answers that differ, or a reservation that somebody saw and that only a
 * reserve can have made which was answered otherwise.
 */
import type { HistoryOperation, WriteRequest } from "../../history/operation.ts";
import type { CheckResult } from "../judgement.ts";
import type { LogicalOperation } from "../reservation/logical.ts";
import { answerText as answerFingerprint, requestText } from "../reservation/texts.ts";
import { Finder } from "./finder.ts";
import { executedOf, keyText, type Material, membersOf } from "./material.ts";
import type { Reservation } from "./reservation.ts";
import { answerText, attemptText } from "./words.ts";

/** See the top of this file. */
export function checkDuplicates(material: Material): CheckResult {
  const finder = new Finder({
    name: "duplicate_committed_execution",
    unit: "committed answers",
    holds: "every operation has one answer, however often it was sent",
    nothing: "nothing was answered as committed",
  });
  const mayForget = material.bounds.answers === "may_be_forgotten";
  for (const write of material.writes) {
    if (write.key !== undefined && executedOf(write) !== undefined) finder.examined++;
  }
  for (const attempts of mayForget ? [] : material.tried) {
    const answered = attempts.filter((attempt) => executedOf(attempt) !== undefined);
    compareAnswers(finder, material, answered);
  }
  compareTicks(finder, material);
  if (!mayForget) findOrphans(finder, material);
  return finder.result();
}

function compareAnswers(
  finder: Finder,
  material: Material,
  [first, ...others]: readonly HistoryOperation[],
): void {
  if (first === undefined) return;
  const other = others.find((attempt) => !isSame(first, attempt));
  if (other === undefined) return;
  finder.add({
    fields: {
      operation_id: first.key!.operationId,
      first_lsn: executedOf(first)!.lsn,
      second_lsn: executedOf(other)!.lsn,
    },
    sentence: `operation ${first.key!.operationId} of client ${first.key!.clientId} ${
      whatHappened(first, other)
    }: ${attemptText(material, first)} was answered ${answerText(first)}, and ${
      attemptText(material, other)
    } ${answerText(other)}`,
    resourceIds: [...membersOf(first.request as WriteRequest)],
    operations: [first, other],
  });
}

function whatHappened(first: HistoryOperation, other: HistoryOperation): string {
  return requestText(first.request) === requestText(other.request)
    ? "was executed twice"
    : "was answered for two commands, of which one should have been told of a conflict";
}

/** What was not recorded of one of them tells nothing. */
function isSame(one: HistoryOperation, other: HistoryOperation): boolean {
  const showsLsn = executedOf(one)!.lsn !== undefined && executedOf(other)!.lsn !== undefined;
  return requestText(one.request) === requestText(other.request) &&
    answerFingerprint(one.outcome, showsLsn) === answerFingerprint(other.outcome, showsLsn);
}

function compareTicks(finder: Finder, { recording: { ticks } }: Material): void {
  const first = new Map<string, bigint | undefined>();
  for (const { key, kind, lsn } of ticks) {
    if (kind !== "ok" || key === undefined) continue;
    finder.examined++;
    const text = keyText(key);
    if (!first.has(text)) first.set(text, lsn);
    else if (first.get(text) !== lsn) {
      const { operationId } = key;
      finder.add({
        fields: { operation_id: operationId, first_lsn: first.get(text), second_lsn: lsn },
        sentence: `tick_expirations ${operationId} was executed at lsn ${
          first.get(text)
        } and at lsn ${lsn}`,
      });
    }
  }
}

/** A reservation that was seen and that nobody was told about: somebody in doubt made it, or one who was told otherwise. */
function findOrphans(finder: Finder, material: Material): void {
  const orphans = [...material.reservations.values()].filter(isOrphan);
  if (orphans.length === 0) return;
  const byResource = suspectsByResource(material);
  for (const orphan of orphans) {
    const suspects = byResource.get(resourceOf(orphan)) ?? [];
    const fitting = suspects.filter(({ request }) => couldMake(orphan, request as WriteRequest));
    if (fitting.some(({ isOptional }) => isOptional)) continue;
    const [retried] = fitting;
    if (retried === undefined) continue;
    const answered = retried.attempts.find((attempt) => executedOf(attempt) !== undefined)!;
    const { operationId } = answered.key!;
    const seen = orphan.reads.find(showsIt)!;
    finder.add({
      fields: {
        operation_id: operationId,
        first_lsn: BigInt.asUintN(64, orphan.id),
        second_lsn: executedOf(answered)!.lsn,
      },
      sentence: `operation ${operationId} was executed twice: ${
        attemptText(material, answered)
      } was answered ${answerText(answered)}, but ${
        attemptText(material, seen)
      } saw reservation ${orphan.id}, which nobody else can have made`,
      resourceIds: membersOf(answered.request as WriteRequest),
      operations: [...retried.attempts, seen],
      first: seen,
    });
  }
}

function suspectsByResource({ suspects }: Material): Map<bigint | undefined, LogicalOperation[]> {
  const byResource = new Map<bigint | undefined, LogicalOperation[]>();
  for (const suspect of suspects) {
    for (const id of new Set(membersOf(suspect.request as WriteRequest))) {
      const others = byResource.get(id);
      if (others === undefined) byResource.set(id, [suspect]);
      else others.push(suspect);
    }
  }
  return byResource;
}

/** One resource that it holds, as far as somebody saw it; what was not seen on any accuses nobody. */
function resourceOf({ reads }: Reservation): bigint | undefined {
  for (const { request, outcome } of reads) {
    if (request.kind === "get_resource") return request.resourceId;
    const seen = outcome.kind === "ok" ? outcome.answer : undefined;
    if (seen?.kind === "reservation" && seen.memberResourceIds !== undefined) {
      return seen.memberResourceIds[0];
    }
  }
  return undefined;
}

function isOrphan({ hold, reads }: Reservation): boolean {
  return hold === undefined && reads.some(showsIt);
}

function showsIt({ outcome }: HistoryOperation): boolean {
  if (outcome.kind !== "ok") return false;
  return outcome.answer.kind === "resource" || outcome.answer.kind === "reservation";
}

function couldMake({ reads }: Reservation, request: WriteRequest): boolean {
  if (!("ttlSlots" in request)) return false;
  const members = membersOf(request);
  return reads.every(({ request: read, outcome }) => {
    if (read.kind === "get_resource") return members.includes(read.resourceId);
    const seen = outcome.kind === "ok" ? outcome.answer : undefined;
    if (seen?.kind !== "reservation") return true;
    if (seen.holderId !== undefined && seen.holderId !== request.holderId) return false;
    return seen.memberResourceIds === undefined ||
      `${seen.memberResourceIds}` === `${members}`;
  });
}
