/** Tokens become data: names, numbers, constants. */
import { type Datum, keyword, rememberedKeyword } from "./datum.ts";
import { beginsNumber } from "./edn_lexis.ts";
import { parseNumber } from "./edn_number.ts";

/**
 * @param token letters between two delimiters, at least one
 * @returns undefined when it is neither number nor name
 */
export function parseAtom(token: string): Datum | undefined {
  if (beginsNumber(token)) return parseNumber(token);
  if (token.charCodeAt(0) === 58) return rememberedKeyword(token) ?? parseKeyword(token);
  if (token === "nil") return null;
  if (token === "true") return true;
  if (token === "false") return false;
  return isName(token) ? { kind: "symbol", text: detached(token) } : undefined;
}

function parseKeyword(token: string): Datum | undefined {
  const name = token.slice(1);
  return isName(name) ? keyword(detached(token)) : undefined;
}

/** A name may have a namespace before a slash, or be a slash; colons stand inside alone. */
function isName(name: string): boolean {
  if (name === "" || name.startsWith(":") || name.endsWith(":")) return false;
  if (name === "/") return true;
  const slash = name.indexOf("/");
  return slash !== 0 && slash !== name.length - 1;
}

/** `##Inf`, `##-Inf`, `##NaN`: what is no number, so a word. */
export function parseSpecial(name: string): Datum | undefined {
  if (name !== "Inf" && name !== "-Inf" && name !== "NaN") return undefined;
  return { kind: "symbol", text: `##${name}` };
}

/** Shorter parts of a text are copied by the engine, longer ones hold on to the whole of it. */
const SLICED_MIN = 13;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The same letters in a string of their own, so that a value does not keep the file in memory. */
export function detached(part: string): string {
  if (part.length < SLICED_MIN) return part;
  return part.isWellFormed() ? decoder.decode(encoder.encode(part)) : part;
}
