/** Writes that nobody could retry: without an operation id what becomes of them can never be settled. */
import type { CheckResult } from "../judgement.ts";
import { Finder } from "./finder.ts";
import type { Material } from "./material.ts";
import { numberOf } from "./words.ts";

/** See the top of this file. */
export function checkOperationIds(material: Material): CheckResult {
  const { writes, recording: { ticks } } = material;
  const finder = new Finder({
    name: "missing_operation_id",
    unit: "attempts to write",
    holds: "every attempt to write has an operation id",
    nothing: "nobody tried to write",
  });
  finder.examined = writes.length + ticks.length;
  for (const write of writes) {
    if (write.key !== undefined) continue;
    const sequence = numberOf(material, write);
    finder.add({
      fields: { sequence, operation: write.request.kind },
      sentence: `the ${write.request.kind} at ${sequence} has no operation id`,
      operations: [write],
    });
  }
  for (const tick of ticks) {
    if (tick.key !== undefined) continue;
    const sequence = numberOf(material, tick);
    finder.add({
      fields: { sequence, operation: "tick_expirations" },
      sentence: `the tick_expirations at ${sequence} has no operation id`,
    });
  }
  return finder.result();
}
