/**
 * Strings that are kept once and by themselves. A part of a block of text would keep the whole block; a copy does not.
 */

/** So many different ones are kept for reuse; later ones are copied each time. */
const STRINGS_MAX = 20_000;

/** See the top of this file. */
export class StringPool {
  readonly #strings = new Map<string, string>();

  /** The same text, independent of what it was cut from. */
  own(text: string): string {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const copy = copied(text);
    if (this.#strings.size < STRINGS_MAX) this.#strings.set(copy, copy);
    return copy;
  }
}

/** Engines keep a part of a string as a reference into it, except where the characters have been through something else. */
function copied(text: string): string {
  const units = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  let copy = "";
  for (let from = 0; from < units.length; from += 8_192) {
    copy += String.fromCharCode(...units.subarray(from, from + 8_192));
  }
  return copy;
}
