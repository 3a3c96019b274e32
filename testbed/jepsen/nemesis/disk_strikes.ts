/** Strikes against disks and clocks. */
import type { DISK_FAULTS, DiskTrouble } from "../backend/backend.ts";
import type { SeededRandom } from "../../sim/random.ts";
import { shuffled } from "./draw.ts";
import type { Scene } from "./scene.ts";
import type { StrikeKinds } from "./strike_kind.ts";

/** Operations of a disk that are let through first, at most. */
const AFTER_MAX = 40;
/** How much longer the sync of a slow disk takes, in milliseconds. */
const SLOW_MS_MIN = 20;
const SLOW_MS_SPAN = 400;
/** How far clocks are set, in milliseconds either way. */
const SKEW_MS_MAX = 10_000;

/** Each kind of fault that there is; now and then its replica is killed meanwhile. */
export const DISK_STRIKES = {
  disk_eio: { needs: ["disk", "kill"], act: async (scene) => await disk(scene, "eio") },
  disk_enospc: { needs: ["disk", "kill"], act: async (scene) => await disk(scene, "enospc") },
  disk_torn_write: {
    needs: ["disk", "kill"],
    act: async (scene) => await disk(scene, "torn-write"),
  },
  disk_fsync_failure: {
    needs: ["disk", "kill"],
    act: async (scene) => await disk(scene, "fsync-failure"),
  },
  disk_slow: { needs: ["disk", "kill"], act: async (scene) => await disk(scene, "slow") },
  /** A majority at once. */
  disk_slow_two: { needs: ["disk"], act: slowTwo },
} as const satisfies StrikeKinds;

/** Clocks that are wrong. */
export const CLOCK_STRIKES = {
  clock_ahead: { needs: ["clock"], act: async (scene) => await skew(scene, 1) },
  clock_behind: { needs: ["clock"], act: async (scene) => await skew(scene, -1) },
  clock_pace: { needs: ["clock"], act: pace },
  /** Everybody's, each in its own way. */
  clock_all: { needs: ["clock"], act: skewAll },
  /** There and back, again and again. */
  clock_strobe: { needs: ["clock"], act: strobe },
} as const satisfies StrikeKinds;

async function disk(scene: Scene, kind: typeof DISK_FAULTS[number]): Promise<void> {
  const id = scene.random.oneIn(2) ? scene.primary : scene.backups()[0]!;
  await scene.disk(id, drawTrouble(kind, scene.random));
  await scene.hold(scene.durationMs / 2);
  if (!scene.random.oneIn(3)) return await scene.hold(scene.durationMs / 2);
  // Recovery meets the fault as well, unless the disk is good again first.
  const wound = await scene.kill(id);
  if (scene.random.oneIn(2)) await scene.cure(wound);
  await scene.hold(scene.durationMs / 2);
}

/** A fault of this kind. */
export function drawTrouble(
  kind: typeof DISK_FAULTS[number],
  random: SeededRandom,
): DiskTrouble {
  const after = random.oneIn(3) ? 0 : random.below(AFTER_MAX);
  if (kind !== "slow") return { kind, after };
  return { kind, after: 0, delayMs: SLOW_MS_MIN + random.below(SLOW_MS_SPAN) };
}

async function slowTwo(scene: Scene): Promise<void> {
  const [one, other] = scene.everybody();
  await scene.disk(one!, drawTrouble("slow", scene.random));
  await scene.disk(other!, drawTrouble("slow", scene.random));
  await scene.hold();
}

async function skew(scene: Scene, sign: 1 | -1): Promise<void> {
  const id = scene.random.oneIn(3) ? scene.backups()[0]! : scene.primary;
  await scene.clock(id, { skewMs: sign * (1 + scene.random.below(SKEW_MS_MAX)), rate: 1 });
  await scene.hold();
}

async function pace(scene: Scene): Promise<void> {
  const id = scene.random.oneIn(3) ? scene.backups()[0]! : scene.primary;
  await scene.clock(id, { skewMs: 0, rate: drawRate(scene.random) });
  await scene.hold();
}

async function skewAll(scene: Scene): Promise<void> {
  for (const id of shuffled(scene.cast.members, scene.random)) {
    const skewMs = scene.random.below(2 * SKEW_MS_MAX) - SKEW_MS_MAX;
    await scene.clock(id, { skewMs, rate: drawRate(scene.random) });
  }
  await scene.hold();
}

async function strobe(scene: Scene): Promise<void> {
  const { primary, random } = scene;
  const turns = 3;
  for (let i = 0; i < turns; i++) {
    const skewMs = (i % 2 === 0 ? 1 : -1) * (200 + random.below(2_000));
    const wound = await scene.clock(primary, { skewMs, rate: 1 });
    await scene.hold(scene.durationMs / turns / 2);
    await scene.cure(wound);
    await scene.hold(scene.durationMs / turns / 2);
  }
}

/** From half as fast to twice as fast. */
function drawRate(random: SeededRandom): number {
  return (50 + random.below(151)) / 100;
}
