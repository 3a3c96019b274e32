/** One trouble after the other on whichever replicas, without waiting for the last to end. */
import { DISK_FAULTS } from "../backend/backend.ts";
import { drawTrouble } from "./disk_strikes.ts";
import { badLink } from "./network_strikes.ts";
import { oneOf } from "./draw.ts";
import type { Scene } from "./scene.ts";
import type { StrikeKinds } from "./strike_kind.ts";

/** Steps of one storm, at least and at most. */
const STEPS_MIN = 4;
const STEPS_MAX = 10;

/** See the top of this file. */
export const STORM_STRIKES = {
  storm: { needs: ["kill", "pause", "disk", "cut", "isolate", "bad_link", "wipe"], act: rage },
} as const satisfies StrikeKinds;

async function rage(scene: Scene): Promise<void> {
  const steps = STEPS_MIN + scene.random.below(STEPS_MAX - STEPS_MIN + 1);
  for (let i = 0; i < steps; i++) {
    await step(scene);
    await scene.hold(scene.random.below(2 * scene.durationMs / steps));
  }
}

/** Something is put right, or something more goes wrong with a replica that runs. */
async function step(scene: Scene): Promise<void> {
  const { random, wounds } = scene;
  if (wounds.length > 0 && random.oneIn(3)) return await scene.cure(oneOf(wounds, random));
  const still = stopped(scene);
  const id = oneOf(scene.cast.members, random);
  if (still.has(id)) return await cureAllOf(scene, id);
  switch (random.below(8)) {
    case 0:
    case 1:
      await scene.kill(id);
      break;
    case 2:
      await scene.pause(id);
      break;
    case 3:
      await scene.disk(id, drawTrouble(oneOf(DISK_FAULTS, random), random));
      break;
    case 4: {
      const to = oneOf(scene.cast.members.filter((other) => other !== id), random);
      await scene.cut(id, to);
      break;
    }
    case 5:
      await scene.isolate(id);
      break;
    case 6:
      await scene.link("all", id, badLink(random));
      break;
    default:
      await scene.wipe(id);
  }
}

/** Replicas whose process does not run or stands still. */
function stopped({ wounds }: Scene): ReadonlySet<number> {
  const names = ["kill", "pause", "wipe"];
  const still = wounds.filter(({ fault }) => names.includes(fault.name));
  return new Set(still.flatMap(({ fault }) => fault.replicaIds));
}

async function cureAllOf(scene: Scene, id: number): Promise<void> {
  const names = ["kill", "pause", "wipe"];
  for (const wound of scene.wounds.slice().reverse()) {
    const { name, replicaIds } = wound.fault;
    if (names.includes(name) && replicaIds.includes(id)) await scene.cure(wound);
  }
}
