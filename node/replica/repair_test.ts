// A replica whose files are damaged may be helped by its peers. It must come back with what it was, or give up its vote before it
// gives up anything else; peers that refuse, lie or are silent must neither harm its log nor be asked without end.
import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { diskImage, fileNames } from "../../testbed/sim/disk/data_directory.ts";
import { type LoneReplica, openAlone } from "../../tests/support/lone_replica.ts";
import { CrashSignal, type MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import type { Survival } from "../../testbed/sim/disk/memory_file.ts";
import { NodeHarness } from "../../tests/support/node_harness.ts";
import { create } from "../../testbed/sim/workload/requests.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { changeMetadata, metadataOf } from "../../tests/support/stored_replica.ts";
import { ACTIVE_SEGMENT } from "../log/files.ts";
import type { LogWriter } from "../log/store.ts";
import { METADATA_FILE } from "../metadata/metadata.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE } from "../snapshot/store.ts";
import type { GetLogRange, LogRange } from "../vsr/messages.ts";

const ENTRIES = 90n;

/** A replica's directory: a log of some segments, two snapshots if asked for. */
function directoryOf(from: bigint, checkpoints: readonly bigint[]): NodeHarness {
  const harness = NodeHarness.start({ core: { maxResources: 200, maxOperations: 200 } });
  for (let i = 1n; i <= ENTRIES; i++) {
    harness.commit(create(from + i));
    if (checkpoints.includes(i)) assertEquals(harness.checkpoint().kind, "done");
  }
  changeMetadata(harness.disk, {
    ...{ configEpoch: 1n, view: 1n, logView: 1n, role: "backup", commitOpHint: 50n },
  });
  return harness;
}

const PEER = directoryOf(0n, []);
const { core: CORE } = PEER;
const STRANGER = directoryOf(1_000n, []);
const PLAIN = directoryOf(0n, []).disk;
const SNAPPED = directoryOf(0n, [30n, 60n]).disk;
const [SEALED, SECOND] = fileNames(PLAIN).filter((name) => /^state\.wal\.\d+$/.test(name)) as [
  string,
  string,
];
const TIP_HASH = PEER.node.writer.hashAt(ENTRIES)!;

type Damage = (disk: MemoryDisk) => void;

function flip(name: string, at: number): Damage {
  return (disk) => void (disk.contents(name)[at]! ^= 1);
}

/** Where the last frame of the active segment begins. */
function lastFrameAt(disk: MemoryDisk): number {
  const bytes = disk.contents(ACTIVE_SEGMENT);
  let last = 0;
  for (let at = 512; at + 64 < bytes.length; at += 8) {
    if (new TextDecoder().decode(bytes.subarray(at + 8, at + 12)) === "ADF1") last = at;
  }
  return last;
}

function tornEnd(disk: MemoryDisk): void {
  disk.contents(ACTIVE_SEGMENT)[lastFrameAt(disk) + 70]! ^= 1;
}

function damaged(base: MemoryDisk, ...damages: readonly Damage[]): MemoryDisk {
  const disk = base.crash("keep");
  for (const damage of damages) damage(disk);
  disk.operations = 0;
  return disk;
}

/** How a peer answers; `undefined` for silence. */
type Peer = (m: GetLogRange) => Omit<LogRange, "kind" | "requestId"> | undefined;

/** As replicas do, a few frames at a time. */
function honest(writer: LogWriter = PEER.node.writer): Peer {
  return ({ prevOp, prevHash }) => {
    const hash = writer.hashAt(prevOp);
    if (hash !== prevHash) return refusing("differs");
    const read = writer.readFrames(prevOp + 1n, 400);
    return read.kind === "frames"
      ? { refusal: undefined, frames: read.frames.slice() }
      : refusing(read.kind);
  };
}

function refusing(refusal: "differs" | "removed" | "unreadable") {
  return { refusal, frames: new Uint8Array() };
}

/** What peers may do that are not as they should be. Each answers something, or nothing. */
const HOSTILE: Readonly<Record<string, Peer>> = {
  silent: () => undefined,
  removed: () => refusing("removed"),
  differs: () => refusing("differs"),
  unreadable: () => refusing("unreadable"),
  empty: () => ({ refusal: undefined, frames: new Uint8Array() }),
  noise: () => ({ refusal: undefined, frames: new SeededRandom(5).fill(new Uint8Array(500)) }),
  /** The right ops of another history, whatever hash is asked for. */
  stranger: ({ prevOp }) => {
    const read = STRANGER.node.writer.readFrames(prevOp + 1n, 400);
    return { refusal: undefined, frames: read.kind === "frames" ? read.frames.slice() : NOTHING };
  },
  /** Entries that come later than those that were asked for. */
  late: (m) => {
    const read = PEER.node.writer.readFrames(m.prevOp + 2n, 400);
    return { refusal: undefined, frames: read.kind === "frames" ? read.frames.slice() : NOTHING };
  },
  cut: (m) => {
    const answer = honest()(m);
    return answer && { ...answer, frames: answer.frames.subarray(0, 63) };
  },
  /** The payload is another one in each last frame: only the frame behind it tells. */
  altersLast: altering((frames) => frames.length - 20),
  altersFirst: altering(() => 70),
};
const NOTHING = new Uint8Array();

function altering(where: (frames: Uint8Array) => number): Peer {
  return (m) => {
    const answer = honest()(m);
    if (answer === undefined || answer.frames.length === 0) return answer;
    const frames = answer.frames.slice();
    frames[where(frames)]! ^= 1;
    return { ...answer, frames };
  };
}

/** Lets peers answer and time pass, until the replica is open, is faulted, or time is up. Answers how often it asked. */
function live(lone: LoneReplica, peers: Readonly<Record<string, Peer>>, msMax = 30_000): number {
  let asked = 0;
  let seen = 0;
  for (const endMs = lone.clock.ms + msMax; lone.clock.ms < endMs; lone.run(20)) {
    for (; seen < lone.sent.length; seen++) {
      const { to, message } = lone.sent[seen]!;
      if (message.kind !== "get_log_range") continue;
      assertLess(asked++, 2_000, "it asks without end");
      const answer = peers[`${to}`]?.(message);
      if (answer === undefined) continue;
      const { requestId } = message;
      lone.replica.receive(to, { kind: "log_range", requestId, ...answer });
    }
    if (lone.replica.digest() !== undefined) return asked;
  }
  return asked;
}

const BOTH_HONEST = { 2: honest(), 3: honest() };

function reopen(disk: MemoryDisk, members?: readonly bigint[]): LoneReplica {
  return openAlone(disk, CORE, members);
}

function assertWhole(lone: LoneReplica, disk: MemoryDisk, what: string): void {
  const { tipOp, tipHash, role } = lone.replica.status();
  assertEquals([tipOp, tipHash], [ENTRIES, TIP_HASH], what);
  assert(role !== "recovering" && role !== "faulted", `${what}: ${role}`);
  assert(metadataOf(disk).role !== "recovering", what);
}

interface Case {
  readonly name: string;
  readonly disk: () => MemoryDisk;
  /** Steps it takes, in order; `mend` is tried first where that is possible. */
  readonly steps: readonly string[];
  readonly tipOp: bigint | "some";
}

const CASES: readonly Case[] = [
  {
    name: "a payload in a sealed segment",
    disk: () => damaged(PLAIN, flip(SEALED, 1_600)),
    steps: ["mend"],
    tipOp: ENTRIES,
  },
  {
    name: "the header of a sealed segment",
    disk: () => damaged(PLAIN, flip(SEALED, 20)),
    steps: ["mend"],
    tipOp: ENTRIES,
  },
  {
    name: "two payloads in two segments",
    disk: () => damaged(PLAIN, flip(SEALED, 1_600), flip(ACTIVE_SEGMENT, 600)),
    steps: ["mend"],
    tipOp: ENTRIES,
  },
  {
    name: "most of a sealed segment",
    disk: () => damaged(PLAIN, (disk) => void disk.contents(SEALED).fill(0xdb, 900, 3_500)),
    steps: ["mend"],
    tipOp: ENTRIES,
  },
  {
    name: "a sealed segment that is gone",
    disk: () => damaged(PLAIN, (disk) => disk.uninstall(SECOND)),
    steps: ["truncate"],
    tipOp: "some",
  },
  {
    name: "the segment in which the log begins",
    disk: () => damaged(PLAIN, (disk) => disk.uninstall(SEALED)),
    steps: ["reset"],
    tipOp: 0n,
  },
  {
    name: "the last entry",
    disk: () => damaged(PLAIN, tornEnd),
    steps: ["truncate"],
    tipOp: "some",
  },
  {
    name: "the header of the active segment",
    disk: () => damaged(PLAIN, flip(ACTIVE_SEGMENT, 20)),
    steps: ["truncate"],
    tipOp: "some",
  },
  {
    name: "everything of a log without a snapshot",
    disk: () =>
      damaged(PLAIN, (disk) => {
        for (const name of disk.list()) {
          if (name.startsWith("state.wal")) disk.contents(name).fill(0xdb);
        }
      }),
    steps: ["truncate"],
    tipOp: 0n,
  },
  {
    name: "everything of a log with a snapshot",
    disk: () =>
      damaged(SNAPPED, (disk) => {
        for (const name of disk.list()) {
          if (name.startsWith("state.wal")) disk.contents(name).fill(0xdb);
        }
      }),
    steps: ["reset"],
    tipOp: 60n,
  },
  {
    name: "both snapshots",
    disk: () => damaged(SNAPPED, flip(SNAPSHOT_FILE, 700), flip(SNAPSHOT_PREVIOUS_FILE, 700)),
    steps: ["start_over"],
    tipOp: 0n,
  },
];

/** The steps that a replica says it takes. */
function stepsOf({ lines }: LoneReplica): string[] {
  return lines.flatMap((line) => {
    const step = /^warn giving up what is damaged: step=(\w+)/.exec(line)?.[1];
    if (step !== undefined) return [step];
    return line.startsWith("info log mended from peers") ? ["mend"] : [];
  });
}

Deno.test("Repair does the least that helps, and keeps the vote only when nothing is lost", () => {
  for (const { name, disk: make, steps, tipOp } of CASES) {
    const disk = make();
    const lone = reopen(disk);
    live(lone, BOTH_HONEST);
    assertEquals(stepsOf(lone), steps, `${name}: ${lone.lines.join("\n")}`);
    if (steps.includes("mend")) {
      assertWhole(lone, disk, name);
      continue;
    }
    const status = lone.replica.status();
    assertEquals([status.role, metadataOf(disk).role], ["recovering", "recovering"], name);
    assertEquals(metadataOf(disk).vote, null);
    if (tipOp !== "some") assertEquals(status.tipOp, tipOp, name);
    else assert(status.tipOp < ENTRIES && status.tipOp > 0n, `${name}: ${status.tipOp}`);
    if (status.tipOp > 0n) {
      assertEquals(status.tipHash, PEER.node.writer.hashAt(status.tipOp), name);
    }
  }
});

Deno.test("a replica gives nothing up for a snapshot that cannot be read, and is what it was when it can be", () => {
  const only = directoryOf(0n, [30n]).disk;
  const older = directoryOf(0n, [10n]).disk.contents(SNAPSHOT_FILE).slice();
  const ahead = damaged(SNAPPED, (disk) => disk.install(SNAPSHOT_PREVIOUS_FILE, older));
  for (const [name, base] of Object.entries({ only, "behind which the log begins": ahead })) {
    const disk = base.crash("keep");
    disk.makeUnreadable(SNAPSHOT_FILE, 512, 1_024);
    const before = filesOf(disk);
    const lone = reopen(disk);
    live(lone, BOTH_HONEST, 12_000);
    assertEquals([lone.replica.status().role, stepsOf(lone)], ["faulted", []], name);
    assertEquals([filesOf(disk), metadataOf(disk).role], [before, "backup"], name);
    disk.heal();
    live(lone, BOTH_HONEST, 60_000);
    assertWhole(lone, disk, name);
  }
});

Deno.test("Repair keeps damaged snapshots under another name", () => {
  const disk = CASES.find(({ steps }) => steps[0] === "start_over")!.disk();
  live(reopen(disk), BOTH_HONEST);
  const names = fileNames(disk).filter((name) => name.startsWith("state.snapshot"));
  assertEquals(names, [`${SNAPSHOT_FILE}.damaged`, `${SNAPSHOT_PREVIOUS_FILE}.damaged`]);
});

const SURVIVALS: readonly Survival[] = ["keep", "lose", new SeededRandom(1), new SeededRandom(2)];

function filesOf(disk: MemoryDisk): Record<string, string> {
  const { [METADATA_FILE]: _metadata, ...files } = diskImage(disk);
  return files;
}

Deno.test("Repair has durably given up the vote before it drops anything, whenever the power fails", () => {
  for (const { name, disk: make, steps } of CASES.filter(({ steps }) => steps[0] !== "mend")) {
    const whole = make();
    live(reopen(whole), BOTH_HONEST);
    const before = filesOf(make());
    let given = 0;
    for (let nth = 1; nth <= whole.operations; nth++) {
      for (const survival of SURVIVALS) {
        const disk = make();
        disk.plan({ nth, effect: "crash" });
        try {
          live(reopen(disk), BOTH_HONEST);
        } catch (error) {
          assert(error instanceof CrashSignal);
        }
        const after = disk.crash(survival);
        if (metadataOf(after).role !== "recovering") {
          assertEquals(filesOf(after), before, `${name}, operation ${nth}`);
          continue;
        }
        given++;
        const again = reopen(after);
        live(again, BOTH_HONEST);
        const { role } = again.replica.status();
        assertEquals(role, "recovering", `${name}, operation ${nth}: ${again.lines.join("\n")}`);
      }
    }
    assertGreater(given, 0, `${name} ${steps}`);
  }
});

Deno.test("Repair drops nothing when the vote cannot be given up", () => {
  const make = CASES.find(({ name }) => name === "the last entry")!.disk;
  for (const action of ["write", "sync"] as const) {
    const disk = make();
    const before = filesOf(disk);
    disk.plan({ nth: 1, action, effect: "io_error" });
    const lone = reopen(disk);
    assertEquals([lone.replica.status().role, filesOf(disk)], ["faulted", before]);
    live(lone, BOTH_HONEST);
    assertEquals(lone.replica.status().role, "recovering", "the disk came back");
  }
});

Deno.test("mending goes on after a power failure anywhere in it, and keeps the vote", () => {
  for (const { name, disk: make } of CASES.filter(({ steps }) => steps[0] === "mend")) {
    const whole = make();
    live(reopen(whole), BOTH_HONEST);
    for (let nth = 1; nth <= whole.operations; nth++) {
      for (const survival of SURVIVALS) {
        const disk = make();
        disk.plan({ nth, effect: "crash" });
        try {
          live(reopen(disk), BOTH_HONEST);
        } catch (error) {
          assert(error instanceof CrashSignal);
        }
        const after = disk.crash(survival);
        const lone = reopen(after);
        live(lone, BOTH_HONEST);
        assertWhole(lone, after, `${name}, operation ${nth}`);
      }
    }
  }
});

Deno.test("one sound peer is enough to mend a log, whatever the other one does", () => {
  for (const { name, disk: make } of CASES.filter(({ steps }) => steps[0] === "mend")) {
    for (const [manner, peer] of Object.entries(HOSTILE)) {
      for (const place of [2, 3]) {
        const disk = make();
        const lone = reopen(disk);
        const asked = live(lone, { 2: honest(), 3: honest(), [place]: peer });
        assertWhole(lone, disk, `${name}, ${place} is ${manner}: ${lone.lines.join("\n")}`);
        assertLess(asked, 400);
      }
    }
  }
});

Deno.test("peers that are of no use cost the vote after their time, are not asked at full speed, and alter nothing", () => {
  // Who alters the last frame only may help with the others, and who is silent says nothing.
  const manners = Object.keys(HOSTILE).filter((manner) =>
    manner !== "altersLast" && manner !== "silent"
  );
  for (const [i, manner] of manners.entries()) {
    const disk = CASES[0]!.disk();
    const lone = reopen(disk);
    assertEquals(lone.replica.status().role, "recovering", "it asks");
    const other = HOSTILE[manners[(i + 1) % manners.length]!]!;
    const asked = live(lone, { 2: HOSTILE[manner]!, 3: other });
    assertLess(asked, 600, manner);
    assertEquals(stepsOf(lone), ["truncate"], manner);
    assertGreater(lone.clock.ms, 10_000 - 1);
    const { role, tipOp, tipHash } = lone.replica.status();
    assertEquals([role, tipHash], ["recovering", PEER.node.writer.hashAt(tipOp)], manner);
  }
});

Deno.test("a replica keeps its vote while no majority has said that it cannot help, and mends when somebody can", () => {
  for (const [manner, peer] of Object.entries(HOSTILE)) {
    const disk = CASES[0]!.disk();
    const lone = reopen(disk);
    const asked = live(lone, {
      2: HOSTILE.silent!,
      3: manner === "altersLast" ? HOSTILE.empty! : peer,
    });
    assertLess(asked, 600, manner);
    lone.run(60_000);
    assertEquals([stepsOf(lone), lone.replica.status().role], [[], "recovering"], manner);
    live(lone, { 2: honest(), 3: HOSTILE.silent! });
    assertWhole(lone, disk, manner);
  }
});

Deno.test("a replica keeps its vote when more is damaged while it mends", () => {
  const disk = CASES[0]!.disk();
  const lone = reopen(disk);
  let more = 4;
  const peer: Peer = (m) => {
    if (more-- > 0) flip(SEALED, 1_600 - 300 * more)(disk);
    return honest()(m);
  };
  live(lone, { 2: peer, 3: peer });
  assert(more < 0);
  assertWhole(lone, disk, lone.lines.join("\n"));
});

Deno.test("Repair takes no answer to another question, from somebody else, or for what it has", () => {
  const disk = CASES[0]!.disk();
  const lone = reopen(disk);
  const asked = lone.sent.map(({ message }) => message).find((m) => m.kind === "get_log_range");
  assert(asked?.kind === "get_log_range");
  const to = lone.sent.find(({ message }) => message === asked)!.to;
  const good = { kind: "log_range", requestId: asked.requestId, ...honest()(asked)! } as const;
  const sent = lone.sent.length;
  lone.replica.receive(to, { ...good, requestId: good.requestId + 1n });
  lone.replica.receive(5n - to, good);
  assertEquals([lone.sent.length, lone.replica.digest()], [sent, undefined]);
  lone.replica.receive(to, good);
  lone.replica.receive(to, good);
  live(lone, BOTH_HONEST);
  assertWhole(lone, disk, "in the end");
});

Deno.test("Repair asks somebody else as soon as entries do not follow, and again for the same", () => {
  const disk = CASES.find(({ name }) => name === "most of a sealed segment")!.disk();
  const lone = reopen(disk);
  const questions = (): [bigint, GetLogRange][] =>
    lone.sent.flatMap(({ to, message }) => message.kind === "get_log_range" ? [[to, message]] : []);
  const [[to, first]] = questions() as [[bigint, GetLogRange]];
  const answer = HOSTILE.stranger!(first)!;
  assertGreater(answer.frames.length, 0);
  lone.replica.receive(to, { kind: "log_range", requestId: first.requestId, ...answer });
  const [other, second] = questions()[1]!;
  assertEquals([other, { ...second, requestId: 0n }], [5n - to, { ...first, requestId: 0n }]);
});

Deno.test("Repair gives nothing up for data of others, of later versions, or without peers", () => {
  const cases: [string, MemoryDisk, readonly bigint[], RegExp][] = [
    ["alone", CASES[0]!.disk(), [1n], /^state\.wal\.\d+ at byte \d+: \w+$/],
    ["alone, end in doubt", damaged(PLAIN, tornEnd), [1n], /^state\.wal at byte \d+: \w+$/],
    [
      "a snapshot of other bounds",
      damaged(SNAPPED, (disk) => {
        const other = NodeHarness.start({ core: { maxResources: 100 } });
        other.commit(create(1n));
        other.checkpoint();
        disk.install(SNAPSHOT_FILE, other.disk.contents(SNAPSHOT_FILE));
      }),
      [1n, 2n, 3n],
      /^state\.snapshot: .*other core\.\* bounds/,
    ],
  ];
  for (const [name, disk, members, reason] of cases) {
    const before = diskImage(disk);
    const lone = reopen(disk, members);
    live(lone, BOTH_HONEST, 12_000);
    const { role, faultReason } = lone.replica.status();
    assertEquals([role, diskImage(disk)], ["faulted", before], name);
    assertMatch(faultReason!, reason, name);
  }
});

Deno.test("a single replica mends by itself what needs no entries", () => {
  const disk = damaged(PLAIN, flip(SEALED, 20));
  assertWhole(reopen(disk, [1n]), disk, "a header");
});
