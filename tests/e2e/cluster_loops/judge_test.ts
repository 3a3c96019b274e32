// The loops are worth what their judge notices: a small history that is as it should be, and every way in which
// a cluster could break its word spoilt into it, each of which must be named.
import { assertEquals, assertMatch } from "@std/assert";
import { RESOURCE_STATE_NAMES, type ResourceState } from "../../../core/tables.ts";
import type { ClientCommand, Committed } from "../../../node/client/types.ts";
import type { MirrorFrame } from "../../../testbed/sim/judge/log_mirror.ts";
import { ClusterTruth } from "../../../testbed/sim/judge/truth.ts";
import { TINY_CONFIG } from "../../support/core_builders.ts";
import { encodePlain } from "../../../testbed/sim/workload/plain.ts";
import type { ModelResource } from "../../../testbed/model/model.ts";
import type { ClientCommand as PlainCommand, ModelOutcome } from "../../../testbed/model/words.ts";
import { confirm, create, release, reserve } from "../../../testbed/sim/workload/requests.ts";
import { History, type Read, type Write } from "./history.ts";
import { LoopJudge, type StateAt } from "./judge.ts";

const CLIENT = 5n;
const SEAT = 1n;

/** Unlocked, so that a test can spoil it. */
type Open<T> = { -readonly [Key in keyof T]: T[Key] };

/** A cluster that keeps its word: one log, three replicas that hold it, one client. */
class HonestCluster {
  readonly history = new History(0);
  readonly frames: Open<MirrorFrame>[] = [];
  slot = 1n;
  #nextOperation = 1n;
  readonly #truth = new ClusterTruth(TINY_CONFIG);

  /** The state of all replicas. */
  states(): Open<StateAt>[] {
    const [op, digest] = [BigInt(this.frames.length), this.#truth.digest()];
    return [1n, 2n, 3n].map((replicaId) => ({ replicaId, op, digest }));
  }

  /** An operation that is acknowledged. */
  write(
    request: Parameters<typeof asPlain>[0],
    operationId: bigint = this.#nextOperation++,
  ): Write {
    const command = asPlain(request, operationId);
    const write = this.history.invoke(CLIENT, command as ClientCommand & { operationId: bigint });
    write.attempts = 1;
    this.history.end(write, committed(this.append(command), operationId));
    return write;
  }

  /** The next entry of the log. */
  append(command: PlainCommand): ModelOutcome {
    const op = this.frames.length + 1;
    const frame = {
      ...{ op, lsn: op, slot: this.slot, view: 1n, hash: BigInt(op * 7) },
      ...{ isCommand: true, isInternal: false, payload: encodePlain(command) },
      ...{ writtenMs: 0, isDurable: true },
    };
    this.frames.push(frame);
    return this.#truth.decide(frame, 0).outcome!;
  }

  /** A strict read of the seat, as it is at an lsn; now unless told. */
  read(lsn: number = this.#truth.lsn): Read {
    let value: ModelResource | undefined;
    const look = (resource: ModelResource | undefined): boolean => {
      value = resource;
      return true;
    };
    this.#truth.whenResource(SEAT, look, lsn, lsn);
    const read: Read = {
      ...{ id: SEAT, invokedMs: 0, endedMs: 0, known: this.history.known() },
      answer: { subject: "resource", value: value === undefined ? "not_found" : viewOf(value) },
    };
    this.history.reads.push(read);
    return read;
  }

  /** An acknowledged operation sent again. */
  retry(write: Write): void {
    const again = { ...write.result as Committed, fromRetryCache: true };
    this.history.retries.push({ write, again });
  }

  /** What a new judge says of all that. */
  judged(states: readonly StateAt[] = this.states(), frames = this.frames): readonly string[] {
    const log = { replicaId: 1n, baseOp: 0, frames: this.frames };
    const other = { replicaId: 2n, baseOp: 0, frames };
    return new LoopJudge(TINY_CONFIG).judge(this.history, [log, other], states);
  }
}

function asPlain(
  request: ReturnType<typeof create>,
  operationId: bigint,
): PlainCommand {
  return { ...request, clientId: CLIENT, operationId } as PlainCommand;
}

function committed(outcome: ModelOutcome, operationId: bigint): Open<Committed> {
  const { code, appliedLsn, fromRetryCache, reserved } = outcome;
  return {
    ...{ kind: "committed", code: code as Committed["code"], ok: code === "ok", appliedLsn },
    ...{ reservationId: reserved?.reservationId, epoch: reserved?.epoch },
    ...{ deadlineSlot: reserved?.deadlineSlot, fromRetryCache, operationId },
  };
}

function viewOf({ state, currentReservationId, version }: ModelResource) {
  const number = RESOURCE_STATE_NAMES.indexOf(state) as ResourceState;
  const view = { kind: "found" as const, resourceId: SEAT, state: number, currentReservationId };
  return { ...view, version, observedLsn: undefined };
}

/** A claim from its beginning to its end, read after every step. */
function honestLife(): { cluster: HonestCluster; writes: Open<Write>[] } {
  const cluster = new HonestCluster();
  cluster.read();
  const writes = [create(SEAT), reserve(SEAT), confirm(2n), reserve(SEAT), release(2n)].map(
    (request) => {
      const write = cluster.write(request);
      cluster.read();
      return write as Open<Write>;
    },
  );
  for (const write of writes) cluster.retry(write as Write);
  return { cluster, writes };
}

/** Spoils the honest history in one way, and expects the judge to name it. */
function spoilt(
  name: string,
  expected: RegExp,
  spoil: (life: ReturnType<typeof honestLife>) => readonly string[],
): void {
  Deno.test(`LoopJudge notices ${name}`, () => {
    const [first = "nothing"] = spoil(honestLife());
    assertMatch(first, expected);
  });
}

Deno.test("LoopJudge finds nothing in the history of a cluster that keeps its word, over two rounds", () => {
  const { cluster } = honestLife();
  assertEquals(cluster.judged(), []);
  const judge = new LoopJudge(TINY_CONFIG);
  const log = { replicaId: 3n, baseOp: 0, frames: cluster.frames };
  assertEquals(judge.judge(cluster.history, [log], cluster.states()), []);
  const known = cluster.frames.length;
  const write = cluster.write(reserve(SEAT));
  const second = new History(known);
  second.writes.push({ ...write, known: { lsn: known, reads: 0 } });
  const short = { replicaId: 2n, baseOp: known, frames: cluster.frames.slice(known) };
  assertEquals(judge.judge(second, [short], cluster.states()), []);
  assertEquals([judge.op, judge.readsChecked], [6, 6]);
});

Deno.test("LoopJudge lets an operation in doubt be either there or not", () => {
  const { cluster, writes } = honestLife();
  writes[3]!.result = undefined;
  cluster.history.retries.splice(3, 1);
  cluster.history.invoke(CLIENT, { kind: "create_resource", resourceId: 3n, operationId: 99n });
  assertEquals(cluster.judged(), []);
});

spoilt("an acknowledged operation that is not in the log", /^lost: /, ({ cluster }) => {
  const write = cluster.history.invoke(CLIENT, {
    ...{ kind: "create_resource", resourceId: 3n, operationId: 99n },
  });
  const outcome = { code: "ok", appliedLsn: 4n, fromRetryCache: false };
  cluster.history.end(write, committed(outcome, 99n));
  return cluster.judged();
});

spoilt("an operation that was refused and is in the log", /^rejected: .* as overloaded/, (life) => {
  const rejection = { category: "definite", code: "overloaded" } as const;
  const counts = { queueDepth: 1, queueCapacity: 1 };
  life.writes[3]!.result = {
    ...{ kind: "rejected", operationId: 4n, rejection: { ...rejection, ...counts } },
  };
  life.cluster.history.retries.length = 0;
  return life.cluster.judged();
});

spoilt("an operation that ran twice", /^once: .* ran again at op 6/, ({ cluster }) => {
  cluster.slot = 100n; // Nothing remembers it any more.
  cluster.append(asPlain(create(SEAT), 1n));
  return cluster.judged();
});

spoilt(
  "an answer with another code than the operation had",
  /^outcome: /,
  ({ cluster, writes }) => {
    (writes[3]!.result as Open<Committed>).code = "ok";
    return cluster.judged();
  },
);

spoilt("an answer with another operation's place", /^outcome: /, ({ cluster, writes }) => {
  (writes[2]!.result as Open<Committed>).appliedLsn = 4n;
  return cluster.judged();
});

spoilt("a retry that is told something else", /^outcome: retry/, ({ cluster }) => {
  (cluster.history.retries[1]!.again as Open<Committed>).reservationId = 3n;
  return cluster.judged();
});

spoilt("a retry that nobody remembered", /^once: retry/, ({ cluster }) => {
  (cluster.history.retries[1]!.again as Open<Committed>).fromRetryCache = false;
  return cluster.judged();
});

spoilt("a read of what was so before an answer that came before it", /^read: .* lsn 2,/, (life) => {
  life.cluster.read(2);
  return life.cluster.judged();
});

spoilt("a read that goes back behind an earlier read", /^read: .* lsn 1, not as of 3/, () => {
  const cluster = new HonestCluster();
  for (const request of [create(SEAT), reserve(SEAT), confirm(2n)]) cluster.write(request);
  for (const [lsn, reads] of [[3, 0], [1, 1]] as const) {
    (cluster.read(lsn) as Open<Read>).known = { lsn: 0, reads };
  }
  return cluster.judged();
});

spoilt("a read of what never was", /^read: .* as of no lsn/, ({ cluster }) => {
  const read = cluster.read() as Open<Read>;
  (read.answer.value as Open<ReturnType<typeof viewOf>>).version = 40n;
  return cluster.judged();
});

spoilt("an operation that took its place before it was asked for", /^order: /, (life) => {
  life.writes[1]!.known = { lsn: 2, reads: 0 };
  return life.cluster.judged();
});

spoilt("an operation that took its place before what a read had seen", /^order: /, (life) => {
  const write = life.writes[1]!;
  write.known = { lsn: 0, reads: 4 };
  return life.cluster.judged();
});

spoilt("an operation that nobody asked for", /^log: nobody asked/, ({ cluster }) => {
  cluster.append(asPlain(create(7n), 99n));
  return cluster.judged();
});

spoilt("an operation with other content than was asked for", /^log: .* is not what/, (life) => {
  const { cluster } = life;
  cluster.history.invoke(CLIENT, { kind: "create_resource", resourceId: 3n, operationId: 99n });
  cluster.append(asPlain(create(7n), 99n));
  return cluster.judged();
});

spoilt("replicas that hold different entries", /^log: replica 2 has another entry/, (life) => {
  const { cluster } = life;
  const others = cluster.frames.map((frame) => ({ ...frame }));
  others[3]!.hash = 1n;
  return cluster.judged(cluster.states(), others);
});

spoilt("entries that no replica holds", /^log: no replica has op 5 of 5/, ({ cluster }) => {
  const states = cluster.states();
  cluster.frames.pop();
  return cluster.judged(states);
});

spoilt("a replica in another state than its log makes", /^state: replica 2 has another/, (life) => {
  const states = life.cluster.states();
  states[1]!.digest ^= 1n;
  return life.cluster.judged(states);
});

spoilt(
  "a replica that has not come as far as the others",
  /^state: replica 3 is at op 4/,
  (life) => {
    const states = life.cluster.states();
    states[2]!.op = 4n;
    return life.cluster.judged(states);
  },
);

Deno.test("LoopJudge notices an entry of an earlier round that has changed", () => {
  const { cluster } = honestLife();
  const judge = new LoopJudge(TINY_CONFIG);
  const log = { replicaId: 1n, baseOp: 0, frames: cluster.frames };
  judge.judge(cluster.history, [log], cluster.states());
  cluster.frames[2] = { ...cluster.frames[2]!, hash: 1n };
  const [first = "nothing"] = judge.judge(new History(5), [log], cluster.states());
  assertMatch(first, /^log: replica 1 has another entry at op 3 than before/);
});
