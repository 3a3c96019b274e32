/** What an event says besides what it is, so that it can be held against the invocation that it belongs to. */
import type { Value } from "./model.ts";

/** See the top of this file; what is absent was not said. */
export interface EventClaims {
  /** A number of its own in the file; has to go up. */
  readonly index?: number;
  /** Which operation a completion is of: `f` of a model, else `kind` of the request. */
  readonly f?: string;
  /** Of a keyed model. */
  readonly key?: Value;
  readonly operationId?: bigint;
}

/** Whether both are the same value. */
export function equalValues(a: Value, b: Value): boolean {
  if (!isList(a) || !isList(b)) return a === b;
  return a.length === b.length && a.every((value, i) => equalValues(value, b[i]!));
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
