/**
 * Operations that stay in doubt. A commit settles one, or a refusal that was committed, or the proof that it never
 * happened; a replica that only says that it is no primary settles nothing.
 */
import type { HistoryOperation, OperationKey } from "../../history/operation.ts";
import type { CheckResult } from "../judgement.ts";
import { Finder } from "./finder.ts";
import { appliedOf, keyText, type Material } from "./material.ts";
import { attemptText } from "./words.ts";

/** See {@linkcode checkAmbiguity}. */
export interface AmbiguityOptions {
  readonly mustResolve: boolean;
  readonly isAbsent: (key: OperationKey) => boolean;
}

/** Refusals that old histories record as failures although they were committed. */
const COMMITTED_REASONS: ReadonlySet<string | undefined> = new Set([
  "busy",
  "conflict",
  "stale_epoch",
  "not_found",
  "retired",
]);

/**
 * See the top of this file.
 *
 * @param options Without `mustResolve` what stays in doubt is no violation, but nothing is passed either.
 */
export function checkAmbiguity(
  material: Material,
  { mustResolve, isAbsent }: AmbiguityOptions,
): CheckResult {
  const finder = new Finder({
    name: "unresolved_ambiguity",
    unit: "operations that were in doubt",
    holds: "every operation that was in doubt was settled",
    nothing: "no operation was ever in doubt",
  });
  for (const attempts of material.tried) {
    const doubtful = attempts.filter(({ outcome }) => outcome.kind === "info");
    if (doubtful.length === 0) continue;
    finder.examined++;
    const { operationId } = doubtful[0]!.key!;
    if (attempts.some(settles) || isAbsent(doubtful[0]!.key!)) continue;
    finder.add({
      fields: { operation_id: operationId },
      sentence: `nobody ever learned what became of ${attemptText(material, doubtful[0]!)}, ` +
        `operation ${operationId}, tried ${attempts.length} ${
          attempts.length === 1 ? "time" : "times"
        }`,
      operations: attempts,
      first: doubtful[0]!,
    });
  }
  checkTicks(finder, material);
  if (mustResolve || !finder.hasFound) return finder.result();
  return finder.undecided("some operations stayed in doubt, as they may", false);
}

function settles(attempt: HistoryOperation): boolean {
  const { outcome } = attempt;
  if (outcome.kind === "fail") return COMMITTED_REASONS.has(outcome.reason);
  const answer = appliedOf(attempt);
  // A full table says that this attempt did nothing, and nothing of those before it.
  return answer !== undefined && answer.code !== "operation_table_full";
}

function checkTicks(finder: Finder, { recording: { ticks } }: Material): void {
  const kinds = new Map<string, Set<string>>();
  const ids = new Map<string, bigint>();
  for (const { key, kind, reason } of ticks) {
    if (key === undefined) continue;
    const text = keyText(key);
    ids.set(text, key.operationId);
    const seen = kinds.get(text) ?? new Set<string>();
    seen.add(kind === "fail" && COMMITTED_REASONS.has(reason) ? "ok" : kind);
    kinds.set(text, seen);
  }
  for (const [text, seen] of kinds) {
    if (!seen.has("info")) continue;
    finder.examined++;
    if (seen.has("ok")) continue;
    const operation_id = ids.get(text)!;
    const sentence = `nobody ever learned what became of tick_expirations ${operation_id}`;
    finder.add({ fields: { operation_id }, sentence });
  }
}
