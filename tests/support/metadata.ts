/** Metadata for tests. */
import fc from "fast-check";
import { PROFILES } from "../../node/config/profiles.ts";
import type { ReplicaMetadata } from "../../node/metadata/codec.ts";
import { REPLICA_ROLES } from "../../node/vsr/role.ts";

/** A replica's metadata in which every number is different. */
export function sampleMetadata(changes: Partial<ReplicaMetadata> = {}): ReplicaMetadata {
  return {
    clusterId: Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i),
    replicaId: 2n,
    core: { ...PROFILES.local.core, shardId: 3n },
    configEpoch: 4n,
    view: 7n,
    logView: 6n,
    vote: { view: 8n, replica: 1n },
    role: "backup",
    commitOpHint: 0x1_0000_0000n,
    snapshotOpHint: 0xffff_ffff_ffff_ffffn,
    createdAt: "2026-11-20T07:00:00.000Z",
    ...changes,
  };
}

const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });

/** Any metadata that can be. */
export const anyMetadata: fc.Arbitrary<ReplicaMetadata> = fc.record({
  clusterId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  replicaId: u64,
  core: u64.map((shardId) => ({ ...PROFILES.small.core, shardId })),
  configEpoch: u64,
  view: u64,
  logView: u64,
  vote: fc.option(fc.record({ view: u64, replica: u64 })),
  role: fc.constantFrom(...REPLICA_ROLES),
  commitOpHint: u64,
  snapshotOpHint: u64,
  createdAt: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
    .map((date) => date.toISOString()),
});
