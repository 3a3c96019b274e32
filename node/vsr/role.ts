/** What a replica is and whom it has helped: said by the protocol, remembered on the disk, shown to operators. */

/** What a replica is, under the runbook's names. */
export const REPLICA_ROLES = [
  "primary",
  "backup",
  "view_uncertain",
  "recovering",
  "faulted",
] as const;

/** One of {@linkcode REPLICA_ROLES}. */
export type ReplicaRole = typeof REPLICA_ROLES[number];

/** Whom this replica helped into which view. */
export interface Vote {
  readonly view: bigint;
  readonly replica: bigint;
}
