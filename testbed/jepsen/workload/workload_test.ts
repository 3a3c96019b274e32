// A workload that repeats nothing, never meets trouble or forgets what it was not told proves nothing of a cluster. Here
// every family runs for simulated minutes on a cluster that is the model itself.
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { EventList, ModelCluster, VirtualPace } from "../../../tests/jepsen/model_cluster.ts";
import { judge } from "../analysis/judge.ts";
import { requestText } from "../analysis/reservation/texts.ts";
import type { HistoryBounds, HistoryEvent, Invocation } from "../history/event.ts";
import type { HistoryOperation, OperationKey } from "../history/operation.ts";
import { Pairing } from "../history/pairing.ts";
import type { Recording } from "../history/recording.ts";
import { WORKLOAD_NAMES, type WorkloadName } from "./workload_name.ts";
import type { WorkloadCounts } from "./counts.ts";
import { resourceIdOf } from "./ids.ts";
import { Workload } from "./workload.ts";

const SEED = 7;
const RESOURCES = 16;
const RUN_MS = 10_000;

interface Ran {
  readonly events: readonly HistoryEvent[];
  readonly counts: WorkloadCounts;
  readonly cluster: ModelCluster;
}

const done = new Map<WorkloadName, Promise<Ran>>();

/** Runs a family once for all tests that look at it. */
function ran(workload: WorkloadName): Promise<Ran> {
  const running = done.get(workload) ?? run(workload);
  done.set(workload, running);
  return running;
}

async function run(workload: WorkloadName, seed = SEED, runMs = RUN_MS): Promise<Ran> {
  const pace = new VirtualPace();
  const cluster = new ModelCluster(pace, seed);
  const recorder = new EventList(pace);
  const bounds = boundsOf(cluster);
  const { maxResources } = cluster.model.bounds;
  await using load = new Workload({
    ...{ workload, seed, clients: 8, ratePerSecond: 100, resources: RESOURCES, addresses: [] },
    ...{ slotDurationMs: 10, bounds, maxResources, recorder, pace },
    connect: (clientId) => cluster.connect(clientId),
  });
  const never = new AbortController().signal;
  const stop = new AbortController();
  const work = async (): Promise<void> => {
    await load.setup(never);
    pace.wait(runMs).then(() => stop.abort());
    await load.run(stop.signal);
    await load.resolve(never);
    await load.askAgain(never);
    await load.resolve(never);
    await load.readAll(never);
  };
  await pace.drive(work());
  return { events: recorder.events, counts: load.counts(), cluster };
}

function paired(events: readonly HistoryEvent[]): Recording {
  const pairing = new Pairing({ model: "reservation", runId: "of the model" });
  for (const [line, event] of events.entries()) pairing.add(event, { line });
  return pairing.finish();
}

function boundsOf({ model: { bounds } }: ModelCluster): HistoryBounds {
  const { maxBundleSize, maxTtlSlots } = bounds;
  const { reservationHistoryWindowSlots, maxClientRetryWindowSlots } = bounds;
  return {
    ...{ maxBundleSize, maxTtlSlots, historyWindowSlots: reservationHistoryWindowSlots },
    retryWindowSlots: maxClientRetryWindowSlots,
  };
}

function sameKey({ key }: HistoryOperation, { clientId, operationId }: OperationKey): boolean {
  return key?.clientId === clientId && key.operationId === operationId;
}

function invocations(events: readonly HistoryEvent[]): Invocation[] {
  return events.filter((event) => event.type === "invoke");
}

for (const workload of WORKLOAD_NAMES) {
  Deno.test(`${workload}: every kind of request occurs, and no outcome stays unknown`, async () => {
    const { events, counts, cluster } = await ran(workload);
    assertEquals(counts.unresolved, 0);
    assert(counts.info > 0 && counts.retries > 0, "nothing was ever in doubt");
    assertEquals(Object.keys(counts.byKind).sort(), [
      "confirm",
      "create_resource",
      "get_reservation",
      "get_resource",
      "reclaim",
      "release",
      "reserve",
      "reserve_bundle",
      "revoke",
      "tick_expirations",
    ]);
    for (const [kind, { ok }] of Object.entries(counts.byKind)) assert(ok > 0, `no ${kind} is ok`);
    assertEquals(cluster.model.resources.size, RESOURCES);
    const recording = paired(events);
    assertEquals(recording.events, 2 * counts.attempts);
    const judgement = judge(recording, { bounds: boundsOf(cluster) });
    assertEquals(judgement.checks.filter(({ verdict }) => verdict === "fail"), []);
    assertEquals(judgement.verdict, "valid");
    const codes = new Set(
      recording.operations.map(({ outcome }) =>
        outcome.kind === "ok" && outcome.answer.kind === "applied" ? outcome.answer.code : undefined
      ),
    );
    for (const code of ["ok", "resource_busy", "operation_conflict", "already_exists"]) {
      assert(codes.has(code), `${code} was never answered`);
    }
  });
}

Deno.test("lease_safety: confirms and releases come with epochs that are over, before and after reclaim", async () => {
  const { events } = await ran("lease_safety");
  const { operations } = paired(events);
  const codes = operations.flatMap(({ request, outcome }) =>
    outcome.kind === "ok" && outcome.answer.kind === "applied"
      ? [`${request.kind} ${outcome.answer.code}`]
      : []
  );
  for (const said of ["confirm stale_epoch", "release stale_epoch", "revoke ok", "reclaim ok"]) {
    assert(codes.includes(said), `never ${said}`);
  }
});

Deno.test("the same seed gives the same history, another one gives another", async () => {
  const shortMs = 5_000;
  const [first, again, other] = [
    await run("ambiguous_write_retry", 3, shortMs),
    await run("ambiguous_write_retry", 3, shortMs),
    await run("ambiguous_write_retry", 4, shortMs),
  ];
  assertEquals(first.events, again.events);
  assert(JSON.stringify(first.counts) !== JSON.stringify(other.counts));
});

Deno.test("Workload.askAgain() sends what was answered lately once more, and is told the same", async () => {
  const { events } = await ran("reservation_contention");
  const { operations } = paired(events);
  const lastWrite = operations.findLast(({ key }) => key !== undefined)!;
  const newest = operations.findLast(({ key, invokedAt }) =>
    key !== undefined &&
    !operations.some((other) => sameKey(other, key) && other.invokedAt < invokedAt)
  )!;
  const repeated = operations.filter(({ key, invokedAt }) =>
    key !== undefined && invokedAt > newest.invokedAt && invokedAt <= lastWrite.invokedAt
  );
  const again = repeated.filter((operation) => {
    const text = requestText(operation.request);
    const answers = operations.filter((other) => sameKey(other, operation.key!))
      .filter(({ outcome, request }) => outcome.kind === "ok" && requestText(request) === text);
    const [first] = answers;
    if (answers.length < 2) return false;
    assertEquals(answers.at(-1)!.outcome, first!.outcome);
    return true;
  });
  assert(again.length > 100, `only ${again.length} came again`);
});

Deno.test("ids are those of the seed, and resources those that were made", async () => {
  const { events } = await run("reservation_contention", 5, 10_000);
  const made = Array.from({ length: RESOURCES }, (_, i) => resourceIdOf(5, i));
  for (const { request, key } of invocations(events)) {
    if ("resourceId" in request) assert(made.includes(request.resourceId));
    if ("resourceIds" in request) assert(request.resourceIds.every((id) => made.includes(id)));
    if (key !== undefined) assertLess(key.clientId - 500_000n, 9n);
  }
});

Deno.test("retries and second connections never have the same process twice at once", async () => {
  const { events } = await ran("ambiguous_write_retry");
  const attempts = invocations(events).filter(({ key }) => key !== undefined);
  const byKey = Map.groupBy(attempts, ({ key }) => `${key!.clientId} ${key!.operationId}`);
  const several = [...byKey.values()].filter((group) =>
    new Set(group.map(({ process }) => process)).size > 1
  );
  assert(several.length > 20, "no operation came over two connections");
  paired(events); // Refuses a process that waits for two things, or that returns after an unknown outcome.
});

Deno.test("Workload.setup() refuses a cluster that has the seed's resources already", async () => {
  const pace = new VirtualPace();
  const cluster = new ModelCluster(pace, 1);
  const bounds = boundsOf(cluster);
  const make = (): Workload =>
    new Workload({
      ...{ workload: "lease_safety", seed: 9, clients: 1, resources: 4, addresses: [] },
      ...{ slotDurationMs: 10, bounds, maxResources: 100, recorder: new EventList(pace), pace },
      connect: (clientId) => cluster.connect(clientId),
    });
  const never = new AbortController().signal;
  await pace.drive(make().setup(never));
  await assertRejects(
    () => pace.drive(make().setup(never)),
    Error,
    "was this seed used on this cluster before?",
  );
});
