/** A replica as its process sees it. */
import type { Replica } from "../../node/replica/replica.ts";
import type { ReplicaStatus } from "../../node/replica/status.ts";

/** One replica. */
export type ReplicaHost = Omit<Replica, "timing" | "glance">;

/** What a replica says about itself. */
export type HostStatus = ReplicaStatus;
