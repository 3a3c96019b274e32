/** What ticks say, for somebody who tries every order: reads that found a hold expired, and pairs that contradict each other. */
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";
import type { TickOperation } from "../../testbed/jepsen/history/recording.ts";

/** One read for each hold that a tick says that it ended. */
export function readsOfTicks(ticks: readonly TickOperation[]): HistoryOperation[] {
  return answered(ticks).flatMap(({ process, invokedAt, completedAt, expired = [] }) =>
    expired.map(({ reservationId, holderId, releasedLsn }): HistoryOperation => ({
      process,
      request: { kind: "get_reservation", reservationId },
      invokedAt,
      completedAt,
      outcome: {
        kind: "ok",
        answer: {
          kind: "reservation",
          state: "expired",
          holderId,
          ...(releasedLsn === undefined ? {} : { releasedLsn }),
        },
      },
    }))
  );
}

/** Whether no hold ended early, twice, or where it never was. */
export function ticksAgree(
  history: readonly HistoryOperation[],
  ticks: readonly TickOperation[],
): boolean {
  return answered(ticks).every((tick) =>
    (tick.expired ?? []).every(({ reservationId, resourceId }) => {
      const isElsewhere = answered(ticks).some((other) =>
        other !== tick && other.expired?.some((hold) => hold.reservationId === reservationId)
      );
      if (isElsewhere) return false;
      return history.every((attempt) => agrees(attempt, tick, reservationId, resourceId));
    })
  );
}

function agrees(
  { request, outcome }: HistoryOperation,
  { slot }: TickOperation,
  reservationId: bigint,
  resourceId: bigint,
): boolean {
  if (outcome.kind !== "ok") return true;
  const { answer } = outcome;
  const isEarly = (deadline: bigint | undefined): boolean =>
    slot !== undefined && deadline !== undefined && slot < deadline;
  if (answer.kind === "reservation" && request.kind === "get_reservation") {
    return request.reservationId !== reservationId || !isEarly(answer.deadlineSlot);
  }
  if (answer.kind !== "applied" || answer.reserved?.reservationId !== reservationId) return true;
  const members = request.kind === "reserve"
    ? [request.resourceId]
    : request.kind === "reserve_bundle"
    ? request.resourceIds
    : [];
  return members.includes(resourceId) && !isEarly(answer.reserved.deadlineSlot);
}

function answered(ticks: readonly TickOperation[]): readonly TickOperation[] {
  return ticks.filter(({ kind }) => kind === "ok");
}
