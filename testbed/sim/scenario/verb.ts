/** One word that a protocol script can begin a line with. */
import type { Stage } from "./stage.ts";
import type { Words } from "./words.ts";

/** See the top of this file. */
export interface Verb {
  /** How it is written; `NAME=` in it are the names that it takes. */
  readonly form: string;
  /** What it does. */
  readonly says: string;
  /** Names that it takes besides those in `form`. */
  readonly names?: readonly string[];
  run(stage: Stage, words: Words): void;
}

/** Verbs by their word. */
export type Verbs = Readonly<Record<string, Verb>>;

/** The names that a verb takes. */
export function namesOf({ form, names = [] }: Verb): string[] {
  return [...new Set([...form.matchAll(/([a-z_-]+)=/g)].map(([, name]) => name!)), ...names];
}
