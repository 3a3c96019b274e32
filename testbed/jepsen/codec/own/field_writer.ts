/** Where the fields of a record go: one of these for each of our formats. */
import type { Value } from "../../history/model.ts";
import type { Field } from "./field.ts";

/** See the top of this file. */
export interface FieldWriter {
  /** A record begins. */
  begin(type: string): void;
  /** A name from a short list, or something that reads like one. */
  word(field: Field, text: string): void;
  /** Text of any kind. */
  text(field: Field, text: string): void;
  /** A safe integer. */
  number(field: Field, value: number): void;
  /** From 0 on, of any size. */
  integer(field: Field, value: bigint): void;
  /** It is known that there is none. */
  none(field: Field): void;
  numbers(field: Field, values: readonly number[]): void;
  integers(field: Field, values: readonly bigint[]): void;
  value(field: Field, value: Value): void;
  /** The record ends. */
  finish(): void;
}
