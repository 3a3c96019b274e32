/** The world as its clients see it. */
import type { Rejection } from "../../../node/api.ts";
import type { ModelOutcome } from "../../model/words.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { EventQueue } from "../world/queue.ts";
import type { WorkloadCommands } from "./commands.ts";
import type { ClientHistory } from "./history.ts";
import type { Operation, ReadAnswer } from "./operation.ts";
import type { PlanWorkload } from "./plan.ts";

/** What a client needs of the world. */
export interface ClientHost {
  readonly queue: EventQueue;
  readonly machines: readonly ClusterMachine[];
  readonly workload: PlanWorkload;
  readonly commands: WorkloadCommands;
  readonly history: ClientHistory;
  /** Whether clients begin new operations. */
  readonly isBusy: boolean;
  /** The highest lsn that any client has learned, of an answer or of a read. */
  readonly learnedLsn: number;
  invoked(operation: Operation): void;
  /** The bytes of a command have reached a replica. */
  submitted(machine: ClusterMachine, operation: Operation): void;
  /** A replica has said how a command ended; the client does not know yet. */
  published(machine: ClusterMachine, operation: Operation, outcome: ModelOutcome): void;
  /** A replica has refused a command; the client does not know yet. */
  refused(machine: ClusterMachine, operation: Operation, rejection: Rejection): void;
  /** A replica has answered a read. */
  read(answer: ReadAnswer): void;
  /** The client knows, or has given up. */
  answered(operation: Operation): void;
  violated(what: string): void;
  note(text: () => string): void;
}
