/**
 * A snapshot from one replica to another, in pieces. The receiver asks for several at a time and again for those
 * that do not come; whoever holds the same snapshot can go on where another stopped, for snapshots at one op are
 * the same bytes everywhere. Source: docs/decisions/0010-replication.md#state-transfer.
 */
import { type Disk, DiskFault, type DiskFile } from "../disk.ts";
import { decodeHeader, HEADER_BYTES } from "../snapshot/format.ts";
import { SNAPSHOT_FILE } from "../snapshot/store.ts";
import type { SnapshotFacts } from "../vsr/log_port.ts";
import type { GetSnapshotChunk, Message, SnapshotChunk } from "../vsr/messages.ts";

/** A snapshot that is being received. */
export const TRANSFER_FILE = "state.snapshot.transfer";

const CHUNK_BYTES = 256 * 1024;
const CHUNKS_UNDER_WAY = 8;
/** A piece that has not come after this long is asked for again. */
const PATIENCE_MS = 1_000;
/** Bytes received between two syncs: a sync behind much more would hold up the log's. */
const UNSYNCED_BYTES_MAX = 4 * 1024 * 1024;
const SENT_CHUNK_BYTES_MAX = 1024 * 1024;

/** Hands out pieces of the newest snapshot. */
export class SnapshotSender {
  readonly #disk: Disk;
  #open: { readonly file: DiskFile; readonly facts: SnapshotFacts } | undefined;
  #knownFor: bigint | undefined;
  #known: SnapshotFacts | undefined;
  readonly #doubted: () => void;
  /** Who was handed the end of which snapshot, by its op. */
  readonly #ended = new Map<bigint, bigint>();

  /**
   * @param disk The data directory.
   * @param doubted Told when the newest snapshot seems to be of no use to others: it cannot be read, or somebody who
   *   has had all of it begins again.
   */
  constructor(disk: Disk, doubted: () => void = () => undefined) {
    this.#disk = disk;
    this.#doubted = doubted;
  }

  /**
   * The newest snapshot.
   *
   * @param lsn What the checkpointer calls it: looked up again when it is another one.
   */
  facts(lsn: bigint | undefined): SnapshotFacts | undefined {
    if (lsn === undefined) return undefined;
    if (this.#knownFor !== lsn || this.#known === undefined) {
      this.#knownFor = lsn;
      this.#known = readFacts(this.#disk, lsn);
      if (this.#known === undefined) this.#doubted();
    }
    return this.#known;
  }

  /**
   * Answers a request; with no bytes when that snapshot is gone.
   *
   * @param request What is asked for.
   * @param newest The newest snapshot.
   * @param from Who asks.
   */
  chunk(
    request: GetSnapshotChunk,
    newest: SnapshotFacts | undefined,
    from = 0n,
  ): SnapshotChunk {
    const { op, hash, offset } = request;
    const bytes = this.#read(request, newest);
    if (isSame(newest, op, hash)) {
      this.#watch(from, request, offset + BigInt(bytes.length) >= newest!.bytes);
    }
    return { kind: "snapshot_chunk", op, hash, offset, bytes };
  }

  #watch(from: bigint, { op, offset }: GetSnapshotChunk, isEnd: boolean): void {
    if (offset === 0n && this.#ended.get(from) === op) {
      this.#ended.delete(from);
      this.#doubted();
    } else if (isEnd) this.#ended.set(from, op);
  }

  close(): void {
    this.#open?.file.close();
    this.#open = undefined;
  }

  #read(
    { op, hash, offset, length }: GetSnapshotChunk,
    newest: SnapshotFacts | undefined,
  ): Uint8Array {
    try {
      if (!isSame(this.#open?.facts, op, hash)) this.#reopen(op, hash, newest);
      const open = this.#open;
      if (open === undefined || !isSame(open.facts, op, hash)) return NOTHING;
      if (offset >= open.facts.bytes) return NOTHING;
      const left = open.facts.bytes - offset;
      const wanted = length < left ? length : left;
      const into = new Uint8Array(Math.min(Number(wanted), SENT_CHUNK_BYTES_MAX));
      return into.subarray(0, open.file.read(Number(offset), into));
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      if (isSame(newest, op, hash)) this.#doubted();
      return NOTHING;
    }
  }

  /** A file stays open over a checkpoint that replaces it, so that who began with it can end with it. */
  #reopen(op: bigint, hash: bigint, newest: SnapshotFacts | undefined): void {
    if (!isSame(newest, op, hash)) return;
    this.close();
    this.#open = { file: this.#disk.open(SNAPSHOT_FILE), facts: newest! };
  }
}

/** What a receiver needs from around it. */
export interface ReceiverParts {
  readonly disk: Disk;
  /** The longest snapshot that there can be; a longer one is not begun with. */
  readonly bytesMax: number;
  readonly send: (to: bigint, message: Message) => void;
  /** All of it is on the disk, as {@linkcode TRANSFER_FILE}. */
  readonly received: (facts: SnapshotFacts) => void;
  readonly failed: (fault: DiskFault) => void;
}

interface Transfer {
  readonly facts: SnapshotFacts;
  readonly file: DiskFile;
  readonly chunks: number;
  /** By chunk: 0 wanted, 1 here. */
  readonly here: Uint8Array;
  readonly askedMs: Map<number, number>;
  next: number;
  missing: number;
  unsyncedBytes: number;
  isSyncing: boolean;
  from: bigint;
  /** When the last piece came. */
  progressMs: number;
}

/** Receives one snapshot at a time. */
export class SnapshotReceiver {
  /** Bytes received since the process started. */
  bytesReceived = 0;
  readonly #parts: ReceiverParts;
  #transfer: Transfer | undefined;
  #nowMs = 0;
  #failedMs = -Infinity;

  /** @param parts What is around it. */
  constructor(parts: ReceiverParts) {
    this.#parts = parts;
  }

  /** The snapshot that is being received. */
  get current(): SnapshotFacts | undefined {
    return this.#transfer?.facts;
  }

  /** Pieces here and in all, for status. */
  get progress(): { readonly here: number; readonly all: number } | undefined {
    const t = this.#transfer;
    return t && { here: t.chunks - t.missing, all: t.chunks };
  }

  /** Begins to receive a snapshot, or goes on with it from somebody else. */
  begin(from: bigint, facts: SnapshotFacts, nowMs: number): void {
    this.#nowMs = nowMs;
    const t = this.#transfer;
    if (t !== undefined && isSame(t.facts, facts.op, facts.hash)) {
      if (t.from !== from) t.askedMs.clear();
      t.from = from;
      return this.#ask(t);
    }
    // A newer offer while another transfer makes progress: the old one still leads closer.
    if (t !== undefined && t.from === from && t.missing < t.chunks && !isStale(t, nowMs)) return;
    if (facts.bytes < HEADER_BYTES || facts.bytes > this.#parts.bytesMax) return;
    if (nowMs - this.#failedMs < PATIENCE_MS) return; // Offers come faster than a full disk empties.
    this.stop();
    this.#guard(() => {
      const file = this.#parts.disk.create(TRANSFER_FILE, 0);
      this.#transfer = createTransfer(from, facts, file, nowMs);
      this.#ask(this.#transfer);
    });
  }

  /** A piece came. */
  take(from: bigint, chunk: SnapshotChunk, nowMs: number): void {
    this.#nowMs = nowMs;
    const t = this.#transfer;
    if (t === undefined || t.from !== from || !isSame(t.facts, chunk.op, chunk.hash)) return;
    if (chunk.bytes.length === 0) return this.stop(); // Gone there; what is offered next is newer.
    const index = Number(chunk.offset) / CHUNK_BYTES;
    if (!Number.isInteger(index) || t.here[index] !== 0) return;
    const expected = Math.min(CHUNK_BYTES, Number(t.facts.bytes) - index * CHUNK_BYTES);
    if (chunk.bytes.length !== expected) return;
    this.#guard(() => t.file.write(index * CHUNK_BYTES, chunk.bytes));
    if (this.#transfer !== t) return;
    t.here[index] = 1;
    t.askedMs.delete(index);
    t.missing--;
    t.unsyncedBytes += expected;
    t.progressMs = nowMs;
    this.bytesReceived += expected;
    this.#goOn(t);
  }

  /** Asks again for what did not come. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    const t = this.#transfer;
    if (t === undefined) return;
    for (const [index, askedMs] of t.askedMs) {
      if (nowMs - askedMs >= PATIENCE_MS) this.#askFor(t, index);
    }
  }

  /** Gives up what was received. */
  stop(): void {
    this.#transfer?.file.close();
    this.#transfer = undefined;
  }

  #goOn(t: Transfer): void {
    if (t.isSyncing) return;
    if (t.missing > 0 && t.unsyncedBytes < UNSYNCED_BYTES_MAX) return this.#ask(t);
    t.isSyncing = true;
    t.unsyncedBytes = 0;
    t.file.syncLater((fault) => {
      if (this.#transfer !== t) return;
      t.isSyncing = false;
      if (fault !== undefined) return this.#fail(fault);
      if (t.missing === 0 && t.unsyncedBytes === 0) return this.#end(t);
      this.#goOn(t);
    });
  }

  #end(t: Transfer): void {
    t.file.close();
    this.#transfer = undefined;
    this.#parts.received(t.facts);
  }

  #ask(t: Transfer): void {
    while (t.next < t.chunks && t.askedMs.size < CHUNKS_UNDER_WAY) {
      if (t.here[t.next] === 0) this.#askFor(t, t.next);
      t.next++;
    }
    if (t.askedMs.size > 0 || t.missing === 0) return;
    t.next = 0; // Answers were lost with the replica that was asked before.
    for (; t.next < t.chunks && t.askedMs.size < CHUNKS_UNDER_WAY; t.next++) {
      if (t.here[t.next] === 0) this.#askFor(t, t.next);
    }
  }

  #askFor(t: Transfer, index: number): void {
    t.askedMs.set(index, this.#nowMs);
    const { op, hash } = t.facts;
    const offset = BigInt(index * CHUNK_BYTES);
    const length = BigInt(CHUNK_BYTES);
    this.#parts.send(t.from, { kind: "get_snapshot_chunk", op, hash, offset, length });
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      this.#fail(error);
    }
  }

  #fail(fault: DiskFault): void {
    this.stop();
    this.#failedMs = this.#nowMs;
    this.#parts.failed(fault);
  }
}

function createTransfer(
  from: bigint,
  facts: SnapshotFacts,
  file: DiskFile,
  nowMs: number,
): Transfer {
  const chunks = Math.ceil(Number(facts.bytes) / CHUNK_BYTES);
  return {
    facts,
    file,
    chunks,
    here: new Uint8Array(chunks),
    askedMs: new Map(),
    next: 0,
    missing: chunks,
    unsyncedBytes: 0,
    isSyncing: false,
    from,
    progressMs: nowMs,
  };
}

/** Whether nothing comes although it is asked for again and again. */
function isStale(t: Transfer, nowMs: number): boolean {
  return t.missing > 0 && nowMs - t.progressMs > 4 * PATIENCE_MS;
}

function isSame(facts: SnapshotFacts | undefined, op: bigint, hash: bigint): boolean {
  return facts !== undefined && facts.op === op && facts.hash === hash;
}

/** A newest file that is damaged, so that the one before it was loaded, is not handed on. */
function readFacts(disk: Disk, lsn: bigint): SnapshotFacts | undefined {
  try {
    const bytes = disk.size(SNAPSHOT_FILE);
    if (bytes === undefined) return undefined;
    const sector = new Uint8Array(HEADER_BYTES);
    const file = disk.open(SNAPSHOT_FILE);
    try {
      file.read(0, sector);
    } finally {
      file.close();
    }
    const header = decodeHeader(sector);
    if (header.kind !== "decoded" || header.value.header.lsn !== lsn) return undefined;
    const { op, chainHash } = header.value.header;
    return { op, hash: chainHash, bytes: BigInt(bytes) };
  } catch (error) {
    if (error instanceof DiskFault) return undefined;
    throw error;
  }
}

const NOTHING = new Uint8Array();
