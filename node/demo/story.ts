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

/** How the server is, for the picture. */
export type ServerState = "starting" | "serving" | "dead" | "recovering" | "stopped";

/** The crash in figures; complete once the first write after it was acknowledged. */
export interface Crash {
  readonly pid: number;
  readonly soldBefore: number;
  /** Commands that waited for an answer when the new process was there. */
  waiting: number;
  /** Milliseconds from the kill until the process had recovered and listened. */
  recoveredMs: number;
  /** Milliseconds from the kill until the first new write was acknowledged. */
  firstWriteMs: number;
  startupKind: string;
  /** Log entries that recovery read back. */
  replayedEntries: number;
}

/** Everything that is shown. */
export class Story {
  readonly hall: Hall;
  readonly ledger: Ledger = new Ledger();
  readonly scenes: Scene[] = [];
  server: ServerState = "starting";
  pid = 0;
  crash: Crash | undefined;
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
