/**
 * Every code that a reply can carry and the HTTP status it comes with. Source: docs/http.md#codes, which a
 * test compares with this table.
 */
import type { ResultName } from "../../core/outcome.ts";
import type { Rejection } from "../api.ts";
import { ERRORS, type Retry } from "../error_catalogue.ts";

/** What a code means to whoever speaks HTTP. */
export interface CodePage {
  readonly status: number;
  /** One sentence, the same for every occurrence. */
  readonly title: string;
  readonly retry: Retry;
}

/** A committed result that did not do what was asked. */
export type RefusalCode = Exclude<ResultName, "ok" | "noop">;

/** Committed: decided, durable, and (but for the last two) the same for every retry of the operation. */
const COMMITTED = {
  already_exists: { status: 409, ...told("E_ALREADY_EXISTS") },
  resource_not_found: { status: 404, ...told("E_RESOURCE_NOT_FOUND") },
  resource_busy: { status: 409, ...told("E_RESOURCE_BUSY") },
  bundle_too_large: { status: 422, ...told("E_BUNDLE_TOO_LARGE") },
  ttl_out_of_range: { status: 422, ...told("E_TTL_OUT_OF_RANGE") },
  reservation_not_found: { status: 404, ...told("E_RESERVATION_NOT_FOUND") },
  reservation_retired: { status: 410, ...told("E_RESERVATION_RETIRED") },
  invalid_state: { status: 409, ...told("E_INVALID_STATE") },
  holder_mismatch: { status: 409, ...told("E_HOLDER_MISMATCH") },
  stale_epoch: { status: 409, ...told("E_STALE_EPOCH") },
  slot_overflow: { status: 422, ...told("E_SLOT_OVERFLOW") },
  resource_table_full: { status: 507, ...told("E_RESOURCE_TABLE_FULL") },
  reservation_table_full: { status: 507, ...told("E_RESERVATION_TABLE_FULL") },
  reservation_member_table_full: { status: 507, ...told("E_RESERVATION_MEMBER_TABLE_FULL") },
  expiration_index_full: { status: 507, ...told("E_EXPIRATION_INDEX_FULL") },
  operation_table_full: { status: 507, ...told("E_OPERATION_TABLE_FULL") },
  operation_conflict: { status: 409, ...told("E_OPERATION_CONFLICT") },
} as const satisfies Record<RefusalCode, CodePage>;

/** Refused before the command had a place in the log, or lost on the way to it. */
const REJECTED = {
  invalid_request: page(400, "The request is not one this route understands.", "never"),
  slot_overflow: COMMITTED.slot_overflow,
  slot_rewound: { status: 422, ...told("E_SLOT_REWOUND") },
  slot_too_far: { status: 422, ...told("E_SLOT_TOO_FAR") },
  command_too_large: { status: 413, ...told("E_COMMAND_TOO_LARGE") },
  lsn_exhausted: { status: 503, ...told("E_LSN_EXHAUSTED") },
  overloaded: page(429, "There is no room for another request. It was not taken.", "after_ms"),
  shutting_down: { status: 503, ...told("E_SHUTTING_DOWN") },
  not_primary: { status: 503, ...told("E_NOT_PRIMARY") },
  engine_halted: { status: 503, title: ERRORS.E_ENGINE_HALTED.meaning, retry: "same_id" },
  view_changed: page(503, "The primary lost its view before the command was committed.", "same_id"),
  storage_failure: page(503, "The log failed while the command was on its way to it.", "same_id"),
} as const satisfies Record<Rejection["code"], CodePage>;

/** Reads that have no data to show. */
const READS = {
  not_found: page(404, "There is nothing with this id.", "never"),
  retired: page(410, "The reservation ended so long ago that its record is gone.", "never"),
  fence_not_applied: {
    status: 412,
    title: "The node has not applied the position that required_lsn asks for.",
    retry: "after_ms",
  },
} as const satisfies Record<string, CodePage>;

/** What the gateway itself has to say. */
const GATEWAY = {
  unknown_route: page(404, "There is no such path. GET / lists what there is.", "never"),
  method_not_allowed: page(405, "The path exists, but not with this method.", "never"),
  request_timeout: page(408, "The request did not arrive in time. Nothing was done.", "after_ms"),
  body_too_large: page(413, "The body is longer than this gateway takes.", "never"),
  unsupported_media_type: page(415, "The body has to be application/json.", "never"),
  misdirected: page(421, "The Host is not this gateway's.", "never"),
  cross_origin: page(403, "Pages of other origins may not write here.", "never"),
  deadline_exceeded: page(503, "The node gave no answer in time.", "same_id"),
  not_accepting_writes: page(503, "The node takes no writes.", "after_ms"),
  already_running: { status: 409, ...told("E_CHECKPOINT_RUNNING") },
  snapshot_file_error: { status: 503, ...told("E_CHECKPOINT_FAILED") },
  bug: page(500, "An invariant of allocdb does not hold. This is never your fault.", "same_id"),
} as const satisfies Record<string, CodePage>;

/** Every code but `ok`. */
export const CODES = { ...COMMITTED, ...REJECTED, ...READS, ...GATEWAY } as const;

/** One of the keys of {@linkcode CODES}. */
export type Code = keyof typeof CODES;

function page(status: number, title: string, retry: Retry): CodePage {
  return { status, title, retry };
}

/** Title and retry advice as the command line gives them. */
function told(code: keyof typeof ERRORS): { readonly title: string; readonly retry: Retry } {
  return { title: ERRORS[code].meaning, retry: ERRORS[code].retry };
}
