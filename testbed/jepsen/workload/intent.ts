/** What a client may have in mind to do next, as plain data. */
import type { ReadRequest, WriteRequest } from "../history/operation.ts";
import type { IntentName } from "./habits.ts";
import type { Write } from "./operation_log.ts";

/** One thing to do, and how long each call of it may take. */
export type Intent = Act & { readonly name: IntentName; readonly patienceMs: number };

/** What is to be done; `waitMs` comes before it. */
export type Act =
  | {
    readonly kind: "write";
    readonly request: WriteRequest;
    readonly slot?: bigint;
    readonly waitMs?: number;
  }
  | { readonly kind: "twin" | "abandon"; readonly request: WriteRequest }
  | { readonly kind: "clash"; readonly request: WriteRequest; readonly rival: WriteRequest }
  | { readonly kind: "again"; readonly operation: Write }
  | { readonly kind: "reuse"; readonly operation: Write; readonly request: WriteRequest }
  | ReadIntent
  | { readonly kind: "sweep"; readonly resourceId: bigint }
  | { readonly kind: "tick"; readonly slot?: bigint };

/** A read; `slot` is the one from which a reservation is looked at. */
export interface ReadIntent {
  readonly kind: "read";
  readonly request: ReadRequest;
  readonly slot?: bigint;
}
