/**
 * Clocks that leap, change their pace and stand still. The port promises monotonic milliseconds from an arbitrary
 * origin: a running process never sees its clock go back, and after a reboot it counts from anywhere.
 */
import type { ClusterMachine } from "../world/machine.ts";
import type { FaultAct, Scene } from "./scene.ts";

/** The slowest and the fastest pace: apart by less than the factor of 2 that leases leave room for. */
export const CLOCK_RATES = [0.8, 1.25] as const;

/** A pace between the two. */
export function drawRate(scene: Pick<Scene, "random">): number {
  const [min, max] = CLOCK_RATES;
  return min + scene.random.below(1_001) / 1_000 * (max - min);
}

/** As after a migration that the guest's clock took part in. */
function jump(scene: Scene, machine: ClusterMachine): void {
  const ms = 1 + scene.random.below(scene.random.oneIn(3) ? 20_000 : 1_500);
  scene.world.clocks.leapt(ms);
  machine.clockOffsetMs += ms;
}

function changePace(scene: Scene, machine: ClusterMachine): void {
  const rate = drawRate(scene);
  scene.world.clocks.paced(rate);
  machine.setClockRate(rate);
}

/** A reboot: the clock begins anew, before or after where it was. */
function restart(scene: Scene, machine: ClusterMachine): void {
  machine.crash(scene.random);
  machine.clockOffsetMs = scene.random.below(1_000_000) -
    scene.world.queue.nowMs * machine.clockRate;
  scene.later(scene.lasting(), () => machine.start());
}

/** A machine sleeps, and its clock with it: it believes that no time has passed. */
function suspend(scene: Scene, machine: ClusterMachine): void {
  const { queue } = scene.world;
  if (machine.isPaused || !machine.isRunning) return scene.miss();
  machine.pause();
  const { nowMs: fromMs } = queue;
  const { incarnation } = machine;
  scene.later(scene.lasting(), () => {
    // Who was started or woken up by somebody else meanwhile has seen its clock go on.
    if (!machine.isPaused || machine.incarnation !== incarnation) return;
    const ms = (queue.nowMs - fromMs) * machine.clockRate;
    scene.world.clocks.leapt(ms);
    machine.clockOffsetMs -= ms;
    machine.resume();
  });
}

/** What each of these faults does. */
export const CLOCK_FAULTS = {
  clock_jump: (scene) => jump(scene, scene.any()),
  clock_pace: (scene) => changePace(scene, scene.any()),
  clock_restart: (scene) => restart(scene, scene.any()),
  suspend: (scene) => suspend(scene, scene.any()),
} as const satisfies Record<string, FaultAct>;
