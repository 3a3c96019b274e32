// A replica's log is cut, begins anew behind a snapshot, is mended or truncated, and the power fails at every operation of
// that, and again at every operation of the start that follows. The log must be the old one or the new one, and stay
// what it was seen to be.
import { assert, assertEquals } from "@std/assert";
import { createTip, type Tip, TipWord } from "../../core/log_tip.ts";
import { readU64, writeU64 } from "../../core/words.ts";
import { DiskFault } from "../../node/disk.ts";
import { salvageLog } from "../../node/log/recovery.ts";
import { mendLog, resetLog, type SalvageResult, truncateLog } from "../../node/log/salvage.ts";
import type { LogWriter } from "../../node/log/store.ts";
import { append, flush, open, put, SMALL, wordsOf } from "../support/log_driver.ts";
import { IDENTITY } from "../support/log_frames.ts";
import { CrashSignal, MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import type { Survival } from "../../testbed/sim/disk/memory_file.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

const SIZES = { ...SMALL, segmentBytes: 1536, batchBytes: 1024, zeroAheadBytes: 512 };
const MODES: readonly ("keep" | "lose" | "mix")[] = ["keep", "lose", "mix", "mix"];

/** All of a log: the op before the first entry and the entries. */
interface State {
  readonly base: bigint;
  readonly texts: readonly string[];
}

function survival(mode: "keep" | "lose" | "mix", random: SeededRandom): Survival {
  return mode === "mix" ? random : mode;
}

function tipOf(op: bigint, hash: bigint): Tip {
  const tip = createTip();
  for (const [i, value] of [op, op, 7n, 9n, hash].entries()) writeU64(tip, i * 2, value);
  return tip;
}

/** A log of several segments and its writer. */
function makeLog(seed: number, batches: readonly number[]): { disk: MemoryDisk; state: State } {
  const disk = new MemoryDisk({ seed });
  const { recovery } = open(disk, SIZES);
  assert(recovery.kind === "recovered");
  const texts = append(recovery.writer, batches);
  assert(disk.list().length >= 3);
  return { disk, state: { base: 0n, texts } };
}

/** Opens a log and answers all of it; `undefined` when the plan struck. */
function stateOf(disk: MemoryDisk): { state: State; writer: LogWriter } | undefined {
  try {
    const { recovery, frames } = open(disk, SIZES);
    assert(recovery.kind === "recovered", Deno.inspect(recovery));
    const base = readU64(recovery.facts.base, TipWord.op);
    return { state: { base, texts: frames }, writer: recovery.writer };
  } catch (error) {
    if (error instanceof CrashSignal) return undefined;
    throw error;
  }
}

/** Runs an action that the plan of its disk may strike; whether it did not. */
function survives(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof CrashSignal) return false;
    throw error;
  }
}

function assertOneOf(state: State, states: readonly State[]): void {
  const text = Deno.inspect(state);
  assert(states.some((other) => Deno.inspect(other) === text), text);
}

/** Crashes in every operation of the start, too: what the log was seen to be, it stays. */
function settle(disk: MemoryDisk, states: readonly State[], random: SeededRandom): void {
  const seen = stateOf(disk.crash("keep"))!.state;
  assertOneOf(seen, states);
  for (let nth = 1;; nth++) {
    const again = disk.crash("keep");
    again.plan({ nth, effect: "crash" });
    const opened = stateOf(again);
    const later = again.crash(survival(MODES[nth % 4]!, random));
    assertEquals(stateOf(later)?.state, seen);
    if (opened !== undefined) return;
  }
}

/** Tries an action on copies of a disk, with a crash at each of its operations and every way that may end. */
function sweep(
  disk: MemoryDisk,
  prepare: (disk: MemoryDisk) => () => void,
  check: (crashed: MemoryDisk, random: SeededRandom) => void,
): number {
  const random = new SeededRandom(5);
  for (let nth = 1;; nth++) {
    const struck = disk.crash("keep");
    const act = prepare(struck);
    struck.plan({ nth, effect: "crash" });
    const isDone = survives(act);
    for (const mode of MODES) check(struck.crash(survival(mode, random)), random);
    if (isDone) return nth;
  }
}

Deno.test("LogWriter.cutAfter() leaves the old log or the new, whenever the power fails", () => {
  const { disk, state } = makeLog(1, [3, 3, 2, 3, 2, 3]);
  let points = 0;
  for (let kept = 0; kept <= state.texts.length; kept++) {
    const cut = { base: 0n, texts: state.texts.slice(0, kept) };
    points += sweep(
      disk,
      (disk) => {
        const { writer } = stateOf(disk)!;
        return () => assertEquals(writer.cutAfter(BigInt(kept)), undefined);
      },
      (crashed, random) => settle(crashed, [state, cut], random),
    );
  }
  assert(points > state.texts.length * 5, `${points}`);
});

Deno.test("LogWriter.restartAt() leaves the old log or the new, whenever the power fails", () => {
  const { disk, state } = makeLog(2, [3, 3, 2, 3, 2, 3]);
  const last = BigInt(state.texts.length);
  for (const op of [1n, 4n, last - 1n, last, last + 1n, last + 90n]) {
    const tip = tipOf(op, 77n);
    sweep(
      disk,
      (disk) => {
        const { writer } = stateOf(disk)!;
        return () => assertEquals(writer.restartAt(tip), undefined);
      },
      (crashed, random) => settle(crashed, [state, { base: op, texts: [] }], random),
    );
  }
});

/** A byte of a frame in each segment but the last, and its header's. */
function damage(disk: MemoryDisk, place: number): void {
  const names = disk.list().filter((name) => name !== "state.wal").sort();
  for (const name of names) disk.contents(name)[place]! ^= 4;
}

function salvage(disk: MemoryDisk): ReturnType<typeof salvageLog> {
  const ignore = (): undefined => undefined;
  const visitor = { begin: ignore, frame: ignore };
  return salvageLog(disk, IDENTITY, { ...SIZES, expectFresh: false }, visitor);
}

/** Everything that is missing, from a sound copy. */
function fill(disk: MemoryDisk, peer: LogWriter): SalvageResult {
  const found = salvage(disk);
  if (found.kind !== "damaged") return { kind: "done" };
  const frames = found.holes.map(({ firstOp, lastOp }) => {
    const parts: number[] = [];
    for (let op = firstOp; op <= lastOp; op++) {
      const read = peer.readFrames(op, 0);
      assert(read.kind === "frames");
      parts.push(...read.frames);
    }
    return Uint8Array.from(parts);
  });
  return mendLog(disk, IDENTITY, SIZES, frames);
}

Deno.test("mendLog() can be done again, whenever the power fails", () => {
  const { disk, state } = makeLog(3, [3, 3, 2, 3, 2, 3, 2]);
  const peer = stateOf(disk.crash("keep"))!.writer;
  for (const place of [40, 530, 900, 1535]) {
    const broken = disk.crash("keep");
    damage(broken, place);
    sweep(
      broken,
      (disk) => () => assertEquals(fill(disk, peer), { kind: "done" }),
      (crashed, random) => {
        assertEquals(fill(crashed, peer), { kind: "done" });
        settle(crashed, [state], random);
      },
    );
  }
});

Deno.test("truncateLog() and resetLog() can be done again, whenever the power fails", () => {
  const { disk, state } = makeLog(4, [3, 3, 2, 3, 2, 3, 2]);
  for (const place of [40, 530, 900]) {
    const broken = disk.crash("keep");
    damage(broken, place);
    const found = salvage(broken);
    assert(found.kind === "damaged");
    const op = readU64(found.prefixTip!, TipWord.op);
    const kept = { base: 0n, texts: state.texts.slice(0, Number(op)) };
    const truncate = (disk: MemoryDisk): void => {
      if (salvage(disk).kind !== "damaged") return;
      assertEquals(truncateLog(disk, IDENTITY, SIZES), { kind: "done" });
    };
    sweep(broken, (disk) => () => truncate(disk), (crashed, random) => {
      truncate(crashed);
      settle(crashed, [kept], random);
    });
    const reset = (disk: MemoryDisk): void => {
      assertEquals(resetLog(disk, IDENTITY, SIZES, tipOf(5n, 3n)), { kind: "done" });
    };
    sweep(broken, (disk) => () => reset(disk), (crashed, random) => {
      reset(crashed);
      settle(crashed, [{ base: 5n, texts: [] }], random);
    });
  }
});

/** What may be believed of a log: one of these, and of the last one any prefix with what was acknowledged. */
interface Belief {
  states: State[];
  acknowledged: number;
  author: number;
}

/** Opens the log, which must be what may be believed; from then on that is what is known. */
function recover(disk: MemoryDisk, belief: Belief): LogWriter {
  const { recovery, frames } = open(disk, SIZES);
  if (recovery.kind === "disk_fault") throw recovery.fault;
  assert(recovery.kind === "recovered", Deno.inspect(recovery));
  const base = readU64(recovery.facts.base, TipWord.op);
  const found = belief.states.find((state, i) => {
    const skipped = Number(base - state.base);
    const isLast = i === belief.states.length - 1;
    const least = isLast ? belief.acknowledged : state.texts.length;
    const shown = skipped + frames.length;
    return skipped >= 0 && shown >= least &&
      Deno.inspect(state.texts.slice(skipped, shown)) === Deno.inspect(frames);
  });
  assert(found !== undefined, Deno.inspect({ belief, base, frames }));
  belief.states = [{ base, texts: frames }];
  belief.acknowledged = frames.length;
  belief.author++;
  return recovery.writer;
}

/** Appends, cuts, deletes and begins anew, until the plan strikes or for a while. */
function live(disk: MemoryDisk, belief: Belief, random: SeededRandom): void {
  const writer = recover(disk, belief);
  for (let step = 0; step < 14; step++) {
    const state = belief.states[belief.states.length - 1]!;
    const last = state.base + BigInt(state.texts.length);
    const kind = random.below(12);
    if (kind < 2) {
      const kept = Number(writer.firstOp - 1n - state.base) +
        random.below(Number(last - writer.firstOp) + 2);
      const next = { base: state.base, texts: state.texts.slice(0, kept) };
      change(belief, next, () => writer.cutAfter(state.base + BigInt(kept)));
    } else if (kind === 2) {
      const op = last - 2n + BigInt(random.below(6));
      const tip = tipOf(op < 1n ? 1n : op, BigInt(random.nextU32()) + 1n);
      writeU64(tip, TipWord.view, readU64(writer.tip, TipWord.view));
      writeU64(tip, TipWord.slot, readU64(writer.tip, TipWord.slot));
      const next = { base: readU64(tip, TipWord.op), texts: [] };
      change(belief, next, () => writer.restartAt(tip));
    } else if (kind < 5) {
      const op = state.base + BigInt(random.below(state.texts.length + 1));
      const fault = writer.removeSegmentsThrough(wordsOf(op));
      if (fault !== undefined) throw fault;
    } else appendBatch(writer, belief, 1 + random.below(3));
  }
}

/** Until an action has ended, the log may be what it was or what it is to be. */
function change(belief: Belief, next: State, act: () => DiskFault | undefined): void {
  const [before] = belief.states;
  belief.states = [before!, next];
  belief.acknowledged = next.texts.length;
  const fault = act();
  if (fault !== undefined) throw fault;
  belief.states = [next];
}

function appendBatch(writer: LogWriter, belief: Belief, count: number): void {
  const [state] = belief.states;
  const texts = [...state!.texts];
  for (let i = 0; i < count; i++) texts.push(put(writer, belief.author));
  belief.states = [{ base: state!.base, texts }];
  const fault = flush(writer);
  if (fault !== undefined) throw fault;
  belief.acknowledged = texts.length;
}

Deno.test("a replica's log survives life after life of cuts, restarts, crashes and faults", () => {
  for (let seed = 0; seed < 250; seed++) {
    const random = new SeededRandom(seed);
    const belief: Belief = { states: [{ base: 0n, texts: [] }], acknowledged: 0, author: 0 };
    let disk = new MemoryDisk({ seed });
    for (let life = 0; life < 12; life++) {
      const effect = random.oneIn(3) ? "io_error" : "crash";
      disk.plan({ nth: 1 + random.below(50), effect, tornBytes: random.below(1024) });
      try {
        live(disk, belief, random);
      } catch (error) {
        if (!(error instanceof CrashSignal || error instanceof DiskFault)) throw error;
      }
      if (effect === "crash" || random.oneIn(2)) {
        disk = disk.crash(survival(MODES[random.below(4)]!, random));
      }
      disk.plan(undefined);
    }
    recover(disk, belief);
    recover(disk.crash("lose"), belief);
  }
});
