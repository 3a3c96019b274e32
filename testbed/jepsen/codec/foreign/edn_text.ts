/** Strings and characters of EDN and Clojure: what stands between the quotes, and what a backslash names. */

const SHORT_ESCAPES = new Map([
  ["t", "\t"],
  ["b", "\b"],
  ["n", "\n"],
  ["r", "\r"],
  ["f", "\f"],
  ['"', '"'],
  ["\\", "\\"],
]);
const CHARACTER_NAMES = new Map([
  ["newline", "\n"],
  ["space", " "],
  ["tab", "\t"],
  ["return", "\r"],
  ["backspace", "\b"],
  ["formfeed", "\f"],
]);
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|([0-3]?[0-7]{1,2})|([^]))|\\$/g;

/**
 * @param body what stands between the quotes
 * @returns undefined when an escape in it is none that Clojure knows, or names half of a letter
 */
export function unescapeString(body: string): string | undefined {
  let isUnknown = false;
  const text = body.replace(ESCAPE, (_, unicode?: string, octal?: string, letter?: string) => {
    if (unicode !== undefined) return String.fromCharCode(parseInt(unicode, 16));
    if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8));
    const meant = letter === undefined ? undefined : SHORT_ESCAPES.get(letter);
    if (meant === undefined) isUnknown = true;
    return meant ?? "";
  });
  return isUnknown || !text.isWellFormed() ? undefined : text;
}

/**
 * @param name what follows the backslash
 * @returns the one character meant, or undefined
 */
export function parseCharacter(name: string): string | undefined {
  const character = nameCharacter(name);
  return character?.isWellFormed() ? character : undefined;
}

function nameCharacter(name: string): string | undefined {
  if ([...name].length === 1) return name;
  const unicode = /^u([0-9a-fA-F]{4})$/.exec(name);
  if (unicode !== null) return String.fromCharCode(parseInt(unicode[1]!, 16));
  const octal = /^o([0-3]?[0-7]{1,2})$/.exec(name);
  if (octal !== null) return String.fromCharCode(parseInt(octal[1]!, 8));
  return CHARACTER_NAMES.get(name);
}

/** Backslash and name of a character, as {@linkcode parseCharacter} reads it. */
export function printCharacter(character: string): string {
  for (const [name, meant] of CHARACTER_NAMES) if (meant === character) return `\\${name}`;
  const code = character.charCodeAt(0);
  const isPlain = [...character].length === 1 && code > 0x20 &&
    (code < 0xd800 || character.length === 2);
  return isPlain && !/\s/.test(character) ? `\\${character}` : `\\u${hexadecimal(code)}`;
}

/** With quotes; what a terminal or an editor could trip over is escaped. */
export function printString(text: string): string {
  const escaped = text.replace(
    /["\\\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (one) => {
      for (const [letter, meant] of SHORT_ESCAPES) if (meant === one) return `\\${letter}`;
      return `\\u${hexadecimal(one.charCodeAt(0))}`;
    },
  );
  return `"${escaped}"`;
}

function hexadecimal(code: number): string {
  return code.toString(16).padStart(4, "0");
}
