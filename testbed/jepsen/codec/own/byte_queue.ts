/** Bytes that have come and have not been used. */

/** See the top of this file. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #length = 0;
  #offset = 0;

  /** Bytes there are. */
  get length(): number {
    return this.#length;
  }

  /** Where the first of them stands in the file. */
  get offset(): number {
    return this.#offset;
  }

  /** Copies them. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes.slice());
    this.#length += bytes.length;
  }

  /** The first so many, which must be there. */
  take(count: number): Uint8Array {
    const taken = this.#first(count);
    this.#length -= count;
    this.#offset += count;
    return taken;
  }

  #first(count: number): Uint8Array {
    const [first] = this.#chunks;
    if (first !== undefined && first.length > count) {
      this.#chunks[0] = first.subarray(count);
      return first.subarray(0, count);
    }
    return this.#joined(count);
  }

  #joined(count: number): Uint8Array {
    const joined = new Uint8Array(count);
    let used = 0;
    let filled = 0;
    for (; filled < count; used++) {
      const chunk = this.#chunks[used]!;
      const part = chunk.subarray(0, count - filled);
      joined.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) continue;
      this.#chunks[used] = chunk.subarray(part.length);
      break;
    }
    this.#chunks.splice(0, used);
    return joined;
  }
}
