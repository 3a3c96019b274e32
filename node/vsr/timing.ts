/** How long replicas wait for each other, in milliseconds, and how much they send ahead. */
export interface VsrTiming {
  /** A primary that has nothing to say says so this often. */
  readonly heartbeatMs: number;
  /** A primary that no majority has answered for this long leaves service; nobody helps to replace one younger than this. */
  readonly electionMsMin: number;
  /** A backup that hears nothing waits between the minimum and this before it asks the others. */
  readonly electionMsMax: number;
  /** Bytes of entries in one message, about; one entry always goes. */
  readonly messageBytesMax: number;
  /** Unanswered bytes of entries on the way to one replica. */
  readonly windowBytes: number;
}

/** What `VsrTiming` is unless told. */
export const DEFAULT_TIMING: VsrTiming = {
  heartbeatMs: 100,
  electionMsMin: 400,
  electionMsMax: 800,
  messageBytesMax: 1024 * 1024,
  windowBytes: 8 * 1024 * 1024,
};
