/** One round's trouble: from the first thing that goes wrong to the last that is put right. */
import { DISK_FAULT_KINDS, type DiskFaultKind } from "../../../node/cli/cluster_options.ts";
import type { LinkFault } from "../../../node/peer/line.ts";
import type { SeededRandom } from "../../../testbed/sim/random.ts";
import { sleep } from "./load.ts";
import type { LoopCluster, Weather } from "./loop_cluster.ts";
import { Storm } from "./storm.ts";

/** Kinds of rounds. */
export const ROUND_KINDS = ["kill", "partition", "disk", "pause", "wipe", "storm"] as const;

/** One of {@linkcode ROUND_KINDS}. */
export type RoundKind = typeof ROUND_KINDS[number];

/** What trouble needs. */
export interface Scene {
  readonly cluster: LoopCluster;
  readonly random: SeededRandom;
  /** Which round of its kind it is, from 0: every second one is the primary's. */
  readonly turn: number;
  /** Told when the primary was killed and a majority goes on: measures until something new is committed. */
  readonly primaryKilled: () => void;
}

/** Makes trouble and ends it. Answers what it was. */
export async function makeTrouble(kind: RoundKind, scene: Scene): Promise<string> {
  switch (kind) {
    case "kill":
      return await kill(scene);
    case "partition":
      return await partition(scene);
    case "disk":
      return await disk(scene);
    case "pause":
      return await pause(scene);
    case "wipe":
      return await wipe(scene);
    case "storm":
      return await new Storm(scene.cluster, scene.random).rage();
  }
}

/** One replica, now and then two, now and then all. */
async function kill({ cluster, random, turn, primaryKilled }: Scene): Promise<string> {
  const primary = await cluster.primary();
  const [first, ...others] = await victims(cluster, random, turn);
  const also = random.oneIn(8) ? others : random.oneIn(6) ? others.slice(0, 1) : [];
  const killed = [first!, ...also];
  for (const id of killed) {
    await cluster.kill(id);
    if (id === primary && also.length === 0) primaryKilled();
    if (random.oneIn(2)) await sleep(random.below(100));
  }
  await sleep(100 + random.below(1_400));
  for (const id of shuffled(killed, random)) await cluster.restart(id);
  return `killed ${killed.map((id) => nameOf(id, primary)).join(", ")}`;
}

/** Replicas that do not reach each other, in one of many ways, or only badly. */
async function partition({ cluster, random, turn }: Scene): Promise<string> {
  const primary = await cluster.primary();
  const [first, second, third] = await victims(cluster, random, turn);
  const weathers = drawPartition(random, first!, second!, third!);
  for (const weather of weathers) await cluster.change(weather);
  await sleep(400 + random.below(2_200));
  await heal(cluster);
  return `${weathers.map(textOf).join(", ")} with primary ${primary}`;
}

function drawPartition(
  random: SeededRandom,
  first: bigint,
  second: bigint,
  third: bigint,
): readonly Weather[] {
  const cut = (from: bigint | "client" | "all", to: bigint | "client" | "all"): Weather =>
    link(from, to, { cut: true });
  const kinds: readonly (() => readonly Weather[])[] = [
    () => [{ verb: "isolate", replicaId: first }],
    () => [{ verb: "partition", groups: [[first], [second, third]] }],
    () => [{ verb: "partition", groups: [[first], [second], [third]] }],
    () => [cut(first, second)],
    () => [cut(second, first)],
    () => [cut(first, "all")],
    () => [cut("all", first)],
    () => [cut(first, second), cut(second, third), cut(third, first)],
    () => [cut(second, third), cut(third, second)],
    () => [cut("client", first)],
    () => [cut(first, "client")],
    () => [link("all", "all", badLink(random))],
    () => [link(first, "all", badLink(random)), link("all", first, badLink(random))],
    () => [link("all", "all", badLink(random)), { verb: "isolate", replicaId: first }],
  ];
  return kinds[random.below(kinds.length)]!();
}

function badLink(random: SeededRandom): LinkFault {
  return {
    drop: random.below(20) / 100,
    delayMs: random.below(60),
    jitterMs: random.below(40),
    reorder: random.below(20) / 100,
    duplicate: random.below(20) / 100,
  };
}

function link(
  from: bigint | "client" | "all",
  to: bigint | "client" | "all",
  fault: LinkFault,
): Weather {
  return { verb: "link", ends: { from, to }, fault };
}

/** A disk that fails in one of its ways after some more operations; now and then its replica is killed then, too. */
async function disk({ cluster, random, turn }: Scene): Promise<string> {
  const primary = await cluster.primary();
  const [id] = await victims(cluster, random, turn);
  const kind: DiskFaultKind = DISK_FAULT_KINDS[turn % DISK_FAULT_KINDS.length]!;
  const delayMs = 20 + random.below(300);
  const fault = { kind, after: random.below(30), ...(kind === "slow" ? { delayMs } : {}) };
  const isKilled = random.oneIn(3);
  await cluster.change({ verb: "disk-fault", replicaId: id!, fault });
  await sleep(400 + random.below(2_000));
  if (isKilled) await cluster.kill(id!);
  await heal(cluster);
  if (isKilled) await cluster.restart(id!);
  const how = kind === "slow" ? `${kind} by ${delayMs} ms` : kind;
  return `disk of ${nameOf(id!, primary)}: ${how}${isKilled ? " and killed" : ""}`;
}

/** A primary that sleeps, perhaps through its own replacement. */
async function pause({ cluster, random }: Scene): Promise<string> {
  const primary = await cluster.primary();
  await cluster.pause(primary, "pause");
  const ms = 200 + random.below(2_800);
  await sleep(ms);
  await cluster.pause(primary, "resume");
  return `paused primary ${primary} for ${ms} ms`;
}

/** A backup that loses everything it had. */
async function wipe({ cluster, random }: Scene): Promise<string> {
  const primary = await cluster.primary();
  const [id] = shuffled(cluster.members.filter((member) => member !== primary), random);
  await cluster.kill(id!);
  await cluster.wipe(id!);
  await sleep(random.below(1_000));
  await cluster.restart(id!);
  return `wiped ${id}`;
}

/** All replicas in the order in which they get into trouble: every second time the primary first. */
async function victims(
  cluster: LoopCluster,
  random: SeededRandom,
  turn: number,
): Promise<readonly bigint[]> {
  const all = shuffled(cluster.members, random);
  if (turn % 2 === 1) return all;
  const primary = await cluster.primary();
  return [primary, ...all.filter((id) => id !== primary)];
}

async function heal(cluster: LoopCluster): Promise<void> {
  await cluster.change({ verb: "heal", replicaId: undefined });
}

function nameOf(id: bigint, primary: bigint): string {
  return id === primary ? `primary ${id}` : `${id}`;
}

function textOf(weather: Weather): string {
  switch (weather.verb) {
    case "isolate":
      return `isolated ${weather.replicaId}`;
    case "partition":
      return `groups ${weather.groups.map((group) => group.join(",")).join("/")}`;
    case "link": {
      const { ends, fault } = weather;
      return `${ends!.from}>${ends!.to} ${fault.cut ? "cut" : "bad"}`;
    }
    default:
      return weather.verb;
  }
}

/** The same in another order. */
export function shuffled<T>(items: readonly T[], random: SeededRandom): readonly T[] {
  const all = items.slice();
  for (let i = all.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
