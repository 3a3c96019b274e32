import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { CliError } from "../../../node/errors.ts";
import type { ReplicaStatus, Settled } from "../backend/backend.ts";
import type { ClusterEvidence } from "../evidence/evidence.ts";
import { type Ended, endRun } from "./ending.ts";

const EVIDENCE = { replicaCount: 3 } as ClusterEvidence;
const SETTLED: Settled = {
  ...{ started: [], resumed: [], operatorRestarts: [], digests: [], settleMs: 7 },
};
const PRIMARY: ReplicaStatus = {
  ...{ id: 1, state: "active", role: "primary", view: 4n, serves: true },
};
const BACKUP: ReplicaStatus = {
  ...{ id: 2, state: "active", role: "backup", view: 4n, serves: false },
};
const FAULTED: ReplicaStatus = { id: 3, state: "faulted", view: 4n, serves: false };

/** Ends a run of a cluster that is so, and mends and settles unless told otherwise; what was done on the way. */
async function ended(
  statuses: readonly ReplicaStatus[],
  breaks: readonly ("mend" | "settle" | "evidence")[],
  signal: AbortSignal = new AbortController().signal,
): Promise<Ended & { readonly done: readonly string[] }> {
  const done: string[] = [];
  const act = <T>(name: string, value: T): Promise<T> => {
    done.push(name);
    const error = new CliError("E_WAIT_TIMEOUT", `${name} is not to be had`);
    return (breaks as readonly string[]).includes(name)
      ? Promise.reject(error)
      : Promise.resolve(value);
  };
  const result = await endRun({
    backend: {
      mend: () => act("mend", SETTLED),
      settle: () => act("settle", SETTLED),
      evidence: () => act("evidence", EVIDENCE),
      statuses: () => Promise.resolve(statuses),
    },
    workload: {
      holdMsMax: -500,
      counts:
        () => ({ unresolved: 0 } as ReturnType<Parameters<typeof endRun>[0]["workload"]["counts"]>),
      resolve: () => act("resolve", undefined),
      askAgain: () => act("askAgain", undefined),
      readAll: () => act("readAll", undefined),
    },
    ...{ signal, told: { event: () => {} } },
  });
  return { ...result, done };
}

Deno.test("endRun mends, asks, settles and collects, in this order", async () => {
  const { done, ...rest } = await ended([PRIMARY, BACKUP, BACKUP], []);
  assertEquals(done, ["mend", "resolve", "askAgain", "resolve", "readAll", "settle", "evidence"]);
  assertEquals(rest, { settled: SETTLED, evidence: EVIDENCE, problem: undefined });
});

Deno.test("endRun asks and collects as well where one replica cannot be put right", async () => {
  const { done, settled, evidence, problem } = await ended([PRIMARY, BACKUP, FAULTED], ["mend"]);
  assertEquals(done, ["mend", "resolve", "askAgain", "resolve", "readAll", "evidence"]);
  assertEquals([settled, evidence], [undefined, EVIDENCE]);
  assertStringIncludes(problem!, "mend is not to be had");
});

Deno.test("endRun collects nothing where no majority follows a primary: what is missing would prove nothing", async () => {
  const other = { ...BACKUP, view: 3n };
  const lost = { ...BACKUP, role: "view_uncertain" };
  for (
    const statuses of [
      [BACKUP, BACKUP, FAULTED],
      [PRIMARY, FAULTED, FAULTED],
      [PRIMARY, other, other],
      [PRIMARY, lost, FAULTED],
    ]
  ) {
    const { done, evidence, problem } = await ended(statuses, ["settle"]);
    assertEquals(done, ["mend", "resolve", "askAgain", "resolve", "readAll", "settle"]);
    assertEquals(evidence, undefined);
    assertStringIncludes(problem!, "settle is not to be had");
  }
});

Deno.test("endRun goes on without logs where no majority agrees on how far they reach", async () => {
  const breaks = ["settle", "evidence"] as const;
  const { evidence, problem } = await ended([PRIMARY, BACKUP, FAULTED], breaks);
  assertEquals(evidence, undefined);
  assertStringIncludes(problem!, "settle is not to be had");
});

Deno.test("endRun throws when the run was told to stop", async () => {
  await assertRejects(
    () => ended([PRIMARY, BACKUP, FAULTED], ["mend"], AbortSignal.abort()),
    CliError,
  );
});
