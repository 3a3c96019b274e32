/**
 * Verifies what proves a verdict, without searching: an order is replayed step by step; a counterexample is small enough to
 * try every order of it.
 */
import type { HistoryOperation } from "../../history/operation.ts";
import type {
  CounterexampleCertificate,
  OrderCertificate,
  ReservationCertificate,
} from "../reservation/certificate_words.ts";
import type { ReservationBounds } from "../reservation/verdict.ts";
import { isInexplicable } from "./every_order.ts";
import { Replay } from "./replay.ts";
import type { ShardRules } from "./shard.ts";

/** What came of it. */
export type Verification =
  | { readonly kind: "verified" }
  /** The certificate proves nothing: why, in one sentence. */
  | { readonly kind: "refused"; readonly sentence: string }
  /** Not decided: another rule than linearizability, or too many orders to try. */
  | { readonly kind: "unproved"; readonly sentence: string };

/** What the verdict was given under. */
export interface VerifyOptions {
  readonly bounds?: ReservationBounds;
  readonly initialResourceIds?: Iterable<bigint>;
  /** Orders tried of a counterexample, at most; default 200,000. */
  readonly ordersMax?: number;
}

/**
 * Verifies a certificate.
 *
 * @param history The attempts that were judged, with the reads that ticks are judged as behind them, if there were any.
 */
export function verifyCertificate(
  history: readonly HistoryOperation[],
  certificate: ReservationCertificate,
  options: VerifyOptions = {},
): Verification {
  return certificate.kind === "order"
    ? verifyOrder(history, certificate, options)
    : verifyCounterexample(history, certificate, options);
}

function verifyOrder(
  history: readonly HistoryOperation[],
  { partitions }: OrderCertificate,
  { bounds = {}, initialResourceIds = [] }: VerifyOptions,
): Verification {
  const replay = new Replay(history, rulesOf(bounds), [...initialResourceIds], {
    mayForget: bounds.answers === "may_be_forgotten",
  });
  const sentence = replay.run(partitions);
  return sentence === undefined ? { kind: "verified" } : { kind: "refused", sentence };
}

function verifyCounterexample(
  history: readonly HistoryOperation[],
  { rule, attempts, weakened }: CounterexampleCertificate,
  { bounds = {}, initialResourceIds = [], ordersMax = 200_000 }: VerifyOptions,
): Verification {
  if (rule !== "linearizable") {
    return { kind: "unproved", sentence: `${rule} is a rule for pairs: read both attempts` };
  }
  const places = [...attempts];
  if (places.some((place) => history[place] === undefined)) {
    return { kind: "refused", sentence: "it names attempts that are not in the history" };
  }
  const isWrong = isInexplicable(history, places, weakened, rulesOf(bounds), {
    initial: [...initialResourceIds],
    ordersMax,
    idsAreLsns: bounds.reservationIds !== "opaque",
  });
  if (isWrong === undefined) return { kind: "unproved", sentence: "too many orders to try" };
  return isWrong
    ? { kind: "verified" }
    : { kind: "refused", sentence: "an order explains the attempts that it names" };
}

function rulesOf(bounds: ReservationBounds): ShardRules {
  return {
    mayFill: bounds.tables !== "roomy",
    mayRetire: bounds.history !== "kept",
    isExact: bounds.refusals !== "class",
    maxBundleSize: bounds.maxBundleSize,
    maxTtlSlots: bounds.maxTtlSlots,
  };
}
