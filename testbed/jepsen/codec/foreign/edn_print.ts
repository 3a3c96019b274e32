/** Prints data as EDN that any reader of it takes. */
import type { Datum, Group, Tagged } from "./datum.ts";
import { printCharacter, printString } from "./edn_text.ts";

const BRACKETS = {
  list: ["(", ")"],
  vector: ["[", "]"],
  set: ["#{", "}"],
  map: ["{", "}"],
} as const;

/**
 * @param datum not nested deeper than a reader allows: it walks down by recursion
 * @returns one line
 */
export function printEdn(datum: Datum): string {
  if (datum === null) return "nil";
  if (typeof datum === "string") return printString(datum);
  if (typeof datum !== "object") return String(datum);
  switch (datum.kind) {
    case "keyword":
      return `:${datum.text}`;
    case "character":
      return printCharacter(datum.text);
    case "symbol":
    case "ratio":
    case "decimal":
      return datum.text;
    default:
      return printComposite(datum);
  }
}

function printComposite(datum: Group | Tagged): string {
  if (datum.kind === "tagged") return `#${datum.tag} ${printEdn(datum.form)}`;
  const [open, close] = BRACKETS[datum.kind];
  return `${open}${datum.items.map(printEdn).join(" ")}${close}`;
}
