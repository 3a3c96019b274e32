/** What is around a replica. */
import type { CoreConfig, EngineConfig } from "../../core/config.ts";
import type { CheckpointPolicy } from "../checkpoint.ts";
import type { Disk } from "../disk.ts";
import type { NodeLog } from "../log_lines.ts";
import type { StoredMetadata } from "../metadata/metadata.ts";
import type { Clock } from "../slot_clock.ts";
import type { Message } from "../vsr/messages.ts";
import type { ReplicaRole } from "../vsr/role.ts";
import type { VsrTiming } from "../vsr/timing.ts";

/** Everything a replica needs from outside. */
export interface ReplicaOptions {
  readonly disk: Disk;
  /** What operators call the disk's directory, for log lines. */
  readonly directory?: string;
  /** Loaded and settled: who it is and what it promised. */
  readonly stored: StoredMetadata;
  /** All replicas in ascending order, this one included. */
  readonly members: readonly bigint[];
  readonly core: CoreConfig;
  readonly engine: EngineConfig;
  /** For slots and for timeouts. */
  readonly clock: Clock;
  /** Runs a task in a later turn of the event loop. */
  readonly later: (task: () => void) => void;
  /** Runs a task once what has arrived in this turn is taken in; `later` if not given. */
  readonly atEndOfTurn?: (task: () => void) => void;
  readonly log: NodeLog;
  /** Perturbs the layout of indexes; random in production. */
  readonly hashSeed: number;
  /** A number from [0, 1): spreads timeouts. */
  readonly random: () => number;
  readonly timing?: Partial<VsrTiming>;
  /** Sends a message, or drops it; copies what it points to before it returns. */
  readonly send: (to: bigint, message: Message) => void;
  /** Lets what was sent leave at once: the disk is about to keep this thread busy. */
  readonly sendNow?: () => void;
  readonly segmentBytes?: number;
  readonly batchBytes?: number;
  readonly slotLeadMax?: bigint;
  /** Views change only on {@linkcode Replica.startViewChange}. */
  readonly manualFailover?: boolean;
  /** Due reservations are expired only by {@linkcode Replica.tickExpirations}. */
  readonly manualExpiration?: boolean;
  /** When checkpoints start by themselves; never if not given. */
  readonly checkpoints?: CheckpointPolicy | undefined;
  /** Told how long each write and sync of a batch took, in milliseconds. */
  readonly onSync?: (ms: number) => void;
  /** Told when role or view have changed. */
  readonly onRole?: (role: ReplicaRole, view: bigint) => void;
}
