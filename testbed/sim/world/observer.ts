/** Somebody who watches a world: what a timeline is drawn from. A world without one pays nothing for it. */
import type { ReplicaRole } from "../../../node/vsr/role.ts";
import type { Message } from "../../../node/vsr/messages.ts";
import type { Strike } from "../nemesis/strike.ts";
import type { Operation } from "../workload/client.ts";

/** What a replica looks like from outside. */
export interface ReplicaSight {
  readonly role: ReplicaRole;
  readonly view: bigint;
  readonly commitOp: bigint;
}

/** What happens to a replica's process. */
export type ProcessChange = "started" | "ended" | "paused" | "resumed";

/** Told of everything at once, in virtual milliseconds; none of it may change anything. */
export interface WorldObserver {
  /** A message is on its way; `number` is its own, and a copy that the network makes has another. */
  sent(atMs: number, number: number, from: bigint, to: bigint, message: Message): void;
  /** It reaches its receiver's machine. */
  arrived(atMs: number, number: number): void;
  /** It never will; `number` is `undefined` when it was not even sent off. */
  lost(
    atMs: number,
    number: number | undefined,
    from: bigint,
    to: bigint,
    message: Message | undefined,
  ): void;
  /** A replica's role, view or commit has changed. */
  replica(atMs: number, id: bigint, sight: ReplicaSight): void;
  /** `detail` says how it ended: of a crash, or killed. */
  process(atMs: number, id: bigint, change: ProcessChange, detail: string): void;
  /** Something goes wrong on purpose. */
  struck(atMs: number, strike: Strike): void;
  asked(atMs: number, operation: Operation): void;
  answered(atMs: number, operation: Operation): void;
}
