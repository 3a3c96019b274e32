// Against a slow way that is obviously right: the first acknowledgement of anything that was begun behind a fault.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ReplicaSample } from "../history/event.ts";
import type { HistoryOperation } from "../history/operation.ts";
import type { FaultSpan, Recording } from "../history/recording.ts";
import { attemptsOf } from "./attempts.ts";
import { outageRows, outagesOf } from "./outages.ts";

const TIME = fc.integer({ min: 0, max: 1_000 });
const DRAWN = fc.record({
  attempts: fc.array(
    fc.record({
      start: TIME,
      span: fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined }),
      isOk: fc.boolean(),
      isWrite: fc.boolean(),
    }),
    { minLength: 1, maxLength: 30 },
  ),
  faults: fc.array(fc.record({ at: TIME, id: fc.integer({ min: 1, max: 3 }) }), { maxLength: 10 }),
  samples: fc.array(fc.record({ at: TIME, id: fc.integer({ min: 1, max: 3 }) }), { maxLength: 10 }),
});

type Drawn = typeof DRAWN extends fc.Arbitrary<infer T> ? T : never;

function recordingOf({ attempts, faults, samples }: Drawn): Recording {
  const operations = attempts.map(({ start, span, isOk, isWrite }, i): HistoryOperation => ({
    process: i,
    request: isWrite
      ? { kind: "create_resource", resourceId: 1n }
      : { kind: "get_resource", resourceId: 1n },
    outcome: isOk ? { kind: "ok", answer: { kind: "not_found" } } : { kind: "info" },
    ...{ invokedAt: 2 * i, completedAt: 2 * i + 1, invokedNs: start },
    ...(span === undefined ? {} : { completedNs: start + span }),
  }));
  return {
    header: { model: "reservation" },
    ...{ operations, ticks: [], modelOperations: [], notes: [], processNames: new Map() },
    faults: faults.map(({ at, id }): FaultSpan => ({
      ...{ name: "kill", detail: "", replicaIds: [id], startNs: at, stopNs: undefined },
    })),
    samples: samples.map(({ at, id }): ReplicaSample => ({
      ...{ type: "replica", timeNs: at, replicaId: id, state: "active", role: "primary" },
    })),
    ...{ events: 0, skippedLines: 0, hasInvocations: true, endNs: 2_000 },
  };
}

Deno.test("outagesOf() ends each outage with the first write that began behind the fault and was acknowledged", () => {
  fc.assert(
    fc.property(DRAWN, (drawn) => {
      const recording = recordingOf(drawn);
      const found = outagesOf(recording, attemptsOf(recording));
      assertEquals(found.length, drawn.faults.length);
      for (const { fault, isOfPrimary, unservedNs } of found) {
        const ends = drawn.attempts.flatMap(({ start, span, isOk, isWrite }) =>
          isOk && isWrite && span !== undefined && start >= fault.startNs ? [start + span] : []
        );
        const first = ends.length === 0 ? undefined : Math.min(...ends) - fault.startNs;
        assertEquals(unservedNs, first);
        const said = drawn.samples.filter(({ at }) => at <= fault.startNs);
        const latest = Math.max(...said.map(({ at }) => at));
        const last = said.findLast(({ at }) => at === latest);
        assertEquals(isOfPrimary, last !== undefined && fault.replicaIds[0] === last.id);
      }
    }),
    { numRuns: 300, seed: 5 },
  );
});

Deno.test("outageRows() counts every fault once, with the median and the longest of those that ended", () => {
  const fault = (name: string): FaultSpan => (
    { name, detail: "", replicaIds: [1], startNs: 0, stopNs: 1 }
  );
  const kills = [30, undefined, 10, 20].map((unservedNs) => (
    { fault: fault("kill"), isOfPrimary: true, unservedNs }
  ));
  const rows = outageRows([...kills, {
    ...{ fault: fault("kill"), isOfPrimary: false, unservedNs: 99 },
  }, { fault: fault("pause"), isOfPrimary: true, unservedNs: undefined }]);
  const known = rows.map(({ name, isOfPrimary, count, forEver, medianNs, longestNs }) => [
    ...[name, isOfPrimary, count, forEver, medianNs, longestNs],
  ]);
  assertEquals(known, [
    ["kill", false, 1, 0, 99, 99],
    ["kill", true, 4, 1, 20, 30],
    ["pause", true, 1, 1, undefined, undefined],
  ]);
});
