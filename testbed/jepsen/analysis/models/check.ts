/** Whether a history of another system is linearizable under one of the well-known models. */
import type { ModelOperation } from "../../history/model.ts";
import type { ModelOptions, ModelVerdict } from "./verdict.ts";

/**
 * Judges a history. Pure: the same operations and options give the same verdict, unless `isOverTime` is used.
 *
 * @param operations In order of their beginning.
 * @throws {ModelError} For an operation that the model does not have.
 */
export function checkModel(
  operations: readonly ModelOperation[],
  options: ModelOptions,
): ModelVerdict {
  const reason = `${operations.length} operations under ${options.model} were not looked at`;
  return { kind: "unknown", reason, partitions: [], steps: 0 };
}
