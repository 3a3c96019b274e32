/** How the letters of EDN divide it: which end a token, which are nothing. As Clojure's reader has it. */

/** Signs that mean something where a token begins, as numbers: comparing those is faster. */
export const SIGN = {
  newline: 10,
  quotation: 34,
  number: 35,
  parenthesis: 40,
  parenthesisEnd: 41,
  semicolon: 59,
  bracket: 91,
  backslash: 92,
  bracketEnd: 93,
  caret: 94,
  brace: 123,
  braceEnd: 125,
} as const;

/** What a character does outside of strings and comments. */
export const CharacterClass = { token: 0, blank: 1, ending: 2, refused: 3 } as const;

const CLASSES = classes();

function classes(): Uint8Array {
  const table = new Uint8Array(128);
  for (let code = 0; code < 0x20; code++) table[code] = CharacterClass.refused;
  table[0x7f] = CharacterClass.refused;
  for (const blank of " \t\n\r\f\v,") table[blank.charCodeAt(0)] = CharacterClass.blank;
  for (const ending of "\"';@^`~()[]{}\\") table[ending.charCodeAt(0)] = CharacterClass.ending;
  // A quote may stand inside a symbol.
  table["'".charCodeAt(0)] = CharacterClass.token;
  return table;
}

/** One of {@linkcode CharacterClass}. Letters beyond ASCII may stand in symbols and keywords, spaces beyond it nowhere. */
export function classOf(code: number): number {
  if (code < 128) return CLASSES[code]!;
  return /[\s\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\ufeff]/u.test(String.fromCharCode(code))
    ? CharacterClass.refused
    : CharacterClass.token;
}

/**
 * @param text where a token begins at `from`
 * @returns where it ends: the first character that is no part of it, or the length of the text
 */
export function tokenEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && classOf(text.charCodeAt(at)) === CharacterClass.token) at++;
  return at;
}

/** Whether a token has to be a number: it begins with a digit, or with a sign and a digit. */
export function beginsNumber(token: string): boolean {
  const first = token.charCodeAt(0);
  if (first >= 48 && first <= 57) return true;
  if (first !== 43 && first !== 45) return false;
  const second = token.charCodeAt(1);
  return second >= 48 && second <= 57;
}

/** Position of the quotation mark that ends a string, or -1. */
export function stringEnd(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (end - slashes > from && text[end - slashes - 1] === "\\") slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}
