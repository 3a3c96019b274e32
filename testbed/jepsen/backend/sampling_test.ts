import { assert, assertEquals, assertGreater } from "@std/assert";
import type { ReplicaSample } from "../history/event.ts";
import type { ReplicaStatus } from "./backend.ts";
import { startSampling } from "./sampling.ts";

Deno.test("startSampling writes down every replica again and again until it is stopped", async () => {
  const statuses: readonly ReplicaStatus[] = [
    { id: 1, state: "active", role: "primary", view: 3n, commitLsn: 9n, serves: true },
    { id: 2, state: "stopped", serves: false },
    { id: 3, state: "faulted", role: "faulted", serves: false, detail: "the disk failed" },
  ];
  const samples: ReplicaSample[] = [];
  let looks = 0;
  let enough = (): void => {};
  const seen = new Promise<void>((resolve) => enough = resolve);
  const stop = startSampling(
    {
      statuses: () => {
        if (++looks === 4) enough();
        return Promise.resolve(statuses);
      },
    },
    { sample: (event) => samples.push(event), nowNs: () => looks },
    1,
  );
  await seen;
  await stop();
  const before = samples.length;
  assertGreater(before, 8);
  assert(before % 3 === 0);
  assertEquals(samples.slice(0, 3), [
    {
      ...{ type: "replica", timeNs: 1, replicaId: 1, state: "active" },
      ...{ role: "primary", view: 3n, commitLsn: 9n },
    },
    { type: "replica", timeNs: 1, replicaId: 2, state: "stopped" },
    {
      ...{ type: "replica", timeNs: 1, replicaId: 3, state: "faulted" },
      ...{ role: "faulted", detail: "the disk failed" },
    },
  ]);
});
