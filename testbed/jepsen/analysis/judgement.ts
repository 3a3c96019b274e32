/** What a judge says of a history: the verdict, every check with what it looked at, and why. Plain data; reports draw it. */
import type { ModelOperation } from "../history/model.ts";
import type { HistoryOperation } from "../history/operation.ts";

/** `unknown` is never a pass. */
export type Verdict = "valid" | "invalid" | "unknown";

/** See the top of this file. */
export interface Judgement {
  /** Invalid if a check failed, else unknown if one that {@linkcode CheckResult.isDecisive} is inconclusive, else valid. */
  readonly verdict: Verdict;
  readonly model: string;
  /** In the order of docs/jepsen.md. */
  readonly checks: readonly CheckResult[];
  readonly counts: JudgementCounts;
  readonly coverage: readonly CoverageFigure[];
  /** Figures that are below what was asked for; none of them changes the verdict. */
  readonly shortfalls?: readonly Shortfall[];
  /** What is noteworthy and no verdict. */
  readonly findings: readonly string[];
}

/** Totals for one line. */
export interface JudgementCounts {
  readonly events: number;
  /** Attempts folded by operation id. */
  readonly operations: number;
  /** Operation ids of writes: what the gate counts. */
  readonly logicalCommands?: number;
  readonly attempts: number;
  readonly unanswered: number;
  readonly partitions: number;
}

/** One check of one rule. */
export interface CheckResult {
  /** `linearizability`, `duplicate_committed_execution`, ...; stable, for programs. */
  readonly name: string;
  /** Whether the release gate is blocked when it fails, or cannot decide. */
  readonly isReleaseBlocking: boolean;
  /** Whether `inconclusive` makes the whole verdict `unknown`; absent means no. What fails makes it `invalid` in any case. */
  readonly isDecisive?: boolean;
  /** `inconclusive`: it could not decide, or had nothing to look at. */
  readonly verdict: "pass" | "fail" | "inconclusive";
  /** How many it looked at. */
  readonly examined: number;
  /** What it counted: `attempts`, `successful reads`, `log entries`, ... */
  readonly unit: string;
  /** One sentence: what holds, what does not, or why it cannot be said. */
  readonly sentence: string;
  readonly violations: readonly Violation[];
  /** How many violations there are, when they are more than are listed. */
  readonly found?: number;
}

/** One broken rule, with its evidence. */
export interface Violation {
  /** `blocker=double_allocation resource_id=...`: one line of key=value for programs and the gate's report. */
  readonly line: string;
  /** For people. */
  readonly sentence: string;
  readonly resourceIds: readonly bigint[];
  /** Attempts that cannot be explained together, in order of their beginning. */
  readonly operations: readonly HistoryOperation[];
  readonly modelOperations: readonly ModelOperation[];
  /** The attempt at which it shows; also in one of the lists above. */
  readonly first: HistoryOperation | ModelOperation | undefined;
  /** Whether nothing of the evidence can be spared. */
  readonly isMinimal: boolean;
  /** The last state in which all was well, one line each. */
  readonly before: readonly string[];
}

/** How often something that a judge should have seen was there. */
export interface CoverageFigure {
  /** `contended_reserves`, `reads_during_faults`, ...; stable. */
  readonly name: string;
  readonly count: number;
  readonly meaning: string;
}

/** A figure that is smaller than it has to be. */
export interface Shortfall {
  /** Of a {@linkcode CoverageFigure}; one that the history does not have counts 0. */
  readonly name: string;
  readonly count: number;
  readonly minimum: number;
}
