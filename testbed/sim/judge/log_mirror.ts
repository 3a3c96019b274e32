/**
 * The log of one replica as its disk sees it being written: judges compare replicas by this, not by what
 * replicas say about themselves.
 */
import {
  checkFrameHeader,
  checkFramePayload,
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  frameBytes,
  FrameKind,
  FrameWord,
  type LogBuffer,
  payloadBytesAt,
} from "../../../core/log_frame.ts";
import { chainHash } from "../../../core/log_hash.ts";
import {
  baseOp,
  decodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "../../../core/log_segment.ts";
import { TipWord } from "../../../core/log_tip.ts";
import { readU64 } from "../../../core/words.ts";
import { keepBytes } from "./kept_bytes.ts";
import { ACTIVE_SEGMENT, NEXT_SEGMENT } from "../../../node/log/files.ts";
import type { DiskObserver, MemoryDisk } from "../disk/memory_disk.ts";

/** One entry as it was written. */
export interface MirrorFrame {
  readonly op: number;
  readonly lsn: number;
  readonly slot: bigint;
  readonly view: bigint;
  /** Chain hash up to and with this entry. */
  readonly hash: bigint;
  readonly isCommand: boolean;
  readonly isInternal: boolean;
  readonly payload: Uint8Array;
  /** Virtual time of the first write of it on this disk. */
  readonly writtenMs: number;
  isDurable: boolean;
}

/** Who wants to know. */
export interface MirrorListener {
  nowMs(): number;
  /** An entry has become durable here. */
  durable(frame: MirrorFrame): void;
  /** Some other file than the log has become durable. */
  fileSynced(name: string): void;
}

/** See the top of this file. */
export class LogMirror implements DiskObserver {
  /** Entries by op; what was cut is gone, what checkpoints removed stays until {@linkcode LogMirror.forgetThrough}. */
  readonly frames = new Map<number, MirrorFrame>();
  /** Up to here the log is not made of frames but of a snapshot. */
  base = 0;
  /** The last durable entry of an unbroken run. */
  durableTip = 0;
  readonly #listener: MirrorListener;
  readonly #unsynced: MirrorFrame[] = [];
  /** What a segment in the making begins with. */
  #next: Uint8Array | undefined;
  /** The highest op there is. */
  #topOp = 0;
  /** Whether the log's latest file has its name only until the power fails. */
  #isUnnamed = false;

  constructor(listener: MirrorListener) {
    this.#listener = listener;
  }

  /** The directory is gone. */
  forget(): void {
    this.frames.clear();
    this.#unsynced.length = 0;
    this.#isUnnamed = false;
    this.base = this.durableTip = this.#topOp = 0;
  }

  /** Drops the oldest entries: nobody needs them any more to judge what is new. */
  forgetThrough(last: number): void {
    for (const op of this.frames.keys()) {
      if (op > Math.min(last, this.durableTip)) return;
      this.frames.delete(op);
    }
  }

  /**
   * Starts over with what a disk holds when a machine starts on it.
   *
   * @param disk The directory.
   * @param isPowerLost Whether what is there is all that there will be; else what was durable still is.
   */
  rebuild(disk: MemoryDisk, isPowerLost: boolean): void {
    const before = new Map(this.frames);
    const isUnnamed = this.#isUnnamed && !isPowerLost;
    this.forget();
    for (const bytes of segmentsOf(disk)) {
      this.#beginSegment(bytes);
      this.#read(ACTIVE_SEGMENT, bytes, SEGMENT_HEADER_BYTES);
    }
    this.#unsynced.length = 0;
    for (const frame of this.frames.values()) {
      const known = before.get(frame.op);
      frame.isDurable = isPowerLost || known?.hash !== frame.hash || known.isDurable;
      if (frame.isDurable) this.#listener.durable(frame);
      else if (isUnnamed) this.#unsynced.push(frame); // A start syncs the directory before anything else.
    }
    this.#isUnnamed = isUnnamed;
    this.#advance();
  }

  wrote(name: string, at: number, bytes: Uint8Array): void {
    if (name === NEXT_SEGMENT) {
      if (at === 0) this.#next = bytes.slice();
    } else if (name === ACTIVE_SEGMENT) this.#read(name, bytes, 0);
  }

  synced(name: string): void {
    if (name === NEXT_SEGMENT) return;
    if (name !== ACTIVE_SEGMENT) return this.#listener.fileSynced(name);
    if (this.#isUnnamed) return;
    for (const frame of this.#unsynced) {
      frame.isDurable = true;
      if (this.frames.get(frame.op) !== frame) continue;
      this.#advance();
      this.#listener.durable(frame);
    }
    this.#unsynced.length = 0;
  }

  directorySynced(): void {
    if (!this.#isUnnamed) return;
    this.#isUnnamed = false;
    this.synced(ACTIVE_SEGMENT);
  }

  /** A new segment counts, or a mended one takes the place of what was damaged: durably once the directory is. */
  renamed(from: string, to: string): void {
    const bytes = this.#next;
    if (from !== NEXT_SEGMENT || bytes === undefined) return;
    this.#next = undefined;
    if (to === ACTIVE_SEGMENT) this.#beginSegment(bytes);
    this.#read(to, bytes, SEGMENT_HEADER_BYTES);
    this.#isUnnamed = true;
  }

  #read(name: string, bytes: Uint8Array, begin: number): void {
    const buffer = copyOf(bytes);
    for (let next = begin; next < bytes.length;) {
      if (checkFrameHeader(buffer, next, bytes.length, FRAME_PAYLOAD_BYTES_MAX)) return;
      if (checkFramePayload(buffer, next) === undefined) {
        this.#put(name, readFrame(buffer, next >>> 2, this.#listener.nowMs()));
      }
      next += frameBytes(payloadBytesAt(buffer.words, next >>> 2));
    }
  }

  /** A new segment takes the place of everything from its first op on. */
  #beginSegment(bytes: Uint8Array): void {
    const header = decodeSegmentHeader(bytes);
    if (typeof header === "string") return;
    const first = Number(baseOp(header));
    if (this.frames.get(first - 1)?.hash === readU64(header.base, TipWord.hash)) this.#cut(first);
    else {
      this.frames.clear();
      this.base = this.durableTip = this.#topOp = first - 1;
    }
  }

  #put(name: string, frame: MirrorFrame): void {
    const old = this.frames.get(frame.op);
    const isMended = name !== ACTIVE_SEGMENT;
    if (isMended && old !== undefined) return;
    if (old?.hash !== frame.hash && !isMended) this.#cut(frame.op);
    const kept = old?.hash === frame.hash ? again(frame, old) : frame;
    this.frames.set(frame.op, kept);
    if (frame.op > this.#topOp) this.#topOp = frame.op;
    this.#unsynced.push(kept);
  }

  /** What is damaged leaves gaps, and what lies behind them is cut as well. */
  #cut(from: number): void {
    for (let op = from; op <= this.#topOp; op++) this.frames.delete(op);
    this.#topOp = from - 1;
    this.durableTip = Math.min(this.durableTip, Math.max(from - 1, this.base));
  }

  #advance(): void {
    while (this.frames.get(this.durableTip + 1)?.isDurable === true) this.durableTip++;
  }
}

const hash = new Uint32Array(2);

/** The segments that count, in the order in which they were made. */
function segmentsOf(disk: MemoryDisk): Uint8Array[] {
  const names = disk.list();
  const hasActive = names.includes(ACTIVE_SEGMENT);
  return names
    .filter((name) => name.startsWith(ACTIVE_SEGMENT) && !(hasActive && name === NEXT_SEGMENT))
    .map((name) => disk.visible(name))
    .map((bytes) => ({ bytes, header: headerOf(bytes) }))
    .flatMap(({ bytes, header }) => header === undefined ? [] : [{ bytes, header }])
    .sort((a, b) => a.header.generation < b.header.generation ? -1 : 1)
    .map(({ bytes }) => bytes);
}

function headerOf(bytes: Uint8Array): SegmentHeader | undefined {
  const header = decodeSegmentHeader(bytes);
  return typeof header === "string" ? undefined : header;
}

/** Where bytes are looked at; nothing is kept in it. */
let scratch = bufferOf(64 * 1024);

function bufferOf(length: number): LogBuffer {
  const memory = new ArrayBuffer((length + 7) & ~7);
  return {
    bytes: new Uint8Array(memory),
    words: new Uint32Array(memory),
    data: new DataView(memory),
  };
}

/** The bytes, aligned as a log's reader needs them. */
function copyOf(bytes: Uint8Array): LogBuffer {
  if (scratch.bytes.length < bytes.length) scratch = bufferOf(2 * bytes.length);
  scratch.bytes.set(bytes);
  return scratch;
}

/** An entry that is written once more keeps the time of its first write. */
function again(frame: MirrorFrame, { writtenMs }: MirrorFrame): MirrorFrame {
  return { ...frame, writtenMs };
}

function readFrame({ bytes, words }: LogBuffer, w: number, writtenMs: number): MirrorFrame {
  chainHash(words, w, hash, 0);
  const kind = words[w + FrameWord.kindAndLength]! >>> 24;
  const payloadAt = w * 4 + FRAME_HEADER_BYTES;
  return {
    op: Number(readU64(words, w + FrameWord.op)),
    lsn: Number(readU64(words, w + FrameWord.lsn)),
    slot: readU64(words, w + FrameWord.slot),
    view: readU64(words, w + FrameWord.view),
    hash: readU64(hash, 0),
    isCommand: kind === FrameKind.client_command || kind === FrameKind.internal_command,
    isInternal: kind === FrameKind.internal_command,
    payload: keepBytes(bytes, payloadAt, payloadBytesAt(words, w)),
    writtenMs,
    isDurable: false,
  };
}
