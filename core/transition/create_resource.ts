import { preserveRow } from "../capture.ts";
import { type Command, Field } from "../command.ts";
import type { Engine } from "../state.ts";
import { hashKey, insertRow } from "../fixed_map.ts";
import { NO_ROW, type Row } from "../ids.ts";
import { findResource } from "../lookup.ts";
import { ResultCode } from "../outcome.ts";
import { Resource, ResourceState } from "../tables.ts";
import { copyU128 } from "../words.ts";

/** Whether a resource may come into being. Source: docs/semantics.md#create_resource. */
export function decideCreateResource(engine: Engine, command: Command): ResultCode {
  const { resources } = engine.tables;
  if (findResource(engine, command.words, Field.subjectId) !== NO_ROW) {
    return ResultCode.already_exists;
  }
  if (resources.used === resources.capacity) return ResultCode.resource_table_full;
  return ResultCode.ok;
}

/** Adds the resource, available, version 0. */
export function commitCreateResource(engine: Engine, command: Command): void {
  const { resources, resourceIndex } = engine.tables;
  const row = resources.used as Row;
  if (engine.capture.active) preserveRow(engine.capture.resources, row);
  resources.used++;
  const { words } = resources;
  const record = row * resources.stride;
  copyU128(words, record + Resource.id, command.words, Field.subjectId);
  words[record + Resource.state] = ResourceState.available;
  insertRow(resourceIndex, row, hashKey(resourceIndex, words, record + Resource.id));
}
