/** Processes that end, stand still or are of another version. None of it takes what was durable. */
import { PEER_PROTOCOL_VERSION } from "../../../node/peer/message_types.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { FaultAct, Scene } from "./scene.ts";

/** Shorter ones are crashes like others, in milliseconds. */
const OUTAGE_MS_MIN = 800;

/** The power of one machine fails, in one life of three with nothing written but what was synced. */
export function crash(scene: Scene, machine: ClusterMachine): void {
  machine.crash(scene.random.oneIn(3) ? "lose" : scene.random);
  startLater(scene, machine);
}

/** Whatever ends a process meanwhile, it is started again. */
export function startLater(scene: Scene, machine: ClusterMachine): void {
  scene.later(scene.lasting(), () => machine.start());
}

function kill(scene: Scene, machine: ClusterMachine): void {
  machine.kill();
  startLater(scene, machine);
}

function pause(scene: Scene, machine: ClusterMachine): void {
  machine.pause();
  scene.later(scene.lasting(), () => machine.resume());
}

/** How often to look for a successor, and when next, in milliseconds. */
const LOOKS_MAX = 200;
const LOOK_MS = 10;
/** Entries of a successor, so that readers know of some. */
const NEW_ENTRIES = 4;

/** A primary sleeps, cut off, until others have gone on without it; it wakes up and does not know. */
function oversleep(scene: Scene, machine: ClusterMachine): void {
  scene.world.network.isolate(machine.id);
  machine.pause();
  awaitSuccessor(scene, machine, scene.world.judges.truth.op + NEW_ENTRIES, 0);
}

function awaitSuccessor(scene: Scene, machine: ClusterMachine, op: number, looks: number): void {
  const { primary, judges, network } = scene.world;
  const isReplaced = primary !== undefined && primary !== machine && judges.truth.op >= op;
  if (!isReplaced && looks < LOOKS_MAX) {
    return scene.later(LOOK_MS, () => awaitSuccessor(scene, machine, op, looks + 1));
  }
  scene.later(scene.random.below(8 * LOOK_MS), () => {
    machine.resume();
    scene.later(scene.lasting(), () => network.heal());
  });
}

/** Ends and starts a few times, sooner each time than anything could come to rest. */
function killAgain(scene: Scene, machine: ClusterMachine, left: number): void {
  if (scene.random.oneIn(2)) machine.kill();
  else machine.crash(scene.random);
  scene.later(1 + scene.random.below(60), () => {
    machine.start();
    if (left > 1) scene.later(scene.random.below(400), () => killAgain(scene, machine, left - 1));
  });
}

/** One machine is away for so long that the others have removed what it lacks: they checkpoint again and again. */
function outage(scene: Scene, machine: ClusterMachine): void {
  if (scene.random.oneIn(2)) machine.kill();
  else machine.crash(scene.random);
  const untilMs = scene.world.queue.nowMs + Math.max(scene.strike.forMs, OUTAGE_MS_MIN);
  const goOn = (): void => {
    if (scene.world.queue.nowMs >= untilMs) return machine.start();
    for (const other of scene.world.machines) {
      if (other !== machine) other.reachSubject((subject) => subject.checkpoint(() => {}));
    }
    scene.later(20 + scene.random.below(200), goOn);
  };
  goOn();
}

/** A machine starts with a program of a version that nobody else speaks, and later with the old one again. */
function skew(scene: Scene, machine: ClusterMachine): void {
  restartAs(machine, PEER_PROTOCOL_VERSION + 1);
  scene.later(scene.lasting(), () => restartAs(machine, PEER_PROTOCOL_VERSION));
}

function restartAs(machine: ClusterMachine, version: number): void {
  machine.kill();
  machine.protocolVersion = version;
  machine.start();
}

/** What each of these faults does. */
export const PROCESS_FAULTS = {
  crash: (scene) => crash(scene, scene.any()),
  crash_primary: (scene) => crash(scene, scene.primary()),
  crash_majority: (scene) => scene.majority().forEach((machine) => crash(scene, machine)),
  power_failure: (scene) => scene.world.machines.forEach((machine) => crash(scene, machine)),
  kill: (scene) => kill(scene, scene.any()),
  kill_again: (scene) => killAgain(scene, scene.any(), 2 + scene.random.below(5)),
  outage: (scene) => outage(scene, scene.any()),
  pause: (scene) => pause(scene, scene.any()),
  pause_primary: (scene) =>
    scene.random.oneIn(2) ? pause(scene, scene.primary()) : oversleep(scene, scene.primary()),
  pause_majority: (scene) => scene.majority().forEach((machine) => pause(scene, machine)),
  version_skew: (scene) => skew(scene, scene.any()),
} as const satisfies Record<string, FaultAct>;
