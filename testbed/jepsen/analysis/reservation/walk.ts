/**
 * One walk through a schedule: what has begun and waits at a position, and what can happen next in a configuration there. It
 * can be taken on by an answer and back again, so that several ways of searching share it.
 */
import { fitsHere } from "./answers.ts";
import type { Meter } from "./budget.ts";
import { expire, forget, happen, isFenceMet, Phase } from "./changes.ts";
import {
  clearBit,
  type Configuration,
  hasBit,
  initialConfiguration,
  setBit,
  statusOf,
} from "./configuration.ts";
import { isHopeless } from "./hopeless.ts";
import type { Work } from "./problem.ts";
import { reachOf } from "./reach.ts";
import { type Board, showsVersion } from "./schedule.ts";
import { ABSENT, AVAILABLE, Kind, Status } from "./words.ts";

/** Takes a configuration that has been found. */
export type Visit = (next: Configuration) => void;
/** See the top of this file. */
export class Walk {
  readonly board: Board;
  /** Place of the event that comes next. */
  position = 0;
  readonly #meter: Meter;
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
  /** Where in the history the answer is that comes next. */
  #now = 0;

  constructor(board: Board, meter: Meter) {
    const { problem } = board;
    this.board = board;
    this.#meter = meter;
    this.#phases = new Uint8Array(problem.works.length);
    this.#reserves = problem.resourceIds.map(() => []);
    this.#creates = problem.resourceIds.map(() => []);
    this.#moves = problem.claims.map(() => []);
    this.#ceilings = board.ceilings.slice();
    this.#waiting = [this.#active, this.#passive, this.#grouped, ...this.#reserves];
  }

  /** Before anything happened. */
  start(): Configuration {
    return initialConfiguration(this.board.problem, this.board.layout);
  }

  /** Past beginnings, up to the next answer; undefined when there is none. */
  toAnswer(): Work | undefined {
    const { events } = this.board;
    for (; this.position < events.length; this.position++) {
      const { work, isAnswer } = events[this.position]!;
      if (isAnswer) {
        this.#now = work.completedAt;
        return work;
      }
      this.#begin(work);
    }
    return undefined;
  }

  /** Past the answer that comes next. */
  pass(): void {
    const { work } = this.board.events[this.position++]!;
    this.#phases[work.index] = Phase.answered;
    removeLast(work.isActive ? this.#active : this.#passive, work);
  }

  /** Back to before an answer, as if it had never been passed. */
  backTo(position: number): void {
    const { events } = this.board;
    while (this.position > position) {
      const { work, isAnswer } = events[--this.position]!;
      if (isAnswer) this.#reopen(work);
      else this.#unbegin(work);
    }
    this.#now = events[position]!.work.completedAt;
  }

  /** Forgets what nobody asks about after `work`, which has happened, has been answered. */
  leave({ words }: Configuration, work: Work): void {
    clearBit(words, 0, this.board.doneBits[work.index]!);
    forget(this.board, words, work, this.position);
  }

  /** Whether `work`, which waits for its answer, has happened. */
  hasHappened({ words }: Configuration, work: Work): boolean {
    return hasBit(words, 0, this.board.doneBits[work.index]!);
  }

  /** What has to happen first for `goal` to happen: itself, where nothing that has begun stands before it. */
  nextFor({ words }: Configuration, goal: Work): Work {
    const { problem: { after, works }, doneBits } = this.board;
    for (let next = goal;;) {
      const before = after[next.index]!.find((other) =>
        this.#phases[other] === Phase.open && !hasBit(words, 0, doneBits[other]!)
      );
      if (before === undefined) return next;
      next = works[before]!;
    }
  }

  /** Whether `work` can never be answered as it was from here on. */
  isHopeless({ words }: Configuration, work: Work): boolean {
    return isHopeless(this.board, words, work, this.#now);
  }

  #begin(work: Work): void {
    this.#phases[work.index] = Phase.open;
    if (work.isOptional) {
      for (const list of this.#listsOf(work)) list.push(work);
    } else if (work.isActive) this.#active.push(work);
    else {
      this.#passive.push(work);
      if (!showsVersion(work)) return;
      this.#ceilings[work.members[0]!] = this.board.laterCeilings[work.index]!;
    }
  }

  #unbegin(work: Work): void {
    this.#phases[work.index] = Phase.before;
    if (work.isOptional) {
      for (const list of this.#listsOf(work)) removeLast(list, work);
    } else if (work.isActive) removeLast(this.#active, work);
    else {
      removeLast(this.#passive, work);
      if (!showsVersion(work)) return;
      const at = work.members[0]!;
      this.#ceilings[at] = Math.min(this.#ceilings[at]!, work.version);
    }
  }

  #reopen(work: Work): void {
    this.#phases[work.index] = Phase.open;
    (work.isActive ? this.#active : this.#passive).push(work);
  }

  #listsOf(work: Work): Work[][] {
    if (!work.isActive) return [];
    if (work.group >= 0) return [this.#grouped];
    if (work.kind === Kind.create) return [this.#creates[work.members[0]!]!];
    if (work.kind !== Kind.reserve) return work.claims.map((claim) => this.#moves[claim]!);
    return work.members.length > 0 ? [this.#reserves[work.members[0]!]!] : [];
  }

  /** Everything that can happen next and may matter to `goal`. */
  expand(from: Configuration, goal: Work, visit: Visit): void {
    const { problem, layout } = this.board;
    const reach = reachOf(this.board, from.words, goal, this.#waiting);
    for (const work of this.#active) {
      if (hasBit(from.words, 0, this.board.doneBits[work.index]!) || !reach.meets(work)) continue;
      if (isFenceMet(this.board, from.words, work, this.#phases)) this.#tryWork(from, work, visit);
    }
    for (const work of this.#grouped) if (reach.meets(work)) this.#tryWork(from, work, visit);
    for (let resource = 0; resource < problem.resourceIds.length; resource++) {
      if (!reach.has(resource)) continue;
      const current = from.words[layout.currentAt + resource]!;
      if (current === AVAILABLE) this.#tryReserves(from, resource, visit);
      else if (current === ABSENT) this.#tryCreates(from, this.#creates[resource]!, visit);
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
    visit: Visit,
  ): void {
    const { problem, layout } = this.board;
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

  #tryCreates(
    from: Configuration,
    works: readonly Work[],
    visit: Visit,
  ): void {
    // One whose slot is not known stands for all that follow.
    for (const work of works) {
      if (this.#tryWork(from, work, visit) && work.slots === undefined) return;
    }
  }

  /** Of unanswered commands that do the same to a claim, one that can happen stands for all. */
  #tryMoves(from: Configuration, claim: number, visit: Visit): void {
    let tried = this.board.problem.claims[claim]!.settled;
    for (const work of this.#moves[claim]!) {
      if ((tried & (1 << work.kind)) !== 0) continue;
      if (this.#tryWork(from, work, visit) && work.slots === undefined) tried |= 1 << work.kind;
    }
  }

  #tryWork(from: Configuration, work: Work, visit: Visit): boolean {
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
    const { problem, layout } = this.board;
    const { id, rivals } = problem.claims[claim]!;
    return id !== undefined &&
      rivals.some((rival) => statusOf(words, layout, rival) !== Status.none);
  }

  #tryClaim(
    from: Configuration,
    work: Work,
    claim: number,
    visit: Visit,
  ): boolean {
    this.#meter.spend(1);
    const words = happen(this.board, from.words, work, claim, this.position, this.#now);
    if (words === undefined) return false;
    const trace = { previous: from.trace, work: work.index, claim };
    this.#arrive({ words, trace }, visit);
    return true;
  }

  #tryExpire(from: Configuration, claim: number, visit: Visit): void {
    if (this.board.problem.claims[claim]!.settled !== 0) return;
    this.#meter.spend(1);
    const words = expire(this.board, from.words, claim, this.position);
    if (words === undefined) return;
    this.#arrive({ words, trace: { previous: from.trace, work: -1, claim } }, visit);
  }

  #arrive(next: Configuration, visit: Visit): void {
    this.absorb(next);
    if (!this.#isPastVersions(next.words)) visit(next);
  }

  /** Whether a version has been passed that somebody has still to see. */
  #isPastVersions(words: Int32Array): boolean {
    const { problem, layout, doneBits } = this.board;
    for (let resource = 0; resource < problem.resourceIds.length; resource++) {
      if (words[layout.versionAt + resource]! > this.#ceilings[resource]!) return true;
    }
    return this.#passive.some((work) =>
      showsVersion(work) && words[layout.versionAt + work.members[0]!]! > work.version &&
      !hasBit(words, 0, doneBits[work.index]!)
    );
  }

  /** What changes nothing happens as soon as its answer fits: that never stands in anybody's way. */
  absorb(configuration: Configuration): void {
    const { words } = configuration;
    for (let again = true; again;) {
      again = false;
      for (const work of this.#passive) {
        const bit = this.board.doneBits[work.index]!;
        if (hasBit(words, 0, bit)) continue;
        if (!isFenceMet(this.board, words, work, this.#phases)) continue;
        if (!fitsHere(this.board, words, work, this.#now)) continue;
        setBit(words, 0, bit);
        configuration.trace = { previous: configuration.trace, work: work.index, claim: -1 };
        again = true;
      }
    }
  }
}

function removeLast(works: Work[], work: Work): void {
  works.splice(works.lastIndexOf(work), 1);
}
