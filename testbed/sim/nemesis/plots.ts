/**
 * Plots: several things one after the other, each at the worst moment for what has to be remembered. Chance alone takes
 * very many lives to bring them together. What they do to disks they do to victims.
 */
import { METADATA_FILE } from "../../../node/metadata/metadata.ts";
import { PAGE_BYTES } from "../disk/sector.ts";
import type { ClusterMachine } from "../world/machine.ts";
import { isMetadataWhole } from "./fault_atlas.ts";
import { logEnd } from "./log_places.ts";
import { startLater } from "./process_faults.ts";
import { type FaultAct, type Scene, shuffled } from "./scene.ts";

/** How often a plot looks whether it can go on, in milliseconds, and how many times before it goes on anyway. */
const LOOK_MS = 2;
const LOOKS_MAX = 400;
/** The same for entries that a primary collects: for longer it would not lead without a majority. */
const GATHERING_LOOKS_MAX = 60;
/** How long clients go on reading from a primary that has been replaced, in milliseconds, and how many of them. */
const READING_MS = 30;
const READERS_MAX = 6;

/**
 * As few as make a majority commit something that the others do not get. A victim among them loses it, and the rest die:
 * at once, or as soon as the victim counts again. Those who never had it are back.
 */
function forgetCommitted(scene: Scene): void {
  const victim = scene.victim();
  if (victim === undefined) return scene.miss();
  onceLed(scene, victim, (primary) => commitAndForget(scene, primary, victim));
}

function commitAndForget(scene: Scene, primary: ClusterMachine, victim: ClusterMachine): void {
  const { random } = scene;
  const { judges, network } = scene.world;
  const others = shuffled(othersThan(scene, primary, victim), random);
  const witnesses = [primary, ...others.slice(0, quorumOf(scene) - 2)];
  cutBetween(scene, witnesses, others.slice(quorumOf(scene) - 2));
  const isSlow = random.oneIn(2);
  const op = judges.truth.op + 1 + random.below(isSlow ? 30 : 4);
  once(scene, () => judges.truth.op >= op, () => {
    lose(scene, victim, isSlow);
    // What it is told fast enough it has not lost.
    if (isSlow) network.clog(primary.id, victim.id, 0, 1 / (1 + random.below(40)));
    else dieForNow(scene, witnesses);
    victim.start();
    startLater(scene, victim);
    if (isSlow) once(scene, () => isCounted(victim), () => dieForNow(scene, witnesses));
  });
}

/** They stay away until others lead, if others can. */
function dieForNow(scene: Scene, machines: readonly ClusterMachine[]): void {
  const { network } = scene.world;
  for (const machine of machines) machine.crash(scene.random.oneIn(3) ? "lose" : scene.random);
  network.heal();
  once(scene, () => scene.world.primary !== undefined, () => {
    for (const machine of machines) startLater(scene, machine);
  });
}

/** A primary sleeps until others have gone on without it; then those of them that are victims lose all and meet it alone. */
function forgetView(scene: Scene): void {
  const victim = scene.victim();
  if (victim === undefined) return scene.miss();
  onceLed(scene, victim, (primary) => oversleepAndForget(scene, primary));
}

function oversleepAndForget(scene: Scene, primary: ClusterMachine): void {
  const { judges, network } = scene.world;
  const victims = scene.atlas.victims.filter((machine) => machine !== primary);
  network.isolate(primary.id);
  primary.pause();
  const forgetful = scene.random.oneIn(3) ? victims.filter(isMetadataWhole) : [];
  // What they write of the next view is lost in one of its copies.
  for (const { disk } of forgetful) disk.divert({ file: METADATA_FILE, from: 0, to: PAGE_BYTES });
  const op = judges.truth.op + 1 + scene.random.below(4);
  once(scene, () => scene.world.primary !== undefined && judges.truth.op >= op, () => {
    network.heal();
    cutBetween(scene, [primary, ...victims], othersThan(scene, primary, ...victims));
    for (const victim of victims) {
      if (forgetful.includes(victim)) victim.kill();
      else lose(scene, victim);
      victim.disk.divert(undefined);
      scene.world.damaged.add(victim);
      victim.start();
    }
    // They connect first: who wakes up alone soon leaves service.
    scene.later(60 + scene.random.below(300), () => {
      primary.resume();
      scene.later(scene.lasting(), () => network.heal());
    });
  });
}

/**
 * What is said to a primary waits. Meanwhile an operator has the others go on without it and clients find them; then it
 * hears all that was meant for it, and only at the end that it leads no longer.
 */
function lateAnswers(scene: Scene): void {
  if (scene.world.machines.length === 1) return scene.miss();
  onceLed(scene, undefined, (primary) => answerLate(scene, primary));
}

function answerLate(scene: Scene, primary: ClusterMachine): void {
  const { judges, network } = scene.world;
  const others = shuffled(othersThan(scene, primary), scene.random);
  for (const { id } of others) network.hold(id, primary.id);
  // As long as they hear it they keep what they promised it with a lease.
  if (scene.world.hasLeases && scene.random.oneIn(2)) {
    for (const { id } of others) network.cut(primary.id, id);
    scene.later(scene.strike.forMs, () => {
      for (const { id } of others) network.restore(primary.id, id);
    });
  }
  let op = Infinity;
  let looks = 0;
  const haveGoneOn = (): boolean => {
    const successor = scene.world.primary;
    if (successor === primary || successor === undefined) {
      if (looks++ % 10 === 5) ask(others[0]!);
      return false;
    }
    if (op === Infinity) {
      op = judges.truth.op;
      for (const client of scene.world.clients) if (scene.random.oneIn(2)) client.aim(successor);
    }
    return judges.truth.op > op;
  };
  once(scene, haveGoneOn, () => {
    readFrom(scene, primary);
    scene.later(scene.random.below(READING_MS), () => {
      for (const { id } of others) network.release(id, primary.id);
    });
  });
}

/** Clients that have heard of nothing else ask a replica. */
function readFrom(scene: Scene, machine: ClusterMachine): void {
  const { world, random } = scene;
  for (const client of world.clients.slice(0, READERS_MAX)) {
    const id = BigInt(1 + random.below(world.workload.resources));
    scene.later(random.below(READING_MS), () => {
      client.readOnce(true, id, random.oneIn(2), () => {}, machine);
    });
  }
}

/**
 * What one replica acknowledges is on its way for so long that the view is over and another one has begun with the same
 * primary, who has got other entries by then. It takes five: of three, two with an entry have decided it.
 */
function oldAnswers(scene: Scene): void {
  if (scene.world.machines.length < 5) return scene.miss();
  onceLed(scene, undefined, (primary) => acknowledgeForLong(scene, primary));
}

/** A primary and one other have entries that nobody else gets, and what the other one says of them is held back. */
function acknowledgeForLong(scene: Scene, primary: ClusterMachine): void {
  const { world, random } = scene;
  const [slow, ...others] = shuffled(othersThan(scene, primary), random);
  const view = viewOf(primary);
  const tip = tipOf(primary) + 2n + BigInt(random.below(4));
  world.network.hold(slow!.id, primary.id);
  cutBetween(scene, [primary], others);
  once(scene, () => tipOf(primary) >= tip, () => {
    slow!.pause();
    const isReplaced = (): boolean => {
      const isLed = world.primary !== undefined && viewOf(world.primary) > view;
      if (!isLed && random.oneIn(8)) ask(others[0]!);
      return isLed;
    };
    once(scene, isReplaced, () => leadAgain(scene, primary, slow!, others, view));
  }, GATHERING_LOOKS_MAX);
}

/** Without these entries, in the next view that is the primary's; of its new ones there are two copies, and an old answer. */
function leadAgain(
  scene: Scene,
  primary: ClusterMachine,
  slow: ClusterMachine,
  others: readonly ClusterMachine[],
  view: bigint,
): void {
  const { network, members } = scene.world;
  const again = view + BigInt(members.length);
  for (const { id } of others) {
    network.restore(primary.id, id);
    network.restore(id, primary.id);
  }
  const leadsAgain = (): boolean => {
    for (let left = again - viewOf(others[0]!); left > 0n; left--) ask(others[0]!);
    return scene.world.primary === primary && viewOf(primary) === again;
  };
  once(scene, leadsAgain, () => {
    cutBetween(scene, [primary], others.slice((members.length >>> 1) - 1));
    const tip = tipOf(primary) + 2n + BigInt(scene.random.below(8));
    once(scene, () => tipOf(primary) >= tip, () => {
      network.release(slow.id, primary.id);
      scene.later(5, () => {
        network.heal();
        slow.resume();
      });
    }, GATHERING_LOOKS_MAX);
  });
}

/** Goes on when somebody leads, and somebody else than a victim; an operator helps. Otherwise nothing comes of it. */
function onceLed(
  scene: Scene,
  victim: ClusterMachine | undefined,
  goOn: (primary: ClusterMachine) => void,
): void {
  let looks = 0;
  const isLed = (): boolean => {
    const { primary } = scene.world;
    if (primary !== undefined && primary !== victim) return true;
    if (primary === victim && looks++ % 20 === 0) ask(scene.any());
    return false;
  };
  once(scene, isLed, () => {
    const { primary } = scene.world;
    if (primary !== undefined && primary !== victim) goOn(primary);
  });
}

/** Goes on when something holds, or when it has waited for too long. */
function once(scene: Scene, holds: () => boolean, goOn: () => void, looks = LOOKS_MAX): void {
  if (looks === 0 || holds()) return goOn();
  scene.later(LOOK_MS, () => once(scene, holds, goOn, looks - 1));
}

/** A victim loses its disk, or what its log ends with cannot be believed any more, or one copy of its metadata. */
function lose({ world, random }: Scene, victim: ClusterMachine, isAll = random.oneIn(2)): void {
  victim.kill();
  if (isMetadataWhole(victim) && random.oneIn(4)) {
    world.damaged.add(victim);
    return victim.disk.rot(METADATA_FILE, random.below(PAGE_BYTES), 1);
  }
  const end = logEnd(victim.disk, 1 + random.below(4));
  if (end === undefined || isAll) return world.replace(victim);
  world.damaged.add(victim);
  for (let left = 1 + random.below(3); left > 0; left--) {
    victim.disk.rot(end.name, end.from + random.below(end.end - end.from), 1 << random.below(8));
  }
}

function isCounted({ subject }: ClusterMachine): boolean {
  const role = subject?.glance().role;
  return role === "backup" || role === "primary";
}

function ask(machine: ClusterMachine): void {
  machine.reachSubject((subject) => subject.startViewChange());
}

function viewOf({ subject }: ClusterMachine): bigint {
  return subject?.glance().view ?? 0n;
}

function tipOf({ subject }: ClusterMachine): bigint {
  return subject?.status().tipOp ?? 0n;
}

function cutBetween(
  { world }: Scene,
  group: readonly ClusterMachine[],
  others: readonly ClusterMachine[],
): void {
  for (const a of group) for (const b of others) world.network.cutBoth(a.id, b.id);
}

function othersThan({ world }: Scene, ...known: readonly ClusterMachine[]): ClusterMachine[] {
  return world.machines.filter((machine) => !known.includes(machine));
}

function quorumOf({ world }: Scene): number {
  return (world.machines.length >>> 1) + 1;
}

/** What each of these faults does. */
export const PLOTS = {
  forget_committed: forgetCommitted,
  forget_view: forgetView,
  late_answers: lateAnswers,
  old_answers: oldAnswers,
} as const satisfies Record<string, FaultAct>;
