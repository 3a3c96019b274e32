// A replica starts from a log of which it does not know how much is committed, and from a snapshot that may have overtaken its log.
// What it applies must be what it knows, the rest must lead to the same state when it is committed later, and a log may only be
// given up by whoever may do that.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { digest } from "../../core/digest.ts";
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import { Node } from "../../node/node.ts";
import { logSizes, openNode } from "../../node/open_node.ts";
import {
  recover,
  type Recovered,
  type RecoverParts,
  type RecoveryRefusal,
  tipOfSnapshot,
} from "../../node/recover.ts";
import { ALONE } from "../../node/replica/driver.ts";
import { NO_MEMORY } from "../../node/replica/memory.ts";
import { SNAPSHOT_FILE } from "../../node/snapshot/store.ts";
import { DEFAULT_TIMING } from "../../node/vsr/timing.ts";
import { CLUSTER_ID, diskImage, fileNames } from "../../testbed/sim/disk/data_directory.ts";
import { CrashSignal, type MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { NodeHarness, TINY_ENGINE } from "../support/node_harness.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

const CORE = { maxResources: 200, maxOperations: 400 };

/** A history of creates, reserves and expirations over several slots and segments, with checkpoints on the way. */
function historyOf(rounds: number, checkpoints: readonly number[] = [], from = 0): NodeHarness {
  const harness = NodeHarness.start({ core: CORE });
  for (let round = 1; round <= rounds; round++) {
    const id = BigInt(from + round);
    harness.commit(create(id));
    if (round % 3 === 0) harness.commit(reserve(id, 2n));
    harness.advanceSlots(1);
    if (round % 7 === 0) harness.tick();
    if (checkpoints.includes(round)) assertEquals(harness.checkpoint().kind, "done");
  }
  return harness;
}

const { core } = historyOf(0);

function partsOf(disk: MemoryDisk, more: Partial<RecoverParts> = {}): RecoverParts {
  const logOptions = logSizes(4_096);
  return {
    disk,
    clusterId: CLUSTER_ID,
    core,
    hashSeed: 7,
    logOptions,
    expectFresh: false,
    ...more,
  };
}

function recovered(disk: MemoryDisk, more: Partial<RecoverParts> = {}): Recovered {
  const result = recover(partsOf(disk, more));
  assert(result.kind === "recovered", JSON.stringify(result, textOfBigints));
  return result;
}

function refused(disk: MemoryDisk, more: Partial<RecoverParts> = {}): RecoveryRefusal {
  const result = recover(partsOf(disk, more));
  assert(result.kind === "refused");
  return result;
}

function textOfBigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}

function opOf(tip: Uint32Array): bigint {
  return readU64(tip, TipWord.op);
}

/** A cluster of one that knows how much is committed and is told of the rest when it starts to lead. */
function openKnowing(disk: MemoryDisk, commitOpHint: bigint): Node {
  const node = openNode({
    disk,
    clusterId: CLUSTER_ID,
    replicaId: 1n,
    core,
    engine: TINY_ENGINE,
    clock: { nowMs: () => 0 },
    later: (task) => task(),
    log: { info() {}, warn() {}, error() {} },
    hashSeed: 8,
    expectFresh: false,
    segmentBytes: 4_096,
    replication: {
      memory: NO_MEMORY,
      outside: ALONE,
      commitOpHint,
      protocol: ({ tip }) => ({
        ...{ replicaId: 1n, members: [1n], timing: DEFAULT_TIMING, random: () => 0.5 },
        ...{ view: 1n, logView: 1n, offer: undefined, commitOp: opOf(tip) },
        ...{ standing: "member", isManual: false },
      }),
    },
  });
  assert(node instanceof Node);
  return node;
}

/** The length of the log, the snapshot in use, and the disk. */
interface History {
  readonly name: string;
  readonly disk: MemoryDisk;
  readonly snapshotOp: bigint;
}

function histories(): History[] {
  const plain = historyOf(40);
  const snapped = historyOf(40, [12, 25]);
  const fresh = historyOf(20, [20]);
  return [
    { name: "without a snapshot", disk: plain.disk, snapshotOp: 0n },
    { name: "with snapshots", disk: snapped.disk, snapshotOp: 0n },
    { name: "with a snapshot of its end", disk: fresh.disk, snapshotOp: 0n },
    { name: "of nothing", disk: historyOf(0).disk, snapshotOp: 0n },
  ].map((history) => ({
    ...history,
    snapshotOp: recovered(history.disk.crash("keep")).snapshot?.op ?? 0n,
  }));
}

Deno.test("recovering up to any op, and committing the rest afterwards, is the same as recovering all of it", () => {
  for (const { name, disk, snapshotOp } of histories()) {
    const whole = recovered(disk.crash("keep"));
    const tipOp = opOf(whole.writer.tip);
    assertEquals(whole.tip, whole.writer.tip, name);
    const all = digest(whole.engine);
    for (let through = 0n; through <= tipOp + 2n; through++) {
      const what = `${name}, through ${through} of ${tipOp}`;
      const applyThrough = through;
      const part = recovered(disk.crash("keep"), { applyThrough });
      const known = through < snapshotOp ? snapshotOp : through < tipOp ? through : tipOp;
      assertEquals(opOf(part.tip), known, what);
      assertEquals(part.tip, part.writer.tipAt(known), what);
      assertEquals(part.writer.tip, whole.writer.tip, what);
      assertEquals(part.startup, whole.startup, what);
      assertEquals(readU64(part.engine.progress, 0), readU64(part.tip, TipWord.lsn), what);
      if (known < tipOp) assert(digest(part.engine) !== all, what);
      const node = openKnowing(disk.crash("keep"), through);
      assertEquals([node.executor.appliedOp, node.driver.tipOp], [known, tipOp], what);
      node.driver.take({ kind: "start" });
      assertEquals(node.executor.appliedTip, whole.tip, what);
      assertEquals(digest(node.executor.engine), all, what);
    }
  }
});

/** A history that goes further than the log below. */
const LATER = historyOf(20, [20]);
const SNAPSHOT_OP = opOf(recovered(LATER.disk.crash("keep")).tip);

function overtaken(log: NodeHarness): MemoryDisk {
  const disk = log.disk.crash("keep");
  disk.install(SNAPSHOT_FILE, LATER.disk.contents(SNAPSHOT_FILE));
  disk.operations = 0;
  return disk;
}

const BEHIND = historyOf(12);
const BEHIND_OP = opOf(recovered(BEHIND.disk.crash("keep")).tip);

Deno.test("recover() refuses a log that ends before its snapshot, unless it may be given up", () => {
  const disk = overtaken(BEHIND);
  const before = diskImage(disk);
  for (const more of [{}, { mayRestartLog: false }]) {
    const { failure, error } = refused(disk, more);
    assertEquals(failure, "wal_file");
    assert(error.endsWith(
      `the log ends at op ${BEHIND_OP} but the snapshot reaches op ${SNAPSHOT_OP}`,
    ));
    assertEquals(diskImage(disk), before);
  }
  const result = recovered(disk, { mayRestartLog: true });
  assertEquals([result.isLogRestarted, opOf(result.tip)], [true, SNAPSHOT_OP]);
  assertEquals(result.tip, tipOfSnapshot(result.snapshot!));
  assertEquals([result.writer.tip, result.writer.firstOp], [result.tip, SNAPSHOT_OP + 1n]);
  assertEquals(digest(result.engine), digest(recovered(LATER.disk.crash("keep")).engine));
  const again = recovered(disk.crash("lose"), { mayRestartLog: true });
  assertEquals([again.isLogRestarted, opOf(again.tip)], [false, SNAPSHOT_OP]);
});

Deno.test("a log that is given up is given up whole or not at all, wherever the power fails", () => {
  const whole = overtaken(BEHIND);
  recovered(whole, { mayRestartLog: true });
  const found = new Set<boolean>();
  for (let nth = 1; nth <= whole.operations; nth++) {
    for (const survival of ["keep", "lose", new SeededRandom(1), new SeededRandom(2)] as const) {
      const disk = overtaken(BEHIND);
      disk.plan({ nth, effect: "crash" });
      assertThrows(() => recovered(disk, { mayRestartLog: true }), CrashSignal);
      const after = recovered(disk.crash(survival), { mayRestartLog: true });
      found.add(after.isLogRestarted);
      assertEquals([opOf(after.tip), opOf(after.writer.tip)], [SNAPSHOT_OP, SNAPSHOT_OP]);
    }
  }
  assertEquals(found.size, 2);
});

Deno.test("recover() refuses a log of another history than its snapshot's, whether it may be given up or not", () => {
  const disk = overtaken(historyOf(30, [], 1_000));
  const before = diskImage(disk);
  for (const mayRestartLog of [false, true]) {
    const { error, snapshotTip } = refused(disk, { mayRestartLog });
    assert(error.endsWith("the log's history is not the snapshot's"), error);
    assertEquals(opOf(snapshotTip!), SNAPSHOT_OP, "where a new log would begin");
    assertEquals(diskImage(disk), before);
  }
});

/** A log that goes back behind its newest snapshot, with damage in a part that only the snapshot before needs. */
function idlyDamaged(): { sound: MemoryDisk; disk: MemoryDisk; name: string } {
  const sound = historyOf(60, [5, 55]).disk;
  const name = fileNames(sound).find((file) => /^state\.wal\.\d+$/.test(file))!;
  const disk = sound.crash("keep");
  disk.contents(name)[1_000]! ^= 1;
  return { sound, disk, name };
}

Deno.test("a whole log with damaged files that it does not need is opened once: nothing is applied twice", () => {
  const { sound, disk, name } = idlyDamaged();
  const expected = recovered(sound.crash("keep"));
  const before = diskImage(disk);
  const { isLogCorrupt, damage } = refused(disk);
  assertEquals([isLogCorrupt, damage], [true, undefined]);
  assertEquals(diskImage(disk), before, "one node refuses");
  const result = recovered(disk, { mayRestartLog: true });
  assertEquals([result.tip, result.isLogRestarted], [expected.tip, false]);
  assertEquals(digest(result.engine), digest(expected.engine));
  assertEquals(result.startup, expected.startup);
  assertEquals(disk.size(name), undefined, "nobody needs it");
  const tipOp = opOf(result.writer.tip);
  for (let op = result.writer.firstOp; op <= tipOp;) {
    const read = result.writer.readFrames(op, 1 << 20);
    assert(read.kind === "frames");
    op = read.lastOp + 1n;
  }
});

Deno.test("a log that is damaged where it is needed is described, and nothing of it changes", () => {
  const disk = historyOf(60).disk.crash("keep");
  const name = fileNames(disk).find((file) => /^state\.wal\.\d+$/.test(file))!;
  disk.contents(name)[1_000]! ^= 1;
  const before = diskImage(disk);
  const { damage, error } = refused(disk, { mayRestartLog: true });
  assertEquals(diskImage(disk), before);
  assert(error.startsWith(`${name} at byte `));
  assertEquals([damage?.file, damage?.holes.length], [name, 1]);
  const whole = recovered(historyOf(60).disk.crash("keep"));
  assertEquals(damage?.provenTip, whole.writer.tip);
  const hole = damage!.holes[0]!;
  assertEquals(hole.previousHash, whole.writer.hashAt(hole.firstOp - 1n));
  assertEquals(hole.hashAfter, whole.writer.hashAt(hole.lastOp));
});
