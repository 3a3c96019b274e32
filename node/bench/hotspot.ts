/** Scenario one-resource-many-contenders: everybody wants the same thing, one gets it. */
import { CommandTag } from "../../core/command.ts";
import type { ResultName } from "../../core/outcome.ts";
import type { NodeConfig } from "../config/text.ts";
import type { Disk } from "../disk.ts";
import type { Node } from "../node.ts";
import { BatchClient, type Request } from "./batch_client.ts";
import { closeBenchNode, openBenchNode } from "./bench_node.ts";
import { count, rounded, timeMs, times } from "./format.ts";
import { metricGroup, type NodeFigures, nodeFigures } from "./node_figures.ts";
import { type Figures, invariantViolation, pause, type ScenarioReport } from "./scenario.ts";

/** How often the resource changes hands and how many want it each time. */
export interface HotspotSizes {
  readonly rounds: number;
  readonly contenders: number;
}

/** What one run of the scenario came to. */
export interface HotspotRun {
  readonly elapsedMs: number;
  readonly operations: number;
  readonly reserved: number;
  readonly busy: number;
  readonly released: number;
  /** Most rows of the operation table in use after any round; looked at only when one comes at a time. */
  readonly peakUsed: number;
  readonly final: NodeFigures;
}

const SCENARIO = "one-resource-many-contenders";
const RESOURCE_ID = 1;
const TTL_SLOTS = 4;
const FIRST_EPOCH = 1;
const ROUNDS_PER_PAUSE = 16;

/** Bounds that are just large enough. */
export function hotspotConfig({ rounds, contenders }: HotspotSizes): NodeConfig {
  const maxReservations = rounds + 4;
  return {
    core: {
      shardId: 0n,
      maxResources: 1,
      maxReservations,
      maxOperations: rounds * (contenders + 1) + 9,
      maxBundleSize: 1,
      maxTtlSlots: BigInt(TTL_SLOTS),
      maxExpirationBucketLen: maxReservations,
      reservationHistoryWindowSlots: 4n,
      maxClientRetryWindowSlots: 8n,
      slotDurationMs: 10,
    },
    engine: {
      maxSubmissionQueue: contenders + 2,
      maxCommandBytes: 4_096,
      maxExpirationsPerTick: 1,
    },
  };
}

/**
 * Runs the scenario once on an empty directory.
 *
 * @param disk The directory.
 * @param sizes How much.
 * @param together Whether the contenders of a round, and the winner of the round before who gives the
 *   resource back, come at the same time, as clients of a server do. The log is the same either way.
 * @param signal Ends it early.
 * @returns The figures.
 * @throws {CliError} E_BUG on any result but the one that the rules demand.
 */
export async function runHotspot(
  disk: Disk,
  sizes: HotspotSizes,
  together: boolean,
  signal: AbortSignal,
): Promise<HotspotRun> {
  const node = openBenchNode(disk, hotspotConfig(sizes));
  const run = new Hotspot(node, sizes, together);
  try {
    const startMs = performance.now();
    await run.create();
    let pausedMs = 0;
    for (let round = 0; round < sizes.rounds; round++) {
      if (round % ROUNDS_PER_PAUSE === 0) pausedMs += await pause(signal);
      await run.round(round);
    }
    await run.end();
    const elapsedMs = performance.now() - startMs - pausedMs;
    const { operations, reserved, busy, released, peakUsed } = run;
    const final = run.figures();
    return { elapsedMs, operations, reserved, busy, released, peakUsed, final };
  } finally {
    await closeBenchNode(node);
  }
}

/** A command that is under way and the only answer it may get. */
interface Asked {
  readonly token: number;
  readonly step: string;
  readonly tag: CommandTag;
  readonly expected: ResultName;
}

class Hotspot {
  reserved = 0;
  busy = 0;
  released = 0;
  operations = 0;
  peakUsed = 0;
  readonly #node: Node;
  readonly #sizes: HotspotSizes;
  readonly #together: boolean;
  readonly #client: BatchClient;
  #asked: Asked[] = [];
  #slot = 1n;
  /** What the winner of the last round holds; 0 when nothing is held. */
  #heldId = 0;

  constructor(node: Node, sizes: HotspotSizes, together: boolean) {
    this.#node = node;
    this.#sizes = sizes;
    this.#together = together;
    this.#client = new BatchClient(node, sizes.contenders + 1);
  }

  async create(): Promise<void> {
    this.#put(CommandTag.create_resource, { subjectId: RESOURCE_ID }, "create", "ok");
    await this.settle();
  }

  /** Together, the winner of the round before gives back in the same turn in which this round asks. */
  async round(round: number): Promise<void> {
    if (this.#together) this.#release();
    this.#slot = BigInt(round + 1);
    for (let contender = 1; contender <= this.#sizes.contenders; contender++) {
      const claim = { subjectId: RESOURCE_ID, holderId: contender, quantity: TTL_SLOTS };
      const expected = contender === 1 ? "ok" : "resource_busy";
      this.#put(CommandTag.reserve, claim, `round ${round}, contender ${contender}`, expected);
      if (!this.#together) await this.settle();
    }
    await this.settle();
    if (this.#together) return;
    await this.end();
    this.peakUsed = Math.max(this.peakUsed, this.figures().operationTableUsed);
  }

  /** Nothing is held afterwards. */
  async end(): Promise<void> {
    this.#release();
    await this.settle();
  }

  /** Waits for all answers and holds them against the rules. */
  async settle(): Promise<void> {
    await this.#client.answered();
    for (const asked of this.#asked) this.#check(asked);
    this.#asked = [];
    this.#client.begin();
  }

  /** The node at the slot of the last round. */
  figures(): NodeFigures {
    return nodeFigures(this.#node, this.#slot);
  }

  #release(): void {
    if (this.#heldId === 0) return;
    const claim = { subjectId: this.#heldId, holderId: 1, quantity: FIRST_EPOCH };
    this.#put(CommandTag.release, claim, `slot ${this.#slot}, release`, "ok");
    this.#heldId = 0;
  }

  #put(
    tag: CommandTag,
    fields: Omit<Request, "tag" | "operationId">,
    step: string,
    expected: ResultName,
  ): void {
    const request = { tag, operationId: ++this.operations, ...fields };
    const token = this.#client.put(request, this.#slot);
    this.#asked.push({ token, step, tag, expected });
  }

  #check({ token, step, tag, expected }: Asked): void {
    const found = this.#client.result(token);
    if (found !== expected) {
      throw invariantViolation(SCENARIO, step, `${found} instead of ${expected}`);
    }
    if (found === "resource_busy") this.busy++;
    else if (tag === CommandTag.release) this.released++;
    else if (tag === CommandTag.reserve) {
      this.reserved++;
      this.#heldId = this.#client.reservationId(token);
    }
  }
}

/**
 * The report of the scenario, run both ways.
 *
 * @param sizes How much.
 * @param apart Everybody after everybody else.
 * @param together The contenders of a round at the same time.
 */
export function hotspotReport(
  sizes: HotspotSizes,
  apart: HotspotRun,
  together: HotspotRun,
): ScenarioReport {
  const { rounds, contenders } = sizes;
  const { final } = apart;
  const speedup = apart.elapsedMs / together.elapsedMs;
  return {
    scenario: SCENARIO,
    durable: true,
    says: `${count(contenders)} clients want the same resource, ${count(rounds)} times over: one ` +
      "gets it, the others hear resource_busy, the winner gives it back.",
    table: [
      ["", "COMMANDS/S", "SYNCS", "ELAPSED", ""],
      ["one at a time", ...cells(apart), ""],
      ["at the same time", ...cells(together), times(speedup)],
    ],
    notes: [
      `${count(apart.reserved)} reserved, ${count(apart.busy)} busy, ${count(apart.released)} ` +
      `released, as the rules demand; both logs have the same ${count(final.walBytes)} bytes.`,
      "At the same time, all that waits is written with one write and one sync: group commit.",
    ],
    data: {
      scenario: SCENARIO,
      durable: true,
      ...runKeys(apart),
      rounds,
      contenders_per_round: contenders,
      successful_reservations: apart.reserved,
      busy_reservations: apart.busy,
      successful_releases: apart.released,
      operation_table_capacity: final.operationTableCapacity,
      peak_operation_table_used: apart.peakUsed,
      peak_operation_table_utilization_pct: percent(apart.peakUsed, final),
      ...metricGroup("final", final),
      wal_bytes: final.walBytes,
      at_the_same_time: { ...runKeys(together), wal_bytes: together.final.walBytes },
      group_commit_speedup: rounded(speedup),
    },
  };
}

function cells({ operations, elapsedMs, final }: HotspotRun): string[] {
  return [count(operations / elapsedMs * 1_000), count(final.syncCount), timeMs(elapsedMs)];
}

function runKeys({ elapsedMs, operations, final }: HotspotRun): Figures {
  return {
    elapsed_ms: rounded(elapsedMs),
    total_operations: operations,
    throughput_ops_per_sec: Math.round(operations / elapsedMs * 1_000),
    sync_count: final.syncCount,
  };
}

function percent(used: number, { operationTableCapacity }: NodeFigures): number {
  return Math.floor((used * 100) / operationTableCapacity);
}
