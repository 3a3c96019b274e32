/** A bug planted in a copy of the sources: the shipped code has no switch for it. */

/** One place of one file; the text to replace stands there exactly once. */
export interface Edit {
  /** Relative to the root of the project. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** One planted bug. */
export interface Mutant {
  /** Unique; what `--only` takes. */
  readonly name: string;
  /** What the replica does wrong, in one line. */
  readonly what: string;
  readonly edits: readonly Edit[];
  /** It has to be caught within so many seeds, counted from 1. */
  readonly seedsMax: number;
  /** What the seeds are drawn for; `ci` unless told. */
  readonly profile?: "ci" | "swarm" | "single";
}
