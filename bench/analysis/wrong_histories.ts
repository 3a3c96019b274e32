/** Histories that nothing explains: one wrong value among many, and what nobody can refute quickly. */
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";

/** One read after the middle finds a reservation that nobody made. */
export function withThinAir(history: readonly HistoryOperation[]): readonly HistoryOperation[] {
  const at = history.findIndex(({ outcome }, i) =>
    i > history.length / 2 && outcome.kind === "ok" && outcome.answer.kind === "resource"
  );
  const answer = { kind: "resource", state: "reserved", reservationId: 2n ** 63n } as const;
  return history.with(at, { ...history[at]!, outcome: { kind: "ok", answer } });
}

/** Reserves that overlap and were never answered, and a read that saw more than they can have done. */
export function hopelessHistory(): HistoryOperation[] {
  const history = Array.from({ length: 30 }, (_, i): HistoryOperation => ({
    process: i,
    key: { clientId: 1n, operationId: BigInt(i) },
    request: { kind: "reserve", resourceId: 1n, holderId: BigInt(i), ttlSlots: BigInt(i + 1) },
    ...{ invokedAt: i, completedAt: undefined, outcome: { kind: "info" } },
  }));
  const seen = { kind: "resource", state: "available", reservationId: undefined } as const;
  history.push({
    ...{ process: 99, request: { kind: "get_resource", resourceId: 1n } },
    ...{ invokedAt: 100, completedAt: 101 },
    outcome: { kind: "ok", answer: { ...seen, version: 41n } },
  });
  return history;
}
