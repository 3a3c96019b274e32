import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { CliError } from "../../../node/errors.ts";
import type { ReplicaDigest, ReplicaStatus } from "./backend.ts";
import { mendCluster, type Patience, type Patient, settleCluster } from "./settling.ts";

const QUICK: Patience = { totalMs: 300, faultedMs: 0, unreachableMs: 0, lookMs: 0 };

/** Replicas that are what the test says, and become well as soon as they are started, woken or healed. */
class Ward implements Patient {
  readonly book: string[] = [];
  /** Verbs that never work. */
  broken = new Set<string>();
  readonly #replicas: Map<number, ReplicaStatus["state"]>;
  /** Ops that the last replica still lacks; one fewer at every look. */
  lag = 0;

  constructor(...states: readonly ReplicaStatus["state"][]) {
    this.#replicas = new Map(states.map((state, i) => [i + 1, state]));
  }

  /** Faulted from now on. */
  spoil(id: number): void {
    this.#replicas.set(id, "faulted");
  }

  heal(): Promise<void> {
    return this.#do("heal", () => {});
  }

  kill(id: number): Promise<void> {
    return this.#do(`kill ${id}`, () => this.#replicas.set(id, "stopped"));
  }

  restart(id: number): Promise<void> {
    return this.#do(`restart ${id}`, () => this.#replicas.set(id, "active"));
  }

  resume(id: number): Promise<void> {
    return this.#do(`resume ${id}`, () => this.#replicas.set(id, "active"));
  }

  statuses(): Promise<readonly ReplicaStatus[]> {
    if (this.lag > 0) this.lag--;
    const statuses = [...this.#replicas].map(([id, state]): ReplicaStatus => {
      if (state !== "active") return { id, state, serves: false };
      const role = id === 1 ? "primary" : "backup";
      const tipOp = BigInt(id === this.#replicas.size ? 10 - this.lag : 10);
      const ops = { view: 2n, tipOp, commitOp: tipOp, appliedOp: tipOp };
      return { id, state, role, serves: id === 1, ...ops };
    });
    return Promise.resolve(statuses);
  }

  #do(verb: string, act: () => void): Promise<void> {
    if (this.broken.has(verb)) return Promise.reject(new CliError("E_IO", `${verb} is broken`));
    this.book.push(verb);
    act();
    return Promise.resolve();
  }
}

function digestsAt(...ops: readonly bigint[]): readonly ReplicaDigest[] {
  return ops.map((op, i) => ({ id: i + 1, op, lsn: op, digest: 7n }));
}

Deno.test("mendCluster starts, wakes and restarts whoever needs it, and tells whom", async () => {
  const ward = new Ward("stopped", "paused", "faulted", "unreachable", "active");
  assertEquals(await mendCluster(ward, undefined, QUICK), {
    ...{ started: [1], resumed: [2], operatorRestarts: [3, 4] },
  });
  assertEquals(ward.book, [
    ...["heal", "restart 1", "resume 2", "kill 3", "restart 3", "kill 4", "restart 4"],
  ]);
});

Deno.test("mendCluster lets a faulted replica be for as long as it is told", async () => {
  const ward = new Ward("active", "faulted", "active");
  const patience = { ...QUICK, faultedMs: 10_000 };
  await assertRejects(() => mendCluster(ward, undefined, patience), CliError);
  assertEquals(ward.book, ["heal"]);
});

Deno.test("mendCluster says in the end what every replica is", async () => {
  const ward = new Ward("active", "stopped", "active");
  ward.broken.add("restart 2");
  const error = await assertRejects(() => mendCluster(ward, undefined, QUICK), CliError);
  assertEquals(error.code, "E_WAIT_TIMEOUT");
  assertStringIncludes(
    error.message,
    "replica 1 is active primary in view 2 at op 10 of 10, serving; replica 2 is stopped; replica 3",
  );
});

Deno.test("mendCluster gives a replica up that is faulted whenever it is started", async () => {
  const ward = new Ward("active", "faulted", "active");
  ward.restart = (id) => {
    ward.book.push(`restart ${id}`);
    ward.spoil(id);
    return Promise.resolve();
  };
  const patience = { ...QUICK, totalMs: 60_000 };
  const error = await assertRejects(() => mendCluster(ward, undefined, patience), CliError);
  assertStringIncludes(error.message, "replica 2 is faulted after 6 starts: replica 1 is active");
  assertEquals(ward.book.filter((verb) => verb === "restart 2").length, 6);
});

Deno.test("mendCluster gives up when it is told to", async () => {
  const ward = new Ward("active", "stopped", "active");
  ward.broken.add("restart 2");
  const error = await assertRejects(
    () => mendCluster(ward, AbortSignal.abort(), { ...QUICK, totalMs: 60_000 }),
    CliError,
  );
  assertEquals(error.code, "E_INTERRUPTED");
});

Deno.test("settleCluster waits until the last replica has everything and all digests are of one op", async () => {
  const ward = new Ward("active", "active", "active");
  ward.lag = 4;
  const asked: number[] = [];
  const answers = [undefined, digestsAt(10n, 10n, 9n), digestsAt(10n, 10n, 10n)];
  const { digests } = await settleCluster(
    ward,
    () => {
      asked.push(ward.lag);
      return Promise.resolve(answers.shift());
    },
    undefined,
    QUICK,
  );
  assertEquals(asked, [0, 0, 0]);
  assertEquals(digests, digestsAt(10n, 10n, 10n));
});
