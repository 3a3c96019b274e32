/** Fields as a header. The inverse of write_header.ts. */
import type { HistoryBounds, HistoryHeader } from "../../history/event.ts";
import { quoted } from "../../history/history_error.ts";
import { MODEL_NAMES } from "../../history/model.ts";
import { Field, FORMAT_VERSION, FORMAT_WORD } from "./field.ts";
import type { Fields } from "./fields.ts";

/** Models that a header may name. */
export const HEADER_MODELS = ["reservation", ...MODEL_NAMES] as const;

/** A header, and whether there are invocations. */
export interface ReadHeader {
  readonly header: HistoryHeader;
  readonly hasInvocations: boolean;
}

/** Reads a header whose type has been taken. */
export function readHeader(fields: Fields): ReadHeader {
  checkVersion(fields);
  const model = fields.oneOf(Field.model, HEADER_MODELS);
  const bounds = readBounds(fields);
  const isOverridden = readFlag(fields, Field.window_overridden);
  const header: HistoryHeader = {
    model,
    ...present("runId", fields.optionalText(Field.run_id)),
    ...present("workload", fields.optionalText(Field.workload)),
    ...present("nemesis", fields.optionalText(Field.nemesis)),
    ...present("backend", fields.optionalText(Field.backend)),
    ...present("seed", fields.optionalNumber(Field.seed)),
    ...present("program", fields.optionalText(Field.program)),
    ...present("startedAtMillis", fields.optionalNumber(Field.started_at_millis)),
    ...present("slotDurationMs", fields.optionalNumber(Field.slot_duration_ms)),
    ...present("minimumFaultWindowSecs", fields.optionalNumber(Field.minimum_fault_window_secs)),
    ...present("isWindowOverridden", isOverridden),
    ...present("bounds", Object.keys(bounds).length === 0 ? undefined : bounds),
    ...present(
      "initialResourceIds",
      fields.has(Field.initial_resource_ids) ? fields.u128s(Field.initial_resource_ids) : undefined,
    ),
  };
  return { header, hasInvocations: readFlag(fields, Field.invocations) ?? true };
}

function checkVersion(fields: Fields): void {
  const format = fields.text(Field.format);
  if (format !== FORMAT_WORD) throw fields.error(`the format ${quoted(format)}`, FORMAT_WORD);
  const version = fields.number(Field.version);
  if (version === FORMAT_VERSION) return;
  throw fields.error(`version ${version}`, `version ${FORMAT_VERSION}`);
}

function readBounds(fields: Fields): HistoryBounds {
  return {
    ...present("maxBundleSize", fields.optionalNumber(Field.max_bundle_size)),
    ...present("maxTtlSlots", fields.optionalU64(Field.max_ttl_slots)),
    ...present("historyWindowSlots", fields.optionalU64(Field.history_window_slots)),
    ...present("retryWindowSlots", fields.optionalU64(Field.retry_window_slots)),
  };
}

function readFlag(fields: Fields, field: Field): boolean | undefined {
  return fields.has(field) ? fields.oneOf(field, ["true", "false"]) === "true" : undefined;
}

/** An object with that one member, or with none. */
function present<Name extends string, Member>(
  name: Name,
  value: Member | undefined,
): { [Key in Name]?: Member } {
  return value === undefined ? {} : { [name]: value } as { [Key in Name]: Member };
}
