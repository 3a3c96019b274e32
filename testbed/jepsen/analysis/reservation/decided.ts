/** What a search says, and how far it has come. */
import type { Configuration, Trace } from "./configuration.ts";
import type { Work } from "./problem.ts";

/** A verdict. */
export type Decided =
  /** An order that explains everything, latest first. */
  | { readonly kind: "valid"; readonly trace: Trace | undefined }
  /** The answer of `work` fits in none of the ways in which things stood before it. */
  | { readonly kind: "invalid"; readonly work: Work; readonly before: readonly Configuration[] };

/** How far a search has come. */
export interface Progress {
  work: Work;
  decided: number;
}
