/** One way to hurt a cluster. */
import type { Ability } from "../backend/backend.ts";
import type { Scene } from "./scene.ts";

/** See the top of this file. */
export interface StrikeKind {
  /** What the backend must be able to do. */
  readonly needs: readonly Ability[];
  /** Hurts, and lasts about as long as the scene says. What is left broken is put right after it. */
  readonly act: (scene: Scene) => Promise<void>;
}

/** Several, by their names. */
export type StrikeKinds = Readonly<Record<string, StrikeKind>>;
