/**
 * In which order a search meets the beginnings and answers of a problem's operations, and what follows from that: which
 * of them wait at the same time, and from when on nobody asks about something any more.
 */
import { type Layout, layOut } from "./configuration.ts";
import type { Problem, Work } from "./problem.ts";
import { Kind } from "./words.ts";

/** A beginning or an answer. */
export interface ScheduleEvent {
  readonly work: Work;
  readonly isAnswer: boolean;
}

/** A problem with an order of events; positions are indexes into `events`. */
export interface Board {
  readonly problem: Problem;
  readonly events: readonly ScheduleEvent[];
  readonly layout: Layout;
  /** How many wait at the same time, at most. */
  readonly widest: number;
  /** By work: its bit among those that wait; -1 for optional ones, which wait for nothing. */
  readonly doneBits: Int32Array;
  /** By claim: position of the last answer of an operation that names it, -1 for none. */
  readonly lastNamedAt: Int32Array;
  /** By resource: position of the last answer that shows its version, -1 for none. */
  readonly lastVersionAt: Int32Array;
  /** By resource: the lowest version that anybody will see. Versions only grow, so no way leads past it. */
  readonly ceilings: Float64Array;
  /** By work: for a read of a version, the lowest one that is seen by a read of the same resource that begins later. */
  readonly laterCeilings: Float64Array;
}

/** The events in the order of the history. */
export function eventsOf(works: readonly Work[]): ScheduleEvent[] {
  const events: ScheduleEvent[] = [];
  for (const work of works) {
    events.push({ work, isAnswer: false });
    if (!work.isOptional) events.push({ work, isAnswer: true });
  }
  // At the same position beginnings come first: whatever is not certainly earlier overlaps.
  return events.sort((a, b) => positionOf(a) - positionOf(b) || +a.isAnswer - +b.isAnswer);
}

/** Prepares a search. */
export function schedule(problem: Problem, events: readonly ScheduleEvent[]): Board {
  const doneBits = new Int32Array(problem.works.length).fill(-1);
  const lastNamedAt = new Int32Array(problem.claims.length).fill(-1);
  const lastVersionAt = new Int32Array(problem.resourceIds.length).fill(-1);
  const free: number[] = [];
  let bits = 0;
  for (const [position, { work, isAnswer }] of events.entries()) {
    if (!isAnswer) {
      if (!work.isOptional) doneBits[work.index] = free.pop() ?? bits++;
      continue;
    }
    free.push(doneBits[work.index]!);
    for (const claim of work.claims) lastNamedAt[claim] = position;
    if (showsVersion(work)) lastVersionAt[work.members[0]!] = position;
  }
  return {
    problem,
    events,
    layout: layOut(problem, bits),
    widest: bits,
    doneBits,
    lastNamedAt,
    lastVersionAt,
    ...ceilingsOf(problem, events),
  };
}

function ceilingsOf(
  { resourceIds, works }: Problem,
  events: readonly ScheduleEvent[],
): Pick<Board, "ceilings" | "laterCeilings"> {
  const ceilings = new Float64Array(resourceIds.length).fill(Infinity);
  const laterCeilings = new Float64Array(works.length).fill(Infinity);
  for (let i = events.length - 1; i >= 0; i--) {
    const { work, isAnswer } = events[i]!;
    if (isAnswer || work.isOptional || !showsVersion(work)) continue;
    const resource = work.members[0]!;
    laterCeilings[work.index] = ceilings[resource]!;
    ceilings[resource] = Math.min(ceilings[resource]!, work.version);
  }
  return { ceilings, laterCeilings };
}

/** Whether a work is a read that shows the version of a resource. */
export function showsVersion({ kind, version }: Work): boolean {
  return kind === Kind.readResource && version >= 0;
}

function positionOf({ work, isAnswer }: ScheduleEvent): number {
  return isAnswer ? work.completedAt : work.invokedAt;
}
