// Facts that the node relies on without being able to do anything about them: each is broken here by doing
// what no caller does, and must stop the process instead of being written to a disk.
import { assertEquals, assertThrows } from "@std/assert";
import { AssertionFailure } from "../../core/assert.ts";
import { createCommand } from "../../core/command.ts";
import type { SegmentHeader } from "../../core/log_segment.ts";
import { createTip } from "../../core/log_tip.ts";
import { createEngine } from "../../core/state.ts";
import type { ResultSink } from "../../node/api.ts";
import { Executor } from "../../node/executor.ts";
import { installSegment } from "../../node/log/files.ts";
import { PendingQueue } from "../../node/pending_queue.ts";
import { FlushLoop } from "../../node/flush_loop.ts";
import { SlotClock } from "../../node/slot_clock.ts";
import { TINY_CONFIG } from "../support/core_builders.ts";
import { toRecord } from "../../testbed/sim/workload/plain.ts";
import { EXAMPLES } from "../support/draw_command.ts";
import { openWriter } from "../support/log_driver.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { NodeHarness, TINY_ENGINE } from "../support/node_harness.ts";
import { create, u64Words } from "../../testbed/sim/workload/requests.ts";

const SINK: ResultSink = { committed: () => undefined, rejected: () => undefined };

Deno.test("executor/sequenced-bytes-decode: an internal entry that is none stops the node at once", () => {
  const clock = { nowMs: () => 0 };
  const later: (() => void)[] = [];
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const writer = openWriter(new MemoryDisk());
  const atEndOfTurn = (task: () => void) => void later.push(task);
  const executor = new Executor({
    engine: createEngine(TINY_CONFIG),
    config: TINY_ENGINE,
    writer,
    flush: new FlushLoop({ writer, nowMs: clock.nowMs, atEndOfTurn }),
    slots: new SlotClock(clock, 10, 0n),
    tip: createTip(),
    log,
    slotLeadMax: 100n,
    later: atEndOfTurn,
    primary: () => ({ view: 1n, primary: undefined }),
  });
  executor.beginLeading(1n);
  executor.submitInternal(toRecord(EXAMPLES[0]!), u64Words(1n), SINK, 0);
  later[0]!();
  const decode = () => executor.commitThrough(1n);
  assertThrows(decode, AssertionFailure, "executor/sequenced-bytes-decode");
});

Deno.test("checkpoint/only-the-disk-fails: any other error while writing is a bug and not a failed snapshot", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.disk.create = () => {
    throw new TypeError("not a fault of the disk");
  };
  assertThrows(() => harness.checkpoint(), AssertionFailure, "checkpoint/only-the-disk-fails");
});

Deno.test("log/frame-fits-a-batch: a log whose largest frame has no room in a batch is not opened", () => {
  assertThrows(
    () => openWriter(new MemoryDisk(), { maxPayloadBytes: 1000, batchBytes: 1024 }),
    AssertionFailure,
    "log/frame-fits-a-batch",
  );
});

Deno.test("log/segment-length-in-range: no segment of a length that recovery refuses is made", () => {
  const disk = new MemoryDisk();
  for (const bytes of [0, 512, 1000, 2 ** 40]) {
    const header = { bytes } as SegmentHeader;
    assertThrows(
      () => installSegment(disk, header, new Uint8Array(0), undefined),
      AssertionFailure,
      "log/segment-length-in-range",
    );
  }
  assertEquals(disk.list(), []);
});

Deno.test("queue/bounded: a full queue takes nothing more, of clients or its own", () => {
  const queue = new PendingQueue(2);
  const command = createCommand(1);
  queue.pushClient(command, 0, SINK, 0);
  queue.pushInternal(SINK, 1);
  assertThrows(() => queue.pushClient(command, 0, SINK, 2), AssertionFailure, "queue/bounded");
  assertThrows(() => queue.pushInternal(SINK, 2), AssertionFailure, "queue/bounded");
  assertEquals(queue.length, 2);
});

Deno.test("queue/shift-needs-an-entry, queue/entry-has-a-waiter: an empty queue has neither", () => {
  const queue = new PendingQueue(2);
  assertThrows(() => queue.shift(), AssertionFailure, "queue/shift-needs-an-entry");
  assertThrows(() => queue.headSink, AssertionFailure, "queue/entry-has-a-waiter");
  queue.pushInternal(SINK, 1);
  queue.shift();
  assertThrows(() => queue.shift(), AssertionFailure, "queue/shift-needs-an-entry");
  assertThrows(() => queue.headSink, AssertionFailure, "queue/entry-has-a-waiter");
});

Deno.test("host/little-endian holds wherever these tests pass: files hold words as memory does", () => {
  assertEquals([...new Uint8Array(new Uint32Array([0x0403_0201]).buffer)], [1, 2, 3, 4]);
});
