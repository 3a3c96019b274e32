import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { HistoryOperation } from "../history/operation.ts";
import { attemptsByKey, repeatsOf } from "./repeats.ts";

/** Few different ones, that differ in either half. */
const NUMBER = fc.tuple(fc.bigInt(0n, 3n), fc.bigInt(0n, 3n)).map(([high, low]) =>
  high << 32n | low
);
/** Few keys, many of them near to each other, some beyond 64 bits. */
const KEY = fc.record({
  clientId: fc.constantFrom(0n, 1n, 2n, 2n ** 64n, 2n ** 128n - 1n),
  operationId: fc.oneof(fc.bigInt(0n, 6n), fc.constant(2n ** 64n + 1n)),
});

Deno.test("repeatsOf() marks what counting marks", () => {
  fc.assert(
    fc.property(fc.array(NUMBER, { maxLength: 12 }), (numbers) => {
      const counted = numbers.map((one) => numbers.filter((other) => other === one).length > 1);
      assertEquals([...repeatsOf(BigUint64Array.from(numbers))], counted.map(Number));
    }),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("attemptsByKey() groups as a table does, in the order of the first of each", () => {
  fc.assert(
    fc.property(fc.array(fc.option(KEY, { nil: undefined }), { maxLength: 20 }), (keys) => {
      const attempts = keys.map(attemptOf);
      const table = Map.groupBy(
        attempts.filter(({ key }) => key !== undefined),
        ({ key }) => `${key!.clientId} ${key!.operationId}`,
      );
      assertEquals([...attemptsByKey(attempts)], [...table.values()]);
    }),
    { seed: 1, numRuns: 500 },
  );
});

function attemptOf(key: HistoryOperation["key"], invokedAt: number): HistoryOperation {
  return {
    process: 0,
    request: { kind: "create_resource", resourceId: 1n },
    ...{ invokedAt, completedAt: undefined, outcome: { kind: "info" } },
    ...key === undefined ? {} : { key },
  };
}
