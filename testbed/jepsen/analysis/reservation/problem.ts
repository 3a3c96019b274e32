/** One partition, numbered and ready to be searched. */
import type { LogicalOperation } from "./logical.ts";
import type { Kind } from "./words.ts";

/** A reservation that may come to be: of an answered reserve, or of an unanswered one under one of the ids that were seen. */
export interface Claim {
  /** Undefined when nobody has ever seen it. */
  readonly id: bigint | undefined;
  readonly holderId: bigint;
  /** Indexes of its resources, each once. */
  readonly members: readonly number[];
  /** Slot of its reserve, counted from where the partition begins to count; -1 when unknown. */
  readonly slot: number;
  /** In slots. */
  readonly ttl: number;
  /** All claims under the same id, of which at most one comes to be. */
  readonly rivals: readonly number[];
  /** Bits of the kinds of commands that succeeded with it, as somebody was told: nobody else did the same, and it never expired. */
  readonly settled: number;
  /**
   * Of optional reserves: claims have the same number when it makes no difference which of the reserves makes them. Of several that
   * could, the one that began last suffices: it could have made least else. -1 for others.
   */
  readonly likeness: number;
}

/** One operation as the search sees it. */
export interface Work {
  /** Its place in the problem. */
  readonly index: number;
  readonly operation: LogicalOperation;
  readonly kind: Kind;
  /** The answered code, `Code.unknown` for none. */
  readonly code: number;
  readonly invokedAt: number;
  readonly completedAt: number;
  readonly isOptional: boolean;
  /** Whether it changes anything: an answered one that succeeded, any optional one, any one whose key others share. */
  readonly isActive: boolean;
  /** Resources it reads or writes; groups come after the resources. */
  readonly touches: readonly number[];
  /** Of a create or reserve: resources in the order of the request. */
  readonly members: readonly number[];
  /** Position in `members` of the first id that was named before, -1 if none was. */
  readonly duplicateAt: number;
  /** What a reserve answers whatever the state is: 0, or the code of a wrong size or time to live. */
  readonly staticCode: number;
  /** Of a reserve: claims that it can make. Of anything that names a reservation: claims that it can mean. */
  readonly claims: readonly number[];
  /** Whether `claims[i]` is of the holder that a confirm or release names. */
  readonly holderFits: readonly boolean[];
  /** Epoch that it names, 0 for one that no reservation ever has. */
  readonly epoch: number;
  /** Index of its group, -1 for none. */
  readonly group: number;
  /** Number of the operation in its group, from 1. */
  readonly variant: number;
  /** What a read saw: a status, -1 when it was not found, -2 when it had been retired, 0 for an available resource. */
  readonly seen: number;
  /** Version that a read of a resource saw, -1 when it does not say. */
  readonly version: number;
  /** Whether an id that never was may read as retired. */
  readonly mayBeBelowWatermark: boolean;
  /** Of an optional reserve: place of its mark, -1 for others. */
  readonly usedBit: number;
  /** Slots at which it can happen, the lowest first; undefined when nothing is known of them. */
  readonly slots: readonly SlotNumber[] | undefined;
}

/** A slot that an attempt asked for. */
export interface SlotNumber {
  /** Counted as those of claims are; -1 where the server chose. */
  readonly slot: number;
  /** Position at which the attempt began. */
  readonly from: number;
}

/** See the top of this file. */
export interface Problem {
  readonly resourceIds: readonly bigint[];
  /** Whether each resource was there before the history began. */
  readonly wasThere: readonly boolean[];
  readonly claims: readonly Claim[];
  /** Whether slots begin to count later than at 0, so that 0 stands for every earlier one. */
  readonly isOpenBelow: boolean;
  /** Whether anything but a successful reserve tells its slot. */
  readonly hasSlots: boolean;
  readonly works: readonly Work[];
  /** By work: indexes of those that have to happen before it: what a fenced read must see, and others where an order is given. */
  readonly after: readonly (readonly number[])[];
  readonly groups: number;
  readonly usedBits: number;
  readonly mayFill: boolean;
  readonly mayRetire: boolean;
  /** Whether invalid state, stale epoch and retired are told apart. */
  readonly isExact: boolean;
}

/** Largest slot that is told apart; later ones count as this. */
export const SLOT_MAX = 2 ** 31 - 1;
