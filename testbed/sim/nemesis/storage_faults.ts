/** Storage that does not hold what was written to it, within the budget of a {@linkcode FaultAtlas}; and storage that says so. */
import { METADATA_FILE } from "../../../node/metadata/metadata.ts";
import type { DiskAction } from "../disk/memory_disk.ts";
import { PAGE_BYTES, SECTOR_BYTES } from "../disk/sector.ts";
import type { ClusterMachine } from "../world/machine.ts";
import { type DamagePlace, isMetadataWhole } from "./fault_atlas.ts";
import { startLater } from "./process_faults.ts";
import type { FaultAct, Scene } from "./scene.ts";

/** A few bits of one place change. */
function rot(scene: Scene): void {
  const place = drawDamage(scene);
  if (place === undefined) return scene.miss();
  const { random } = scene;
  const { machine, name, from, end } = place;
  for (let left = 1 + random.below(3); left > 0; left--) {
    machine.disk.rot(name, from + random.below(end - from), 1 << random.below(8));
  }
}

/** Some sectors cannot be read any more. */
function latent(scene: Scene): void {
  const place = drawDamage(scene);
  if (place === undefined) return scene.miss();
  place.machine.disk.makeUnreadable(place.name, place.from, place.end);
}

/** What was written to one place is found at another. */
function misdirect(scene: Scene): void {
  const place = drawDamage(scene);
  if (place === undefined) return scene.miss();
  const { machine, name, from, end } = place;
  const bytes = machine.disk.contents(name).slice(from, end);
  if (!isInside(place) || !isDense(bytes)) return scene.miss();
  machine.disk.loseWritten(name, from, end);
  const landing = scene.atlas.drawPlaceOf(machine, scene.random);
  // A sound entry in a wrong place, right before the last one, leaves the end of a log unproven.
  if (landing === undefined || landing.part === "log" && !scene.atlas.victims.includes(machine)) {
    return;
  }
  const length = Math.min(end - from, landing.end - landing.from);
  machine.disk.landOn(landing.name, landing.from, bytes.subarray(0, length));
}

/** What was written to one place was never written. */
function loseWrite(scene: Scene): void {
  const place = drawDamage(scene);
  if (place === undefined) return scene.miss();
  const { machine, name, from, end, part } = place;
  if (part === "metadata") machine.disk.divert({ file: METADATA_FILE, from: 0, to: PAGE_BYTES });
  else if (isInside(place)) machine.disk.loseWritten(name, from, end);
}

/**
 * Whether nobody can take zeros here for what was never written: the end of a log is none of these places. A victim's
 * other files end with a checksum, or are one sector.
 */
function isInside({ part, name }: DamagePlace): boolean {
  return part !== "any" || !name.startsWith("state.wal");
}

/** Whether no sector of it could pass for a write that a crash has torn. */
function isDense(bytes: Uint8Array): boolean {
  for (let end = SECTOR_BYTES; end <= bytes.length; end += SECTOR_BYTES) {
    if (bytes.subarray(end - 8, end).every((byte) => byte === 0)) return false;
  }
  return true;
}

/** A place, and in one strike of two its machine is down when it is struck. */
function drawDamage(scene: Scene): DamagePlace | undefined {
  const { random, atlas, world } = scene;
  const place = atlas.drawPlace(random);
  if (place === undefined) return undefined;
  const { machine, part } = place;
  if (atlas.victims.includes(machine)) world.damaged.add(machine);
  if (random.oneIn(2)) {
    machine.kill();
    startLater(scene, machine);
    // What was being written when it ended is there or not, and a copy may be the only good one now.
    if (part === "metadata" && !isMetadataWhole(machine)) return undefined;
  }
  world.note(() => `${machine.id}: ${place.name} from ${place.from} to ${place.end}`);
  return place;
}

/** The power fails in the middle of one kind of operation. */
function tearCrash(scene: Scene): void {
  const machine = scene.any();
  const action = pick(scene, TEARABLE);
  machine.disk.plan({ nth: 1 + scene.random.below(4), action, effect: "crash" });
  // Otherwise it is nearly always the log that is written.
  if (scene.random.oneIn(2)) machine.reachSubject((subject) => subject.startViewChange());
  scene.later(scene.lasting(), () => revive(machine));
}

/** There is a little room left, and none after that. */
function fillUp(scene: Scene): void {
  const machine = scene.any();
  const { disk } = machine;
  disk.capacityBytes = disk.usedBytes + scene.random.below(8) * PAGE_BYTES;
  scene.later(scene.lasting(), () => {
    disk.capacityBytes = Infinity;
    revive(machine);
  });
}

/** A sync fails, and what it was to make durable is lost in part; then the power fails, too, or it does not. */
function failSync(scene: Scene): void {
  const machine = scene.any();
  const { disk } = machine;
  disk.plan({ nth: 1 + scene.random.below(4), action: "sync", effect: "io_error" });
  scene.later(scene.lasting(), () => {
    if (scene.random.oneIn(2)) machine.crash(scene.random);
    revive(machine);
  });
}

/** One kind of operation fails, once or for a while. */
function failAction(scene: Scene): void {
  const machine = scene.any();
  const { disk } = machine;
  const effect = pick(scene, ["io_error", "read_only", "disk_full"] as const);
  const action = pick(scene, ACTIONS);
  if (action === "read" || scene.random.oneIn(2)) {
    disk.plan({
      nth: 1 + scene.random.below(4),
      action,
      effect: action === "read" ? "io_error" : effect,
    });
  } else {
    disk.failing = effect;
    disk.failingAction = action;
  }
  scene.later(scene.lasting(), () => {
    disk.failing = disk.failingAction = undefined;
    revive(machine);
  });
}

const TEARABLE: readonly DiskAction[] = [
  "write",
  "write",
  "sync",
  "create",
  "rename",
  "sync_directory",
];

const ACTIONS: readonly DiskAction[] = [
  "create",
  "read",
  "write",
  "sync",
  "rename",
  "remove",
  "sync_directory",
];

/** As a supervisor does it: what has stopped or given up is started again. */
function revive(machine: ClusterMachine): void {
  machine.disk.plan(undefined);
  if (machine.subject?.status().state === "faulted") machine.kill();
  machine.start();
}

function pick<T>({ random }: Scene, all: readonly T[]): T {
  return all[random.below(all.length)]!;
}

/** What each of these faults does. */
export const STORAGE_FAULTS = {
  rot,
  latent,
  misdirect,
  lost_write: loseWrite,
  torn_crash: tearCrash,
  capacity: fillUp,
  fsync: failSync,
  eio: failAction,
} as const satisfies Record<string, FaultAct>;
