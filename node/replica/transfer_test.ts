// A snapshot goes between replicas in pieces, over a network that loses, repeats and reorders them, from senders that come
// and go. What arrives must be the file that was sent, byte for byte, with a bounded number of questions under way; whatever
// else happens, there is either such a file or none.
import { assert, assertEquals, assertLess } from "@std/assert";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { snapshotHeader } from "../../tests/support/snapshots.ts";
import { inDirectory } from "../../tests/support/stored_replica.ts";
import type { Disk, DiskFault } from "../disk.ts";
import { DenoDisk } from "../io/deno_disk.ts";
import { encodeHeader } from "../snapshot/format.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE } from "../snapshot/store.ts";
import type { SnapshotFacts } from "../vsr/log_port.ts";
import type { GetSnapshotChunk, Message, SnapshotChunk } from "../vsr/messages.ts";
import { SnapshotReceiver, SnapshotSender, TRANSFER_FILE } from "./transfer.ts";

const CHUNK = 256 * 1024;
const WINDOW = 8;
const PATIENCE_MS = 1_000;
const BYTES_MAX = 64 * 1024 * 1024;

/** A file with a sound header and any bytes behind it: what they mean is for whoever installs it. */
function snapshotImage(op: bigint, bytes: number): Uint8Array {
  const image = new SeededRandom(Number(op)).fill(new Uint8Array(bytes));
  encodeHeader(snapshotHeader(op), image);
  return image;
}

/** Six odd pieces more than a window: 14 and a bit. */
const BYTES = 14 * CHUNK + 12_345;
const IMAGE = snapshotImage(500n, BYTES);

function diskWith(image: Uint8Array): MemoryDisk {
  const disk = new MemoryDisk();
  disk.install(SNAPSHOT_FILE, image);
  return disk;
}

function senderOf(disk: Disk, op: bigint): { sender: SnapshotSender; facts: SnapshotFacts } {
  const sender = new SnapshotSender(disk);
  const facts = sender.facts(snapshotHeader(op).lsn);
  assert(facts !== undefined, "no facts");
  return { sender, facts };
}

/** A receiver, what it has asked for, and how it ended. */
class Bench {
  readonly asked: { readonly to: bigint; readonly message: GetSnapshotChunk }[] = [];
  readonly received: SnapshotFacts[] = [];
  readonly faults: DiskFault[] = [];
  readonly receiver: SnapshotReceiver;
  readonly disk: MemoryDisk;

  constructor(disk: MemoryDisk = new MemoryDisk()) {
    this.disk = disk;
    this.receiver = new SnapshotReceiver({
      disk,
      bytesMax: BYTES_MAX,
      send: (to, message) => this.asked.push({ to, message: chunkRequest(message) }),
      received: (facts) => this.received.push(facts),
      failed: (fault) => this.faults.push(fault),
    });
  }

  /** Answers everything that was asked, and what is asked meanwhile, in order. */
  answerAll(sender: SnapshotSender, facts: SnapshotFacts | undefined, nowMs = 0): void {
    for (let next = this.asked.shift(); next !== undefined; next = this.asked.shift()) {
      this.receiver.take(next.to, sender.chunk(next.message, facts), nowMs);
      this.disk.settle();
    }
  }

  get file(): Uint8Array {
    return this.disk.readAll(TRANSFER_FILE);
  }
}

function chunkRequest(message: Message): GetSnapshotChunk {
  assert(message.kind === "get_snapshot_chunk");
  return message;
}

Deno.test("a snapshot arrives byte for byte, whatever its length, with a window of questions under way", () => {
  const lengths = [512, 513, CHUNK - 1, CHUNK, CHUNK + 1, WINDOW * CHUNK, BYTES, 20 * CHUNK + 1];
  for (const deferred of [false, true]) {
    for (const bytes of lengths) {
      const image = snapshotImage(9n, bytes);
      const { sender, facts } = senderOf(diskWith(image), 9n);
      const bench = new Bench(new MemoryDisk({ deferred }));
      bench.receiver.begin(1n, facts, 0);
      assertEquals(bench.asked.length, Math.min(WINDOW, Math.ceil(bytes / CHUNK)));
      const { asked } = bench;
      let steps = 0;
      while (asked.length > 0) {
        assert(asked.length <= WINDOW);
        const { to, message } = asked.shift()!;
        bench.receiver.take(to, sender.chunk(message, facts), 0);
        if (asked.length === 0) bench.disk.settle();
        assertLess(steps++, 200);
      }
      assertEquals(bench.received, [facts], `${bytes} bytes`);
      assertEquals(bench.file, image);
      assertEquals(bench.receiver.bytesReceived, bytes);
      assertEquals(steps, Math.ceil(bytes / CHUNK), "every piece is asked for once");
      // Whoever is told that it is here finds it after a power failure; its name comes with the note that follows.
      bench.disk.syncDirectory();
      assertEquals(bench.disk.crash("lose").readAll(TRANSFER_FILE), image);
    }
  }
});

/** Messages under way: each lost, repeated and delayed as the seed has it. */
class Weather {
  readonly random: SeededRandom;
  #under: { readonly atMs: number; readonly order: number; readonly arrive: () => void }[] = [];
  #order = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  send(nowMs: number, arrive: () => void): void {
    if (this.random.oneIn(5)) return;
    const times = this.random.oneIn(6) ? 2 : 1;
    for (let i = 0; i < times; i++) {
      this.#under.push({ atMs: nowMs + 1 + this.random.below(700), order: this.#order++, arrive });
    }
  }

  deliver(nowMs: number): void {
    const due = this.#under.filter(({ atMs }) => atMs <= nowMs);
    this.#under = this.#under.filter(({ atMs }) => atMs > nowMs);
    due.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    for (const { arrive } of due) arrive();
  }

  get isEmpty(): boolean {
    return this.#under.length === 0;
  }
}

/** One transfer in such weather, from a sender that may be replaced in the middle. Answers how many questions it took. */
function transferIn(seed: number): number {
  const weather = new Weather(seed);
  const senders = [senderOf(diskWith(IMAGE), 500n), senderOf(diskWith(IMAGE), 500n)];
  const { facts } = senders[0]!;
  const disk = new MemoryDisk({ deferred: true });
  const received: SnapshotFacts[] = [];
  let nowMs = 0;
  let primary = 0;
  let questions = 0;
  const recently = new Map<bigint, number>();
  const receiver: SnapshotReceiver = new SnapshotReceiver({
    disk,
    bytesMax: BYTES_MAX,
    received: (what) => received.push(what),
    failed: (fault) => assert(false, fault.message),
    send: (to, message) => {
      questions++;
      const request = chunkRequest(message);
      const askedMs = recently.get(request.offset) ?? -Infinity;
      const isPatient = nowMs - askedMs >= PATIENCE_MS || to !== BigInt(primary);
      assert(isPatient || replacedMs >= askedMs, `asked again after ${nowMs - askedMs} ms`);
      recently.set(request.offset, nowMs);
      weather.send(nowMs, () => {
        const chunk = senders[Number(to)]!.sender.chunk(request, facts);
        weather.send(nowMs, () => receiver.take(to, chunk, nowMs));
      });
    },
  });
  let replacedMs = 0;
  const changeMs = 400 + weather.random.below(2_000);
  for (; received.length === 0; nowMs += 20) {
    assertLess(nowMs, 120_000, "it never ends");
    if (nowMs >= changeMs && primary === 0) {
      primary = 1;
      replacedMs = nowMs;
    }
    if (nowMs % 100 === 0) receiver.begin(BigInt(primary), facts, nowMs);
    weather.deliver(nowMs);
    receiver.tick(nowMs);
    if (weather.random.oneIn(3)) disk.settle();
  }
  assertEquals(received, [facts]);
  assertEquals(disk.readAll(TRANSFER_FILE), IMAGE);
  for (; !weather.isEmpty; nowMs += 20) weather.deliver(nowMs);
  assertEquals(disk.readAll(TRANSFER_FILE), IMAGE, "what comes later changes nothing");
  assertEquals(receiver.current, undefined);
  return questions;
}

Deno.test("a snapshot arrives through loss, repetition, disorder and a change of senders", () => {
  for (let seed = 1; seed <= 25; seed++) {
    // A third of the ways there and back loses something; each loss costs one question more.
    assertLess(transferIn(seed), 200, `seed ${seed}`);
  }
});

Deno.test("SnapshotReceiver takes no piece that it did not ask for", () => {
  const { sender, facts } = senderOf(diskWith(IMAGE), 500n);
  const bench = new Bench();
  bench.receiver.begin(1n, facts, 0);
  const good = sender.chunk(bench.asked[2]!.message, facts);
  const other = (changes: Partial<SnapshotChunk>): SnapshotChunk => ({ ...good, ...changes });
  const hostile: [bigint, SnapshotChunk][] = [
    [2n, good],
    [1n, other({ op: 501n })],
    [1n, other({ hash: good.hash + 1n })],
    [1n, other({ offset: good.offset + 1n })],
    [1n, other({ offset: good.offset + 512n })],
    [1n, other({ offset: BigInt(15 * CHUNK) })],
    [1n, other({ offset: 2n ** 64n - BigInt(CHUNK) })],
    [1n, other({ offset: BigInt(14 * CHUNK) })],
    [1n, other({ bytes: good.bytes.subarray(1) })],
    [1n, other({ bytes: new Uint8Array(CHUNK + 1) })],
    [1n, other({ bytes: new Uint8Array(1) })],
  ];
  for (const [from, chunk] of hostile) bench.receiver.take(from, chunk, 0);
  assertEquals([bench.receiver.bytesReceived, bench.file.length], [0, 0]);
  bench.receiver.take(1n, good, 0);
  bench.receiver.take(1n, other({ bytes: new Uint8Array(CHUNK) }), 0);
  assertEquals(bench.receiver.bytesReceived, CHUNK);
  bench.asked.splice(2, 1);
  bench.answerAll(sender, facts);
  assertEquals(bench.file, IMAGE);
  bench.receiver.take(1n, good, 0);
  assertEquals(bench.received.length, 1);
});

Deno.test("SnapshotReceiver begins with nothing that is no snapshot or too long for one", () => {
  const bench = new Bench();
  for (const bytes of [0n, 1n, 511n, BigInt(BYTES_MAX) + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    bench.receiver.begin(1n, { op: 5n, hash: 6n, bytes }, 0);
    assertEquals([bench.receiver.current, bench.disk.list()], [undefined, []], `${bytes}`);
  }
  bench.receiver.begin(1n, { op: 5n, hash: 6n, bytes: BigInt(BYTES_MAX) }, 0);
  assertEquals(bench.asked.length, WINDOW);
});

Deno.test("SnapshotReceiver.tick() asks again after its patience, for what is missing and for no more", () => {
  const { sender, facts } = senderOf(diskWith(IMAGE), 500n);
  const bench = new Bench();
  bench.receiver.begin(1n, facts, 0);
  const first = bench.asked.splice(0);
  bench.receiver.take(1n, sender.chunk(first[0]!.message, facts), 500);
  assertEquals(bench.asked.splice(0).map(({ message }) => Number(message.offset) / CHUNK), [8]);
  bench.receiver.tick(PATIENCE_MS - 1);
  assertEquals(bench.asked, []);
  bench.receiver.tick(PATIENCE_MS);
  const again = bench.asked.splice(0).map(({ message }) => Number(message.offset) / CHUNK);
  assertEquals(again, [1, 2, 3, 4, 5, 6, 7]);
  bench.receiver.tick(500 + PATIENCE_MS);
  assertEquals(bench.asked.map(({ message }) => Number(message.offset) / CHUNK), [8]);
});

Deno.test("a slow sync holds questions up, and no piece that was asked for after it is asked for twice", () => {
  const image = snapshotImage(9n, 40 * CHUNK);
  const { sender, facts } = senderOf(diskWith(image), 9n);
  const bench = new Bench(new MemoryDisk({ deferred: true }));
  const { asked, receiver, disk } = bench;
  receiver.begin(1n, facts, 0);
  while (asked.length > 0) receiver.take(1n, sender.chunk(asked.shift()!.message, facts), 0);
  assertEquals(receiver.progress, { here: 23, all: 40 }, "16 make 4 MiB, 7 were under way");
  receiver.tick(5_000);
  assertEquals(asked.length, 0);
  disk.settle();
  assertEquals(asked.length, WINDOW);
  receiver.tick(5_020);
  assertEquals(asked.length, WINDOW);
  bench.answerAll(sender, facts, 5_020);
  assertEquals(bench.file, image);
});

Deno.test("what comes while a sync is under way is synced, too, before anybody is told", () => {
  const image = snapshotImage(9n, 20 * CHUNK);
  const { sender, facts } = senderOf(diskWith(image), 9n);
  const told: number[] = [];
  let syncs = 0;
  const observer = {
    wrote() {},
    synced: () => void syncs++,
    renamed() {},
    directorySynced() {},
  };
  const disk = new MemoryDisk({ deferred: true, observer });
  const asked: GetSnapshotChunk[] = [];
  const receiver = new SnapshotReceiver({
    disk,
    bytesMax: BYTES_MAX,
    send: (_to, message) => asked.push(chunkRequest(message)),
    received: () => told.push(syncs),
    failed: (fault) => assert(false, fault.message),
  });
  receiver.begin(1n, facts, 0);
  while (asked.length > 0) receiver.take(1n, sender.chunk(asked.shift()!, facts), 0);
  assertEquals(receiver.progress, { here: 20, all: 20 });
  disk.settle();
  assertEquals(told, [2]);
});

Deno.test("SnapshotReceiver.begin() asks somebody new at once for what the one before did not send", () => {
  const { facts } = senderOf(diskWith(IMAGE), 500n);
  const bench = new Bench();
  bench.receiver.begin(1n, facts, 0);
  bench.asked.length = 0;
  bench.receiver.begin(1n, facts, 10);
  assertEquals(bench.asked.length, 0, "offered again by the same one");
  bench.receiver.begin(2n, facts, 20);
  assertEquals(bench.asked.map(({ to }) => to), new Array(15 - WINDOW).fill(2n));
});

Deno.test("SnapshotReceiver stays with a transfer that makes progress, and leaves one that makes none", () => {
  const { sender, facts } = senderOf(diskWith(IMAGE), 500n);
  const newer: SnapshotFacts = { op: 600n, hash: 3n, bytes: BigInt(BYTES) };
  const bench = new Bench();
  const { asked, receiver } = bench;
  receiver.begin(1n, facts, 0);
  receiver.begin(1n, newer, 0);
  assertEquals(receiver.current, newer, "nothing of the first had come");
  receiver.begin(1n, facts, 0);
  asked.splice(0, asked.length - WINDOW);
  receiver.take(1n, sender.chunk(asked[0]!.message, facts), 2_000);
  for (let nowMs = 2_000; nowMs <= 6_000; nowMs += 20) receiver.tick(nowMs);
  receiver.begin(1n, newer, 6_000);
  assertEquals(receiver.current, facts);
  receiver.begin(1n, newer, 6_001);
  assertEquals(receiver.current, newer, "it was asked for four times in vain");
  receiver.begin(2n, facts, 6_002);
  assertEquals(receiver.current, facts, "another primary knows better");
});

Deno.test("SnapshotReceiver ends when the snapshot is gone where it came from", () => {
  const { sender, facts } = senderOf(diskWith(IMAGE), 500n);
  const bench = new Bench();
  bench.receiver.begin(1n, facts, 0);
  const { message } = bench.asked[0]!;
  bench.receiver.take(1n, sender.chunk({ ...message, op: 499n }, facts), 0);
  assertEquals(bench.receiver.current, facts, "that was said of another one");
  bench.receiver.take(1n, { ...message, kind: "snapshot_chunk", bytes: new Uint8Array() }, 0);
  assertEquals([bench.receiver.current, bench.received], [undefined, []]);
});

Deno.test("SnapshotReceiver tells a disk that fails once, and begins anew after a while when it is offered one again", () => {
  for (const action of ["create", "write", "sync"] as const) {
    const { sender, facts } = senderOf(diskWith(IMAGE), 500n);
    const bench = new Bench();
    bench.disk.plan({ nth: 1, action, effect: "disk_full", tornBytes: 1_024 });
    bench.receiver.begin(1n, facts, 0);
    bench.answerAll(sender, facts);
    assertEquals([bench.faults.length, bench.received.length], [1, 0], action);
    bench.receiver.begin(1n, facts, PATIENCE_MS - 1);
    assertEquals(bench.receiver.current, undefined);
    bench.receiver.begin(1n, facts, PATIENCE_MS);
    bench.answerAll(sender, facts, PATIENCE_MS);
    assertEquals([bench.faults.length, bench.received], [1, [facts]], action);
    assertEquals(bench.file, IMAGE);
  }
});

Deno.test("SnapshotReceiver.stop() lets a sync that is under way end without anybody being told", () => {
  const { sender, facts } = senderOf(diskWith(IMAGE), 500n);
  const bench = new Bench(new MemoryDisk({ deferred: true }));
  const { asked, receiver } = bench;
  receiver.begin(1n, facts, 0);
  while (asked.length > 0) receiver.take(1n, sender.chunk(asked.shift()!.message, facts), 0);
  receiver.stop();
  bench.disk.settle();
  assertEquals([bench.received, bench.faults], [[], []]);
});

/** As a checkpoint does it. */
function replaceSnapshot(disk: Disk, image: Uint8Array): void {
  const file = disk.create("state.snapshot.tmp", 0);
  file.write(0, image);
  file.sync();
  file.close();
  disk.rename(SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE);
  disk.rename("state.snapshot.tmp", SNAPSHOT_FILE);
  disk.syncDirectory();
}

/** Two checkpoints replace the file that is being handed out; the second one removes its last name. */
function sendThroughCheckpoints(disk: Disk): void {
  const file = disk.create(SNAPSHOT_FILE, 0);
  file.write(0, IMAGE);
  file.sync();
  file.close();
  const { sender, facts } = senderOf(disk, 500n);
  const bench = new Bench();
  bench.receiver.begin(1n, facts, 0);
  const answer = (count: number, newest: SnapshotFacts | undefined): void => {
    for (const { to, message } of bench.asked.splice(0, count)) {
      bench.receiver.take(to, sender.chunk(message, newest), 0);
    }
  };
  answer(3, facts);
  replaceSnapshot(disk, snapshotImage(600n, 3 * CHUNK));
  answer(3, sender.facts(snapshotHeader(600n).lsn));
  replaceSnapshot(disk, snapshotImage(700n, 3 * CHUNK));
  const newest = sender.facts(snapshotHeader(700n).lsn);
  assertEquals([newest?.op, newest?.bytes], [700n, BigInt(3 * CHUNK)]);
  bench.answerAll(sender, newest);
  assertEquals(bench.received, [facts]);
  assertEquals(bench.file, IMAGE);
  sender.close();
}

Deno.test("a transfer that has begun ends with its snapshot, through checkpoints on the sender", async (t) => {
  await t.step("in memory", () => sendThroughCheckpoints(new MemoryDisk()));
  await t.step(
    "on a real disk",
    () => inDirectory((directory) => sendThroughCheckpoints(new DenoDisk(directory))),
  );
});

Deno.test("SnapshotSender answers with bytes of the snapshot that was asked for, or with none", () => {
  const disk = diskWith(IMAGE);
  const { sender, facts } = senderOf(disk, 500n);
  const ask = (of: SnapshotFacts, newest: SnapshotFacts | undefined, offset = 0n): Uint8Array =>
    sender.chunk({ kind: "get_snapshot_chunk", ...of, offset, length: BigInt(CHUNK) }, newest)
      .bytes;
  assertEquals(ask(facts, facts), IMAGE.subarray(0, CHUNK));
  const later = snapshotImage(600n, 2 * CHUNK);
  replaceSnapshot(disk, later);
  const newest = sender.facts(snapshotHeader(600n).lsn)!;
  // The file of op 500 is open; one of which it is not the newest and which nobody has begun is gone.
  assertEquals(ask({ ...facts, op: 400n }, newest).length, 0);
  assertEquals(ask({ ...facts, hash: facts.hash + 1n }, newest).length, 0);
  assertEquals(ask(facts, newest), IMAGE.subarray(0, CHUNK));
  assertEquals(ask(newest, newest), later.subarray(0, CHUNK));
  assertEquals(ask(facts, newest).length, 0, "only one is kept open");
  assertEquals(ask(newest, undefined), later.subarray(0, CHUNK));
  for (const offset of [BigInt(later.length), 2n ** 63n, 2n ** 64n - 1n]) {
    assertEquals(ask(newest, newest, offset).length, 0);
  }
  assertEquals(ask(newest, newest, BigInt(later.length - 7)), later.subarray(-7));
});

Deno.test("SnapshotSender bounds a piece, whatever length is asked for", () => {
  const { sender, facts } = senderOf(diskWith(IMAGE), 500n);
  for (const length of [2n ** 20n + 1n, 2n ** 40n, 2n ** 64n - 1n]) {
    const chunk = sender.chunk({ kind: "get_snapshot_chunk", ...facts, offset: 5n, length }, facts);
    assertEquals(chunk.bytes, IMAGE.subarray(5, 5 + 2 ** 20));
  }
  const none = { kind: "get_snapshot_chunk", ...facts, offset: 0n, length: 0n } as const;
  assertEquals(sender.chunk(none, facts).bytes.length, 0);
});

Deno.test("SnapshotSender.facts() are those of the newest file, and only if that is the snapshot in use", () => {
  const disk = diskWith(IMAGE);
  const { lsn } = snapshotHeader(500n);
  const sender = new SnapshotSender(disk);
  assertEquals(sender.facts(undefined), undefined);
  assertEquals(sender.facts(lsn - 7n), undefined, "the newest is damaged behind its header");
  assertEquals(sender.facts(lsn), {
    op: 500n,
    hash: snapshotHeader(500n).chainHash,
    bytes: BigInt(BYTES),
  });
  disk.contents(SNAPSHOT_FILE)[100]! ^= 1;
  assertEquals(sender.facts(lsn)?.op, 500n, "looked up once");
  assertEquals(new SnapshotSender(disk).facts(lsn), undefined);
  disk.contents(SNAPSHOT_FILE)[100]! ^= 1;
  disk.plan({ nth: 1, action: "open", effect: "io_error" });
  const other = new SnapshotSender(disk);
  assertEquals([other.facts(lsn), other.facts(lsn)?.op], [undefined, 500n], "asked again");
  disk.uninstall(SNAPSHOT_FILE);
  assertEquals(new SnapshotSender(disk).facts(lsn), undefined);
});
