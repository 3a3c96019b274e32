/** What becomes for good of a replica that is not in the core in which trouble ends. */
import type { SeededRandom } from "../random.ts";
import { mend } from "../world/rest.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { ClusterWorld } from "../world/world.ts";

/**
 * Every fate. None lets a replica lead some of the core: the others would rightly wait for ever. Source: docs/simulator.md#liveness.
 */
export const FATES = [
  /** Its process has ended. */
  "down",
  "paused",
  "cut_off",
  /** It hears nothing; some of the others, or all, hear it. */
  "deaf",
  /** It is not heard; it hears some of the others, or all. */
  "mute",
  /** It starts on a disk that takes nothing: it can lead no view, since it cannot write down that it does. */
  "broken_disk",
  /** It speaks another version. */
  "skewed",
] as const;

/** One of {@linkcode FATES}. */
export type FateName = typeof FATES[number];

/** Whose fate, and what chance adds to it. */
export interface Fate {
  /** Position of the replica, from 0. */
  readonly replica: number;
  readonly fate: FateName;
  /** Any 32-bit number. */
  readonly seed: number;
}

/** Lets a replica meet its fate, whatever it met before. */
export function meet(
  world: ClusterWorld,
  machine: ClusterMachine,
  fate: FateName,
  random: SeededRandom,
): void {
  world.note(() => `${machine.id} is ${fate} for good`);
  mend(machine);
  switch (fate) {
    case "down":
      return machine.kill();
    case "paused":
      return machine.pause();
    case "cut_off":
      return world.network.isolate(machine.id);
    case "deaf":
      return cutDirections(world, machine, true, random);
    case "mute":
      return cutDirections(world, machine, false, random);
    case "broken_disk":
      machine.kill();
      machine.disk.failing = "io_error";
      return machine.start();
    case "skewed":
      machine.kill();
      machine.protocolVersion++;
      return machine.start();
  }
}

function cutDirections(
  { members, network }: ClusterWorld,
  { id }: ClusterMachine,
  isDeaf: boolean,
  random: SeededRandom,
): void {
  const isPartial = random.oneIn(2);
  for (const peer of members) {
    if (peer === id) continue;
    const isSecondCut = isPartial && random.oneIn(2);
    if (isDeaf || isSecondCut) network.cut(peer, id);
    if (!isDeaf || isSecondCut) network.cut(id, peer);
  }
}
