/**
 * The moments at which a node's process can end that have a name, and where they are in the work of its disk: nothing in
 * what ships knows of them. Source: docs/simulator.md#crash-points.
 */
import { FRAME_HEADER_BYTES, frameBytes, FrameKind } from "../../../core/log_frame.ts";
import { ACTIVE_SEGMENT, NEXT_SEGMENT } from "../../../node/log/files.ts";
import { SNAPSHOT_FILE } from "../../../node/snapshot/store.ts";
import { SeededRandom } from "../random.ts";
import type { DiskMoment } from "./watched_disk.ts";

/** Named moments in the life of a running node, in an order that never changes. */
export const ENGINE_CRASH_POINTS = [
  "client_before_wal_append",
  "client_after_wal_sync",
  "client_after_apply",
  "internal_before_wal_append",
  "internal_after_wal_sync",
  "internal_after_apply",
  "checkpoint_after_snapshot_write",
  "checkpoint_after_wal_rewrite",
] as const;

/** Named moments in a start, in an order that never changes. */
export const RECOVERY_CRASH_POINTS = [
  "recovery_after_snapshot_load",
  "recovery_after_wal_truncate",
  "recovery_after_replay_frame",
] as const;

/** All of them; 11. */
export const CRASH_POINTS = [...ENGINE_CRASH_POINTS, ...RECOVERY_CRASH_POINTS] as const;

/** One of {@linkcode ENGINE_CRASH_POINTS}. */
export type EngineCrashPoint = typeof ENGINE_CRASH_POINTS[number];
/** One of {@linkcode RECOVERY_CRASH_POINTS}. */
export type RecoveryCrashPoint = typeof RECOVERY_CRASH_POINTS[number];
/** One of {@linkcode CRASH_POINTS}. */
export type CrashPoint = typeof CRASH_POINTS[number];

/** A crash that will happen once. */
export interface CrashPlan {
  readonly seed: number;
  readonly point: CrashPoint;
}

/**
 * Chooses one of some points.
 *
 * @param seed Decides which.
 * @param points What may be chosen; their order and repetitions have no say.
 * @throws {Error} When there is none.
 */
export function planCrash(seed: number, points: readonly CrashPoint[]): CrashPlan {
  const enabled = CRASH_POINTS.filter((point) => points.includes(point));
  if (enabled.length === 0) throw new Error("No crash point to choose from");
  return { seed, point: enabled[new SeededRandom(seed).below(enabled.length)]! };
}

/** What happens in a life: the work of its disk, and that a checkpoint has ended well. */
export type LifeMoment = DiskMoment | { readonly when: "after"; readonly action: "checkpoint" };

/** Looks at every moment of a life for the one of its plan. */
export class CrashWire {
  readonly plan: CrashPlan;
  readonly #isThere: (moment: LifeMoment) => boolean;
  #isSpent = false;

  /**
   * @param plan What to wait for.
   * @param segments Files that the log has now, for a point inside of its replay.
   */
  constructor(plan: CrashPlan, segments = 1) {
    this.plan = plan;
    this.#isThere = watcherOf(plan, segments);
  }

  /** Whether the process ends here; true once. */
  strikes(moment: LifeMoment): boolean {
    if (this.#isSpent || !this.#isThere(moment)) return false;
    this.#isSpent = true;
    return true;
  }
}

function watcherOf(plan: CrashPlan, segments: number): (moment: LifeMoment) => boolean {
  const { client_command: client, internal_command: internal } = FrameKind;
  switch (plan.point) {
    case "client_before_wal_append":
      return (moment) => isAppend(moment, "before", client);
    case "client_after_wal_sync":
      return (moment) => isAppend(moment, "after", client);
    case "client_after_apply":
      return (moment) => isAppend(moment, "delivered", client);
    case "internal_before_wal_append":
      return (moment) => isAppend(moment, "before", internal);
    case "internal_after_wal_sync":
      return (moment) => isAppend(moment, "after", internal);
    case "internal_after_apply":
      return (moment) => isAppend(moment, "delivered", internal);
    case "checkpoint_after_snapshot_write":
      return afterInstalled(SNAPSHOT_FILE);
    case "checkpoint_after_wal_rewrite":
      return (moment) => moment.action === "checkpoint";
    case "recovery_after_snapshot_load":
      return (moment) => isLogRead(moment);
    case "recovery_after_wal_truncate":
      return afterInstalled(ACTIVE_SEGMENT);
    case "recovery_after_replay_frame":
      return afterReplayed(1 + new SeededRandom(~plan.seed).below(segments));
  }
}

/** A batch that holds a command of that kind. */
function isAppend(moment: LifeMoment, when: DiskMoment["when"], kind: FrameKind): boolean {
  return moment.action === "append" && moment.when === when && kindsOf(moment.bytes!).has(kind);
}

function kindsOf(frames: Uint8Array): Set<number> {
  const view = new DataView(frames.buffer, frames.byteOffset, frames.length);
  const kinds = new Set<number>();
  for (let at = 0; at + FRAME_HEADER_BYTES <= frames.length;) {
    const kindAndLength = view.getUint32(at + KIND_AND_LENGTH_AT, true);
    kinds.add(kindAndLength >>> 24);
    at += frameBytes(kindAndLength & 0xff_ffff);
  }
  return kinds;
}

/** Offset of kind and length in a frame's header. */
const KIND_AND_LENGTH_AT = 12;

/** A file has got its name from a temporary one, and the directory is synced. */
function afterInstalled(name: string): (moment: LifeMoment) => boolean {
  let isNamed = false;
  return ({ when, action, ...what }) => {
    if (when !== "after") return false;
    if (action === "rename") isNamed ||= (what as DiskMoment).name === name;
    return isNamed && action === "sync_directory";
  };
}

function isLogRead({ when, action, ...what }: LifeMoment): boolean {
  return when === "before" && action === "open" &&
    (what as DiskMoment).name.startsWith(ACTIVE_SEGMENT);
}

/**
 * A start reads the headers of all segments, then each segment as a whole, and applies its frames without touching the
 * disk; then it makes a new segment. The end of the n-th segment is seen by what is done next.
 */
function afterReplayed(segments: number): (moment: LifeMoment) => boolean {
  const opened = new Map<string, number>();
  let loaded = 0;
  return (moment) => {
    if (moment.action === "create" && moment.name === NEXT_SEGMENT) return true;
    if (!isLogRead(moment)) return false;
    const { name } = moment as DiskMoment;
    opened.set(name, (opened.get(name) ?? 0) + 1);
    if (opened.get(name) !== 2) return false;
    return loaded++ === segments;
  };
}
