/** What a node does by itself: expire what is due and write checkpoints. */
import type { CheckpointPolicy } from "./checkpoint.ts";
import type { Node } from "./node.ts";

/** Which workers run. */
export interface WorkerOptions {
  /** Whether due reservations are expired without being asked to. */
  readonly expiration: boolean;
  /** When checkpoints are written without being asked for; `undefined` for never. */
  readonly checkpoints: CheckpointPolicy | undefined;
}

/** Shortest pause between two looks at what is due: an idle node stays idle. */
const EXPIRATION_PAUSE_MS_MIN = 20;
const CHECKPOINT_PAUSE_MS = 1_000;

/**
 * Starts a node's workers.
 *
 * @param node The node.
 * @param options Which of them.
 * @returns Stops them.
 */
export function startWorkers(node: Node, options: WorkerOptions): () => void {
  const timers: ReturnType<typeof setInterval>[] = [];
  if (options.expiration) {
    const pauseMs = Math.max(node.identity.core.slotDurationMs, EXPIRATION_PAUSE_MS_MIN);
    timers.push(setInterval(() => node.expireDue(), pauseMs));
  }
  const policy = options.checkpoints;
  if (policy !== undefined) {
    timers.push(setInterval(() => node.checkpointIfDue(policy), CHECKPOINT_PAUSE_MS));
  }
  return () => timers.forEach((timer) => clearInterval(timer));
}
