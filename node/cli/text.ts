/** Text from outside on its way to a terminal: it may neither move the cursor nor fill the screen. */

/** Longest quotation in a message, in UTF-16 code units. */
const QUOTE_MAX = 60;

/** Control, format, surrogate and unassigned characters, and the two that break lines. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** The text with everything that is not printable as `\u{…}`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** The text in quotes, printable and cut to a length that fits a message. */
export function quote(text: string): string {
  return `'${printable(text.length > QUOTE_MAX ? `${text.slice(0, QUOTE_MAX)}…` : text)}'`;
}

const SHELL_SAFE = /^[\w@%+=:,./-]+$/;

/** A command line that a POSIX shell splits into exactly these words. */
export function shellCommand(words: readonly string[]): string {
  return words
    .map((word) => SHELL_SAFE.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
    .join(" ");
}
