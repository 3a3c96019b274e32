/** Scenario high-retry-pressure: a full operation table, retries of everything in it, and its recovery. */
import { CommandTag } from "../../core/command.ts";
import type { ResultName } from "../../core/outcome.ts";
import type { NodeConfig } from "../config/text.ts";
import type { Disk } from "../disk.ts";
import type { Node } from "../node.ts";
import { BatchClient } from "./batch_client.ts";
import { closeBenchNode, openBenchNode } from "./bench_node.ts";
import { count, rounded, timeMs } from "./format.ts";
import { metricGroup, type NodeFigures, nodeFigures } from "./node_figures.ts";
import { type Figures, invariantViolation, pause, type ScenarioReport } from "./scenario.ts";

/** How large the table is and how hard it is pressed. */
export interface RetrySizes {
  /** Operations that the node remembers. */
  readonly capacity: number;
  /** Retries of each operation, and as many abuses of its id. */
  readonly fanout: number;
  /** Fresh commands while the table is full. */
  readonly attempts: number;
}

/** What one run of the scenario came to. */
export interface RetryRun {
  readonly elapsedMs: number;
  readonly operations: number;
  readonly cachedDuplicates: number;
  readonly cachedConflicts: number;
  readonly fullRejections: number;
  readonly peakUsed: number;
  readonly walBytesAfter: {
    readonly fill: number;
    readonly retryPressure: number;
    readonly fullRejections: number;
    readonly retirement: number;
  };
  readonly preRetire: NodeFigures;
  readonly final: NodeFigures;
}

const SCENARIO = "high-retry-pressure";
const TTL_SLOTS = 4n;
const RETRY_SLOTS = 4n;
const FILL_SLOT = 1n;
const COMMANDS_PER_PAUSE = 512;
/** The first slot at which nothing that was done at {@linkcode FILL_SLOT} is remembered, and one more. */
const RECOVERY_SLOT = TTL_SLOTS + RETRY_SLOTS + 2n;

/** Bounds that are just large enough. */
export function retryConfig({ capacity }: RetrySizes): NodeConfig {
  return {
    core: {
      shardId: 0n,
      maxResources: capacity + 8,
      maxReservations: 1,
      maxOperations: capacity,
      maxBundleSize: 1,
      maxTtlSlots: TTL_SLOTS,
      maxExpirationBucketLen: 1,
      reservationHistoryWindowSlots: 2n,
      maxClientRetryWindowSlots: RETRY_SLOTS,
      slotDurationMs: 10,
    },
    engine: { maxSubmissionQueue: 8, maxCommandBytes: 4_096, maxExpirationsPerTick: 1 },
  };
}

/**
 * Runs the scenario once on an empty directory.
 *
 * @param disk The directory.
 * @param sizes How much.
 * @param signal Ends it early.
 * @returns The figures.
 * @throws {CliError} E_BUG on any result but the one that the rules demand.
 */
export async function runRetryPressure(
  disk: Disk,
  sizes: RetrySizes,
  signal: AbortSignal,
): Promise<RetryRun> {
  const node = openBenchNode(disk, retryConfig(sizes));
  try {
    return await new RetryPressure(node, sizes, signal).run();
  } finally {
    await closeBenchNode(node);
  }
}

class RetryPressure {
  readonly #node: Node;
  readonly #sizes: RetrySizes;
  readonly #signal: AbortSignal;
  readonly #client: BatchClient;
  #operations = 0;
  #pausedMs = 0;
  #duplicates = 0;
  #conflicts = 0;
  #rejections = 0;

  constructor(node: Node, sizes: RetrySizes, signal: AbortSignal) {
    this.#node = node;
    this.#sizes = sizes;
    this.#signal = signal;
    this.#client = new BatchClient(node, 1);
  }

  async run(): Promise<RetryRun> {
    const startMs = performance.now();
    const filled = await this.#fill();
    const pressed = await this.#retry(filled);
    const preRetire = await this.#overfill(pressed);
    const final = await this.#recover(preRetire);
    return {
      elapsedMs: performance.now() - startMs - this.#pausedMs,
      operations: this.#operations,
      cachedDuplicates: this.#duplicates,
      cachedConflicts: this.#conflicts,
      fullRejections: this.#rejections,
      peakUsed: filled.operationTableUsed,
      walBytesAfter: {
        fill: filled.walBytes,
        retryPressure: pressed.walBytes,
        fullRejections: preRetire.walBytes,
        retirement: final.walBytes,
      },
      preRetire,
      final,
    };
  }

  /** One create for every row of the table. */
  async #fill(): Promise<NodeFigures> {
    const { capacity } = this.#sizes;
    for (let id = 1; id <= capacity; id++) await this.#create("fill", id, id, "ok", false);
    const filled = nodeFigures(this.#node, FILL_SLOT);
    require(filled.operationTableUsed === capacity, "fill", "the table is not full");
    return filled;
  }

  /** Each operation again, and its id with other content: both are answered from memory, not from the log. */
  async #retry(filled: NodeFigures): Promise<NodeFigures> {
    const { capacity, fanout } = this.#sizes;
    for (let id = 1; id <= capacity; id++) {
      for (let i = 0; i < fanout; i++, this.#duplicates++) {
        await this.#create("retry", id, id, "ok", true);
      }
      for (let i = 0; i < fanout; i++, this.#conflicts++) {
        await this.#create("conflict", id, capacity + id, "operation_conflict", true);
      }
    }
    const pressed = nodeFigures(this.#node, FILL_SLOT);
    require(pressed.walBytes === filled.walBytes, "retry", "the log has grown");
    return pressed;
  }

  /** Fresh operations find no row: a result that is logged, as every replica must come to it, but not kept. */
  async #overfill(pressed: NodeFigures): Promise<NodeFigures> {
    const { capacity, attempts } = this.#sizes;
    for (let i = 1; i <= attempts; i++, this.#rejections++) {
      await this.#create("full", capacity + i, capacity + 1, "operation_table_full", false);
    }
    const preRetire = nodeFigures(this.#node, RECOVERY_SLOT);
    require(preRetire.walBytes > pressed.walBytes, "full", "the log has not grown");
    return preRetire;
  }

  /** Late enough, everything is forgotten and the next operation finds an empty table. */
  async #recover(preRetire: NodeFigures): Promise<NodeFigures> {
    const { capacity, attempts } = this.#sizes;
    await this.#create("recover", capacity + attempts + 1, capacity + 1, "ok", false);
    const final = nodeFigures(this.#node, RECOVERY_SLOT);
    require(final.operationTableUsed === 1, "recover", "the table was not emptied");
    require(final.walBytes > preRetire.walBytes, "recover", "the log has not grown");
    return final;
  }

  async #create(
    step: string,
    operationId: number,
    subjectId: number,
    expected: ResultName,
    cached: boolean,
  ): Promise<void> {
    if (this.#operations % COMMANDS_PER_PAUSE === 0) this.#pausedMs += await pause(this.#signal);
    const client = this.#client;
    client.begin();
    const slot = step === "recover" ? RECOVERY_SLOT : FILL_SLOT;
    const token = client.put({ tag: CommandTag.create_resource, operationId, subjectId }, slot);
    await client.answered();
    const found = client.result(token);
    const where = `${step} of operation ${operationId}`;
    require(found === expected, where, `${found} instead of ${expected}`);
    require(client.isFromCache(token) === cached, where, "remembered and applied were mixed up");
    this.#operations++;
  }
}

function require(condition: boolean, step: string, found: string): void {
  if (!condition) throw invariantViolation(SCENARIO, step, found);
}

/**
 * The report of the scenario.
 *
 * @param sizes How much.
 * @param run What came out.
 */
export function retryReport(sizes: RetrySizes, run: RetryRun): ScenarioReport {
  const { capacity, fanout, attempts } = sizes;
  const { walBytesAfter: wal } = run;
  return {
    scenario: SCENARIO,
    durable: true,
    says:
      `A node that remembers ${count(capacity)} operations is asked ${count(2 * fanout)} times ` +
      `more for each of them, then for ${count(attempts)} new ones, then again when it may forget.`,
    table: [
      ["COMMANDS", "COMMANDS/S", "SYNCS", "ELAPSED"],
      [
        count(run.operations),
        count(run.operations / run.elapsedMs * 1_000),
        count(run.final.syncCount),
        timeMs(run.elapsedMs),
      ],
    ],
    notes: [
      `${count(run.cachedDuplicates)} retries and ${count(run.cachedConflicts)} conflicts were ` +
      "answered from memory, without a byte written; they are what makes this fast.",
      `${count(run.fullRejections)} times operation_table_full, then room again. Log: ` +
      `${count(wal.fill)} → ${count(wal.retryPressure)} → ${count(wal.fullRejections)} → ` +
      `${count(wal.retirement)} bytes.`,
    ],
    data: retryKeys(sizes, run),
  };
}

function retryKeys(sizes: RetrySizes, run: RetryRun): Figures {
  const { final, preRetire, walBytesAfter: wal } = run;
  return {
    scenario: SCENARIO,
    durable: true,
    elapsed_ms: rounded(run.elapsedMs),
    total_operations: run.operations,
    throughput_ops_per_sec: Math.round(run.operations / run.elapsedMs * 1_000),
    sync_count: final.syncCount,
    table_capacity: sizes.capacity,
    duplicate_fanout: sizes.fanout,
    cached_duplicate_hits: run.cachedDuplicates,
    cached_conflict_hits: run.cachedConflicts,
    operation_table_full_hits: run.fullRejections,
    recovered_after_retirement: true,
    peak_operation_table_used: run.peakUsed,
    peak_operation_table_utilization_pct: Math.floor((run.peakUsed * 100) / sizes.capacity),
    ...metricGroup("pre_retire", preRetire),
    ...metricGroup("final", final),
    wal_bytes: wal.retirement,
    wal_bytes_after_fill: wal.fill,
    wal_bytes_after_retry_pressure: wal.retryPressure,
    wal_bytes_after_full_rejections: wal.fullRejections,
    wal_bytes_after_retirement: wal.retirement,
  };
}
