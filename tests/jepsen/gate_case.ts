// What a table of histories for the gate consists of.
import type { JudgeOptions } from "../../testbed/jepsen/analysis/judge.ts";
import type { HistoryHeader } from "../../testbed/jepsen/history/event.ts";
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";
import { GateScript } from "./gate_script.ts";

/** A history, and what has to be said of it. */
export interface GateCase {
  readonly script: GateScript;
  /** Release-blocking checks that fail, linearizability apart. */
  readonly fails: readonly string[];
  /** Lines of the report. */
  readonly lines?: readonly string[];
  readonly header?: Partial<HistoryHeader>;
  readonly options?: JudgeOptions;
}

/** By what they are, in words that go behind `for`. */
export type GateCases = Readonly<Record<string, GateCase>>;

/** A recording with invocations. */
export const script = (): GateScript => new GateScript();
/** One without. */
export const old = (): GateScript => new GateScript(false);
/** Who answers reads as it should. */
export const PRIMARY = { replicaId: 1, role: "primary" } as const;
/** The header of a run of the harness. */
export const RUN = { runId: "run" } as const;
/** Ids of reservations tell no lsn. */
export const OPAQUE: JudgeOptions = { bounds: { reservationIds: "opaque" } };

/** Resource 5, reserved as 1 by holder 7 and confirmed. */
export const confirmed = (): GateScript => script().reserve(5n, 7n).holder("confirm", 1n, 7n);

/** The first attempt does not tell its lsn. */
export function withoutLsn(written: GateScript): GateScript {
  written.operations[0] = stripped(written.operations[0]!);
  return written;
}

/** No attempt tells its lsn. */
export function withoutLsns(written: GateScript): GateScript {
  for (const [i, operation] of written.operations.entries()) {
    written.operations[i] = stripped(operation);
  }
  return written;
}

function stripped(operation: HistoryOperation): HistoryOperation {
  const { outcome } = operation;
  if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") return operation;
  const { lsn: _lsn, ...answer } = outcome.answer;
  return { ...operation, outcome: { kind: "ok", answer } };
}
