/**
 * Fencing: a holder that has lost its claim is refused as `stale_epoch`, whoever is not the holder is refused, and no
 * command succeeds with an epoch that is not the current one.
 */
import type { HistoryOperation, WriteRequest } from "../../history/operation.ts";
import type { CheckResult } from "../judgement.ts";
import type { LogicalOperation } from "../reservation/logical.ts";
import { Finder } from "./finder.ts";
import {
  answeredOf,
  appliedOf,
  keyText,
  type Material,
  momentOf,
  momentOfRead,
} from "./material.ts";
import { isBefore, type Moment } from "./moment.ts";
import type { Reservation } from "./reservation.ts";
import { answerText, attemptText } from "./words.ts";

type HolderRequest = Extract<WriteRequest, { epoch: bigint }>;

/** A moment at which the holder was seen to have lost its claim, and whoever saw it. */
interface Loss {
  readonly moment: Moment;
  readonly by: HistoryOperation;
  /** Whether the reservation had ended, so that its record may be gone. */
  readonly isEnd: boolean;
}

/** See the top of this file. */
export function checkStaleHolders(material: Material): CheckResult {
  const finder = new Finder({
    name: "stale_holder_not_rejected",
    unit: "answers to holders",
    holds: "no holder was answered anything but stale_epoch once its claim was lost",
    nothing: "no confirm and no release was answered",
  });
  for (const reservation of material.reservations.values()) {
    const losses = lossesOf(material, reservation);
    for (const command of reservation.commands) {
      if (!("epoch" in command.request) || command.answer === undefined) continue;
      finder.examined++;
      judge(finder, material, reservation, command, losses);
    }
    judgeFailures(finder, material, reservation, losses);
  }
  return finder.result();
}

function judge(
  finder: Finder,
  material: Material,
  reservation: Reservation,
  command: LogicalOperation,
  losses: readonly Loss[],
): void {
  const attempt = answeredOf(command);
  const request = command.request as HolderRequest;
  const code = appliedOf(attempt)!.code;
  const moment = momentOf(command, material);
  const loss = losses.find((other) =>
    !command.attempts.includes(other.by) && isBefore(other.moment, moment) === true
  );
  if (code === "ok") {
    const { hold } = reservation;
    if (loss !== undefined) return report(finder, material, request, attempt, loss);
    if (request.epoch !== 1n) return misused(finder, material, request, attempt, hold?.maker);
    if (hold !== undefined && hold.holderId !== request.holderId) {
      misused(finder, material, request, attempt, hold.maker);
    }
    return;
  }
  if (loss === undefined || request.epoch !== 1n || mayRefuse(code, reservation, request, losses)) {
    return;
  }
  report(finder, material, request, attempt, loss);
}

/** Refusals that a holder without a claim may meet: checks that come before that of the epoch, or a record that is gone. */
function mayRefuse(
  code: string,
  { hold }: Reservation,
  { holderId }: HolderRequest,
  losses: readonly Loss[],
): boolean {
  switch (code) {
    case "stale_epoch":
    case "operation_table_full":
    case "operation_conflict":
      return true;
    case "holder_mismatch":
      return hold === undefined || hold.holderId !== holderId;
    case "reservation_retired":
    case "reservation_not_found":
      return losses.some(({ isEnd }) => isEnd);
    default:
      return false;
  }
}

/** Old histories record committed refusals as failures without an lsn; the order is that of their lines then. */
function judgeFailures(
  finder: Finder,
  material: Material,
  { commands, hold }: Reservation,
  losses: readonly Loss[],
): void {
  if (hold === undefined || losses.length === 0 || material.hasTime) return;
  for (const attempt of failuresOf(material, hold.reservation.id)) {
    finder.examined++;
    const request = attempt.request as HolderRequest;
    if (request.epoch !== 1n || request.holderId !== hold.holderId) continue;
    const loss = losses.find(({ by }) => by.completedAt! < attempt.completedAt!);
    const isSettled = commands.some(({ attempts, answer }) =>
      answer !== undefined && attempts.some(({ key }) => isSameKey(key, attempt.key))
    );
    if (loss !== undefined && !isSettled) report(finder, material, request, attempt, loss);
  }
}

function failuresOf({ writes }: Material, reservationId: bigint): HistoryOperation[] {
  return writes.filter(({ request, outcome }) =>
    "epoch" in request && request.reservationId === reservationId &&
    outcome.kind === "fail" && outcome.reason === "conflict"
  );
}

function lossesOf(material: Material, { commands, reads }: Reservation): Loss[] {
  const losses: Loss[] = [];
  for (const command of commands) {
    if (command.answer?.kind !== "applied" || command.answer.code !== "ok") continue;
    if (command.request.kind === "confirm") continue;
    const isEnd = command.request.kind !== "revoke";
    losses.push({ moment: momentOf(command, material), by: answeredOf(command), isEnd });
  }
  for (const read of reads) {
    const { outcome } = read;
    if (outcome.kind !== "ok" || !("state" in outcome.answer)) continue;
    const { state } = outcome.answer;
    if (!HAS_LOST.includes(state)) continue;
    losses.push({ moment: momentOfRead(read, material), by: read, isEnd: state !== "revoking" });
  }
  return losses;
}

const HAS_LOST: readonly string[] = ["revoking", "released", "expired", "revoked"];

function report(
  finder: Finder,
  material: Material,
  request: HolderRequest,
  attempt: HistoryOperation,
  { by }: Loss,
): void {
  finder.add({
    fields: fieldsOf(request, attempt, 2n),
    sentence: `${attemptText(material, attempt)} was answered ${
      answerText(attempt)
    }, although its claim was lost: ${attemptText(material, by)} had been answered ${
      answerText(by)
    }`,
    operations: [by, attempt],
    first: attempt,
  });
}

function misused(
  finder: Finder,
  material: Material,
  request: HolderRequest,
  attempt: HistoryOperation,
  maker: HistoryOperation | undefined,
): void {
  const made = maker === undefined ? "" : `, and ${attemptText(material, maker)} made it`;
  finder.add({
    fields: fieldsOf(request, attempt, 1n),
    sentence: `${attemptText(material, attempt)} succeeded, but reservation ` +
      `${request.reservationId} belongs to its holder at epoch 1 alone${made}`,
    operations: maker === undefined ? [attempt] : [maker, attempt],
    first: attempt,
  });
}

function fieldsOf(
  { reservationId, epoch }: HolderRequest,
  { key }: HistoryOperation,
  currentEpoch: bigint,
): Record<string, bigint | undefined> {
  return {
    reservation_id: reservationId,
    operation_id: key?.operationId,
    attempted_epoch: epoch,
    current_epoch: currentEpoch,
  };
}

function isSameKey(one: HistoryOperation["key"], other: HistoryOperation["key"]): boolean {
  return one !== undefined && other !== undefined && keyText(one) === keyText(other);
}
