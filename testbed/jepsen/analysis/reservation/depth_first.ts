/**
 * The search depth first: one way after the other, each as far as it goes, and never twice from where another has failed. It
 * says nothing that the search breadth first would not say in the end, but where there are very many ways and most are
 * right it needs only one of them.
 *
 * Source: Lowe, Testing for Linearizability (2016), which remembers what has failed.
 */
import type { Meter } from "./budget.ts";
import { bytesOf, type Configuration, ConfigurationSet } from "./configuration.ts";
import type { Decided, Progress } from "./decided.ts";
import type { Work } from "./problem.ts";
import type { Board } from "./schedule.ts";
import { Walk } from "./walk.ts";

/** Searches; parameters and errors as of {@linkcode searchConfigurations}. */
export function searchDepthFirst(board: Board, meter: Meter, progress: Progress): Decided {
  return new DepthFirst(board, meter, progress).run();
}

/** What {@linkcode DepthFirst} tries last comes first: the next is at the end. */
const RANKS: readonly number[] = [0, 1, 2, 3];

/** What an answer on the way takes in memory, about; most have one configuration. */
const STAND_BYTES = 400;

/** An answer on the way, and what has still to be tried there. */
interface Stand {
  readonly position: number;
  readonly work: Work;
  /** Where the answer has not been given, the next at the end. */
  readonly open: Configuration[];
  /** Where it has. */
  readonly arrived: Configuration[];
  readonly seen: ConfigurationSet;
  readonly before: Configuration;
}

class DepthFirst {
  readonly #walk: Walk;
  readonly #meter: Meter;
  readonly #progress: Progress;
  /** By position of an answer: from where it has been tried. */
  readonly #tried = new Map<number, ConfigurationSet>();
  readonly #stands: Stand[] = [];
  #remembered = 0;
  #furthest: { readonly work: Work; readonly before: Configuration } | undefined;

  constructor(board: Board, meter: Meter, progress: Progress) {
    this.#walk = new Walk(board, meter);
    this.#meter = meter;
    this.#progress = progress;
  }

  run(): Decided {
    let next: Configuration | undefined = this.#walk.start();
    for (;;) {
      if (next !== undefined) {
        const work = this.#walk.toAnswer();
        if (work === undefined) return { kind: "valid", trace: next.trace };
        this.#stand(next, work);
      }
      const stand = this.#stands.at(-1);
      if (stand === undefined) break;
      next = this.#tryOn(stand);
      if (next === undefined) this.#back();
    }
    const { work, before } = this.#furthest!;
    return { kind: "invalid", work, before: [before] };
  }

  /** Begins with an answer, unless that has been tried from as good a configuration. */
  #stand(from: Configuration, work: Work): void {
    this.#walk.absorb(from);
    const { position, board } = this.#walk;
    let tried = this.#tried.get(position);
    if (tried === undefined) {
      this.#tried.set(position, tried = new ConfigurationSet(board.layout));
      this.#progress.work = work;
      this.#progress.decided = this.#tried.size - 1;
      this.#furthest = { work, before: from };
    }
    const seen = new ConfigurationSet(board.layout);
    const stand = { position, work, open: [], arrived: [], seen, before: from };
    this.#stands.push(stand);
    if (this.#isNew(tried, from)) this.#visit(stand, from, stand.open);
  }

  /** The next configuration in which the answer has been given; undefined when there is none. */
  #tryOn(stand: Stand): Configuration | undefined {
    const walk = this.#walk;
    while (stand.arrived.length === 0 && stand.open.length > 0) {
      this.#goOn(stand, stand.open.pop()!);
    }
    const arrived = stand.arrived.shift();
    if (arrived === undefined) return undefined;
    const next = { words: arrived.words.slice(), trace: arrived.trace };
    walk.leave(next, stand.work);
    walk.pass();
    return next;
  }

  /** Finds what can happen next and puts it where it is tried sooner or later. */
  #goOn(stand: Stand, from: Configuration): void {
    const found: Configuration[] = [];
    this.#walk.expand(from, stand.work, (next) => this.#visit(stand, next, found));
    if (found.length === 0) return;
    const wanted = this.#walk.nextFor(from, stand.work);
    const ranks = found.map((next) => this.#rankOf(wanted, next));
    for (const rank of RANKS) {
      for (let i = found.length - 1; i >= 0; i--) {
        if (ranks[i] === rank) stand.open.push(found[i]!);
      }
    }
  }

  #visit(stand: Stand, configuration: Configuration, open: Configuration[]): void {
    if (!this.#isNew(stand.seen, configuration)) return;
    if (this.#walk.hasHappened(configuration, stand.work)) stand.arrived.push(configuration);
    else if (!this.#walk.isHopeless(configuration, stand.work)) open.push(configuration);
  }

  /**
   * How soon it is tried: what somebody was told of and what is about the same resources comes first. What nobody was told
   * of, elsewhere, seldom helps, and stands in the way later.
   */
  #rankOf(wanted: Work, { trace }: Configuration): number {
    const { works, claims } = this.#walk.board.problem;
    const work = trace === undefined || trace.work < 0 ? undefined : works[trace.work]!;
    const touched = work?.touches ?? claims[trace?.claim ?? 0]!.members;
    const isNear = touched.some((resource) => wanted.touches.includes(resource));
    return (isNear ? 2 : 0) + (work !== undefined && !work.isOptional ? 1 : 0);
  }

  #isNew(set: ConfigurationSet, configuration: Configuration): boolean {
    const before = set.comparisons;
    const isNew = set.add(configuration);
    this.#meter.compare(set.comparisons - before + 1);
    if (!isNew) return false;
    const bytes = bytesOf(this.#walk.board.layout) + STAND_BYTES;
    this.#meter.remember(++this.#remembered, bytes);
    return true;
  }

  #back(): void {
    const stand = this.#stands.pop()!;
    this.#remembered -= stand.seen.size;
    const last = this.#stands.at(-1);
    if (last !== undefined) this.#walk.backTo(last.position);
  }
}
