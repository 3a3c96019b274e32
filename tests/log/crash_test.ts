// The power fails at every operation of a log's life: appending, rotating, deleting segments, recovering, and
// recovering from that. What was acknowledged must be there, what was not may be there as a prefix, and
// nothing else ever. Each life has its own author, so that a frame of an earlier life that was given up and
// came back would show.
import { assert, assertEquals } from "@std/assert";
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import type { LogWriter } from "../../node/log/store.ts";
import { flush, open, put, wordsOf } from "../support/log_driver.ts";
import { CrashSignal, MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import type { Survival } from "../../testbed/sim/disk/memory_file.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

const MODES: readonly ("keep" | "lose" | "mix")[] = ["keep", "lose", "mix", "mix"];

/** What the world may believe about a log, whatever happens to the machine. */
interface Belief {
  /** Frames from op 1 on, the last of them perhaps not acknowledged. */
  texts: string[];
  acknowledged: number;
  /** The log may begin behind this op, since segments up to it were deleted. */
  removed: number;
  author: number;
}

Deno.test("a log survives a crash at each operation, and at each operation of the recovery after it", () => {
  let points = 0;
  for (let seed = 0; seed < 12; seed++) {
    for (let nth = 1; crashAt(seed, nth); nth++) points++;
  }
  assert(points > 12 * 40);
});

Deno.test("a log survives life after life of crashes at random operations", () => {
  for (let seed = 0; seed < 150; seed++) {
    const random = new SeededRandom(seed);
    const belief = newBelief();
    let disk = new MemoryDisk({ seed });
    for (let life = 0; life < 12; life++) {
      disk.plan({ nth: 1 + random.below(40), effect: "crash" });
      live(disk, belief, random);
      disk = disk.crash(survival(MODES[random.below(4)]!, random));
    }
    check(disk, belief);
  }
});

Deno.test("a log survives failing syncs and writes, restarts over a stale cache, and crashes", () => {
  for (let seed = 0; seed < 150; seed++) {
    const random = new SeededRandom(seed);
    const belief = newBelief();
    let disk = new MemoryDisk({ seed });
    for (let life = 0; life < 12; life++) {
      const effect = (["io_error", "disk_full", "crash"] as const)[random.below(3)]!;
      disk.plan({ nth: 1 + random.below(40), effect, tornBytes: random.below(1024) });
      live(disk, belief, random);
      // Without a power failure the next start sees the cache: writes whose sync failed included.
      if (effect === "crash" || random.oneIn(2)) {
        disk = disk.crash(survival(MODES[random.below(4)]!, random));
      }
      disk.plan(undefined);
    }
    check(disk, belief);
  }
});

/** One crash at the `nth` operation of a life; false when the life has fewer. */
function crashAt(seed: number, nth: number): boolean {
  const random = new SeededRandom(seed);
  const belief = newBelief();
  const disk = new MemoryDisk({ seed });
  disk.plan({ nth, effect: "crash" });
  live(disk, belief, random);
  if (!hasCrashed(disk)) return false;
  for (const mode of MODES) {
    const before = structuredClone(belief);
    const crashed = disk.crash(survival(mode, random));
    check(crashed.crash("keep"), before);
    for (let again = 1;; again++) {
      const second = crashed.crash("keep");
      second.plan({ nth: again, effect: "crash" });
      const belief = structuredClone(before);
      recover(second, belief);
      if (!hasCrashed(second)) break;
      check(second.crash(survival(mode, random)), belief);
    }
  }
  return true;
}

/** Recovers, then appends, rotates and deletes until the plan strikes, or for a while. */
function live(disk: MemoryDisk, belief: Belief, random: SeededRandom): void {
  try {
    const writer = recover(disk, belief);
    if (writer === undefined) return;
    for (let step = 0; step < 14; step++) {
      if (random.oneIn(5)) removeSome(writer, belief, random);
      else if (!appendBatch(writer, belief, 1 + random.below(4))) return;
    }
  } catch (error) {
    if (!(error instanceof CrashSignal)) throw error;
  }
}

function appendBatch(writer: LogWriter, belief: Belief, count: number): boolean {
  if (writer.failure !== undefined) return false;
  for (let i = 0; i < count; i++) belief.texts.push(put(writer, belief.author));
  if (flush(writer) !== undefined) return false;
  belief.acknowledged = belief.texts.length;
  return true;
}

function removeSome(writer: LogWriter, belief: Belief, random: SeededRandom): void {
  const through = random.below(belief.acknowledged + 1);
  belief.removed = Math.max(belief.removed, through);
  writer.removeSegmentsThrough(wordsOf(BigInt(through)));
}

/** Opens the log and holds what it shows against what may be believed; from then on that is what is known. */
function recover(disk: MemoryDisk, belief: Belief): LogWriter | undefined {
  try {
    const { recovery, frames } = open(disk, { expectFresh: belief.acknowledged === 0 });
    if (recovery.kind === "disk_fault") return undefined;
    if (recovery.kind !== "recovered") throw new Error(JSON.stringify(recovery));
    const skipped = Number(readU64(recovery.facts.base, TipWord.op));
    const shown = skipped + frames.length;
    assert(skipped <= belief.removed, "segments are gone that nobody deleted");
    assert(shown >= belief.acknowledged, `${belief.acknowledged} acknowledged, ${shown} shown`);
    assertEquals(frames, belief.texts.slice(skipped, shown));
    belief.texts.length = shown;
    belief.acknowledged = shown;
    belief.author++;
    return recovery.writer;
  } catch (error) {
    if (error instanceof CrashSignal) return undefined;
    throw error;
  }
}

/** The log opens and shows what it may; a crash right after takes nothing of it back, and so does another. */
function check(disk: MemoryDisk, belief: Belief): void {
  const known = structuredClone(belief);
  let next = disk;
  for (let i = 0; i < 3; i++) {
    assert(recover(next, known) !== undefined);
    next = next.crash("lose");
  }
}

function newBelief(): Belief {
  return { texts: [], acknowledged: 0, removed: 0, author: 0 };
}

function hasCrashed(disk: MemoryDisk): boolean {
  try {
    disk.list();
    return false;
  } catch {
    return true;
  }
}

function survival(mode: "keep" | "lose" | "mix", random: SeededRandom): Survival {
  return mode === "mix" ? random : mode;
}
