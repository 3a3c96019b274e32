/** A verdict about reservations with what proves it, and what is needed to check the proof. */
import type { HistoryOperation } from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";
import type { VerifyOptions } from "./certificate/verify.ts";
import { checkOptionsOf, type JudgeOptions } from "./judge.ts";
import type { ReservationCertificate } from "./reservation/certificate_words.ts";
import { checkReservations } from "./reservation/check.ts";
import { expiriesOf } from "./reservation/ticks.ts";

/** What a certificate speaks about. */
export interface Provable {
  /** All attempts, then the reads that ticks are judged as: a certificate names them by their places. */
  readonly history: readonly HistoryOperation[];
  readonly options: VerifyOptions;
}

/** Whether there can be a certificate: other models and histories without invocations have none. */
export function isProvable({ header, hasInvocations }: Recording): boolean {
  return header.model === "reservation" && hasInvocations;
}

/** What a certificate about a recording is checked against. */
export function provableHistory(recording: Recording): Provable {
  const { bounds = {}, initialResourceIds = [] } = checkOptionsOf(recording, {});
  return {
    history: [...recording.operations, ...expiriesOf(recording.ticks).map(({ read }) => read)],
    options: { bounds, initialResourceIds },
  };
}

/** Searches again, and keeps what was found; nothing for a verdict that proves nothing. */
export function prove(
  recording: Recording,
  options: JudgeOptions,
): ReservationCertificate | undefined {
  const verdict = checkReservations(recording.operations, {
    ...checkOptionsOf(recording, options),
    certify: true,
  });
  return verdict.kind === "unknown" ? undefined : verdict.certificate;
}
