/** One small history with something of everything, always the same. */
import type { HistoryEvent } from "../../testbed/jepsen/history/event.ts";
import type { RecordedHistory } from "./codec_histories.ts";

const key = (operationId: bigint): { readonly clientId: bigint; readonly operationId: bigint } => ({
  clientId: 2n ** 127n,
  operationId,
});
const servedBy = { replicaId: 1, role: "primary", view: 2n } as const;

const EVENTS: readonly HistoryEvent[] = [
  {
    type: "invoke",
    process: 0,
    timeNs: 1_000,
    key: key(1n),
    request: { kind: "create_resource", resourceId: 2n ** 53n + 1n },
    attempt: 1,
  },
  {
    type: "ok",
    process: 0,
    timeNs: 2_000_000,
    answer: { kind: "applied", code: "ok", lsn: 1n },
    servedBy,
  },
  {
    type: "invoke",
    process: 0,
    timeNs: 3_000_000,
    key: key(2n),
    request: { kind: "reserve", resourceId: 2n ** 53n + 1n, holderId: 7n, ttlSlots: 10n },
    slot: 5n,
  },
  {
    type: "invoke",
    process: 1,
    timeNs: 3_500_000,
    request: { kind: "get_resource", resourceId: 2n ** 53n + 1n, requiredLsn: 1n },
  },
  {
    type: "ok",
    process: 0,
    timeNs: 4_000_000,
    answer: {
      kind: "applied",
      code: "ok",
      lsn: 2n,
      reserved: { reservationId: 2n, epoch: 1n, deadlineSlot: 15n },
    },
    servedBy,
  },
  {
    type: "ok",
    process: 1,
    timeNs: 4_100_000,
    answer: { kind: "resource", state: "reserved", reservationId: 2n, version: 1n },
    servedBy: { ...servedBy, observedLsn: 2n },
  },
  { type: "fault", timeNs: 5_000_000, phase: "start", name: "kill", id: 1, replicaIds: [1] },
  {
    type: "invoke",
    process: 1,
    timeNs: 5_100_000,
    key: key(3n),
    request: { kind: "confirm", reservationId: 2n, holderId: 7n, epoch: 1n },
  },
  { type: "info", process: 1, timeNs: 9_000_000, reason: "timeout" },
  { type: "fault", timeNs: 9_500_000, phase: "stop", name: "kill", id: 1, detail: "after 4 ms" },
  { type: "replica", timeNs: 9_600_000, replicaId: 1, state: "active", role: "backup", view: 3n },
  {
    type: "invoke",
    process: 2,
    timeNs: 10_000_000,
    key: key(4n),
    request: { kind: "tick_expirations" },
    slot: 16n,
  },
  {
    type: "ok",
    process: 2,
    timeNs: 11_000_000,
    answer: {
      kind: "ticked",
      lsn: 3n,
      expired: [{ resourceId: 2n ** 53n + 1n, holderId: 7n, reservationId: 2n, releasedLsn: 3n }],
    },
  },
  {
    type: "invoke",
    process: 2,
    timeNs: 12_000_000,
    request: { kind: "get_reservation", reservationId: 2n },
  },
  {
    type: "ok",
    process: 2,
    timeNs: 13_000_000,
    answer: {
      kind: "reservation",
      state: "expired",
      holderId: 7n,
      memberResourceIds: [2n ** 53n + 1n],
      releasedLsn: 3n,
      retireAfterSlot: undefined,
    },
    servedBy: { ...servedBy, observedLsn: 3n },
  },
  {
    type: "invoke",
    process: 0,
    timeNs: 14_000_000,
    key: key(5n),
    request: { kind: "reserve", resourceId: 3n, holderId: 8n, ttlSlots: 10n },
  },
  { type: "fail", process: 0, timeNs: 15_000_000, reason: "overloaded" },
];

/** See the top of this file. */
export const SAMPLE: RecordedHistory = {
  header: {
    model: "reservation",
    runId: "golden",
    seed: 42,
    startedAtMillis: 1_790_000_000_000,
    bounds: { maxBundleSize: 4, maxTtlSlots: 2n ** 53n + 1n },
    initialResourceIds: [3n],
  },
  events: EVENTS,
  names: new Map([[0, "client-0"], [1, "client 1"]]),
};
