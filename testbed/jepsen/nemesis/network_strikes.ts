/** Strikes against the network: replicas and clients that reach each other not, one way only, or badly. */
import type { LinkFault } from "../../../node/peer/line.ts";
import type { SeededRandom } from "../../sim/random.ts";
import { oneOf } from "./draw.ts";
import type { Scene } from "./scene.ts";
import type { StrikeKinds } from "./strike_kind.ts";

/** Replicas that do not reach each other. */
export const PARTITION_STRIKES = {
  isolate_primary: { needs: ["isolate"], act: async (scene) => await isolate(scene, true) },
  isolate_backup: { needs: ["isolate"], act: async (scene) => await isolate(scene, false) },
  /** The primary on the side of the few; clients reach both. */
  split_primary_off: { needs: ["partition"], act: async (scene) => await split(scene, true) },
  /** The primary keeps a majority. */
  split_backup_off: { needs: ["partition"], act: async (scene) => await split(scene, false) },
  /** Everybody alone. */
  split_full: { needs: ["partition"], act: splitFull },
  /** Two do not reach each other, everybody else does: both see a majority. */
  bridge: { needs: ["cut"], act: bridge },
  /** Everybody is heard by its neighbour on one side only. */
  ring: { needs: ["cut"], act: ring },
  cut_one_way: { needs: ["cut"], act: cutOneWay },
  /** Hears nobody, and is heard. */
  deaf: { needs: ["cut"], act: async (scene) => await cutAll(scene, "deaf") },
  /** Is not heard, and hears. */
  mute: { needs: ["cut"], act: async (scene) => await cutAll(scene, "mute") },
  /** No request reaches one replica, or no answer leaves it. */
  client_cut: { needs: ["client_cut"], act: clientCut },
  /** Cut off and back, faster than anybody settles. */
  flapping: { needs: ["isolate"], act: flapping },
  /** Everything is slow and lossy, and then one is cut off as well. */
  bad_links_and_isolated: { needs: ["bad_link", "isolate"], act: badAndIsolated },
} as const satisfies StrikeKinds;

/** Links that work badly. */
export const LINK_STRIKES = {
  bad_links: {
    needs: ["bad_link"],
    act: async (scene) => {
      await scene.link("all", "all", badLink(scene.random));
      await scene.hold();
    },
  },
  bad_replica: { needs: ["bad_link"], act: badReplica },
  bad_clients: { needs: ["bad_link", "client_cut"], act: badClients },
  /** Too little bandwidth for the load. */
  narrow: { needs: ["bad_link"], act: narrow },
  /** Nothing is lost, but nothing comes in order. */
  disorder: { needs: ["bad_link"], act: disorder },
} as const satisfies StrikeKinds;

/** Milliseconds between two turns of a flapping network. */
const FLAP_MS_MIN = 100;
const FLAP_MS_SPAN = 900;

async function isolate(scene: Scene, isPrimary: boolean): Promise<void> {
  await scene.isolate(isPrimary ? scene.primary : scene.backups()[0]!);
  await scene.hold();
}

async function split(scene: Scene, isPrimaryOff: boolean): Promise<void> {
  const backups = scene.backups();
  const few = Math.max(1, Math.floor((scene.cast.members.length - 1) / 2));
  const order = isPrimaryOff ? [scene.primary, ...backups] : [...backups, scene.primary];
  await scene.partition([order.slice(0, few), order.slice(few)]);
  await scene.hold();
}

async function splitFull(scene: Scene): Promise<void> {
  await scene.partition(scene.everybody().map((id) => [id]));
  await scene.hold();
}

async function bridge(scene: Scene): Promise<void> {
  const [a, b] = scene.everybody();
  await scene.cut(a!, b!);
  await scene.cut(b!, a!);
  await scene.hold();
}

async function ring(scene: Scene): Promise<void> {
  const all = scene.everybody();
  for (const [i, id] of all.entries()) await scene.cut(id, all[(i + 1) % all.length]!);
  await scene.hold();
}

async function cutOneWay(scene: Scene): Promise<void> {
  const [backup] = scene.backups();
  const [from, to] = scene.random.oneIn(2) ? [scene.primary, backup!] : [backup!, scene.primary];
  await scene.cut(from, to);
  await scene.hold();
}

async function cutAll(scene: Scene, how: "deaf" | "mute"): Promise<void> {
  const id = scene.random.oneIn(2) ? scene.primary : scene.backups()[0]!;
  if (how === "deaf") await scene.cut("all", id);
  else await scene.cut(id, "all");
  await scene.hold();
}

async function clientCut(scene: Scene): Promise<void> {
  const id = scene.random.oneIn(3) ? scene.backups()[0]! : scene.primary;
  const way = scene.random.below(3);
  if (way !== 1) await scene.cut("client", id);
  if (way !== 0) await scene.cut(id, "client");
  await scene.hold();
}

async function flapping(scene: Scene): Promise<void> {
  const id = scene.random.oneIn(2) ? scene.primary : scene.backups()[0]!;
  let leftMs = scene.durationMs;
  do {
    const wound = await scene.isolate(id);
    const awayMs = FLAP_MS_MIN + scene.random.below(FLAP_MS_SPAN);
    await scene.hold(awayMs);
    await scene.cure(wound);
    const backMs = FLAP_MS_MIN + scene.random.below(FLAP_MS_SPAN);
    await scene.hold(backMs);
    leftMs -= awayMs + backMs;
  } while (leftMs > 0);
}

async function badAndIsolated(scene: Scene): Promise<void> {
  await scene.link("all", "all", badLink(scene.random));
  await scene.hold(scene.durationMs / 2);
  await scene.isolate(oneOf(scene.cast.members, scene.random));
  await scene.hold(scene.durationMs / 2);
}

async function badReplica(scene: Scene): Promise<void> {
  const id = scene.random.oneIn(2) ? scene.primary : scene.backups()[0]!;
  await scene.link(id, "all", badLink(scene.random));
  await scene.link("all", id, badLink(scene.random));
  await scene.hold();
}

async function badClients(scene: Scene): Promise<void> {
  await scene.link("client", scene.primary, badLink(scene.random));
  await scene.link(scene.primary, "client", badLink(scene.random));
  await scene.hold();
}

async function narrow(scene: Scene): Promise<void> {
  const bytesPerSecond = 2_000 + scene.random.below(20_000);
  await scene.link(scene.primary, "all", { bytesPerSecond });
  await scene.hold();
}

async function disorder(scene: Scene): Promise<void> {
  const [reorder, duplicate] = [percent(scene.random, 10, 50), percent(scene.random, 10, 50)];
  await scene.link("all", "all", { reorder, duplicate, delayMs: 1 + scene.random.below(20) });
  await scene.hold();
}

/** Loss, delay, disorder and duplicates, each as bad as drawn. */
export function badLink(random: SeededRandom): LinkFault {
  return {
    drop: percent(random, 0, 25),
    delayMs: random.below(60),
    jitterMs: random.below(40),
    reorder: percent(random, 0, 20),
    duplicate: percent(random, 0, 20),
  };
}

function percent(random: SeededRandom, from: number, below: number): number {
  return (from + random.below(below - from)) / 100;
}
