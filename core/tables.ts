import {
  bucketCount,
  type CoreConfig,
  OPERATION_STRIDE,
  operationBuckets,
  operationRows,
  RESERVATION_STRIDE_FIXED,
  RESOURCE_STRIDE,
} from "./config.ts";
import { createFixedMap, type FixedMap } from "./fixed_map.ts";
import { createRowSet, type RowSet } from "./row_set.ts";

/** Life of a resource. Numbers are the snapshot's and the wire's. */
export const ResourceState = { available: 1, reserved: 2, confirmed: 3, revoking: 4 } as const;
/** One of the numbers in {@linkcode ResourceState}. */
export type ResourceState = typeof ResourceState[keyof typeof ResourceState];

/** Life of a reservation. Numbers are the snapshot's and the wire's; 0 is a free row. */
export const ReservationState = {
  reserved: 1,
  confirmed: 2,
  released: 3,
  expired: 4,
  revoking: 5,
  revoked: 6,
} as const;
/** One of the numbers in {@linkcode ReservationState}. */
export type ReservationState = typeof ReservationState[keyof typeof ReservationState];

/** Names by number. */
export const RESOURCE_STATE_NAMES: readonly string[] = [
  "none",
  "available",
  "reserved",
  "confirmed",
  "revoking",
];
/** Names by number. */
export const RESERVATION_STATE_NAMES: readonly string[] = [
  "none",
  "reserved",
  "confirmed",
  "released",
  "expired",
  "revoking",
  "revoked",
];

/** Words of a resource record. `holder` is the reservation's row + 1, 0 when available. */
export const Resource = { id: 0, state: 4, holder: 5, version: 6 } as const;

/**
 * Words of a reservation record. Its id is the shard and `createdLsn`. `next` and `previous` are row + 1
 * of the neighbours in a bucket of the timing wheel, 0 unless reserved: derived,
 * never in a snapshot. `members` are resource rows, in request order.
 */
export const Reservation = {
  createdLsn: 0,
  holderId: 2,
  epoch: 6,
  deadlineSlot: 8,
  releasedLsn: 10,
  retireAfterSlot: 12,
  state: 14,
  memberCount: 15,
  next: 16,
  previous: 17,
  members: RESERVATION_STRIDE_FIXED,
} as const;

/** Words of an operation record: retry key, fingerprint, where and when it was applied, tag and result. */
export const Operation = { key: 0, fields: 8, appliedLsn: 18, requestSlot: 20, meta: 22 } as const;

/** Records of one kind: `words` holds `capacity` rows of `stride` words. Untouched rows cost no memory. */
export interface Table {
  readonly words: Uint32Array;
  readonly stride: number;
  readonly capacity: number;
}

/** Every table, index and allocator of one engine. */
export interface Tables {
  /** Rows are given out in order of creation and never freed. */
  readonly resources: Table & { used: number };
  readonly resourceIndex: FixedMap;
  /** `members` counts the resources named by all of its records. */
  readonly reservations: Table & { members: number };
  readonly reservationIndex: FixedMap;
  /** Which reservation rows are taken; a new one takes the lowest free row. */
  readonly reservationRows: RowSet;
  /** A ring in order of application: `used` rows from `head` on. */
  readonly operations: Table & { head: number; used: number };
  readonly operationIndex: FixedMap;
}

/**
 * Makes empty tables.
 *
 * @param config Checked bounds.
 * @param hashSeed Perturbs the indexes' layout, nothing else: outcomes never depend on it.
 * @returns Tables whose memory is reserved but untouched.
 */
export function createTables(config: CoreConfig, hashSeed: number): Tables {
  const resources = { ...createTable(config.maxResources, RESOURCE_STRIDE), used: 0 };
  const stride = RESERVATION_STRIDE_FIXED + config.maxBundleSize;
  const reservations = { ...createTable(config.maxReservations, stride), members: 0 };
  const operations = { ...createTable(operationRows(config), OPERATION_STRIDE), head: 0, used: 0 };
  return {
    resources,
    resourceIndex: createFixedMap(bucketCount(config.maxResources), resources, 0, 4, hashSeed),
    reservations,
    reservationIndex: createFixedMap(
      bucketCount(config.maxReservations),
      reservations,
      0,
      2,
      hashSeed,
    ),
    reservationRows: createRowSet(config.maxReservations),
    operations,
    operationIndex: createFixedMap(operationBuckets(config), operations, 0, 8, hashSeed),
  };
}

function createTable(capacity: number, stride: number): Table {
  return { words: new Uint32Array(capacity * stride), stride, capacity };
}
