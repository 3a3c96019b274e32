/** Texts as bytes, two for each UTF-16 code unit, so that a case can say whatever a program can be told. */
import type { FuzzRandom } from "./random.ts";

/** Longest text that mutation makes, in code units. */
const TEXT_MAX = 4_000;

/** Reads any bytes as a text. */
export function textOf(input: Uint8Array): string {
  let text = "";
  for (let i = 0; i + 1 < input.length; i += 2) {
    text += String.fromCharCode(input[i]! * 256 + input[i + 1]!);
  }
  return text;
}

/** The inverse of {@linkcode textOf}. */
export function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    bytes[2 * i] = text.charCodeAt(i) >> 8;
    bytes[2 * i + 1] = text.charCodeAt(i) & 0xff;
  }
  return bytes;
}

/** What breaks parsers of every kind. */
const STRANGE = [
  ...[
    "",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\0",
    "\u00a0",
    "\u200b",
    "\u202e",
    "\ufeff",
    "\ufffd",
    "\ud800",
  ],
  ...[
    "\udc00",
    "\u0301",
    "é",
    "e\u0301",
    "𝄞",
    "١",
    "０",
    "-",
    "+",
    "--",
    "=",
    "/",
    "\\",
    "'",
    '"',
    "%",
  ],
  ...[
    "%00",
    "%2F",
    "[",
    "]",
    "{",
    "}",
    ":",
    "::",
    ",",
    ".",
    "..",
    "_",
    "0",
    "00",
    "0x",
    "0X",
    "1e9",
  ],
  ...["18446744073709551615", "18446744073709551616", "-1", "NaN", "Infinity", "__proto__", "null"],
  ...["340282366920938463463374607431768211455", "340282366920938463463374607431768211456"],
];

/**
 * Changes a text in one to four places.
 *
 * @param random Where the choices come from.
 * @param text Not empty most of the time.
 * @param words What means something to whoever reads it.
 */
export function mutateText(random: FuzzRandom, text: string, words: readonly string[]): string {
  let changed = text;
  for (let times = random.pick([1, 1, 1, 2, 3, 4]); times > 0; times--) {
    changed = changeOnce(random, changed, words).slice(0, TEXT_MAX);
  }
  return changed;
}

function changeOnce(random: FuzzRandom, text: string, words: readonly string[]): string {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + 1 + random.length(8));
  switch (random.below(9)) {
    case 0: // Dropped.
      return text.slice(0, at) + text.slice(end);
    case 1: // Twice.
      return text.slice(0, end) + text.slice(at);
    case 2: // Cut.
      return text.slice(0, at);
    case 3: // Something else in its place.
      return text.slice(0, at) + random.pick(words) + text.slice(end);
    case 4:
      return text.slice(0, at) + random.pick(STRANGE) + text.slice(end);
    case 5:
      return text.slice(0, at) + random.pick(STRANGE) + text.slice(at);
    case 6:
      return text.slice(0, at) + random.pick(words) + text.slice(at);
    case 7: // A long run.
      return text.slice(0, at) + text.slice(at, end).repeat(random.length(600)) + text.slice(end);
    default: // One character, changed in one bit.
      return text.slice(0, at) + flipped(random, text, at) + text.slice(at + 1);
  }
}

function flipped(random: FuzzRandom, text: string, at: number): string {
  const unit = at < text.length ? text.charCodeAt(at) : 0x30;
  return String.fromCharCode(unit ^ (1 << random.below(random.oneIn(8) ? 16 : 7)));
}
