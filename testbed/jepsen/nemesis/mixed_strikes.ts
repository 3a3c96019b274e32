/** Strikes of several faults at once: what one alone does not bring about, two may. */
import { badLink } from "./network_strikes.ts";
import { oneOf } from "./draw.ts";
import type { Scene } from "./scene.ts";
import type { StrikeKinds } from "./strike_kind.ts";

/** See the top of this file. */
export const MIXED_STRIKES = {
  /** The primary dies while a backup is cut off: the one that is left has all and is nobody's majority. */
  kill_primary_backup_cut: { needs: ["kill", "isolate"], act: killPrimaryBackupCut },
  /** A backup dies, then the primary is cut off. */
  kill_backup_primary_cut: { needs: ["kill", "isolate"], act: killBackupPrimaryCut },
  /** The primary sleeps, its successor dies, and it wakes with what it knew. */
  pause_primary_kill_successor: { needs: ["pause", "kill"], act: pausePrimaryKillSuccessor },
  /** Cut off, killed, and back while still cut off. */
  restart_in_isolation: { needs: ["kill", "isolate"], act: restartInIsolation },
  /** The primary dies while nothing arrives as it should. */
  kill_primary_bad_links: { needs: ["kill", "bad_link"], act: killPrimaryBadLinks },
  /** The primary is not reached by its backups, which clients still reach; one of those dies. */
  split_and_kill: { needs: ["partition", "kill"], act: splitAndKill },
  /** A backup wakes up just when the primary falls asleep. */
  pause_in_turn: { needs: ["pause"], act: pauseInTurn },
  /** Everybody dies while the network is split, and starts in it. */
  kill_all_in_split: { needs: ["kill", "partition"], act: killAllInSplit },
} as const satisfies StrikeKinds;

async function killPrimaryBackupCut(scene: Scene): Promise<void> {
  const [backup] = scene.backups();
  const cut = await scene.isolate(backup!);
  await scene.hold(scene.durationMs / 3);
  await scene.kill(scene.primary);
  await scene.hold(scene.durationMs / 3);
  await scene.cure(cut);
  await scene.hold(scene.durationMs / 3);
}

async function killBackupPrimaryCut(scene: Scene): Promise<void> {
  const killed = await scene.kill(scene.backups()[0]!);
  await scene.hold(scene.durationMs / 3);
  await scene.isolate(scene.primary);
  await scene.hold(scene.durationMs / 3);
  await scene.cure(killed);
  await scene.hold(scene.durationMs / 3);
}

async function pausePrimaryKillSuccessor(scene: Scene): Promise<void> {
  const { primary } = scene;
  const asleep = await scene.pause(primary);
  await scene.hold(scene.durationMs / 2);
  const successor = await scene.servingNow() ?? scene.backups()[0]!;
  if (successor !== primary) await scene.kill(successor);
  await scene.cure(asleep);
  await scene.hold(scene.durationMs / 2);
}

async function restartInIsolation(scene: Scene): Promise<void> {
  const id = scene.random.oneIn(2) ? scene.primary : scene.backups()[0]!;
  await scene.isolate(id);
  await scene.hold(scene.durationMs / 3);
  const killed = await scene.kill(id);
  await scene.hold(scene.durationMs / 3);
  await scene.cure(killed);
  await scene.hold(scene.durationMs / 3);
}

async function killPrimaryBadLinks(scene: Scene): Promise<void> {
  await scene.link("all", "all", badLink(scene.random));
  await scene.hold(scene.durationMs / 3);
  const killed = await scene.kill(scene.primary);
  await scene.hold(scene.durationMs / 3);
  await scene.cure(killed);
  await scene.hold(scene.durationMs / 3);
}

async function splitAndKill(scene: Scene): Promise<void> {
  const { primary } = scene;
  const others = scene.backups();
  const split = await scene.partition([[primary], others]);
  await scene.hold(scene.durationMs / 2);
  await scene.kill(oneOf(scene.cast.members, scene.random));
  if (scene.random.oneIn(2)) await scene.cure(split);
  await scene.hold(scene.durationMs / 2);
}

async function pauseInTurn(scene: Scene): Promise<void> {
  const [backup] = scene.backups();
  const first = await scene.pause(backup!);
  await scene.hold(scene.durationMs / 2);
  await scene.pause(scene.primary);
  await scene.cure(first);
  await scene.hold(scene.durationMs / 2);
}

async function killAllInSplit(scene: Scene): Promise<void> {
  const { primary } = scene;
  await scene.partition([[primary], scene.backups()]);
  await scene.hold(scene.durationMs / 3);
  const killed = [];
  for (const id of scene.everybody()) killed.push(await scene.kill(id));
  await scene.hold(scene.durationMs / 3);
  for (const wound of killed) await scene.cure(wound);
  await scene.hold(scene.durationMs / 3);
}
