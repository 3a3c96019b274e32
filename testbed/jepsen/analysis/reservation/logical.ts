/** Operations as a judge sees them: attempts that are one, what came of it, and when it can have happened. */
import type {
  HistoryAnswer,
  HistoryOperation,
  HistoryRequest,
  WriteRequest,
} from "../../history/operation.ts";

/** A slot at which an operation can have happened. */
export interface SlotChoice {
  /** Undefined where the server chose. */
  readonly slot: bigint | undefined;
  /** Beginning of the first attempt that asked for it. */
  readonly from: number;
}

/** What is known of an operation. */
export interface LogicalFields {
  /** Attempts whose answer counts; at least one. */
  readonly attempts: readonly HistoryOperation[];
  /** What it answered, if anybody was told. An optional one with an answer happened like that or not at all. */
  readonly answer: HistoryAnswer | undefined;
  /** Of the first attempt that can have been the one that happened. */
  readonly invokedAt: number;
  /** Infinity when nobody was told. */
  readonly completedAt: number;
  /** Whether it may never have happened. */
  readonly isOptional: boolean;
  /** Commands that share a key: at most one of a group happens. -1 when the key has one command. */
  readonly group: number;
  /** An attempt that was told that its key belongs to another command: not an operation, but an observation. */
  readonly isConflict: boolean;
  /** Slots that its attempts asked for, the lowest first; undefined when none of them did, or the answer tells which. */
  readonly slots: readonly SlotChoice[] | undefined;
}

/**
 * One operation, whatever number of attempts it took. There are millions, and nearly all are one attempt that says everything
 * itself: only what is otherwise takes room.
 */
export class LogicalOperation implements LogicalFields {
  readonly answer: HistoryAnswer | undefined;
  /** The first of its attempts. */
  readonly first: HistoryOperation;
  readonly #others: Omit<LogicalFields, "answer"> | undefined;

  constructor(fields: LogicalFields) {
    const { attempts, answer } = fields;
    this.first = attempts[0]!;
    this.answer = answer;
    this.#others = isPlain(fields) ? undefined : fields;
  }

  get attempts(): readonly HistoryOperation[] {
    return this.#others?.attempts ?? [this.first];
  }

  get invokedAt(): number {
    return (this.#others ?? this.first).invokedAt;
  }

  get completedAt(): number {
    if (this.#others !== undefined) return this.#others.completedAt;
    return this.answer === undefined ? Infinity : this.first.completedAt!;
  }

  get isOptional(): boolean {
    return this.#others === undefined ? this.answer === undefined : this.#others.isOptional;
  }

  get group(): number {
    return this.#others?.group ?? -1;
  }

  get isConflict(): boolean {
    return this.#others?.isConflict ?? false;
  }

  get slots(): readonly SlotChoice[] | undefined {
    return this.#others?.slots;
  }

  get request(): HistoryRequest {
    return this.first.request;
  }

  /** The same, but for some of what is known. */
  with(changes: Partial<LogicalFields>): LogicalOperation {
    const { attempts, answer, invokedAt, completedAt, isOptional, group, isConflict, slots } = this;
    const fields = {
      attempts,
      answer,
      invokedAt,
      completedAt,
      isOptional,
      group,
      isConflict,
      slots,
    };
    return new LogicalOperation({ ...fields, ...changes });
  }
}

/** Whether the first attempt and the answer say the same as all fields. */
function isPlain(fields: LogicalFields): boolean {
  const { attempts, answer, invokedAt, completedAt, isOptional, group, isConflict, slots } = fields;
  const [first] = attempts;
  const isAnswered = answer !== undefined;
  return attempts.length === 1 && first!.invokedAt === invokedAt && isOptional !== isAnswered &&
    completedAt === (isAnswered ? first!.completedAt : Infinity) &&
    group === -1 && !isConflict && slots === undefined;
}

/** Two answers to one operation. */
export interface Contradiction {
  readonly first: HistoryOperation;
  readonly second: HistoryOperation;
}

/** What a history consists of. */
export interface Folded {
  readonly operations: readonly LogicalOperation[];
  readonly groups: number;
  readonly contradiction: Contradiction | undefined;
}

/** The lsn that an operation was answered with. */
export function lsnOf({ answer, isConflict }: LogicalOperation): bigint | undefined {
  return answer?.kind === "applied" && !isConflict ? answer.lsn : undefined;
}

/** Of a read, the last lsn that it saw, as whoever answered it said. */
export function observedLsnOf({ first }: LogicalOperation): bigint | undefined {
  return isWrite(first.request) ? undefined : first.servedBy?.observedLsn;
}

/** Whether a request has a place in the log. */
export function isWrite(request: HistoryRequest): request is WriteRequest {
  return request.kind !== "get_resource" && request.kind !== "get_reservation";
}

/** The slot at which a successful reserve ran. */
export function reserveSlotOf(
  request: HistoryRequest,
  answer: HistoryAnswer | undefined,
): bigint | undefined {
  if (answer?.kind !== "applied" || answer.reserved === undefined) return undefined;
  return "ttlSlots" in request ? answer.reserved.deadlineSlot - request.ttlSlots : undefined;
}

/** The slot at which an operation ran, if it can be no other. */
export function slotOf({ request, answer, slots }: LogicalOperation): bigint | undefined {
  if (slots?.length === 1) return slots[0]!.slot;
  return reserveSlotOf(request, answer);
}
