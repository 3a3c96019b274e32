/** What one thread of the load generator does: its share of the connections, warm-up, measurement. */
import { LaneFactory, runClosedLoop } from "../node/bench/closed_loop.ts";
import { LoadConnection } from "../node/bench/load_connection.ts";
import { KeptTimes, Recorder } from "../node/bench/recorder.ts";

/** One thread's part. Made of what can be sent to another thread. */
export interface Share {
  readonly address: string;
  readonly connections: number;
  readonly inFlight: number;
  readonly batch: number;
  readonly ttlSlots: bigint;
  /** First client id and first resource id. */
  readonly firstId: bigint;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

/** What came of it. */
export interface ShareResult {
  /** Of every request, in milliseconds. */
  readonly timesMs: Float64Array;
  /** See {@linkcode Recorder.codes}. */
  readonly codes: Float64Array;
  readonly commands: number;
  readonly elapsedMs: number;
}

/** Ids that a share has to itself. */
const IDS_PER_SHARE = 1n << 32n;

/** Splits a load evenly; the first shares get what is left over. */
export function splitLoad(load: Share, threads: number): Share[] {
  const count = Math.max(1, Math.min(threads, load.connections));
  return Array.from({ length: count }, (_, index) => ({
    ...load,
    connections: Math.floor(load.connections / count) + (index < load.connections % count ? 1 : 0),
    firstId: load.firstId + BigInt(index) * IDS_PER_SHARE,
  }));
}

/** Connections that are ready to be loaded. */
export class OpenShare {
  readonly #share: Share;
  readonly #connections: readonly LoadConnection[];

  private constructor(share: Share, connections: readonly LoadConnection[]) {
    this.#share = share;
    this.#connections = connections;
  }

  /** Connects and makes the resources. */
  static async open(share: Share): Promise<OpenShare> {
    const lanes = new LaneFactory(share.ttlSlots, share.firstId);
    const opening = Array.from(
      { length: share.connections },
      () => LoadConnection.open(share.address, lanes.lanes(share)),
    );
    return new OpenShare(share, await Promise.all(opening));
  }

  /**
   * Loads the server.
   *
   * @param onMeasuring Called between warm-up and measurement.
   */
  async run(onMeasuring: () => void): Promise<ShareResult> {
    const { signal } = new AbortController();
    await runClosedLoop(this.#connections, this.#share.warmupSeconds, signal);
    onMeasuring();
    const times = new KeptTimes();
    const recorder = new Recorder(times);
    const { seconds } = this.#share;
    const { elapsedMs } = await runClosedLoop(this.#connections, seconds, signal, recorder);
    const { codes, commands } = recorder;
    for (const connection of this.#connections) connection.close();
    return { timesMs: Float64Array.from(times.kept), codes, commands, elapsedMs };
  }
}

/** All shares together; they ran at the same time. */
export function mergeResults(results: readonly ShareResult[]): {
  readonly recorder: Recorder;
  readonly elapsedMs: number;
} {
  const recorder = new Recorder();
  for (const { timesMs, codes, commands } of results) {
    for (const ms of timesMs) recorder.times.add(ms);
    codes.forEach((count, code) => recorder.codes[code]! += count);
    recorder.commands += commands;
  }
  return { recorder, elapsedMs: Math.max(...results.map(({ elapsedMs }) => elapsedMs)) };
}
