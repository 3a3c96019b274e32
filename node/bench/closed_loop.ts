/** Load in a closed loop: each lane sends its next request when the last one is answered. */
import type { LoadConnection } from "./load_connection.ts";
import { Lane } from "./load_lane.ts";
import { Recorder } from "./recorder.ts";

/** How many send how much. */
export interface Load {
  readonly connections: number;
  /** Requests under way on each connection. */
  readonly inFlight: number;
  /** Commands in each request. */
  readonly batch: number;
}

/** What lanes must not share. */
export class LaneFactory {
  readonly #ttlSlots: bigint;
  #nextClientId: bigint;
  #nextResourceId: bigint;

  /**
   * @param ttlSlots Time to live of every reservation.
   * @param first First client id and first resource id, for a server that others have loaded before.
   */
  constructor(ttlSlots: bigint, first = 1n) {
    this.#ttlSlots = ttlSlots;
    this.#nextClientId = first;
    this.#nextResourceId = first;
  }

  /** The lanes of one connection. */
  lanes({ inFlight, batch }: Load): Lane[] {
    return Array.from({ length: inFlight }, (_, requestId) => {
      const clientId = this.#nextClientId++;
      const firstResourceId = this.#nextResourceId;
      this.#nextResourceId += BigInt(batch);
      return new Lane({ batch, requestId, clientId, firstResourceId, ttlSlots: this.#ttlSlots });
    });
  }
}

/** What a closed loop came to. */
export interface LoopResult {
  readonly recorder: Recorder;
  readonly elapsedMs: number;
}

/**
 * Keeps every lane busy for a while, and then until all that was reserved is released.
 *
 * @param connections The connections.
 * @param seconds How long at least.
 * @param signal Ends it early.
 * @param recorder Counts; a new one unless told.
 */
export async function runClosedLoop(
  connections: readonly LoadConnection[],
  seconds: number,
  signal: AbortSignal,
  recorder: Recorder = new Recorder(),
): Promise<LoopResult> {
  const startMs = performance.now();
  const isOver = (): boolean => signal.aborted || performance.now() - startMs >= seconds * 1_000;
  await Promise.all(connections.map((connection) => drive(connection, recorder, isOver)));
  return { recorder, elapsedMs: performance.now() - startMs };
}

async function drive(
  connection: LoadConnection,
  recorder: Recorder,
  isOver: () => boolean,
): Promise<void> {
  let underWay = connection.lanes.length;
  const send = (lane: Lane): void => {
    lane.dueMs = performance.now();
    connection.send(lane);
  };
  const taken = (lane: Lane): void => {
    if (lane.isAtRest && isOver()) underWay--;
    else send(lane);
  };
  for (const lane of connection.lanes) send(lane);
  connection.flush();
  while (underWay > 0) {
    await connection.receive(recorder, taken);
    connection.flush();
  }
}
