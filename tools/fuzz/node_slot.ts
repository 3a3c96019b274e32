/**
 * A node that is another one for each case: servers go on over it for thousands of cases, and still every case
 * begins with an empty log, so that it can be repeated alone.
 */
import { setImmediate } from "node:timers";
import type {
  CheckpointResult,
  Metrics,
  NodeApi,
  NodeIdentity,
  ReadRefusal,
  Rejection,
  ReservationRead,
  ResourceRead,
  ResultSink,
  TickResult,
} from "../../node/api.ts";
import { SILENT_LOG } from "../../node/log_lines.ts";
import { Node } from "../../node/node.ts";
import { openNode } from "../../node/open_node.ts";
import { nameId } from "../../node/cli/ids.ts";
import { TINY_CONFIG } from "../../tests/support/core_builders.ts";
import { encodePlain, type Request } from "../../testbed/sim/workload/plain.ts";
import type { ClientCommand } from "../../testbed/model/words.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";

/** Bounds around engines of {@linkcode TINY_CONFIG}: low enough to be met by one request. */
const ENGINE = { maxSubmissionQueue: 24, maxCommandBytes: 160, maxExpirationsPerTick: 4 };

/** The cluster of every node here. */
export const CLUSTER_ID: Uint8Array<ArrayBuffer> = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

/** How commands have ended, and how many in each way. */
export interface Ends {
  readonly committed: number;
  readonly rejected: number;
  /** Answered from memory. */
  readonly recalled: number;
}

/** The id of the name `seat:21A`. */
const SEAT = nameId("seat:21A");
const HOLDER = nameId("a");

/**
 * What every case finds: all the resources there may be, one reservation that is over and forgotten (6), one that is
 * confirmed (11), one that is being revoked (13) and one that waits to be confirmed (16).
 */
const PAST = pastOf([
  ...[7n, SEAT, 1n, 2n, 3n].map((resourceId) => ({ kind: "create_resource", resourceId }) as const),
  { kind: "reserve", resourceId: 1n, holderId: HOLDER, ttlSlots: 5n },
  { kind: "confirm", reservationId: 6n, holderId: HOLDER, epoch: 1n },
  { kind: "release", reservationId: 6n, holderId: HOLDER, epoch: 1n },
  { kind: "create_resource", resourceId: 4n },
  { kind: "create_resource", resourceId: 5n },
  { kind: "reserve", resourceId: 1n, holderId: HOLDER, ttlSlots: 8n },
  { kind: "confirm", reservationId: 11n, holderId: HOLDER, epoch: 1n },
  { kind: "reserve", resourceId: 2n, holderId: HOLDER, ttlSlots: 8n },
  { kind: "confirm", reservationId: 13n, holderId: HOLDER, epoch: 1n },
  { kind: "revoke", reservationId: 13n },
  { kind: "reserve_bundle", resourceIds: [3n, SEAT], holderId: HOLDER, ttlSlots: 8n },
  { kind: "create_resource", resourceId: 6n },
]);

/** The first eight commands at slot 0, the others when the first reservation is history. */
function pastOf(
  requests: readonly Request[],
): readonly { readonly command: ClientCommand; readonly slot: bigint }[] {
  return requests.map((request, i) => {
    const key = { operationId: 2n ** 120n + BigInt(i), clientId: 2n ** 120n };
    return { command: { ...key, ...request } as ClientCommand, slot: i < 8 ? 0n : 12n };
  });
}

/** Who wants no answers. */
const NOBODY: ResultSink = { committed: () => {}, rejected: () => {} };

/** See the top of the file. */
export class NodeSlot implements NodeApi {
  #node: Node = openFresh();
  #furnished: Metrics["counters"] = this.#node.metrics().counters;

  /** Puts a node with the same short past in place of the last one, which first ends what it has begun. */
  async renew(): Promise<void> {
    const last = this.#node;
    this.#node = openFresh();
    await last.drain();
    last.close();
    for (const { command, slot } of PAST) {
      const bytes = encodePlain(command);
      this.#node.submit(new DataView(bytes.buffer), 0, bytes.length, slot, NOBODY, 0);
    }
    await this.quiet();
    this.#furnished = this.#node.metrics().counters;
  }

  /** Commands that have come to an end since {@linkcode NodeSlot.renew}. */
  get ends(): Ends {
    const now = this.#node.metrics().counters;
    const { committed, rejectedDefinite, rejectedIndefinite, retryCacheHits } = this.#furnished;
    return {
      committed: now.committed - committed,
      rejected: now.rejectedDefinite - rejectedDefinite + now.rejectedIndefinite -
        rejectedIndefinite,
      recalled: now.retryCacheHits - retryCacheHits,
    };
  }

  get identity(): NodeIdentity {
    return this.#node.identity;
  }

  submit(
    view: DataView,
    at: number,
    end: number,
    slot: bigint | undefined,
    sink: ResultSink,
    token: number,
  ): void {
    this.#node.submit(view, at, end, slot, sink, token);
  }

  confirmAuthority(done: (refusal: ReadRefusal | undefined) => void): void {
    this.#node.confirmAuthority(done);
  }

  getResource(resourceId: bigint, requiredLsn?: bigint): ResourceRead {
    return this.#node.getResource(resourceId, requiredLsn);
  }

  getReservation(id: bigint, requiredLsn?: bigint, currentSlot?: bigint): ReservationRead {
    return this.#node.getReservation(id, requiredLsn, currentSlot);
  }

  metrics(currentSlot?: bigint): Metrics {
    return this.#node.metrics(currentSlot);
  }

  tickExpirations(
    currentSlot: bigint | undefined,
    done: (result: TickResult | { kind: "rejected"; rejection: Rejection }) => void,
  ): void {
    this.#node.tickExpirations(currentSlot, done);
  }

  checkpoint(done: (result: CheckpointResult) => void): void {
    this.#node.checkpoint(done);
  }

  currentSlot(): bigint {
    return this.#node.currentSlot();
  }

  /** Settles when everything that was taken in is answered. */
  async quiet(): Promise<void> {
    while (this.#node.metrics().queueDepth > 0) await turn();
  }
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function openFresh(): Node {
  const node = openNode({
    disk: new MemoryDisk(),
    clusterId: CLUSTER_ID,
    replicaId: 1n,
    core: TINY_CONFIG,
    engine: ENGINE,
    clock: { nowMs: () => 0 },
    later: (task) => void setImmediate(task),
    atEndOfTurn: queueMicrotask,
    log: SILENT_LOG,
    hashSeed: 1,
    expectFresh: true,
    segmentBytes: 0x4000,
  });
  if (node instanceof Node) return node;
  throw new Error(`An empty disk was refused: ${node.error}`);
}
