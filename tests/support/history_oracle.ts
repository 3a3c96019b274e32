/**
 * What must be on a disk after whatever happened to it: every acknowledged command at its place, and of what
 * was never answered at most a prefix, in the order in which it was submitted. Collects the log's entries as
 * they become certain and applies them to an engine that has never seen a file.
 */
import { assert, assertEquals } from "@std/assert";
import { CommandTag, createCommand } from "../../core/command.ts";
import type { CoreConfig } from "../../core/config.ts";
import { digest } from "../../core/digest.ts";
import { firstViolation } from "../../core/invariants.ts";
import { FrameKind } from "../../core/log_frame.ts";
import { TipWord } from "../../core/log_tip.ts";
import { createOutcome } from "../../core/outcome.ts";
import { viewReservation, viewResource } from "../../core/query.ts";
import { applyEntry } from "../../core/replay.ts";
import { createEngine, type Engine } from "../../core/state.ts";
import { readU64 } from "../../core/words.ts";
import { configFingerprint } from "../../node/config/text.ts";
import { recoverLog } from "../../node/log/recovery.ts";
import { logSizes } from "../../node/open_node.ts";
import { recover } from "../../node/recover.ts";
import { plainOutcome } from "../../testbed/sim/workload/plain.ts";
import type { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import type { ModelOutcome } from "../../testbed/model/words.ts";
import type { Ticket } from "./node_harness.ts";
import { u64Words } from "../../testbed/sim/workload/requests.ts";

/** One entry of the log. */
export interface LogEntry {
  readonly lsn: bigint;
  readonly slot: bigint;
  readonly internal: boolean;
  readonly payload: Uint8Array;
}

/** Whose disk it is, and how its log is laid out. */
export interface OracleOptions {
  readonly core: CoreConfig;
  readonly clusterId: Uint8Array;
  readonly segmentBytes: number;
}

/** See the top of this file. */
export class HistoryOracle {
  readonly #options: OracleOptions;
  readonly #engine: Engine;
  readonly #entries: LogEntry[] = [];
  readonly #outcomes: ModelOutcome[] = [];
  readonly #counts = new Map<string, number>();
  readonly #command;
  readonly #outcome = createOutcome();

  constructor(options: OracleOptions) {
    this.#options = options;
    this.#engine = createEngine(options.core, { hashSeed: 99 });
    this.#command = createCommand(options.core.maxBundleSize);
  }

  /** How many entries are certain. */
  get length(): number {
    return this.#entries.length;
  }

  /**
   * Compares a disk's log with what is known and learns what it has beyond.
   *
   * @param disk As a start has left it; it is copied, not changed.
   * @param unanswered Commands without an answer, in the order in which they were submitted.
   */
  observe(disk: MemoryDisk, unanswered: readonly Ticket[]): void {
    const candidates = [...unanswered];
    for (const entry of this.#readLog(disk)) {
      const index = Number(entry.lsn) - 1;
      if (index < this.#entries.length) {
        assert(equalEntries(entry, this.#entries[index]!), `entry ${entry.lsn} has changed`);
        continue;
      }
      assertEquals(index, this.#entries.length, "no entry is missing");
      this.#learn(entry, candidates);
    }
  }

  /** Compares what a start makes of a disk, whose log was observed, with the state that must come out. */
  compareState(disk: MemoryDisk): void {
    const { core, clusterId, segmentBytes } = this.#options;
    const recovered = recover({
      disk: disk.crash("keep"),
      clusterId,
      core,
      hashSeed: 3,
      logOptions: logSizes(segmentBytes),
      expectFresh: false,
    });
    if (recovered.kind === "refused") throw new Error(`Refused: ${recovered.error}`);
    assertEquals(firstViolation(recovered.engine), undefined);
    assertEquals(readU64(recovered.tip, TipWord.lsn), BigInt(this.#entries.length));
    assertEquals(digest(recovered.engine), digest(this.#engine), "the state is another one");
  }

  /** Every acknowledged command must be at its place, with the outcome that was told. */
  checkAcknowledged(tickets: readonly Ticket[]): void {
    for (const { answer, bytes } of tickets) {
      if (answer?.kind !== "committed" || answer.outcome.code === "operation_conflict") continue;
      const index = Number(answer.outcome.appliedLsn) - 1;
      const entry = this.#entries[index];
      assert(entry !== undefined, `acknowledged entry ${answer.outcome.appliedLsn} is lost`);
      assert(equalBytes(entry.payload, bytes), "another command stands where one was acknowledged");
      assertEquals({ ...answer.outcome, fromRetryCache: false }, this.#outcomes[index]);
    }
  }

  /** How often a command's bytes are in the history. */
  count(bytes: Uint8Array): number {
    return this.#counts.get(bytes.join()) ?? 0;
  }

  /** What readers must see. */
  resource(resourceId: bigint): ReturnType<typeof viewResource> {
    return viewResource(this.#engine, resourceId);
  }

  /** What readers must see as of a slot. */
  reservation(reservationId: bigint, slot: bigint): ReturnType<typeof viewReservation> {
    return viewReservation(this.#engine, reservationId, slot);
  }

  #learn(entry: LogEntry, candidates: Ticket[]): void {
    if (!entry.internal) this.#takeFrom(candidates, entry);
    const { payload } = entry;
    const position = new Uint32Array([...u64Words(entry.lsn), ...u64Words(entry.slot)]);
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const failed = applyEntry(
      this.#engine,
      entry.internal,
      view,
      0,
      payload.length,
      position,
      this.#command,
      this.#outcome,
    );
    assertEquals(failed, 0, "an entry does not decode");
    const outcome = plainOutcome(this.#outcome);
    if (entry.internal) assertEquals(this.#command.tag, CommandTag.expire);
    this.#entries.push(entry);
    this.#counts.set(payload.join(), this.count(payload) + 1);
    this.#outcomes.push({ ...outcome, fromRetryCache: false });
  }

  /** An entry that nobody was told about must be the next one that was submitted: none is skipped. */
  #takeFrom(candidates: Ticket[], entry: LogEntry): void {
    const next = candidates.shift();
    assert(next !== undefined, `nobody submitted entry ${entry.lsn}`);
    assert(equalBytes(entry.payload, next.bytes), "commands are out of order");
  }

  #readLog(disk: MemoryDisk): LogEntry[] {
    const { core, clusterId, segmentBytes } = this.#options;
    const identity = {
      clusterId,
      shardId: u64Words(core.shardId),
      configFingerprint: configFingerprint(core),
    };
    const entries: LogEntry[] = [];
    const options = { ...logSizes(segmentBytes), expectFresh: false };
    const log = recoverLog(disk.crash("keep"), identity, options, {
      begin: () => undefined,
      frame: ({ words, lsnAt, slotAt, kind, bytes, payloadAt, payloadBytes }) => {
        const payload = bytes.slice(payloadAt, payloadAt + payloadBytes);
        const internal = kind === FrameKind.internal_command;
        const lsn = readU64(words, lsnAt);
        entries.push({ lsn, slot: readU64(words, slotAt), internal, payload });
        return undefined;
      },
    });
    assertEquals(log.kind, "recovered");
    return entries;
  }
}

function equalEntries(a: LogEntry, b: LogEntry): boolean {
  return a.lsn === b.lsn && a.slot === b.slot && a.internal === b.internal &&
    equalBytes(a.payload, b.payload);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
