// What a node answers before anything is written. A rejection that comes too late has already cost a log
// position, and one that comes too early takes a cached answer away from somebody who needs it; so every
// adjacent pair of checks is met at once, and the disk is compared before and after.
import { assertEquals } from "@std/assert";
import { encodePlain } from "../../testbed/sim/workload/plain.ts";
import { diskImage } from "../../testbed/sim/disk/data_directory.ts";
import type { ClientCommand } from "../../testbed/model/words.ts";
import { answerOf, codeOf, NodeHarness, TINY_ENGINE } from "../support/node_harness.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";
import { ANY_SLOT_LEAD } from "../../node/recover.ts";

const U64_MAX = 2n ** 64n - 1n;
const GARBAGE = new Uint8Array(20).fill(0xff);
const TOO_LARGE = new Uint8Array(TINY_ENGINE.maxCommandBytes + 1).fill(0xff);

/** A client command whose retry key is known. */
function keyed(operationId: bigint, resourceId: bigint): ClientCommand {
  return { kind: "create_resource", resourceId, operationId, clientId: 1n };
}

/** A node whose next flush fails, and which has found that out. */
function halted(): NodeHarness {
  const harness = NodeHarness.start();
  harness.commit(keyed(1n, 1n));
  harness.disk.plan({ nth: 1, action: "sync", effect: "io_error" });
  assertEquals(harness.do(create(2n)), {
    kind: "rejected",
    rejection: { category: "indefinite", code: "storage_failure" },
  });
  return harness;
}

/** A node whose queue is full of creates that nobody has flushed yet. */
function withFullQueue(harness: NodeHarness = NodeHarness.start()): NodeHarness {
  for (let i = 0; i < TINY_ENGINE.maxSubmissionQueue; i++) {
    harness.submit(keyed(100n + BigInt(i), BigInt(i)));
  }
  return harness;
}

Deno.test("submit() answers a size above the bound before it looks at the bytes, halted or not", () => {
  for (const harness of [NodeHarness.start(), halted()]) {
    assertEquals(answerOf(harness.submitBytes(TOO_LARGE)), {
      kind: "rejected",
      rejection: {
        category: "definite",
        code: "command_too_large",
        encodedLen: TOO_LARGE.length,
        maxCommandBytes: TINY_ENGINE.maxCommandBytes,
      },
    });
  }
});

Deno.test("submit() answers undecodable bytes as definite, halted or not", () => {
  for (const harness of [NodeHarness.start(), halted()]) {
    const whole = encodePlain(keyed(9n, 9n));
    const withTail = new Uint8Array([...whole, 0]);
    const reasons = [GARBAGE, whole.subarray(0, 30), withTail, new Uint8Array()].map((bytes) => {
      const answer = answerOf(harness.submitBytes(bytes));
      return answer.kind === "rejected" ? { ...answer.rejection } : undefined;
    });
    const invalid = { category: "definite", code: "invalid_request" } as const;
    assertEquals(reasons, [
      { ...invalid, reason: "invalid_layout" },
      { ...invalid, reason: "buffer_too_short" },
      { ...invalid, reason: "invalid_layout" },
      { ...invalid, reason: "buffer_too_short" },
    ]);
  }
});

Deno.test("submit() cannot be made to expire anything: the internal tag is no client command (W3)", () => {
  const harness = NodeHarness.start();
  const bytes = encodePlain({ kind: "expire", reservationId: 1n, deadlineSlot: 1n });
  assertEquals(codeOf(harness.submitBytes(bytes)), "invalid_request");
  const disguised = encodePlain(keyed(1n, 1n));
  disguised[1] = 6;
  assertEquals(codeOf(harness.submitBytes(disguised)), "invalid_request");
});

Deno.test("submit() gives no cached answer when halted", () => {
  const harness = halted();
  assertEquals(codeOf(harness.submit(keyed(1n, 1n))), "engine_halted");
});

Deno.test("submit() answers from memory although the queue is full", () => {
  const harness = NodeHarness.start();
  const first = harness.commit(keyed(1n, 1_000n));
  withFullQueue(harness);
  const again = answerOf(harness.submit(keyed(1n, 1_000n)));
  assertEquals(again, { kind: "committed", outcome: { ...first, fromRetryCache: true } });
  assertEquals(codeOf(harness.submit(keyed(1n, 1_001n))), "operation_conflict");
  assertEquals(codeOf(harness.submit(keyed(2n, 1_001n))), "overloaded");
});

Deno.test("submit() answers from memory whatever slot the retry carries, older or overflowing", () => {
  const harness = NodeHarness.start({ slotLeadMax: ANY_SLOT_LEAD });
  const window = harness.core.maxTtlSlots + harness.core.maxClientRetryWindowSlots;
  const first = harness.commit(keyed(1n, 1n), U64_MAX - window);
  for (const slot of [undefined, 0n, U64_MAX - window, U64_MAX]) {
    const again = answerOf(harness.submit(keyed(1n, 1n), slot));
    assertEquals(again, { kind: "committed", outcome: { ...first, fromRetryCache: true } });
  }
  assertEquals(codeOf(harness.submit(keyed(2n, 2n), U64_MAX)), "slot_overflow");
});

Deno.test("submit() answers from memory while draining, and takes nothing new", () => {
  const harness = NodeHarness.start();
  const first = harness.commit(keyed(1n, 1n));
  const waiting = harness.submit(keyed(2n, 2n));
  void harness.node.drain();
  const again = answerOf(harness.submit(keyed(1n, 1n)));
  assertEquals(again, { kind: "committed", outcome: { ...first, fromRetryCache: true } });
  const follower = harness.submit(keyed(2n, 2n));
  const fresh = harness.submit(keyed(3n, 3n));
  assertEquals(answerOf(fresh), {
    kind: "rejected",
    rejection: { category: "definite", code: "shutting_down" },
  });
  assertEquals(harness.metrics.acceptingWrites, false);
  harness.run();
  assertEquals([codeOf(waiting), codeOf(follower)], ["ok", "ok"]);
});

Deno.test("submit() lets a retry of a queued command wait for it although the queue is full", () => {
  const harness = withFullQueue();
  const same = harness.submit(keyed(100n, 0n));
  const other = harness.submit(keyed(100n, 999n));
  assertEquals([codeOf(same), codeOf(other)], ["nothing", "nothing"]);
  harness.run();
  assertEquals(answerOf(same), {
    kind: "committed",
    outcome: { code: "ok", appliedLsn: 1n, fromRetryCache: true },
  });
  assertEquals(answerOf(other), {
    kind: "committed",
    outcome: { code: "operation_conflict", appliedLsn: 1n, fromRetryCache: true },
  });
  assertEquals(harness.metrics.core.lastAppliedLsn, 16n, "one entry each, none for the retries");
});

Deno.test("submit() gives a pending duplicate of a reserve its reservation, and a conflict none", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  const command = { ...reserve(1n), operationId: 50n, clientId: 1n } as ClientCommand;
  const first = harness.submit(command);
  const same = harness.submit(command);
  const other = harness.submit({ ...command, ttlSlots: 3n } as ClientCommand);
  const otherClient = harness.submit({ ...command, clientId: 2n });
  harness.run();
  const reserved = { reservationId: 2n, epoch: 1n, deadlineSlot: 9n };
  const outcome = { code: "ok", appliedLsn: 2n, fromRetryCache: false, reserved };
  assertEquals(answerOf(first), { kind: "committed", outcome });
  assertEquals(answerOf(same), {
    kind: "committed",
    outcome: { ...outcome, fromRetryCache: true },
  });
  assertEquals(answerOf(other), {
    kind: "committed",
    outcome: { code: "operation_conflict", appliedLsn: 2n, fromRetryCache: true },
  });
  assertEquals(codeOf(otherClient), "resource_busy", "another client's key is another operation");
});

Deno.test("submit() sees no conflict with a queued command that a full table does not remember", () => {
  const harness = NodeHarness.start({ core: { maxOperations: 1 } });
  harness.commit(keyed(1n, 1n));
  const first = harness.submit(keyed(2n, 2n));
  const same = harness.submit(keyed(2n, 2n));
  const other = harness.submit(keyed(2n, 3n));
  harness.run();
  assertEquals([codeOf(first), codeOf(same)], ["operation_table_full", "operation_table_full"]);
  assertEquals(codeOf(other), "overloaded");
});

Deno.test("submit() never calls a retry of an applied command definite, however far its slot is", () => {
  const harness = NodeHarness.start();
  const first = harness.commit(keyed(1n, 1n));
  for (const slot of [1_000n, 1n << 40n, U64_MAX]) {
    const again = answerOf(harness.submit(keyed(1n, 1n), slot));
    assertEquals(again, { kind: "committed", outcome: { ...first, fromRetryCache: true } });
    assertEquals(answerOf(harness.submit(keyed(2n, 2n), slot))?.kind, "rejected");
  }
});

Deno.test("expirations in flight take no client's place in the queue", () => {
  const harness = NodeHarness.start({
    engine: { maxSubmissionQueue: 2, maxExpirationsPerTick: 8 },
  });
  for (let id = 1n; id <= 4n; id++) {
    harness.commit(create(id));
    harness.commit(reserve(id, 1n));
  }
  harness.advanceSlots(5);
  harness.node.tickExpirations(undefined, () => {});
  const answers = [harness.submit(create(8n)), harness.submit(create(9n))];
  assertEquals(codeOf(harness.submit(create(10n))), "overloaded");
  assertEquals(harness.node.metrics().queueDepth, 2);
  harness.run();
  assertEquals(answers.map(codeOf), ["ok", "ok"]);
  assertEquals(harness.node.metrics().counters.expired, 4);
});

Deno.test("submit() answers a slot that overflows before it looks how far ahead it is", () => {
  const harness = NodeHarness.start();
  assertEquals(answerOf(harness.submit(create(1n), U64_MAX)), {
    kind: "rejected",
    rejection: {
      category: "definite",
      code: "slot_overflow",
      kind: 1,
      requestSlot: U64_MAX,
      delta: harness.core.maxTtlSlots + harness.core.maxClientRetryWindowSlots,
    },
  });
  const reserved = answerOf(harness.submit(reserve(1n, 3n), U64_MAX - 1n));
  assertEquals(reserved, {
    kind: "rejected",
    rejection: {
      category: "definite",
      code: "slot_overflow",
      kind: 2,
      requestSlot: U64_MAX - 1n,
      delta: 3n,
    },
  });
});

Deno.test("submit() answers a slot out of bounds before it counts the queue", () => {
  const harness = NodeHarness.start();
  harness.advanceSlots(10);
  harness.commit(create(1_000n));
  withFullQueue(harness);
  assertEquals(answerOf(harness.submit(create(1_001n), 10n)), {
    kind: "rejected",
    rejection: {
      category: "definite",
      code: "slot_rewound",
      requestSlot: 10n,
      lastRequestSlot: 11n,
    },
  });
  assertEquals(answerOf(harness.submit(create(1_001n), 112n)), {
    kind: "rejected",
    rejection: { category: "definite", code: "slot_too_far", requestSlot: 112n, slotMax: 111n },
  });
  assertEquals(answerOf(harness.submit(create(1_001n), 111n)), {
    kind: "rejected",
    rejection: { category: "definite", code: "overloaded", queueDepth: 16, queueCapacity: 16 },
  });
});

Deno.test("submit() writes nothing and moves nothing for any rejection or cached answer", () => {
  const harness = NodeHarness.start();
  harness.advanceSlots(20);
  harness.commit(keyed(1n, 1n));
  const before = { image: diskImage(harness.disk), core: harness.metrics.core };
  const operations = harness.disk.operations;
  harness.submitBytes(TOO_LARGE);
  harness.submitBytes(GARBAGE);
  harness.submit(keyed(1n, 1n));
  harness.submit(keyed(1n, 2n));
  for (const slot of [U64_MAX, 3n, 5_000n]) harness.submit(create(5n), slot);
  harness.run();
  assertEquals(harness.disk.operations, operations);
  assertEquals({ image: diskImage(harness.disk), core: harness.metrics.core }, before);
  const { rejectedDefinite, rejectedIndefinite, retryCacheHits } = harness.metrics.counters;
  assertEquals([rejectedDefinite, rejectedIndefinite, retryCacheHits], [5, 0, 2]);
});

Deno.test("submit() takes commands again once an overloaded queue has drained", () => {
  const harness = withFullQueue();
  assertEquals(codeOf(harness.submit(create(1_000n))), "overloaded");
  assertEquals([harness.metrics.queueDepth, harness.metrics.queueCapacity], [16, 16]);
  harness.run();
  assertEquals(harness.metrics.queueDepth, 0);
  assertEquals(harness.commit(create(1_000n)).code, "resource_table_full");
});
