/** The header as fields. */
import type { HistoryBounds, HistoryHeader } from "../../history/event.ts";
import { Field, FORMAT_VERSION, FORMAT_WORD } from "./field.ts";
import type { FieldWriter } from "./field_writer.ts";

/** Writes the record of a header. */
export function writeHeader(
  out: FieldWriter,
  header: HistoryHeader,
  hasInvocations: boolean,
): void {
  out.begin("header");
  out.word(Field.format, FORMAT_WORD);
  out.number(Field.version, FORMAT_VERSION);
  out.word(Field.model, header.model);
  writeText(out, Field.run_id, header.runId);
  writeText(out, Field.workload, header.workload);
  writeText(out, Field.nemesis, header.nemesis);
  writeText(out, Field.backend, header.backend);
  writeNumber(out, Field.seed, header.seed);
  writeText(out, Field.program, header.program);
  writeNumber(out, Field.started_at_millis, header.startedAtMillis);
  writeNumber(out, Field.slot_duration_ms, header.slotDurationMs);
  writeNumber(out, Field.minimum_fault_window_secs, header.minimumFaultWindowSecs);
  const { isWindowOverridden, bounds, initialResourceIds } = header;
  if (isWindowOverridden !== undefined) out.word(Field.window_overridden, `${isWindowOverridden}`);
  if (bounds !== undefined) writeBounds(out, bounds);
  if (initialResourceIds !== undefined) {
    out.integers(Field.initial_resource_ids, initialResourceIds);
  }
  if (!hasInvocations) out.word(Field.invocations, "false");
  out.finish();
}

function writeBounds(out: FieldWriter, bounds: HistoryBounds): void {
  writeNumber(out, Field.max_bundle_size, bounds.maxBundleSize);
  const { maxTtlSlots, historyWindowSlots, retryWindowSlots } = bounds;
  if (maxTtlSlots !== undefined) out.integer(Field.max_ttl_slots, maxTtlSlots);
  if (historyWindowSlots !== undefined) out.integer(Field.history_window_slots, historyWindowSlots);
  if (retryWindowSlots !== undefined) out.integer(Field.retry_window_slots, retryWindowSlots);
}

function writeText(out: FieldWriter, field: Field, text: string | undefined): void {
  if (text !== undefined) out.text(field, text);
}

function writeNumber(out: FieldWriter, field: Field, value: number | undefined): void {
  if (value !== undefined) out.number(field, value);
}
