// A snapshot takes the place of a log. If the power fails in between, the replica must come back with its old log and all that
// it promised, or with the snapshot and the same: never with less, never without a vote because of it, and never begin its log
// anew behind a snapshot that has nothing to do with it.
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { crc32c } from "../../core/crc32c.ts";
import { assertGolden } from "../../tests/support/golden.ts";
import { diskImage } from "../../testbed/sim/disk/data_directory.ts";
import { type LoneReplica, openAlone } from "../../tests/support/lone_replica.ts";
import { CrashSignal, type MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import type { Survival } from "../../testbed/sim/disk/memory_file.ts";
import { NodeHarness } from "../../tests/support/node_harness.ts";
import { create } from "../../testbed/sim/workload/requests.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { changeMetadata, metadataOf } from "../../tests/support/stored_replica.ts";
import { DiskFault } from "../disk.ts";
import { encodeOffer, loadOffer, OFFER_FILE } from "../metadata/offer.ts";
import { logSizes } from "../open_node.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE } from "../snapshot/store.ts";
import type { SnapshotFacts } from "../vsr/log_port.ts";
import { decodeNote, encodeNote, finishInstall, INSTALL_FILE, installSnapshot } from "./install.ts";
import { SnapshotSender, TRANSFER_FILE } from "./transfer.ts";

const CORE = { maxResources: 200, maxOperations: 200 };
const SIZES = logSizes(4_096);

/** A replica's directory after so many creates, with checkpoints on the way; `from` decides which history it is. */
function directoryOf(count: number, checkpoints: readonly number[], from = 0): NodeHarness {
  const harness = NodeHarness.start({ core: CORE });
  for (let i = 1; i <= count; i++) {
    harness.commit(create(BigInt(from + i)));
    if (checkpoints.includes(i)) assertEquals(harness.checkpoint().kind, "done");
  }
  changeMetadata(harness.disk, {
    configEpoch: 1n,
    view: 1n,
    logView: 1n,
    role: "backup",
    commitOpHint: 20n,
  });
  return harness;
}

const DONOR = directoryOf(40, [40]).disk;
const SENT = DONOR.contents(SNAPSHOT_FILE);
const FACTS: SnapshotFacts = new SnapshotSender(DONOR).facts(40n)!;

/** Behind the snapshot in the same history, with a snapshot of its own; and beyond it, in another one. */
const BEHIND = directoryOf(25, [10, 22]);
const APART = directoryOf(52, [], 1_000);
const { core: CORE_CONFIG } = BEHIND;

interface Scenario {
  readonly name: string;
  readonly base: MemoryDisk;
  readonly tipOp: bigint;
  readonly snapshotLsn: bigint | undefined;
}

const SCENARIOS: readonly Scenario[] = [
  { name: "behind", base: BEHIND.disk, tipOp: 25n, snapshotLsn: 22n },
  { name: "apart", base: APART.disk, tipOp: 52n, snapshotLsn: undefined },
];

const SURVIVALS: readonly Survival[] = [
  "keep",
  "lose",
  ...Array.from({ length: 6 }, (_, seed) => new SeededRandom(seed)),
];

/** The directory as it is when the last piece has been synced; the name of the file need not be durable. */
function received({ base, tipOp }: Scenario, image: Uint8Array = SENT): MemoryDisk {
  const disk = base.crash("keep");
  disk.install(OFFER_FILE, encodeOffer({ view: 1n, logView: 1n, op: tipOp, hash: 77n }));
  const file = disk.create(TRANSFER_FILE, 0);
  file.write(0, image);
  file.sync();
  disk.operations = 0;
  return disk;
}

function install(disk: MemoryDisk, facts: SnapshotFacts = FACTS): string | DiskFault | undefined {
  return installSnapshot(disk, metadataOf(disk), facts);
}

function reopen(disk: MemoryDisk): LoneReplica {
  return openAlone(disk, CORE_CONFIG);
}

/** What may be found: everything as before, or the snapshot and a log behind it. */
function judge(what: string, scenario: Scenario, disk: MemoryDisk): "before" | "after" {
  const { replica, lines } = reopen(disk);
  const status = replica.status();
  const why = `${what}: ${lines.join("; ")}`;
  assert(["view_uncertain", "backup"].includes(status.role), `${status.role} ${why}`);
  assert(metadataOf(disk).role !== "recovering", why);
  assertEquals(disk.size(INSTALL_FILE), undefined, why);
  assertEquals(disk.size(TRANSFER_FILE), undefined, why);
  const isAfter = status.snapshotLsn === 40n;
  assertEquals(status.tipOp, isAfter ? 40n : scenario.tipOp, why);
  if (!isAfter) {
    // Between two renames the older generation may be all there is; the log goes back to it.
    assertEquals(status.snapshotLsn, scenario.snapshotLsn, why);
    assertEquals(loadOffer(disk)?.op, scenario.tipOp, why);
    return "before";
  }
  assertEquals([status.tipHash, status.appliedOp], [FACTS.hash, 40n], why);
  const offered = loadOffer(disk)?.op ?? 0n;
  assert(offered <= 40n, `${why}: what is gone is still offered`);
  return "after";
}

Deno.test("a power failure anywhere in an installation leaves what was, or the snapshot, and the vote", () => {
  for (const scenario of SCENARIOS) {
    const whole = received(scenario);
    const all = (disk: MemoryDisk): void => {
      assertEquals(install(disk), undefined);
      reopen(disk);
    };
    all(whole);
    const found = new Map<string, number>();
    for (let nth = 1; nth <= whole.operations; nth++) {
      for (const [i, survival] of SURVIVALS.entries()) {
        const disk = received(scenario);
        disk.plan({ nth, effect: "crash" });
        assertThrows(() => all(disk), CrashSignal);
        const what = `${scenario.name}, operation ${nth}, survival ${i}`;
        const outcome = judge(what, scenario, disk.crash(survival));
        found.set(outcome, (found.get(outcome) ?? 0) + 1);
      }
    }
    assert(found.get("before")! > 0 && found.get("after")! > 0, JSON.stringify([...found]));
    assertEquals(judge(scenario.name, scenario, whole), "after");
  }
});

Deno.test("a second power failure, while the first is recovered from, changes nothing about that", () => {
  for (const scenario of SCENARIOS) {
    for (let seed = 0; seed < 60; seed++) {
      const random = new SeededRandom(seed);
      const disk = received(scenario);
      disk.plan({ nth: 1 + random.below(9), effect: "crash" });
      assertThrows(() => install(disk) ?? reopen(disk), CrashSignal);
      const between = disk.crash(random);
      between.plan({ nth: 1 + random.below(12), effect: "crash" });
      try {
        reopen(between);
      } catch (error) {
        assert(error instanceof CrashSignal);
      }
      judge(`${scenario.name}, seed ${seed}`, scenario, between.crash(random));
    }
  }
});

Deno.test("a disk that fails anywhere in an installation leaves what was, or the snapshot, and the vote", () => {
  for (const scenario of SCENARIOS) {
    const whole = received(scenario);
    assertEquals(install(whole), undefined);
    const metadata = metadataOf(whole);
    assertEquals(finishInstall(whole, metadata, SIZES), undefined);
    for (let nth = 1; nth <= whole.operations; nth++) {
      const disk = received(scenario);
      disk.plan({ nth, effect: "io_error" });
      const fault = install(disk) ?? finishInstall(disk, metadata, SIZES);
      assert(fault instanceof DiskFault, `operation ${nth}: ${fault}`);
      judge(`${scenario.name}, fault at ${nth}, goes on`, scenario, disk.crash("keep"));
      judge(`${scenario.name}, fault at ${nth}`, scenario, disk.crash(new SeededRandom(nth)));
    }
  }
});

Deno.test("installSnapshot() changes nothing for a file that is not the snapshot that was offered", () => {
  const scenario = SCENARIOS[0]!;
  const flipped = (at: number): Uint8Array => SENT.map((byte, i) => i === at ? byte ^ 1 : byte);
  const foreign = NodeHarness.start({ core: { ...CORE, maxResources: 100 } });
  foreign.commit(create(1n));
  foreign.checkpoint();
  const cases: [string, Uint8Array, SnapshotFacts, RegExp][] = [
    ["header", flipped(40), FACTS, /damaged at byte 0: checksum mismatch/],
    ["block", flipped(700), FACTS, /damaged at byte 584: checksum mismatch/],
    ["last byte", flipped(SENT.length - 1), FACTS, /damaged/],
    ["short", SENT.subarray(0, -8), FACTS, /damaged/],
    ["long", Uint8Array.from([...SENT, 0, 0, 0, 0, 0, 0, 0, 0]), FACTS, /damaged/],
    ["empty", new Uint8Array(), FACTS, /damaged at byte 0: too short/],
    ["other op", SENT, { ...FACTS, op: 41n }, /another one/],
    ["other hash", SENT, { ...FACTS, hash: 1n }, /another one/],
    ["other bounds", foreign.disk.contents(SNAPSHOT_FILE), FACTS, /other core\.\* bounds/],
  ];
  for (const [name, image, facts, why] of cases) {
    const disk = received(scenario, image);
    const before = diskImage(disk);
    const result = install(disk, facts);
    assert(typeof result === "string" && why.test(result), `${name}: ${result}`);
    assertEquals([diskImage(disk), disk.operations], [before, 0], name);
    assertEquals(judge(name, scenario, disk), "before");
  }
  const clusterId = Uint8Array.from({ length: 16 }, () => 9);
  for (const stranger of [{ clusterId }, { core: { ...CORE_CONFIG, shardId: 99n } }]) {
    const disk = received(scenario);
    const result = installSnapshot(disk, { ...metadataOf(disk), ...stranger }, FACTS);
    assert(typeof result === "string" && /another|bounds/.test(result), `${result}`);
    assertEquals(disk.operations, 0);
  }
  const gone = scenario.base.crash("keep");
  assertEquals(install(gone), `${TRANSFER_FILE} is missing`);
});

Deno.test("installSnapshot() says when the file cannot be read, and changes nothing", () => {
  const disk = received(SCENARIOS[0]!);
  disk.plan({ nth: 2, action: "read", effect: "io_error" });
  const result = install(disk);
  assert(typeof result === "string" && result.includes("unreadable"), `${result}`);
  assertEquals(disk.operations, 0);
  disk.plan({ nth: 1, action: "open", effect: "permission_denied" });
  assert(install(disk) instanceof DiskFault);
  assertEquals(disk.operations, 0);
});

/** A directory with a note, and nothing else of an installation. */
function noted(scenario: Scenario, note: Uint8Array): MemoryDisk {
  const disk = scenario.base.crash("keep");
  disk.install(OFFER_FILE, encodeOffer({ view: 1n, logView: 1n, op: scenario.tipOp, hash: 77n }));
  disk.install(INSTALL_FILE, note);
  return disk;
}

Deno.test("finishInstall() forgets a note that is not whole, or names a snapshot that is not there", () => {
  const note = encodeNote(FACTS);
  const notes: [string, Uint8Array][] = [
    ["empty", new Uint8Array()],
    ["zeros", new Uint8Array(note.length)],
    ["half", note.subarray(0, 20)],
    ["torn", Uint8Array.from(note, (byte, i) => i < 20 ? byte : 0)],
    ["longer", Uint8Array.from([...note, 0])],
    ["not there", note],
    ["other op", encodeNote({ ...FACTS, op: 22n })],
    ["op 0", encodeNote({ op: 0n, hash: 0n })],
  ];
  for (const scenario of SCENARIOS) {
    for (const [name, bytes] of notes) {
      assertEquals(judge(`${scenario.name} ${name}`, scenario, noted(scenario, bytes)), "before");
    }
  }
});

Deno.test("finishInstall() keeps the log when the noted snapshot is damaged, and goes by the previous one", () => {
  const scenario = SCENARIOS[0]!;
  for (const damage of ["flip", "unreadable"] as const) {
    const disk = received(scenario);
    assertEquals(install(disk), undefined);
    if (damage === "flip") disk.contents(SNAPSHOT_FILE)[700]! ^= 1;
    // Two reads are the note and the header.
    else disk.plan({ nth: 3, action: "read", effect: "io_error" });
    assertEquals(finishInstall(disk, metadataOf(disk), SIZES), undefined);
    assertEquals(disk.size(INSTALL_FILE), undefined);
    if (damage === "flip") assertEquals(judge(damage, scenario, disk), "before");
  }
});

Deno.test("finishInstall() writes nothing where no installation was begun", () => {
  const disk = BEHIND.disk.crash("keep");
  const before = diskImage(disk);
  assertEquals(finishInstall(disk, metadataOf(disk), SIZES), undefined);
  assertEquals([diskImage(disk), disk.operations], [before, 0]);
});

Deno.test("what follows an installation is kept, and the older generation is the one that was the newest", () => {
  const scenario = SCENARIOS[0]!;
  const disk = received(scenario);
  const newest = disk.contents(SNAPSHOT_FILE).slice();
  assertEquals(install(disk), undefined);
  assertEquals(disk.readAll(SNAPSHOT_PREVIOUS_FILE), newest);
  assertEquals(disk.crash("lose").readAll(SNAPSHOT_FILE), SENT);
  assertEquals(finishInstall(disk, metadataOf(disk), SIZES), undefined);
  assertEquals(disk.crash("lose").size(INSTALL_FILE), undefined, "before anything is added");
  reopen(disk);
  // As a node of its own it takes commands in behind the snapshot.
  const harness = NodeHarness.start({ core: CORE, disk });
  harness.commit({ kind: "create_resource", resourceId: 500n, operationId: 9n, clientId: 1n });
  harness.crash("lose");
  assertEquals(reopen(harness.disk).replica.status().tipOp, 41n);
});

/** Lets the replica hear a primary of view 2 that offers the snapshot and sends its pieces. */
function offerTo(lone: LoneReplica): void {
  const sender = new SnapshotSender(DONOR);
  const view = 2n;
  lone.replica.receive(2n, {
    ...{ kind: "start_view", view, op: FACTS.op, hash: FACTS.hash, commitOp: 40n },
    ...{ round: 1n, slot: 0n },
  });
  lone.run();
  lone.replica.receive(2n, { kind: "snapshot_offer", view, ...FACTS });
  for (let i = 0; i < lone.sent.length; i++) {
    const { message } = lone.sent[i]!;
    if (message.kind === "get_snapshot_chunk") {
      lone.replica.receive(2n, sender.chunk(message, FACTS));
    }
    lone.run();
  }
}

Deno.test("a replica that receives a snapshot goes on behind it, with its vote", () => {
  for (const { base } of SCENARIOS) {
    const disk = base.crash("keep");
    const lone = reopen(disk);
    offerTo(lone);
    const { tipOp, snapshotLsn, role, counters } = lone.replica.status();
    assertEquals([tipOp, snapshotLsn, counters.snapshotsInstalled], [40n, 40n, 1]);
    assert(role !== "recovering" && role !== "faulted", role);
    assert(lone.lines.includes(`info snapshot installed: op=40 bytes=${SENT.length}`));
  }
});

Deno.test("a replica whose disk fails while it installs a snapshot opens its files at once, and loses nothing", () => {
  const steps = ["create", "write", "sync", "sync_directory", "rename"] as const;
  for (const action of steps) {
    const disk = SCENARIOS[0]!.base.crash("keep");
    const lone = reopen(disk);
    lone.replica.receive(2n, {
      ...{ kind: "start_view", view: 2n, op: 40n, hash: FACTS.hash, commitOp: 40n },
      ...{ round: 1n, slot: 0n },
    });
    lone.run();
    lone.replica.receive(2n, { kind: "snapshot_offer", view: 2n, ...FACTS });
    const asked = lone.sent.map(({ message }) => message).find((m) =>
      m.kind === "get_snapshot_chunk"
    );
    assert(asked?.kind === "get_snapshot_chunk");
    // The transfer itself writes and syncs once.
    const nth = action === "write" || action === "sync" ? 2 : 1;
    disk.plan({ nth, action, effect: "io_error" });
    lone.replica.receive(2n, new SnapshotSender(DONOR).chunk(asked, FACTS));
    assert(lone.lines.some((line) => line.startsWith("warn snapshot not installed")), action);
    assertEquals(disk.size(INSTALL_FILE), undefined, action);
    const { tipOp, role } = lone.replica.status();
    assertEquals(tipOp, 25n, action);
    assert(role !== "recovering" && role !== "faulted", `${action}: ${role}`);
  }
});

Deno.test("a replica whose disk stays away after the note takes no part until its files are open again", () => {
  const disk: MemoryDisk = SCENARIOS[0]!.base.crash("keep", {
    observer: {
      wrote: (name) => void (disk.failing = name === INSTALL_FILE ? "io_error" : undefined),
      synced() {},
      renamed() {},
      directorySynced() {},
    },
  });
  const lone = reopen(disk);
  offerTo(lone);
  assertEquals([lone.replica.status().role, lone.replica.digest()], ["faulted", undefined]);
  const sent = lone.sent.length;
  const prepare = { kind: "prepare", view: 2n, prevOp: 25n, prevHash: 1n, commitOp: 20n } as const;
  const rest = { round: 1n, slot: 0n, frames: new Uint8Array() };
  lone.replica.receive(2n, { ...prepare, ...rest });
  assertEquals(lone.sent.length, sent);
  disk.failing = undefined;
  lone.run(1_100);
  const { role, tipOp } = lone.replica.status();
  assertEquals([role, tipOp, disk.size(INSTALL_FILE)], ["view_uncertain", 25n, undefined]);
});

Deno.test("a snapshot that comes when the log has come to hold its op is not installed: what follows may be acknowledged", () => {
  const disk = directoryOf(25, []).disk;
  const lone = reopen(disk);
  const ahead = directoryOf(52, []);
  const hashAt = (op: bigint): bigint => ahead.node.writer.hashAt(op)!;
  assertEquals(hashAt(40n), FACTS.hash);
  lone.replica.receive(2n, {
    ...{ kind: "start_view", view: 2n, op: 52n, hash: hashAt(52n), commitOp: 20n },
    ...{ round: 1n, slot: 0n },
  });
  lone.run();
  lone.replica.receive(2n, { kind: "snapshot_offer", view: 2n, ...FACTS });
  const asked = lone.sent.map(({ message }) => message).find((m) =>
    m.kind === "get_snapshot_chunk"
  );
  assert(asked?.kind === "get_snapshot_chunk");
  for (let op = 25n; op < 52n;) {
    const read = ahead.node.writer.readFrames(op + 1n, 1 << 20);
    assert(read.kind === "frames");
    lone.replica.receive(2n, {
      ...{ kind: "prepare", view: 2n, prevOp: op, prevHash: hashAt(op), commitOp: 20n },
      ...{ round: 1n, slot: 0n, frames: read.frames },
    });
    lone.run();
    op = read.lastOp;
  }
  assertEquals(lone.replica.status().syncedOp, 52n);
  lone.replica.receive(2n, new SnapshotSender(DONOR).chunk(asked, FACTS));
  lone.run();
  const { tipOp, snapshotLsn } = lone.replica.status();
  assertEquals([tipOp, snapshotLsn], [52n, undefined]);
  assert(lone.lines.includes(
    "warn snapshot not installed: op=40 error=the replica has caught up without it",
  ));
});

Deno.test("encodeNote() writes the golden bytes, and decodeNote() reads them and nothing else", () => {
  const note = { op: 0x1_0000_0028n, hash: 0xfedc_ba98_7654_3210n };
  const bytes = encodeNote(note);
  assertGolden("install_note_v1", bytes);
  assertEquals(decodeNote(bytes), note);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
    assertEquals(decodeNote(bytes), undefined, `bit ${bit}`);
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
  }
  for (let at = 4; at < bytes.length; at++) {
    const forged = encodeNote(note);
    forged[at]! ^= 0x10;
    new DataView(forged.buffer).setUint32(0, crc32c(forged, 4, forged.length), true);
    assertEquals(decodeNote(forged) === undefined, at < 16 || at >= 32, `byte ${at}`);
  }
  const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
  fc.assert(
    fc.property(u64, u64, (op, hash) => {
      assertEquals(decodeNote(encodeNote({ op, hash })), { op, hash });
    }),
    { seed: 3, numRuns: 200 },
  );
});
