/** A replica as its process sees it. */
import type { Replica, ReplicaStatus } from "../../node/replica/replica.ts";

/** One replica. */
export type ReplicaHost = Omit<Replica, "timing">;

/** What a replica says about itself. */
export type HostStatus = ReplicaStatus;
