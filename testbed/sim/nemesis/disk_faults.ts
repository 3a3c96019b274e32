/** Disks that fail, are full and crawl; and, on a victim's machine alone, a disk that is lost. */
import type { PlannedFault } from "../disk/memory_disk.ts";
import type { ClusterMachine } from "../world/machine.ts";
import { startLater } from "./process_faults.ts";
import type { FaultAct, Scene } from "./scene.ts";

/** A disk that stands still for longer than this stands still when trouble is over, too. */
const STALL_MS_MAX = 1_500;
/** Milliseconds that a write and sync take on a sound disk. */
export const SOUND_DISK_MS = [0.1, 1] as const;

function plan(scene: Scene, machine: ClusterMachine, fault: Omit<PlannedFault, "tornBytes">): void {
  machine.disk.plan({ ...fault, tornBytes: scene.random.below(1_500) });
  scene.later(scene.lasting(), () => revive(machine));
}

function fail(scene: Scene, machine: ClusterMachine): void {
  const { disk } = machine;
  disk.failing = scene.random.oneIn(2) ? "disk_full" : "io_error";
  scene.later(scene.lasting(), () => {
    disk.failing = undefined;
    revive(machine);
  });
}

/** As a supervisor does it: what has stopped or given up is started again. */
function revive(machine: ClusterMachine): void {
  machine.disk.plan(undefined);
  if (machine.subject?.status().state === "faulted") machine.kill();
  machine.start();
}

function slow(scene: Scene, machine: ClusterMachine): void {
  if (machine.isDiskParallel && scene.random.oneIn(2)) return slowLog(scene, machine);
  if (scene.random.oneIn(3)) return machine.stallDisk(Math.min(scene.lasting(), STALL_MS_MAX));
  machine.diskMs = [5, 20 + scene.random.below(400)];
  scene.later(scene.lasting(), () => machine.diskMs = SOUND_DISK_MS);
}

/** The log takes long and other files do not, while views change: what a replica says of itself is ahead of what it holds. */
function slowLog(scene: Scene, machine: ClusterMachine): void {
  machine.logMs = [20, 40 + scene.random.below(400)];
  scene.later(scene.random.below(100), () => {
    scene.any().reachSubject((subject) => subject.startViewChange());
  });
  scene.later(scene.lasting(), () => machine.logMs = undefined);
}

/** A disk is lost with all that it held, and a new one is there with the directory of a replacement. */
function wipe(scene: Scene): void {
  const machine = scene.victim();
  if (machine === undefined) return scene.miss();
  scene.world.replace(machine);
  startLater(scene, machine);
}

/** What each of these faults does. */
export const DISK_FAULTS = {
  crash_midway: (scene) =>
    plan(scene, scene.any(), { nth: 1 + scene.random.below(30), effect: "crash" }),
  slow_disk: (scene) => slow(scene, scene.any()),
  disk_fault: (scene) =>
    plan(scene, scene.any(), { nth: 1 + scene.random.below(6), effect: "io_error" }),
  full_disk: (scene) => fail(scene, scene.any()),
  wipe,
} as const satisfies Record<string, FaultAct>;
