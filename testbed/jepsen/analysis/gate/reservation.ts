/** All that is said of one reservation. There are hundreds of thousands, so what follows from something else takes no room. */
import type { HistoryOperation, ReservedAnswer, WriteRequest } from "../../history/operation.ts";
import type { TickOperation } from "../../history/recording.ts";
import type { LogicalOperation } from "../reservation/logical.ts";
import { added, type Few, listOf } from "../small_lists.ts";
import type { Moment } from "./moment.ts";

/** Everything that is said of one reservation. */
export class Reservation {
  readonly id: bigint;
  /** The reserve that was answered with it. */
  hold: Hold | undefined = undefined;
  #commands: Few<LogicalOperation>;
  #reads: Few<HistoryOperation>;
  #ticks: Few<TickOperation>;

  constructor(id: bigint) {
    this.id = id;
  }

  /** Confirms, releases, revokes and reclaims, folded. */
  get commands(): readonly LogicalOperation[] {
    return listOf(this.#commands);
  }

  /** Reads that were answered with it, or about it. */
  get reads(): readonly HistoryOperation[] {
    return listOf(this.#reads);
  }

  /** Ticks that are said to have expired it. */
  get ticks(): readonly TickOperation[] {
    return listOf(this.#ticks);
  }

  addCommand(command: LogicalOperation): void {
    this.#commands = added(this.#commands, command);
  }

  addRead(read: HistoryOperation): void {
    this.#reads = added(this.#reads, read);
  }

  addTick(tick: TickOperation): void {
    this.#ticks = added(this.#ticks, tick);
  }
}

/** A request for resources. */
export type ReserveRequest = Extract<WriteRequest, { ttlSlots: bigint }>;

/** What a hold is made of. */
export interface HoldFields {
  readonly reservation: Reservation;
  readonly maker: HistoryOperation;
  readonly request: ReserveRequest;
  readonly reserved: ReservedAnswer;
}

/** A successful reserve. As a moment, when it was made. */
export class Hold implements Moment {
  readonly reservation: Reservation;
  /** Whoever was told. */
  readonly maker: HistoryOperation;
  readonly lsn: bigint | undefined;
  readonly invokedAt: number;
  readonly completedAt: number;
  readonly #request: ReserveRequest;
  readonly #reserved: ReservedAnswer;

  constructor({ reservation, maker, request, reserved }: HoldFields, made: Moment) {
    this.reservation = reservation;
    this.maker = maker;
    this.#request = request;
    this.#reserved = reserved;
    this.lsn = made.lsn;
    this.invokedAt = made.invokedAt;
    this.completedAt = made.completedAt;
  }

  get holderId(): bigint {
    return this.#request.holderId;
  }

  get resourceIds(): readonly bigint[] {
    const request = this.#request;
    return request.kind === "reserve" ? [request.resourceId] : request.resourceIds;
  }

  get deadlineSlot(): bigint {
    return this.#reserved.deadlineSlot;
  }

  /** When it was made. */
  get slot(): bigint {
    return this.#reserved.deadlineSlot - this.#request.ttlSlots;
  }
}
