/** Numbers, lengths of time and texts from elsewhere, for people. */
import { printable } from "../../../node/cli/text.ts";

/** A whole number with commas: `1,234,567`. */
export function grouped(count: number): string {
  return String(count).replace(/(?<=\d)(?=(\d{3})+$)/g, ",");
}

/** A length of time for people: `0.4 s`, `12 s`, `7 min`, `3.2 h`. */
export function spanText(ms: number): string {
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

/** The first line of a text that may say anything, fit for a terminal. */
export function firstLine(text: string): string {
  return printable(text.split("\n", 1)[0]!);
}
