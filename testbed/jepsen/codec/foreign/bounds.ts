/** How much one form of a foreign history may be, so that none takes all memory, and who takes the forms. */
import type { Datum } from "./datum.ts";

/** Deepest nesting. */
export const DEPTH_MAX = 256;
/** Longest string, number or name, in UTF-16 units. */
export const TOKEN_MAX = 1_048_576;
/** Most tokens in one form: a read of a large set is one form. */
export const FORM_TOKENS_MAX = 4_194_304;

/** Takes a form and the line that it begins on. */
export type FormSink = (form: Datum, line: number) => void;
