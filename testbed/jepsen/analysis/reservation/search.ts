/**
 * Decides whether some order of a problem's operations explains every answer. It walks through the schedule with all the ways in which
 * things may stand; an operation is made to happen only when its answer comes and nothing else would explain it (just in time). When
 * no way is left, the answer at which that happened is the first that cannot be explained.
 *
 * Sources: Wing and Gong, Testing and Verifying Concurrent Objects (1993); Lowe, Testing for Linearizability (2016).
 */
import { fitsHere } from "./answers.ts";
import { expire, forget, happen, isFenceMet, Phase } from "./changes.ts";
import {
  clearBit,
  type Configuration,
  ConfigurationSet,
  hasBit,
  initialConfiguration,
  setBit,
  statusOf,
  type Trace,
} from "./configuration.ts";
import { isHopeless } from "./hopeless.ts";
import { reachOf } from "./reach.ts";
import type { Work } from "./problem.ts";
import { type Board, showsVersion } from "./schedule.ts";
import { ABSENT, AVAILABLE, Kind, Status } from "./words.ts";

/** What may be spent; shared by all searches of a check. */
export interface Budget {
  /** Steps that are left. */
  steps: number;
  readonly configurationsMax: number;
  readonly isOverTime: () => boolean;
}

/** How a search ended. */
export type SearchResult =
  /** An order that explains everything, latest first. */
  | { readonly kind: "valid"; readonly trace: Trace | undefined }
  /** The answer of `work` fits in none of the ways in which things stood before it. */
  | { readonly kind: "invalid"; readonly work: Work; readonly before: readonly Configuration[] }
  | { readonly kind: "unknown"; readonly reason: UnknownReason; readonly work: Work };

/** Which limit was met. */
export type UnknownReason = "steps" | "configurations" | "time";

/** Steps between two questions for the time. */
const STEPS_PER_LOOK = 4_096;

/** Searches. */
export function search(board: Board, budget: Budget): SearchResult {
  return new Search(board, budget).run();
}

class LimitMet extends Error {
  readonly reason: UnknownReason;

  constructor(reason: UnknownReason) {
    super(reason);
    this.reason = reason;
  }
}

class Search {
  readonly #board: Board;
  readonly #budget: Budget;
  readonly #phases: Uint8Array;
  /** Answered operations that have begun and not ended: those that change something, and the others. */
  readonly #active: Work[] = [];
  readonly #passive: Work[] = [];
  /** Optional operations that have begun: by the first resource, by claim, and those whose keys others share. */
  readonly #reserves: Work[][];
  readonly #creates: Work[][];
  readonly #moves: Work[][];
  readonly #grouped: Work[] = [];
  readonly #waiting: readonly Work[][];
  /** By resource: the lowest version that a read will see which has not begun. */
  readonly #ceilings: Float64Array;
  #frontier: Configuration[];
  #position = 0;
  #untilLook = STEPS_PER_LOOK;

  constructor(board: Board, budget: Budget) {
    const { problem, layout } = board;
    this.#board = board;
    this.#budget = budget;
    this.#phases = new Uint8Array(problem.works.length);
    this.#reserves = problem.resourceIds.map(() => []);
    this.#creates = problem.resourceIds.map(() => []);
    this.#moves = problem.claims.map(() => []);
    this.#ceilings = board.ceilings.slice();
    this.#waiting = [this.#active, this.#passive, this.#grouped, ...this.#reserves];
    this.#frontier = [initialConfiguration(problem, layout)];
  }

  run(): SearchResult {
    for (const { work, isAnswer } of this.#board.events) {
      if (!isAnswer) {
        this.#begin(work);
      } else {
        const before = this.#frontier;
        const limit = this.#answer(work);
        if (limit !== undefined) return { kind: "unknown", reason: limit, work };
        if (this.#frontier.length === 0) return { kind: "invalid", work, before };
      }
      this.#position++;
    }
    return { kind: "valid", trace: this.#frontier[0]!.trace };
  }

  #begin(work: Work): void {
    this.#phases[work.index] = Phase.open;
    if (work.isOptional) {
      this.#offer(work);
      return;
    }
    if (work.isActive) {
      this.#active.push(work);
      return;
    }
    this.#passive.push(work);
    if (showsVersion(work)) {
      this.#ceilings[work.members[0]!] = this.#board.laterCeilings[work.index]!;
    }
    for (const configuration of this.#frontier) this.#absorb(configuration);
  }

  #offer(work: Work): void {
    if (!work.isActive) return;
    if (work.group >= 0) this.#grouped.push(work);
    else if (work.kind === Kind.create) this.#creates[work.members[0]!]!.push(work);
    else if (work.kind !== Kind.reserve) {
      for (const claim of work.claims) this.#moves[claim]!.push(work);
    } else if (work.members.length > 0) this.#reserves[work.members[0]!]!.push(work);
  }

  /** Leaves the ways in which `work` has been answered. */
  #answer(work: Work): UnknownReason | undefined {
    const { layout } = this.#board;
    try {
      this.#frontier = this.#explain(work);
    } catch (error) {
      if (error instanceof LimitMet) return error.reason;
      throw error;
    }
    this.#phases[work.index] = Phase.answered;
    const open = work.isActive ? this.#active : this.#passive;
    open.splice(open.indexOf(work), 1);
    const kept = new ConfigurationSet(layout);
    this.#frontier = this.#frontier.filter((configuration) => {
      clearBit(configuration.words, 0, this.#board.doneBits[work.index]!);
      forget(this.#board, configuration.words, work, this.#position);
      return kept.add(configuration);
    });
    return undefined;
  }

  /** All ways to get to where `work` has happened, breadth first, none further than that. */
  #explain(work: Work): Configuration[] {
    const { layout, doneBits } = this.#board;
    const seen = new ConfigurationSet(layout);
    const arrived: Configuration[] = [];
    const queue: Configuration[] = [];
    const visit = (configuration: Configuration): void => {
      if (!seen.add(configuration)) return;
      if (seen.size > this.#budget.configurationsMax) throw new LimitMet("configurations");
      const isThere = hasBit(configuration.words, 0, doneBits[work.index]!);
      if (isThere) arrived.push(configuration);
      else if (!isHopeless(this.#board, configuration.words, work)) queue.push(configuration);
    };
    for (const configuration of this.#frontier) visit(configuration);
    for (let next = 0; next < queue.length; next++) this.#expand(queue[next]!, work, visit);
    return arrived;
  }

  /** Everything that can happen next and may matter to `goal`. */
  #expand(from: Configuration, goal: Work, visit: (next: Configuration) => void): void {
    const { problem, layout } = this.#board;
    const reach = reachOf(this.#board, from.words, goal, this.#waiting);
    for (const work of this.#active) {
      if (hasBit(from.words, 0, this.#board.doneBits[work.index]!) || !reach.meets(work)) continue;
      if (isFenceMet(this.#board, from.words, work, this.#phases)) this.#tryWork(from, work, visit);
    }
    for (const work of this.#grouped) if (reach.meets(work)) this.#tryWork(from, work, visit);
    for (let resource = 0; resource < problem.resourceIds.length; resource++) {
      if (!reach.has(resource)) continue;
      const current = from.words[layout.currentAt + resource]!;
      if (current === AVAILABLE) this.#tryReserves(from, resource, visit);
      else if (current === ABSENT) this.#tryFirst(from, this.#creates[resource]!, visit);
      else if (problem.claims[current]!.members[0] === resource) {
        this.#tryExpire(from, current, visit);
        this.#tryMoves(from, current, visit);
      }
    }
  }

  /** Of reserves that nobody was told about and that could make the same, the latest stands for all. */
  #tryReserves(
    from: Configuration,
    resource: number,
    visit: (next: Configuration) => void,
  ): void {
    const { problem, layout } = this.#board;
    const tried = new Set<number>();
    const works = this.#reserves[resource]!;
    for (let i = works.length - 1; i >= 0; i--) {
      const work = works[i]!;
      if (hasBit(from.words, layout.usedAt, work.usedBit)) continue;
      for (const claim of work.claims) {
        const { likeness } = problem.claims[claim]!;
        if (tried.has(likeness) || this.#isTaken(from.words, claim)) continue;
        tried.add(likeness);
        this.#tryClaim(from, work, claim, visit);
      }
    }
  }

  #tryFirst(
    from: Configuration,
    works: readonly Work[],
    visit: (next: Configuration) => void,
  ): void {
    if (works.length > 0) this.#tryWork(from, works[0]!, visit);
  }

  /** Of unanswered commands that do the same to a claim, one that can happen stands for all. */
  #tryMoves(from: Configuration, claim: number, visit: (next: Configuration) => void): void {
    let tried = this.#board.problem.claims[claim]!.settled;
    for (const work of this.#moves[claim]!) {
      if ((tried & (1 << work.kind)) !== 0) continue;
      if (this.#tryWork(from, work, visit)) tried |= 1 << work.kind;
    }
  }

  #tryWork(from: Configuration, work: Work, visit: (next: Configuration) => void): boolean {
    if (work.kind !== Kind.reserve || work.claims.length === 0) {
      return this.#tryClaim(from, work, -1, visit);
    }
    let happened = false;
    for (const claim of work.claims) {
      if (this.#isTaken(from.words, claim)) continue;
      if (this.#tryClaim(from, work, claim, visit)) happened = true;
    }
    return happened;
  }

  #isTaken(words: Int32Array, claim: number): boolean {
    const { problem, layout } = this.#board;
    const { id, rivals } = problem.claims[claim]!;
    return id !== undefined &&
      rivals.some((rival) => statusOf(words, layout, rival) !== Status.none);
  }

  #tryClaim(
    from: Configuration,
    work: Work,
    claim: number,
    visit: (next: Configuration) => void,
  ): boolean {
    this.#count();
    const words = happen(this.#board, from.words, work, claim, this.#position);
    if (words === undefined) return false;
    const trace = { previous: from.trace, work: work.index, claim };
    this.#arrive({ words, trace }, visit);
    return true;
  }

  #tryExpire(from: Configuration, claim: number, visit: (next: Configuration) => void): void {
    if (this.#board.problem.claims[claim]!.settled !== 0) return;
    this.#count();
    const words = expire(this.#board, from.words, claim, this.#position);
    if (words === undefined) return;
    this.#arrive({ words, trace: { previous: from.trace, work: -1, claim } }, visit);
  }

  #arrive(next: Configuration, visit: (next: Configuration) => void): void {
    this.#absorb(next);
    if (!this.#isPastVersions(next.words)) visit(next);
  }

  /** Whether a version has been passed that somebody has still to see. */
  #isPastVersions(words: Int32Array): boolean {
    const { problem, layout, doneBits } = this.#board;
    for (let resource = 0; resource < problem.resourceIds.length; resource++) {
      if (words[layout.versionAt + resource]! > this.#ceilings[resource]!) return true;
    }
    return this.#passive.some((work) =>
      showsVersion(work) && words[layout.versionAt + work.members[0]!]! > work.version &&
      !hasBit(words, 0, doneBits[work.index]!)
    );
  }

  /** What changes nothing happens as soon as its answer fits: that never stands in anybody's way. */
  #absorb(configuration: Configuration): void {
    const { words } = configuration;
    for (let again = true; again;) {
      again = false;
      for (const work of this.#passive) {
        const bit = this.#board.doneBits[work.index]!;
        if (hasBit(words, 0, bit)) continue;
        if (!isFenceMet(this.#board, words, work, this.#phases)) continue;
        if (!fitsHere(this.#board, words, work)) continue;
        setBit(words, 0, bit);
        configuration.trace = { previous: configuration.trace, work: work.index, claim: -1 };
        again = true;
      }
    }
  }

  #count(): void {
    if (--this.#budget.steps < 0) throw new LimitMet("steps");
    if (--this.#untilLook > 0) return;
    this.#untilLook = STEPS_PER_LOOK;
    if (this.#budget.isOverTime()) throw new LimitMet("time");
  }
}
