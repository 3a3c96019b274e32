/** The formats that can be read. The order is that in which a file's beginning is tried. */
import { EDN, KV } from "./foreign/edn_format.ts";
import { JSON_HISTORY } from "./foreign/json_format.ts";
import { LOG } from "./foreign/log_format.ts";
import type { Format, FormatName } from "./format.ts";
import { CBOR_FORMAT } from "./own/cbor.ts";
import { JSONL_FORMAT } from "./own/jsonl.ts";
import { TEXT_FORMAT } from "./own/text.ts";
import { RUNBOOK_FORMAT } from "./runbook/runbook.ts";

/** See the top of this file. */
export const FORMATS: readonly Format[] = [
  CBOR_FORMAT,
  TEXT_FORMAT,
  JSONL_FORMAT,
  RUNBOOK_FORMAT,
  KV,
  EDN,
  LOG,
  JSON_HISTORY,
];

/** The format of that name. */
export function formatNamed(name: FormatName): Format {
  const found = FORMATS.find((format) => format.name === name);
  if (found === undefined) throw new RangeError(`There is no format '${name}'`);
  return found;
}
