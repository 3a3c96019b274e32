/** The seats, and what the buyers between them know about each. Rows are lettered, seats in a row numbered. */
import { nameId } from "../cli/ids.ts";

/** What the buyers know of a seat. */
export type SeatState = "free" | "held" | "sold";

/** One seat. */
export interface Seat {
  readonly index: number;
  /** `B7`: row and number. */
  readonly name: string;
  readonly resourceId: bigint;
  state: SeatState;
}

const SEATS_PER_ROW = 20;
const SEATS_PER_WIDE_ROW = 40;
/** Above that, rows of 20 would run out of letters. */
const NARROW_MAX = 26 * SEATS_PER_ROW;

/** All seats. */
export class Hall {
  readonly seats: readonly Seat[];
  readonly seatsPerRow: number;

  /**
   * @param count Seats, at most 1,040.
   */
  constructor(count: number) {
    this.seatsPerRow = count <= NARROW_MAX ? SEATS_PER_ROW : SEATS_PER_WIDE_ROW;
    this.seats = Array.from({ length: count }, (_, index) => this.#makeSeat(index));
  }

  /** How many seats are in a state. */
  count(state: SeatState): number {
    return this.seats.filter((seat) => seat.state === state).length;
  }

  /** Seats that nobody is known to have, front to back. */
  free(): Seat[] {
    return this.seats.filter((seat) => seat.state === "free");
  }

  /**
   * Up to `count` free seats side by side.
   *
   * @param first The leftmost of them.
   * @param count How many are wanted.
   * @returns The first one, and its right neighbours as far as they are free and in the same row.
   */
  neighbours(first: Seat, count: number): Seat[] {
    const found = [first];
    for (let index = first.index + 1; found.length < count; index++) {
      const next = this.seats[index];
      if (next === undefined || next.state !== "free" || index % this.seatsPerRow === 0) break;
      found.push(next);
    }
    return found;
  }

  /** The seats row by row, each with its letter. */
  rows(): { readonly letter: string; readonly seats: readonly Seat[] }[] {
    const rows = [];
    for (let at = 0; at < this.seats.length; at += this.seatsPerRow) {
      const seats = this.seats.slice(at, at + this.seatsPerRow);
      rows.push({ letter: rowLetter(at / this.seatsPerRow), seats });
    }
    return rows;
  }

  #makeSeat(index: number): Seat {
    const row = Math.floor(index / this.seatsPerRow);
    const name = `${rowLetter(row)}${index % this.seatsPerRow + 1}`;
    return { index, name, resourceId: nameId(`seat:${name}`), state: "free" };
  }
}

function rowLetter(row: number): string {
  return String.fromCharCode("A".charCodeAt(0) + row);
}
