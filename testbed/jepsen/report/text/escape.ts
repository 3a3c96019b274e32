/**
 * Text that came from outside, made harmless for the place where it is shown. Nothing that a history says may end an
 * element, move a terminal's cursor or turn the reading direction around; what could is shown as `\u{...}`.
 */

/**
 * Controls, lone surrogates, and what is invisible or changes the direction of its neighbours: soft hyphen, Arabic letter
 * mark, zero width and bidirectional marks, line separators, byte order mark, noncharacters, language tags.
 */
const UNSEEN =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

/** Text on one line in which everything can be seen. Source: requirement O7. */
export function plain(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** Text for HTML and SVG: between tags, and in attributes with double quotes. */
export function escapeHtml(text: string): string {
  return plain(text).replace(
    /[&<>"']/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
}

/** Text for HTML in which what stands between backquotes is code. */
export function prose(text: string): string {
  return escapeHtml(text).replace(/`([^`]*)`/g, "<code>$1</code>");
}

/** Text for XML 1.0; after {@linkcode plain} no character is left that it forbids. */
export const escapeXml = escapeHtml;

/** A value as JSON that stays on its feet inside of a script element and on a terminal. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, toDecimal, indent)
    .replace(/[<>&]/g, unicodeEscape)
    .replace(/[\u0080-\uffff]/g, (unit) => /[\p{L}\p{N}]/u.test(unit) ? unit : unicodeEscape(unit));
}

/** A bigint as decimal text, for numbers of JSON lose digits. */
function toDecimal(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Cuts text that is too long for its place and says so. */
export function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
