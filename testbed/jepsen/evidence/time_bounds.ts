/** Between which lsns something must have happened, by what was answered before it began and began after its answer. */
import type { Recording } from "../history/recording.ts";
import { executionOf, type Replay } from "./replay.ts";
import type { KeyedWrite } from "./writes.ts";

interface Step {
  readonly at: number;
  readonly lsn: number;
}

/** See the top of this file. */
export class TimeBounds {
  /** In order of position; each the highest lsn that had been told until then. */
  readonly #floors: Step[] = [];
  /** In order of position; each the lowest lsn of what began from then on. */
  readonly #ceilings: Step[] = [];

  constructor(
    { operations, hasInvocations }: Recording,
    writes: readonly KeyedWrite[],
    replay: Replay,
  ) {
    if (!hasInvocations) return;
    for (const { completedAt, outcome, servedBy } of operations) {
      if (outcome.kind !== "ok" || completedAt === undefined) continue;
      const { answer } = outcome;
      const lsn = answer.kind === "applied" ? answer.lsn : servedBy?.observedLsn;
      if (lsn !== undefined) this.#floors.push({ at: completedAt, lsn: Number(lsn) });
    }
    raise(this.#floors);
    this.#ceilings = ceilingsOf(writes, replay);
  }

  /** The highest lsn that anybody knew before a position. */
  known(position: number): number {
    const at = firstFrom(this.#floors, position);
    return this.#floors[at - 1]?.lsn ?? 0;
  }

  /** An lsn below that of everything that began after a position. */
  before(position: number): number {
    const at = firstFrom(this.#ceilings, position);
    return (this.#ceilings[at]?.lsn ?? Infinity) - 1;
  }
}

function raise(floors: Step[]): void {
  floors.sort((a, b) => a.at - b.at);
  let highest = 0;
  for (const [i, { at, lsn }] of floors.entries()) {
    highest = Math.max(highest, lsn);
    floors[i] = { at, lsn: highest };
  }
}

function ceilingsOf(writes: readonly KeyedWrite[], replay: Replay): Step[] {
  const first = new Map<string, Step>();
  for (const { attempt, key } of writes) {
    const lsn = executionOf(replay, key, undefined)?.decided.frame.lsn;
    const text = `${key.clientId} ${key.operationId}`;
    const known = first.get(text);
    if (lsn === undefined || (known !== undefined && known.at <= attempt.invokedAt)) continue;
    first.set(text, { at: attempt.invokedAt, lsn });
  }
  const steps = [...first.values()].sort((a, b) => b.at - a.at);
  let lowest = Infinity;
  const ceilings = steps.map(({ at, lsn }) => ({ at, lsn: lowest = Math.min(lowest, lsn) }));
  return ceilings.reverse();
}

/** Index of the first step at or behind a position. */
function firstFrom(steps: readonly Step[], position: number): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (steps[middle]!.at < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
