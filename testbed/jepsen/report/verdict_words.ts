/** Verdicts as all parts of a report call them: a word and a sign, so that no colour is needed. */
import type { CheckResult, Judgement } from "../analysis/judgement.ts";
import type { Survey } from "./survey.ts";
import { counted, duration } from "./text/numbers.ts";

/** How a check ended: sign, word and class. */
export const CHECK_WORDS = {
  pass: { sign: "✓", word: "pass", tone: "good" },
  fail: { sign: "✕", word: "FAIL", tone: "bad" },
  inconclusive: { sign: "?", word: "inconclusive", tone: "unsure" },
} as const;

/** How a run ended: sign, word and class. */
export interface Badge {
  readonly sign: string;
  readonly word: string;
  readonly tone: "good" | "bad" | "unsure";
}

/** The badge of a judgement; a check of reservations that fails and that the release waits for blocks. */
export function badgeOf(
  { verdict, model, checks }: Pick<Judgement, "verdict" | "model" | "checks">,
): Badge {
  if (verdict === "valid") return { sign: "✓", word: "VALID", tone: "good" };
  if (verdict === "unknown") return { sign: "?", word: "UNKNOWN", tone: "unsure" };
  const isBlocked = model === "reservation" &&
    checks.some((check) => check.isReleaseBlocking && check.verdict === "fail");
  return { sign: "✕", word: isBlocked ? "BLOCKED" : "INVALID", tone: "bad" };
}

/** Violations of a check, those included that are not listed. */
export function foundBy({ found, violations }: CheckResult): number {
  return Math.max(found ?? 0, violations.length);
}

/** One sentence for the verdict as a whole. */
export function verdictSentence({ input: { judgement } }: Survey): string {
  const failed = judgement.checks.filter(({ verdict }) => verdict === "fail");
  const undecided = judgement.checks.filter(({ verdict }) => verdict === "inconclusive");
  const decisive = undecided.filter(({ isDecisive }) => isDecisive);
  const open = judgement.verdict === "unknown" && decisive.length > 0 ? decisive : undecided;
  const names = (checks: readonly CheckResult[]): string =>
    checks.map(({ name }) => nameWords(name)).join(", ");
  if (judgement.verdict === "invalid") {
    return failed.length === 0
      ? "What clients saw cannot be explained."
      : `${counted(failed.length, "checks")} failed: ${names(failed)}.`;
  }
  if (judgement.verdict === "unknown") {
    return open.length === 0
      ? "It could not be decided; that is not a pass."
      : `Nothing was found broken, but ${counted(open.length, "checks")} could not decide: ${
        names(open)
      }. That is not a pass.`;
  }
  return open.length === 0
    ? judgement.checks.length === 1
      ? `The check of ${names(judgement.checks)} passed.`
      : `All ${counted(judgement.checks.length, "checks")} passed.`
    : `No check failed; ${
      counted(open.length, "checks")
    } that the verdict does not wait for could not decide: ${names(open)}.`;
}

/** `double allocation` for `double_allocation`. */
export function nameWords(name: string): string {
  return name.replaceAll("_", " ");
}

/** That a run did not come to its end, and why; nothing when it did. */
export function brokenOffSentence({ input: { brokenOffBy } }: Survey): string | undefined {
  if (brokenOffBy === undefined) return undefined;
  return `The run did not come to its end: ${brokenOffBy}. What was seen until then was judged.`;
}

/** Why a run is no evidence for the release gate; undefined if nothing speaks against it. */
export function gateObjection(
  { input: { recording: { header }, gateEvidenceReason } }: Survey,
): string | undefined {
  if (gateEvidenceReason === "") return undefined;
  if (gateEvidenceReason !== undefined) return `gate evidence: no, ${gateEvidenceReason}`;
  return header.isWindowOverridden ? "gate evidence: no, window shortened" : undefined;
}

/** Facts of the header line that are known, by name. */
export function headerFacts({ input, isTimed, end }: Survey): [name: string, fact: string][] {
  const { header } = input.recording;
  const facts: [string, string | undefined][] = [
    ["model", header.model === "reservation" ? undefined : header.model],
    ["workload", header.workload],
    ["nemesis", header.nemesis && nameWords(header.nemesis)],
    ["backend", header.backend],
    ["seed", header.seed === undefined ? undefined : String(header.seed)],
    ["build", header.program],
    ["duration", isTimed ? duration(end) : undefined],
    ["started", startedAt(header.startedAtMillis)],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== "");
}

function startedAt(millis: number | undefined): string | undefined {
  if (millis === undefined || !(Math.abs(millis) <= 8.64e15)) return undefined;
  return new Date(millis).toISOString().replace(/\.000Z$/, "Z");
}
