/** One real replica over a disk in memory, whose peers are whatever the test says in their name. */
import type { CoreConfig } from "../../core/config.ts";
import type { NodeLog } from "../../node/log_lines.ts";
import { loadMetadata, settleMetadata, type StoredMetadata } from "../../node/metadata/metadata.ts";
import { openReplica, type Replica } from "../../node/replica/replica.ts";
import type { Message } from "../../node/vsr/messages.ts";
import type { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { TINY_ENGINE } from "./node_harness.ts";

/** A replica and what it did. */
export interface LoneReplica {
  readonly replica: Replica;
  readonly sent: { readonly to: bigint; readonly message: Message }[];
  /** `level text`. */
  readonly lines: string[];
  readonly clock: { ms: number; nowMs(): number };
  /** Lets what was put off happen, and some time pass. */
  run(ms?: number): void;
}

/** The metadata of a disk, settled as a process does before it opens the rest. */
export function settledMetadata(disk: MemoryDisk): StoredMetadata {
  const loaded = loadMetadata(disk);
  if (loaded.kind !== "loaded") throw new Error(`No metadata: ${loaded.kind}`);
  settleMetadata(disk, loaded.stored);
  return loaded.stored;
}

/** A log that keeps its lines. */
export function keptLog(lines: string[]): NodeLog {
  const line = (level: string) => (text: string): void => void lines.push(`${level} ${text}`);
  return { info: line("info"), warn: line("warn"), error: line("error") };
}

const TICK_MS = 20;
const TURNS_MAX = 1_000;

/** Opens a replica among three, or as many as told. */
export function openAlone(
  disk: MemoryDisk,
  core: CoreConfig,
  members: readonly bigint[] = [1n, 2n, 3n],
): LoneReplica {
  const sent: { to: bigint; message: Message }[] = [];
  const lines: string[] = [];
  const clock = { ms: 0, nowMs: (): number => clock.ms };
  const tasks: (() => void)[] = [];
  const settle = (): void => {
    for (let turns = 0; turns < TURNS_MAX; turns++) {
      const task = tasks.shift();
      if (task !== undefined) task();
      else disk.settle();
      if (tasks.length === 0) return;
    }
    throw new Error("The replica does not come to rest");
  };
  const replica = openReplica({
    disk,
    stored: settledMetadata(disk),
    members,
    core,
    engine: TINY_ENGINE,
    clock,
    later: (task) => void tasks.push(task),
    log: keptLog(lines),
    hashSeed: 7,
    random: () => 0.5,
    send: (to, message) => void sent.push({ to, message: copyOf(message) }),
    segmentBytes: 4_096,
    manualExpiration: true,
  });
  const run = (ms = 0): void => {
    settle();
    for (const endMs = clock.ms + ms; clock.ms < endMs;) {
      clock.ms += TICK_MS;
      replica.tick();
      settle();
    }
  };
  return { replica, sent, lines, clock, run };
}

function copyOf(message: Message): Message {
  return "frames" in message ? { ...message, frames: message.frames.slice() } : message;
}
