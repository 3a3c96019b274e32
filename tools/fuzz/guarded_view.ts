/** A view that tells when somebody looks where they must not. */
import { FuzzFailure } from "./target.ts";

/** Bytes of something else in front of the input and behind it. */
const AROUND_BYTES = 21;

/** A `DataView` over a buffer of which only one part may be read. */
export class GuardedView extends DataView<ArrayBuffer> {
  /** Where the readable part starts. */
  readonly at: number;
  /** One past its last byte. */
  readonly end: number;

  /**
   * @param input What may be read.
   * @param around Every byte of what may not.
   */
  constructor(input: Uint8Array, around: number) {
    const bytes = new Uint8Array(input.length + 2 * AROUND_BYTES).fill(around);
    bytes.set(input, AROUND_BYTES);
    super(bytes.buffer);
    this.at = AROUND_BYTES;
    this.end = AROUND_BYTES + input.length;
  }

  override getUint8(at: number): number {
    this.#check(at, 1);
    return super.getUint8(at);
  }

  override getUint16(at: number, littleEndian?: boolean): number {
    this.#check(at, 2);
    return super.getUint16(at, littleEndian);
  }

  override getUint32(at: number, littleEndian?: boolean): number {
    this.#check(at, 4);
    return super.getUint32(at, littleEndian);
  }

  override getBigUint64(at: number, littleEndian?: boolean): bigint {
    this.#check(at, 8);
    return super.getBigUint64(at, littleEndian);
  }

  #check(at: number, count: number): void {
    if (at >= this.at && at + count <= this.end) return;
    const [from, to] = [at - this.at, at + count - this.at];
    throw new FuzzFailure(`read of [${from}, ${to}) in an input of ${this.end - this.at} bytes`);
  }
}

/**
 * Runs a reader twice over the same input among different neighbours; what it answers must not depend on them.
 *
 * @param input What may be read.
 * @param read Reads `[view.at, view.end)` and says what it found, completely, as text.
 * @returns What both said.
 */
export function amongStrangers(input: Uint8Array, read: (view: GuardedView) => string): string {
  const found = read(new GuardedView(input, 0x00));
  const again = read(new GuardedView(input, 0xff));
  if (found === again) return found;
  throw new FuzzFailure(`the answer depends on bytes outside: ${found} or ${again}`);
}
