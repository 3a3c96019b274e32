/** Bits of a replica's files that change by themselves. */
import { ACTIVE_SEGMENT } from "../../../node/log/files.ts";
import { COPY_BYTES } from "../../../node/metadata/codec.ts";
import { METADATA_FILE } from "../../../node/metadata/metadata.ts";
import { SNAPSHOT_FILE } from "../../../node/snapshot/store.ts";
import type { ClusterMachine } from "../world/machine.ts";

/** Where in a copy of the metadata, in a snapshot and in an entry's command a bit changes. */
const AT = { metadata: 100, snapshot: 200, command: 20 };
const BIT = 4;

/** Damages an entry wherever it stands; false when no file has it. */
export function damageEntry({ mirror, disk }: ClusterMachine, op: number): boolean {
  const payload = mirror.frames.get(op)?.payload;
  if (payload === undefined) return false;
  for (const name of disk.list().filter((name) => name.startsWith(ACTIVE_SEGMENT))) {
    const bytes = disk.contents(name);
    const at = indexOf(bytes, payload);
    if (at < 0) continue;
    bytes[at + AT.command]! ^= BIT;
    return true;
  }
  return false;
}

/** Damages copies of the metadata: the first, or both. */
export function damageMetadata({ disk }: ClusterMachine, copies: 1 | 2): void {
  const bytes = disk.contents(METADATA_FILE);
  for (let copy = 0; copy < copies; copy++) bytes[copy * COPY_BYTES + AT.metadata]! ^= BIT;
}

/** Damages the newest snapshot; false when there is none. */
export function damageSnapshot({ disk }: ClusterMachine): boolean {
  if (!disk.list().includes(SNAPSHOT_FILE)) return false;
  disk.contents(SNAPSHOT_FILE)[AT.snapshot]! ^= BIT;
  return true;
}

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at + part.length <= bytes.length; at++) {
    if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
