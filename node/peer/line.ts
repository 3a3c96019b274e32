/** When something that is sent over a faulty link arrives. */

/** What happens to messages on their way, in one direction. What is absent does not happen. */
export interface LinkFault {
  /** Nothing gets through. */
  readonly cut?: boolean | undefined;
  /** Probability that a message is lost, 0 to 1. */
  readonly drop?: number | undefined;
  /** Probability that a message arrives twice, 0 to 1. */
  readonly duplicate?: number | undefined;
  /** Probability that a message is held back until later ones have overtaken it, 0 to 1. */
  readonly reorder?: number | undefined;
  /** How long messages take, on average. */
  readonly delayMs?: number | undefined;
  /** How far that varies, up and down; without `reorder` they still arrive in order. */
  readonly jitterMs?: number | undefined;
  /** Bytes that get through in a second. */
  readonly bytesPerSecond?: number | undefined;
}

/** Where a link gets time and chance from. */
export interface LinkPorts {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Calls `task` once, `ms` from now. Answers how to take that back. */
  after(ms: number, task: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
}

/** What is reordered is overtaken by what follows within this long, or twice its delay, in milliseconds. */
const REORDER_MS = 20;

/** One direction of a link: how long things take on it, and by which chance they are lost or doubled. */
export class Line {
  readonly #ports: LinkPorts;
  /** Nothing that keeps its place arrives before this. */
  #lastDueMs = 0;
  /** When a throttled line has sent all that it was given. */
  #freeMs = 0;

  /** @param ports Time and chance. */
  constructor(ports: LinkPorts) {
    this.#ports = ports;
  }

  /** Forgets what is on its way. */
  reset(): void {
    this.#lastDueMs = 0;
    this.#freeMs = 0;
  }

  /** Whether something of this probability happens this time. */
  happens(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && this.#ports.random() < probability;
  }

  /**
   * When something that is sent now arrives.
   *
   * @param fault How the link is.
   * @param bytes What is sent.
   * @param nowMs Now.
   * @returns Milliseconds by the same clock.
   */
  dueMs(fault: LinkFault, bytes: number, nowMs: number): number {
    const { delayMs = 0, jitterMs = 0, bytesPerSecond = 0 } = fault;
    let sentMs = nowMs;
    if (bytesPerSecond > 0) {
      sentMs = Math.max(nowMs, this.#freeMs) + bytes * 1_000 / bytesPerSecond;
      this.#freeMs = sentMs;
    }
    const jitter = jitterMs > 0 ? jitterMs * (2 * this.#ports.random() - 1) : 0;
    const dueMs = sentMs + Math.max(0, delayMs + jitter);
    if (this.happens(fault.reorder)) return dueMs + Math.max(REORDER_MS, 2 * delayMs);
    this.#lastDueMs = Math.max(this.#lastDueMs, dueMs);
    return this.#lastDueMs;
  }
}
