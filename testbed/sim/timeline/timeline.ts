/** A life as it is drawn: what was when, as plain data. Times are virtual milliseconds. */

/** What a replica can be seen to be. */
export const STATES = [
  "primary",
  "backup",
  "view_uncertain",
  "recovering",
  "faulted",
  "starting",
  "down",
] as const;

/** One of {@linkcode STATES}. */
export type State = typeof STATES[number];

/** A stretch in which a replica was one thing in one view. */
export interface Band {
  readonly replica: number;
  readonly fromMs: number;
  toMs: number;
  readonly state: State;
  readonly view: string;
  /** Why it began, where that can be told. */
  readonly detail: string;
}

/** A stretch in which a process did not run although it was there. */
export interface Pause {
  readonly replica: number;
  readonly fromMs: number;
  toMs: number;
}

/** A replica has learned that everything up to here is decided. */
export interface Commit {
  readonly replica: number;
  readonly atMs: number;
  readonly op: string;
}

/** One message between replicas. */
export interface Sent {
  readonly from: number;
  readonly to: number;
  readonly atMs: number;
  /** When it arrived or was lost; undefined while it is on its way. */
  endMs: number | undefined;
  isLost: boolean;
  readonly kind: string;
  readonly text: string;
}

/** Something that went wrong on purpose. */
export interface Blow {
  readonly atMs: number;
  readonly forMs: number;
  readonly fault: string;
}

/** What a client asked for. */
export interface Asked {
  readonly client: string;
  readonly atMs: number;
  /** Undefined when it was never told. */
  endMs: number | undefined;
  readonly text: string;
  answer: string;
}

/** See the top of this file. */
export interface Timeline {
  readonly seed: number;
  readonly profile: string;
  readonly size: string;
  readonly hash: string;
  /** The broken promise; undefined when all were kept. */
  readonly violation: string | undefined;
  readonly endMs: number;
  readonly events: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly replicas: number;
  /** Around when messages and operations were kept. */
  readonly focusMs: number;
  readonly bands: readonly Band[];
  readonly pauses: readonly Pause[];
  readonly commits: readonly Commit[];
  readonly messages: readonly Sent[];
  readonly messagesWatched: number;
  readonly blows: readonly Blow[];
  readonly asked: readonly Asked[];
  readonly askedWatched: number;
  /** What each replica said of itself at the end. */
  readonly lastWords: readonly string[];
}
