/** Strikes against processes: killed, killed again, frozen, and their data taken. */
import type { Scene, Wound } from "./scene.ts";
import type { StrikeKinds } from "./strike_kind.ts";

/** See the top of this file. */
export const CRASH_STRIKES = {
  kill_primary: { needs: ["kill"], act: async (scene) => await killAll(scene, [scene.primary]) },
  kill_backup: {
    needs: ["kill"],
    act: async (scene) => await killAll(scene, scene.backups().slice(0, 1)),
  },
  /** Nobody serves as long as it lasts. */
  kill_two: {
    needs: ["kill"],
    act: async (scene) => await killAll(scene, scene.everybody().slice(0, 2)),
  },
  kill_all: { needs: ["kill"], act: async (scene) => await killAll(scene, scene.everybody()) },
  /** The primary, and as soon as there is another one, that. */
  kill_successor: { needs: ["kill"], act: killSuccessor },
  /** Killed again while it recovers. */
  kill_again: { needs: ["kill"], act: killAgain },
  /** One after the other, each as soon as the last is back. */
  kill_rolling: { needs: ["kill"], act: killRolling },
} as const satisfies StrikeKinds;

/** Processes that stand still. */
export const PAUSE_STRIKES = {
  pause_primary: { needs: ["pause"], act: async (scene) => await pauseAll(scene, [scene.primary]) },
  pause_backup: {
    needs: ["pause"],
    act: async (scene) => await pauseAll(scene, scene.backups().slice(0, 1)),
  },
  pause_two: {
    needs: ["pause"],
    act: async (scene) => await pauseAll(scene, scene.everybody().slice(0, 2)),
  },
  pause_all: { needs: ["pause"], act: async (scene) => await pauseAll(scene, scene.everybody()) },
  /** For moments, again and again: long enough for a lease, or not. */
  pause_stutter: { needs: ["pause"], act: stutter },
  /** The primary, until there is another one: it wakes as one that does not know. Then that one, and so on. */
  pause_until_replaced: { needs: ["pause"], act: pauseUntilReplaced },
} as const satisfies StrikeKinds;

/** Disks that are empty when their replica comes back. */
export const WIPE_STRIKES = {
  wipe_backup: { needs: ["kill", "wipe"], act: async (scene) => await wipe(scene, false) },
  wipe_primary: { needs: ["kill", "wipe"], act: async (scene) => await wipe(scene, true) },
} as const satisfies StrikeKinds;

/** Times of a process that is killed again and again. */
const AGAIN_MAX = 3;
/** Longest moment in which a process stutters, in milliseconds. */
const STUTTER_MS = 600;
/** So many primaries are replaced at least, each within this many milliseconds or not at all. */
const REPLACED_MIN = 3;
const REPLACED_MS_MAX = 5_000;
/** Between two looks for another primary, in milliseconds. */
const LOOK_MS = 100;
/** How long it serves before the one that slept wakes, in milliseconds; clients have to be told something meanwhile. */
const GONE_ON_MS_MIN = 250;
const GONE_ON_MS_SPAN = 750;
/** How long it goes on until it sleeps itself, in milliseconds. */
const AWAKE_MS_MIN = 50;
const AWAKE_MS_SPAN = 400;

async function killAll(scene: Scene, ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    await scene.kill(id);
    if (scene.random.oneIn(2)) await scene.hold(scene.random.below(100));
  }
  await scene.hold();
}

async function killSuccessor(scene: Scene): Promise<void> {
  const { primary } = scene;
  await scene.kill(primary);
  await scene.hold(scene.durationMs / 2);
  const successor = await scene.servingNow();
  if (successor !== undefined && successor !== primary) await scene.kill(successor);
  await scene.hold(scene.durationMs / 2);
}

async function killAgain(scene: Scene): Promise<void> {
  const id = scene.random.oneIn(2) ? scene.primary : scene.backups()[0]!;
  const times = 2 + scene.random.below(AGAIN_MAX - 1);
  for (let i = 0; i < times; i++) {
    const wound = await scene.kill(id);
    await scene.hold(scene.random.below(scene.durationMs / times));
    await scene.cure(wound);
    await scene.hold(scene.random.below(200));
  }
}

async function killRolling(scene: Scene): Promise<void> {
  const ids = scene.everybody();
  for (const id of ids) {
    const wound = await scene.kill(id);
    await scene.hold(scene.durationMs / ids.length);
    await scene.cure(wound);
  }
}

async function pauseAll(scene: Scene, ids: readonly number[]): Promise<void> {
  for (const id of ids) await scene.pause(id);
  await scene.hold();
}

async function stutter(scene: Scene): Promise<void> {
  const id = scene.random.oneIn(2) ? scene.primary : scene.backups()[0]!;
  let leftMs = scene.durationMs;
  do {
    const wound: Wound = await scene.pause(id);
    const ms = 50 + scene.random.below(STUTTER_MS);
    await scene.hold(ms);
    await scene.cure(wound);
    const awakeMs = 50 + scene.random.below(STUTTER_MS / 2);
    await scene.hold(awakeMs);
    leftMs -= ms + awakeMs;
  } while (leftMs > 0);
}

async function pauseUntilReplaced(scene: Scene): Promise<void> {
  let { primary } = scene;
  let leftMs = scene.durationMs;
  for (let round = 1; leftMs > 0 || round <= REPLACED_MIN; round++) {
    const asleep = await scene.pause(primary);
    let successor: number | undefined;
    let waitedMs = 0;
    while ((successor === undefined || successor === primary) && waitedMs < REPLACED_MS_MAX) {
      await scene.hold(LOOK_MS);
      waitedMs += LOOK_MS;
      successor = await scene.servingNow();
    }
    const goneOnMs = GONE_ON_MS_MIN + scene.random.below(GONE_ON_MS_SPAN);
    await scene.hold(goneOnMs); // What is answered now the sleeper does not know.
    await scene.cure(asleep);
    const awakeMs = AWAKE_MS_MIN + scene.random.below(AWAKE_MS_SPAN);
    await scene.hold(awakeMs);
    leftMs -= waitedMs + goneOnMs + awakeMs;
    primary = successor ?? primary;
  }
}

async function wipe(scene: Scene, isPrimary: boolean): Promise<void> {
  await scene.wipe(isPrimary ? scene.primary : scene.backups()[0]!);
  await scene.hold();
}
