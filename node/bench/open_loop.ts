/**
 * Load at a fixed rate, whether or not earlier requests were answered. Requests arrive by the clock, in groups
 * about a millisecond apart, which is as fine as timers are here. Each time is counted from the arrival, not
 * from when the request could be sent: a server that stalls is charged for everything that had to wait
 * meanwhile (no coordinated omission).
 */
import type { LoadConnection } from "./load_connection.ts";
import type { Lane } from "./load_lane.ts";
import { Recorder } from "./recorder.ts";

/** What an open loop came to. */
export interface RateResult {
  readonly recorder: Recorder;
  /** Until the last answer. */
  readonly elapsedMs: number;
  /** Requests that had no answer when time was up. They count with the time they had waited by then. */
  readonly unanswered: number;
}

interface Free {
  readonly lane: Lane;
  readonly connection: LoadConnection;
}

/** After the last arrival, time is up in so many milliseconds. */
const OVERTIME_MS = 1_500;

/**
 * Sends requests at a fixed rate.
 *
 * @param connections With as many lanes in all as requests may be under way; closed at the end.
 * @param ratePerSecond Requests per second.
 * @param seconds How long.
 * @param signal Ends it early.
 */
export async function runOpenLoop(
  connections: readonly LoadConnection[],
  ratePerSecond: number,
  seconds: number,
  signal: AbortSignal,
): Promise<RateResult> {
  const loop = new OpenLoop(connections, ratePerSecond, Math.round(ratePerSecond * seconds));
  return await loop.run(seconds * 1_000 + OVERTIME_MS, signal);
}

class OpenLoop {
  readonly #connections: readonly LoadConnection[];
  readonly #ratePerMs: number;
  readonly #requests: number;
  readonly #recorder = new Recorder();
  readonly #free: Free[];
  readonly #startMs = performance.now();
  /** When each request arrived, in order. */
  readonly #arrivals: Float64Array;
  #arrived = 0;
  #sent = 0;
  #isClosing = false;

  constructor(connections: readonly LoadConnection[], ratePerSecond: number, requests: number) {
    this.#connections = connections;
    this.#ratePerMs = ratePerSecond / 1_000;
    this.#requests = requests;
    this.#arrivals = new Float64Array(requests);
    this.#free = connections.flatMap((connection) =>
      connection.lanes.map((lane) => ({ lane, connection }))
    );
  }

  async run(msMax: number, signal: AbortSignal): Promise<RateResult> {
    const receiving = this.#connections.map((connection) => this.#receive(connection));
    const sending = this.#send(msMax, signal);
    try {
      // A connection only ends before that when it fails.
      await Promise.race([sending, Promise.all(receiving)]);
    } finally {
      this.#isClosing = true;
      for (const connection of this.#connections) connection.close();
      await sending;
    }
    await Promise.all(receiving);
    return this.#result();
  }

  async #send(msMax: number, signal: AbortSignal): Promise<void> {
    const { times } = this.#recorder;
    const isOver = (): boolean => times.count === this.#requests || this.#isClosing;
    for (let ms = 0; ms < msMax && !isOver() && !signal.aborted;) {
      const nowMs = performance.now();
      ms = nowMs - this.#startMs;
      const due = Math.min(this.#requests, Math.floor(ms * this.#ratePerMs) + 1);
      this.#arrivals.fill(nowMs, this.#arrived, due);
      this.#arrived = due;
      this.#sendArrived();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  #sendArrived(): void {
    while (this.#sent < this.#arrived) {
      const free = this.#free.pop();
      if (free === undefined) break;
      free.lane.dueMs = this.#arrivals[this.#sent++]!;
      free.connection.send(free.lane);
    }
    for (const connection of this.#connections) connection.flush();
  }

  /** A lane that is free again goes on with what has been waiting for one. */
  async #receive(connection: LoadConnection): Promise<void> {
    const taken = (lane: Lane): void => void this.#free.push({ lane, connection });
    try {
      while (true) {
        await connection.receive(this.#recorder, taken);
        if (this.#sent < this.#arrived) this.#sendArrived();
      }
    } catch (error) {
      if (!this.#isClosing) throw error;
    }
  }

  #result(): RateResult {
    const nowMs = performance.now();
    const { times } = this.#recorder;
    const unanswered = this.#requests - times.count;
    const free = new Set(this.#free.map(({ lane }) => lane));
    for (const lane of this.#connections.flatMap(({ lanes }) => lanes)) {
      if (!free.has(lane)) times.add(nowMs - lane.dueMs);
    }
    for (const arrivalMs of this.#arrivals.subarray(this.#sent, this.#arrived)) {
      times.add(nowMs - arrivalMs);
    }
    return { recorder: this.#recorder, elapsedMs: nowMs - this.#startMs, unanswered };
  }
}
