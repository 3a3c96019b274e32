/** How a world ends in which a promise was broken. */

/** As much of a world as a violation tells of it. */
export interface ViolatedWorld {
  readonly seed: number;
  readonly queue: { readonly nowMs: number; readonly happened: number };
  readonly transcript: readonly string[];
}

/** Lines of the transcript that are kept. */
const TAIL_LINES = 120;

/** Something happened that must not: what, when, and how to have it again. */
export class ClusterViolation extends Error {
  override readonly name = "ClusterViolation";
  /** The promise that was broken. */
  readonly what: string;
  /** The last lines of the transcript, if there is one. */
  readonly tail: readonly string[];

  constructor(what: string, world: ViolatedWorld) {
    const tail = world.transcript.slice(-TAIL_LINES);
    const { nowMs, happened } = world.queue;
    super(
      `${what} (seed ${world.seed}, ${nowMs.toFixed(1)} ms, event ${happened})\n${tail.join("\n")}`,
    );
    this.what = what;
    this.tail = tail;
  }
}
