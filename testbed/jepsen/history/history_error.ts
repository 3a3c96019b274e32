/** What is wrong with a history, where, and what should have been there. One line, for people and for logs. */

/** Where in a file: lines count from 1, bytes from 0. Readers move one and the same object on. */
export type SourcePlace = { readonly line: number } | { readonly byte: number };

/** A history that cannot be read. */
export class HistoryError extends Error {
  override readonly name = "HistoryError";
  /** Undefined when it is the file as a whole. */
  readonly place: SourcePlace | undefined;
  readonly found: string;
  readonly expected: string;
  /** The file, once somebody who knows its name has said so. */
  readonly source: string | undefined;

  constructor(
    place: SourcePlace | undefined,
    found: string,
    expected: string,
    source?: string,
  ) {
    const where = [...(source === undefined ? [] : [shown(source)]), ...placeWords(place)];
    super([...where, `found ${found}, expected ${expected}`].join(": "));
    // Whoever made it goes on to change his.
    this.place = place === undefined ? undefined : { ...place };
    this.found = found;
    this.expected = expected;
    this.source = source;
  }

  /** The same, with the name of the file. */
  inSource(source: string): HistoryError {
    return new HistoryError(this.place, this.found, this.expected, source);
  }
}

function placeWords(place: SourcePlace | undefined): readonly string[] {
  if (place === undefined) return [];
  return ["line" in place ? `line ${place.line}` : `byte ${place.byte}`];
}

/** The number of a line or byte. */
export function placeNumber(place: SourcePlace): number {
  return "line" in place ? place.line : place.byte;
}

/** Longest excerpt of a file in a message, in characters. */
const SHOWN_MAX = 80;

/** Text out of a file, fit for a message: short, on one line, and nothing in it moves a cursor or turns a direction. */
export function shown(text: string): string {
  const head = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
  return head.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`;
}

/** The same, in quotation marks. */
export function quoted(text: string): string {
  return `"${shown(text)}"`;
}
