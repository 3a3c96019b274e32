/** What comes into the protocol and what it wants done. */
import type { ReplicaRole, Vote } from "./role.ts";
import type { Message } from "./messages.ts";

/** Something happened. */
export type Event =
  /** First of all: the replica goes on from what it has on disk. */
  | { readonly kind: "start" }
  /** Time has passed. */
  | { readonly kind: "tick" }
  | { readonly kind: "message"; readonly from: bigint; readonly message: Message }
  /** The connection over which this replica sends to a peer opened or ended. */
  | { readonly kind: "link"; readonly peer: bigint; readonly isUp: boolean }
  /** The primary put entries into its own log, or entries of it became durable, or its log was cut. */
  | { readonly kind: "log_changed" }
  /** The last {@linkcode StoreEffect} is durable. */
  | { readonly kind: "stored" }
  /** Somebody wants to read: is this still the primary? */
  | { readonly kind: "authority_wanted" }
  /** An operator asks for the next view. */
  | { readonly kind: "view_change_wanted" }
  /** The disk failed, or what is on it contradicts what was committed. */
  | { readonly kind: "failed" };

/** What the replica must remember before it may act on it. */
export interface StoreEffect {
  readonly kind: "store";
  readonly view: bigint;
  readonly logView: bigint;
  readonly role: ReplicaRole;
  readonly vote: Vote | null;
  /** What it is about to bring into a view change; durable before it is sent. */
  readonly offer: Offer | undefined;
}

/** A log as it was offered to a new primary. */
export interface Offer {
  readonly view: bigint;
  readonly logView: bigint;
  readonly op: bigint;
  readonly hash: bigint;
}

/** Something to be done, in order. */
export type Effect =
  | { readonly kind: "send"; readonly to: bigint; readonly message: Message }
  | StoreEffect
  /** Entries up to here are committed: apply them. */
  | { readonly kind: "commit"; readonly op: bigint }
  /** The role or the view is another one now. */
  | { readonly kind: "role"; readonly role: ReplicaRole; readonly view: bigint }
  /** Reads that were wanted up to this round may be answered. */
  | { readonly kind: "authority"; readonly round: bigint }
  /** The primary's slot: the clock of a backup goes on from there. */
  | { readonly kind: "slot"; readonly slot: bigint }
  /** Get this snapshot; the log does not reach back to what is missing. */
  | {
    readonly kind: "fetch_snapshot";
    readonly from: bigint;
    readonly op: bigint;
    readonly hash: bigint;
    readonly bytes: bigint;
  }
  /** An entry that the log should hold cannot be read: the files must be looked at, and mended. */
  | { readonly kind: "unreadable"; readonly op: bigint }
  /** Committed histories differ: this replica must not go on. */
  | { readonly kind: "fault"; readonly reason: string };
