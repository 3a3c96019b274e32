import {
  createLogBuffer,
  frameBytes,
  type FrameKind,
  type LogBuffer,
  putFrame,
  sealFrame,
} from "../../core/log_frame.ts";

const FIRST_BYTES = 65_536;

/** Frames that wait for one write. Its memory grows up to a bound and is used again and again. */
export class LogBatch {
  /** Bytes of the frames in it. */
  used = 0;
  readonly #bytesMax: number;
  #buffer: LogBuffer;

  /**
   * @param bytesMax Most bytes of frames; a multiple of 8.
   */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#buffer = createLogBuffer(Math.min(FIRST_BYTES, bytesMax));
  }

  /** Its memory; frames stay in it until the batch is used again. */
  get buffer(): LogBuffer {
    return this.#buffer;
  }

  /** Whether a frame with such a payload still has room. */
  hasRoom(payloadBytes: number): boolean {
    return this.used + frameBytes(payloadBytes) <= this.#bytesMax;
  }

  /**
   * Adds a frame that has room.
   *
   * @param kind What the payload is.
   * @param fields As for {@linkcode putFrame}.
   * @param payload Holds the payload.
   * @param from The payload's first byte.
   * @param length The payload's bytes.
   * @returns Where the frame starts in the batch, in bytes.
   */
  put(
    kind: FrameKind,
    fields: Uint32Array,
    payload: DataView,
    from: number,
    length: number,
  ): number {
    const at = this.used;
    const end = at + frameBytes(length);
    if (end > this.#buffer.bytes.length) this.#grow(end);
    this.used = putFrame(this.#buffer, at, kind, fields, payload, from, length);
    return at;
  }

  /**
   * Completes all frames and answers their bytes.
   *
   * @param synced The last op known to be durable, a u64 in words 0 and 1.
   * @returns The batch's memory: valid until {@linkcode LogBatch.clear}.
   */
  seal(synced: Uint32Array): Uint8Array {
    for (let at = 0; at < this.used;) at = sealFrame(this.#buffer, at, synced, 0);
    return this.#buffer.bytes.subarray(0, this.used);
  }

  clear(): void {
    this.used = 0;
  }

  #grow(bytes: number): void {
    let length = this.#buffer.bytes.length;
    while (length < bytes) length = Math.min(length * 2, this.#bytesMax);
    const larger = createLogBuffer(length);
    larger.bytes.set(this.#buffer.bytes);
    this.#buffer = larger;
  }
}
