/** Rows of small numbers as one number: a state of several parts. Equal rows have equal numbers. */

const EMPTY = -1;

/** Rows of `width` numbers. Of rows of one number, that number is the row's. */
export class Tuples {
  readonly #width: number;
  readonly #scratch: Int32Array;
  #rows: Int32Array<ArrayBuffer>;
  #count = 0;
  #slots = new Int32Array(1_024).fill(EMPTY);

  constructor(width: number) {
    this.#width = width;
    this.#scratch = new Int32Array(width);
    this.#rows = new Int32Array(width * 256);
  }

  /** The number of a row. */
  numberOf(row: ArrayLike<number>): number {
    if (this.#width === 1) return row[0]!;
    this.#scratch.set(row);
    return this.#intern();
  }

  /** One number of a row. */
  get(tuple: number, at: number): number {
    return this.#width === 1 ? tuple : this.#rows[tuple * this.#width + at]!;
  }

  /** The row with another number in one place. */
  with(tuple: number, at: number, value: number): number {
    if (this.#width === 1) return value;
    const from = tuple * this.#width;
    if (this.#rows[from + at] === value) return tuple;
    for (let i = 0; i < this.#width; i++) this.#scratch[i] = this.#rows[from + i]!;
    this.#scratch[at] = value;
    return this.#intern();
  }

  #intern(): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(this.#scratch) & mask;
    for (;; slot = (slot + 1) & mask) {
      const found = this.#slots[slot]!;
      if (found === EMPTY) break;
      if (this.#isScratch(found)) return found;
    }
    const added = this.#count++;
    this.#slots[slot] = added;
    if (this.#count * this.#width > this.#rows.length) {
      const rows = new Int32Array(this.#rows.length * 2);
      rows.set(this.#rows);
      this.#rows = rows;
    }
    this.#rows.set(this.#scratch, added * this.#width);
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return added;
  }

  #isScratch(tuple: number): boolean {
    const from = tuple * this.#width;
    for (let i = 0; i < this.#width; i++) {
      if (this.#rows[from + i] !== this.#scratch[i]) return false;
    }
    return true;
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2).fill(EMPTY);
    const mask = this.#slots.length - 1;
    for (let tuple = 0; tuple < this.#count; tuple++) {
      const from = tuple * this.#width;
      let slot = hashOf(this.#rows.subarray(from, from + this.#width)) & mask;
      while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      this.#slots[slot] = tuple;
    }
  }
}

function hashOf(row: Int32Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < row.length; i++) hash = Math.imul(hash ^ row[i]!, 0x9e3779b1) ^ (hash >>> 15);
  return (hash ^ (hash >>> 13)) >>> 0;
}
