/** Collects the violations of one check, of which the first are kept, and makes its result. */
import type { ModelOperation } from "../../history/model.ts";
import type { HistoryOperation } from "../../history/operation.ts";
import type { CheckResult, Violation } from "../judgement.ts";

/** Violations that are listed of one check; of the others only their number is told. */
export const LISTED_MAX = 1_000;

/** What a check is about. */
export interface CheckSubject {
  readonly name: string;
  /** What is counted: `reads answered`, `log entries`, ... */
  readonly unit: string;
  /** What is true when nothing is found. */
  readonly holds: string;
  /** Why nothing can be said when there was nothing to look at. */
  readonly nothing: string;
}

/** One thing that is wrong. */
export interface Found {
  /** Behind `blocker=<name>`, in this order; what is undefined is written `none`. */
  readonly fields: Readonly<Record<string, bigint | number | string | undefined>>;
  readonly sentence: string;
  readonly resourceIds?: readonly bigint[];
  /** What cannot be explained together. */
  readonly operations?: readonly HistoryOperation[];
  readonly modelOperations?: readonly ModelOperation[];
  /** Where it shows; the last of the operations unless told. */
  readonly first?: HistoryOperation;
}

/** See the top of this file. */
export class Finder {
  examined = 0;
  readonly #subject: CheckSubject;
  readonly #violations: Violation[] = [];
  #found = 0;
  #first = "";

  constructor(subject: CheckSubject) {
    this.#subject = subject;
  }

  /** Whether anything is wrong. */
  get hasFound(): boolean {
    return this.#found > 0;
  }

  add(found: Found): void {
    if (this.#found++ === 0) this.#first = found.sentence;
    if (this.#violations.length < LISTED_MAX) {
      this.#violations.push(violationOf(this.#subject.name, found));
    }
  }

  /** Violated if something was found, without a verdict if nothing was looked at, else passed. */
  result(): CheckResult {
    const { nothing, holds } = this.#subject;
    if (this.#found > 0) return this.#make("fail", this.#told());
    if (this.examined === 0) return this.#make("inconclusive", nothing);
    return this.#make("pass", holds);
  }

  /**
   * It could not decide.
   *
   * @param isDecisive Whether that leaves the whole history without a verdict.
   */
  undecided(sentence: string, isDecisive: boolean): CheckResult {
    const result = this.#make("inconclusive", sentence);
    return isDecisive ? { ...result, isDecisive } : result;
  }

  #told(): string {
    const others = this.#found - 1;
    if (others === 0) return this.#first;
    return `${this.#first}; and ${others} more`;
  }

  #make(verdict: CheckResult["verdict"], sentence: string): CheckResult {
    const { name, unit } = this.#subject;
    const violations = verdict === "fail" ? this.#violations : [];
    const { examined } = this;
    const result = { name, isReleaseBlocking: true, verdict, examined, unit, sentence, violations };
    return this.#found > LISTED_MAX && verdict === "fail"
      ? { ...result, found: this.#found }
      : result;
  }
}

function violationOf(name: string, found: Found): Violation {
  const { fields, sentence, resourceIds = [], operations = [], modelOperations = [] } = found;
  const values = Object.entries(fields).map(([field, value]) => `${field}=${value ?? "none"}`);
  const first = found.first ?? operations.at(-1);
  return {
    line: [`blocker=${name}`, ...values].join(" "),
    sentence,
    resourceIds,
    operations: [...operations].sort(inOrder),
    modelOperations,
    first,
    isMinimal: true,
    before: [],
  };
}

/** By beginning; without recorded beginnings by end. */
function inOrder(a: HistoryOperation, b: HistoryOperation): number {
  return a.invokedAt - b.invokedAt || (a.completedAt ?? Infinity) - (b.completedAt ?? Infinity);
}
