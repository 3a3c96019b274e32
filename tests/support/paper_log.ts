/** A log on paper: frames in an array, durable when the test says so. For the protocol by itself. */
import { createLogBuffer, frameBytes, FrameKind } from "../../core/log_frame.ts";
import type { LogRead, ProtocolLog, SnapshotFacts } from "../../node/vsr/log_port.ts";
import { frameAt, hashOf as hashIn, lastOpOf, previousHashOf } from "../../node/vsr/frames.ts";
import { writeSpec } from "./log_frames.ts";

/** Hash of the entry before the first. */
const GENESIS_HASH = 7n;

/** See the top of this file. */
export class PaperLog implements ProtocolLog {
  syncedOp = 0n;
  /** Whether cutting is possible at the moment. */
  isBusy = false;
  /** The log's first op; what is before it is in a snapshot. */
  firstOp = 1n;
  /** What is before this would have to be read from a disk. */
  memoryOp = 1n;
  /** What was cut, as `from..to`. */
  readonly cuts: string[] = [];
  readonly #frames: Uint8Array[] = [];
  readonly #hashes: bigint[] = [];

  get tipOp(): bigint {
    return BigInt(this.#frames.length);
  }

  get tipHash(): bigint {
    return this.#hashes.at(-1) ?? GENESIS_HASH;
  }

  /** Writes an entry of its own, durable at once unless told otherwise. */
  put(view: bigint, text: string, isDurable = true): void {
    const op = this.tipOp + 1n;
    const payload = new TextEncoder().encode(text);
    const buffer = createLogBuffer(frameBytes(payload.length));
    const kind = FrameKind.client_command;
    const previousHash = this.tipHash;
    const fields = { op, lsn: op, slot: 1n, view, synced: 0n, previousHash };
    writeSpec(buffer, 0, { kind, ...fields, payload });
    this.#push(buffer.bytes);
    if (isDurable) this.sync();
  }

  /** Makes everything durable. */
  sync(): void {
    this.syncedOp = this.tipOp;
  }

  hashAt(op: bigint): bigint | undefined {
    if (op < this.firstOp - 1n || op > this.tipOp) return undefined;
    return op === 0n ? GENESIS_HASH : this.#hashes[Number(op) - 1];
  }

  read(fromOp: bigint): LogRead {
    if (fromOp < this.firstOp) return { kind: "removed" };
    const frames = this.frames(fromOp, this.tipOp);
    return { kind: "frames", frames, lastOp: this.tipOp };
  }

  /** Entries, as a message carries them. */
  frames(fromOp: bigint, toOp: bigint): Uint8Array {
    const parts = this.#frames.slice(Number(fromOp) - 1, Number(toOp));
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  append(frames: Uint8Array): boolean {
    if (lastOpOf(frames, this.tipOp) === undefined) return false;
    if (previousHashOf(frames) !== this.tipHash) return false;
    for (let at = 0; at < frames.length;) {
      const frame = frameAt(frames, at)!;
      this.#push(frames.slice(frame.at, frame.end));
      at = frame.end;
    }
    return true;
  }

  cut(op: bigint): boolean {
    if (this.isBusy) return false;
    this.cuts.push(`${op + 1n}..${this.tipOp}`);
    this.#frames.length = Number(op);
    this.#hashes.length = Number(op);
    if (this.syncedOp > op) this.syncedOp = op;
    return true;
  }

  snapshot(): SnapshotFacts | undefined {
    const op = this.firstOp - 1n;
    return op === 0n ? undefined : { op, hash: this.hashAt(op)!, bytes: 1_000n };
  }

  #push(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#hashes.push(hashIn(frame, frameAt(frame, 0)!));
  }
}
