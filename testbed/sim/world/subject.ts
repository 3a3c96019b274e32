/** One replica as the world drives it: the real one, or one with something broken on purpose. */
import type { ReplicaOptions } from "../../../node/replica/options.ts";
import type { Replica } from "../../../node/replica/replica.ts";

/** What the world calls. */
export type Subject = Pick<
  Replica,
  | "submit"
  | "confirmAuthority"
  | "getResource"
  | "getReservation"
  | "checkpoint"
  | "currentSlot"
  | "receive"
  | "linkUp"
  | "linkDown"
  | "tick"
  | "status"
  | "glance"
  | "metrics"
  | "startViewChange"
  | "digest"
>;

/** Starts a replica on whatever its disk holds. */
export type OpenSubject = (options: ReplicaOptions) => Subject;
