/** Networks that lose, hold back and divide. Nothing that arrives is ever altered: frames have checksums. */
import type { SeededRandom } from "../random.ts";
import type { ClusterMachine } from "../world/machine.ts";
import { crash } from "./process_faults.ts";
import { type FaultAct, type Scene, shuffled } from "./scene.ts";
import { drawWeather } from "./weather.ts";

/** One direction between two replicas. */
type Direction = readonly [from: bigint, to: bigint];

/** Cuts directions, and restores them later, all at once. */
function cut(scene: Scene, directions: readonly Direction[]): void {
  const { network } = scene.world;
  for (const [from, to] of directions) network.cut(from, to);
  scene.later(scene.lasting(), () => {
    for (const [from, to] of directions) network.restore(from, to);
  });
}

/** Every direction between two replicas of which `isApart` holds. */
function between(scene: Scene, isApart: (from: bigint, to: bigint) => boolean): Direction[] {
  const { members } = scene.world;
  return members.flatMap((from) =>
    members.filter((to) => from !== to && isApart(from, to)).map((to) => [from, to] as const)
  );
}

function partition(scene: Scene, group: readonly bigint[]): void {
  cut(scene, between(scene, (from, to) => group.includes(from) !== group.includes(to)));
}

/** Two groups that one replica alone can talk to both of. */
function bridge(scene: Scene): void {
  const [middle, ...rest] = shuffled(scene.world.members, scene.random);
  const left = rest.slice(0, rest.length >>> 1);
  const isApart = (from: bigint, to: bigint): boolean =>
    from !== middle && to !== middle && left.includes(from) !== left.includes(to);
  cut(scene, between(scene, isApart));
}

/** Everybody has a majority, and nobody the same: each talks to those who sit next to it. */
function ring(scene: Scene): void {
  const seats = shuffled(scene.world.members, scene.random);
  const reach = Math.ceil((seats.length - 1) / 4);
  const isApart = (from: bigint, to: bigint): boolean => {
    const distance = Math.abs(seats.indexOf(from) - seats.indexOf(to));
    return Math.min(distance, seats.length - distance) > reach;
  };
  cut(scene, between(scene, isApart));
}

/** One replica hears nothing, or is not heard, by some of the others or by all. */
function halfLost(scene: Scene, { id }: ClusterMachine, isDeaf: boolean): void {
  const isAll = scene.random.oneIn(2);
  const isApart = (from: bigint, to: bigint): boolean =>
    (isDeaf ? to : from) === id && (isAll || scene.random.oneIn(2));
  cut(scene, between(scene, isApart));
}

/** Messages wait in some directions, and arrive all at once. */
function stuck(scene: Scene): void {
  const { network } = scene.world;
  const directions = someDirections(scene);
  for (const [from, to] of directions) network.hold(from, to);
  scene.later(scene.lasting(), () => {
    for (const [from, to] of directions) network.release(from, to);
  });
}

/** Some directions take longer, or carry few bytes. */
function clog(scene: Scene, slowMs: number, msPerByte: number): void {
  const { network } = scene.world;
  const directions = someDirections(scene);
  for (const [from, to] of directions) network.clog(from, to, slowMs, msPerByte);
  scene.later(scene.lasting(), () => {
    for (const [from, to] of directions) network.clog(from, to, 0, 0);
  });
}

/** Stops directions one by one and lets them go on in another order. Source: FoundationDB's swizzle-clogging. */
function swizzle(scene: Scene): void {
  const { network } = scene.world;
  const directions = someDirections(scene);
  const isHeld = scene.random.oneIn(2);
  inTurn(
    scene,
    directions,
    ([from, to]) => isHeld ? network.hold(from, to) : network.cut(from, to),
  );
  const order = shuffled(directions, scene.random);
  scene.later(
    scene.strike.forMs,
    () =>
      inTurn(
        scene,
        order,
        ([from, to]) => isHeld ? network.release(from, to) : network.restore(from, to),
      ),
  );
}

function inTurn(
  scene: Scene,
  directions: readonly Direction[],
  task: (direction: Direction) => void,
): void {
  let delayMs = 0;
  for (const direction of directions) {
    scene.later(delayMs, () => task(direction));
    delayMs += scene.random.below(2 * scene.strike.forMs / directions.length + 1);
  }
}

function someDirections(scene: Scene): Direction[] {
  const all = shuffled(between(scene, () => true), scene.random);
  return all.slice(0, 1 + scene.random.below(all.length));
}

function storm(scene: Scene): void {
  const { network } = scene.world;
  const before = network.weather;
  network.weather = drawWeather(scene.random);
  scene.later(scene.lasting(), () => network.weather = before);
}

/**
 * A primary collects entries that nobody else gets and dies; its successor dies as soon as it has committed
 * something; and the first one comes back with a log that is longer and wrong.
 */
function usurp(scene: Scene, old: ClusterMachine): void {
  const { network, judges } = scene.world;
  network.isolate(old.id);
  scene.later(50 + scene.random.below(200), () => {
    old.crash("keep");
    network.heal();
    awaitCommit(scene, old, judges.truth.op, 0);
  });
}

function awaitCommit(scene: Scene, old: ClusterMachine, op: number, looks: number): void {
  const { primary, judges } = scene.world;
  if (judges.truth.op <= op && looks < 400) {
    return scene.later(5, () => awaitCommit(scene, old, op, looks + 1));
  }
  if (primary !== undefined) crash(scene, primary);
  old.start();
}

function drawMsPerByte(random: SeededRandom): number {
  return 1 / (1 + random.below(200));
}

/** What each of these faults does. */
export const NETWORK_FAULTS = {
  partition: (scene) => partition(scene, scene.world.members.filter(() => scene.random.oneIn(2))),
  isolate_primary: (scene) => partition(scene, [scene.primary().id]),
  bridge,
  ring,
  cut_one_way: (scene) => cut(scene, someDirections(scene).slice(0, 1)),
  deaf: (scene) => halfLost(scene, scene.any(), true),
  mute: (scene) => halfLost(scene, scene.any(), false),
  stuck,
  clog: (scene) => clog(scene, 1 + scene.random.below(1_000), 0),
  narrow: (scene) => clog(scene, 0, drawMsPerByte(scene.random)),
  swizzle,
  storm,
  usurp: (scene) => usurp(scene, scene.primary()),
} as const satisfies Record<string, FaultAct>;
