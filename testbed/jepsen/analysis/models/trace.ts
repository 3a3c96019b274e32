/** How configurations came about: mutations, each after another, as a tree of numbers. */

/** Before anything has happened. */
export const ROOT = -1;

/** See the top of this file. */
export class Trace {
  count = 0;
  #parents = new Int32Array(256);
  #operations = new Int32Array(256);

  /** Notes that `operation` happened after `parent`. */
  add(parent: number, operation: number): number {
    const at = this.count++;
    if (at === this.#parents.length) {
      this.#parents = enlarged(this.#parents);
      this.#operations = enlarged(this.#operations);
    }
    this.#parents[at] = parent;
    this.#operations[at] = operation;
    return at;
  }

  /** Everything that happened until `at`, in its order. */
  pathTo(at: number): number[] {
    const path: number[] = [];
    for (let node = at; node !== ROOT; node = this.#parents[node]!) {
      path.push(this.#operations[node]!);
    }
    return path.reverse();
  }

  /** Forgets what leads to none of `kept`, and writes their new numbers there. */
  compact(kept: Int32Array): void {
    const isUsed = new Uint8Array(this.count);
    for (const end of kept) {
      for (let at = end; at !== ROOT && isUsed[at] === 0; at = this.#parents[at]!) isUsed[at] = 1;
    }
    const places = new Int32Array(this.count);
    let count = 0;
    for (let at = 0; at < this.count; at++) {
      if (isUsed[at] === 0) continue;
      const parent = this.#parents[at]!;
      this.#parents[count] = parent === ROOT ? ROOT : places[parent]!;
      this.#operations[count] = this.#operations[at]!;
      places[at] = count++;
    }
    this.count = count;
    for (let i = 0; i < kept.length; i++) if (kept[i] !== ROOT) kept[i] = places[kept[i]!]!;
  }
}

function enlarged(words: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(words.length * 2);
  larger.set(words);
  return larger;
}
