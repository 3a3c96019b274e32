/** What has happened, as the audience is told it. */
import { Hall } from "./hall.ts";
import { Ledger } from "./ledger.ts";

/** One line of the story. */
export interface Scene {
  /** Milliseconds since the beginning. */
  readonly atMs: number;
  readonly text: string;
  readonly tone: "plain" | "good" | "bad";
}

/** How a replica is, for the picture. */
export type Plight =
  | "starting"
  | "primary"
  | "backup"
  | "catching up"
  | "killed"
  | "cut off"
  | "stopped";

/** A time in which nobody could buy, as the clients saw it. */
export interface Outage {
  readonly cause: "kill" | "partition";
  /** The primary that was hit. */
  readonly replicaId: bigint;
  /** Its process. */
  readonly pid: number;
  readonly successorId: bigint;
  readonly soldBefore: number;
  /** Buyers whose command waited for an answer when the successor gave its first one. */
  readonly waiting: number;
  /** From the last write that the old primary acknowledged to the first new one that its successor did, in milliseconds. */
  readonly outageMs: number;
}

/** How a killed replica came back. */
export interface Comeback {
  readonly replicaId: bigint;
  readonly pid: number;
  /** The log entry up to which it had everything. */
  readonly op: bigint;
  /** From its start until then, in milliseconds. */
  readonly caughtUpMs: number;
}

/** Everything that is shown. */
export class Story {
  readonly hall: Hall;
  readonly ledger: Ledger = new Ledger();
  readonly scenes: Scene[] = [];
  readonly replicas = new Map<bigint, Plight>();
  readonly outages: Outage[] = [];
  comeback: Comeback | undefined;
  readonly #nowMs: () => number;
  readonly #startMs: number;
  readonly #onScene: (scene: Scene) => void;

  /**
   * @param seats How many there are.
   * @param nowMs Monotonic milliseconds.
   * @param onScene Told each new line.
   */
  constructor(seats: number, nowMs: () => number, onScene: (scene: Scene) => void) {
    this.hall = new Hall(seats);
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
    this.#onScene = onScene;
  }

  /** Milliseconds since the beginning. */
  get elapsedMs(): number {
    return this.#nowMs() - this.#startMs;
  }

  /** Adds a line. */
  tell(text: string, tone: Scene["tone"] = "plain"): void {
    const scene = { atMs: this.elapsedMs, text, tone };
    this.scenes.push(scene);
    this.#onScene(scene);
  }
}
