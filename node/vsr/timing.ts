/** How long replicas wait for each other, in milliseconds, and how much they send ahead. */
export interface VsrTiming {
  /** A primary that has nothing to say says so this often. */
  readonly heartbeatMs: number;
  /** A primary that no majority has answered for this long leaves service; nobody helps to replace one younger than this. */
  readonly electionMsMin: number;
  /** A backup that hears nothing waits between the minimum and this before it asks the others. */
  readonly electionMsMax: number;
  /**
   * How long after it sent a message that a majority has answered a primary may read without asking again; 0 for
   * never. At most half of `electionMsMin`: replicas promise not to leave their view for that long after they heard
   * its primary, and clocks may run at somewhat different paces.
   */
  readonly leaseMs: number;
  /** Bytes of entries in one message, about; one entry always goes. */
  readonly messageBytesMax: number;
  /** Unanswered bytes of entries on the way to one replica. */
  readonly windowBytes: number;
  /** The same two for a replica that is far behind: it must not hold up those that are not. */
  readonly catchUpMessageBytesMax: number;
  readonly catchUpWindowBytes: number;
}

/** What `VsrTiming` is unless told. */
export const DEFAULT_TIMING: VsrTiming = {
  heartbeatMs: 100,
  electionMsMin: 400,
  electionMsMax: 800,
  leaseMs: 0,
  messageBytesMax: 1024 * 1024,
  windowBytes: 4 * 1024 * 1024,
  catchUpMessageBytesMax: 64 * 1024,
  catchUpWindowBytes: 256 * 1024,
};

/**
 * Checks that times fit together.
 *
 * @param timing What was asked for.
 * @returns What is wrong, or `undefined`.
 */
export function checkTiming(timing: VsrTiming): string | undefined {
  const { heartbeatMs, electionMsMin, electionMsMax, leaseMs } = timing;
  if (!(heartbeatMs > 0)) return "heartbeatMs must be above 0";
  if (electionMsMin < 2 * heartbeatMs) return "electionMsMin must be at least twice heartbeatMs";
  if (electionMsMax < electionMsMin) return "electionMsMax must not be below electionMsMin";
  if (leaseMs < 0 || leaseMs > electionMsMin / 2) {
    return "leaseMs must be at most half of electionMsMin";
  }
  const { messageBytesMax, windowBytes, catchUpMessageBytesMax, catchUpWindowBytes } = timing;
  const sizes = [messageBytesMax, windowBytes, catchUpMessageBytesMax, catchUpWindowBytes];
  if (sizes.some((bytes) => !(bytes > 0))) return "sizes must be above 0";
  return undefined;
}
