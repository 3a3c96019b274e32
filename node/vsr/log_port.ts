/** The log as the protocol sees it. The host puts it over the replica's own log; nothing here waits. */
export interface ProtocolLog {
  /** The last entry, durable or not. */
  readonly tipOp: bigint;
  readonly tipHash: bigint;
  /** The last durable entry. */
  readonly syncedOp: bigint;
  /** The first entry that is still in memory; what is before it has to be read from the disk. */
  readonly memoryOp: bigint;
  /**
   * The chain hash of an entry.
   *
   * @param op Which.
   * @returns The hash, or `undefined` when the log does not reach there or not any more.
   */
  hashAt(op: bigint): bigint | undefined;
  /**
   * Reads entries.
   *
   * @param fromOp The first; one past the tip reads none.
   * @param bytesMax About how many bytes; one entry is always read.
   * @returns Frames that are valid until the event is over, or why there are none.
   */
  read(fromOp: bigint, bytesMax: number): LogRead;
  /**
   * Adds a peer's entries behind the tip and starts to make them durable.
   *
   * @param frames Sealed frames, the first one following on the tip.
   * @returns False when they are not sound, do not follow, or have no room now; nothing was added then.
   */
  append(frames: Uint8Array): boolean;
  /**
   * Drops every entry above one, durably.
   *
   * @param op The last entry to keep.
   * @returns False when it cannot be done now: a write is under way, or the disk has failed.
   */
  cut(op: bigint): boolean;
  /** The newest snapshot, for a replica that the log does not reach back to. */
  snapshot(): SnapshotFacts | undefined;
}

/** Entries, or why there are none. */
export type LogRead =
  | { readonly kind: "frames"; readonly frames: Uint8Array; readonly lastOp: bigint }
  | { readonly kind: "removed" }
  | { readonly kind: "unreadable" };

/** A snapshot that can be handed on. */
export interface SnapshotFacts {
  readonly op: bigint;
  /** Chain hash at `op`. */
  readonly hash: bigint;
  /** Length of the file. */
  readonly bytes: bigint;
}
