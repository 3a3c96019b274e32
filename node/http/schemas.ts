/** What requests may say. Unknown names are errors, here and in the document that describes them. */
import * as v from "valibot";
import { duration, id, reservationId, u64 } from "./fields.ts";

/** Most commands in one batch. */
export const BATCH_COMMANDS_MAX = 1_024;

/** Most resources that one reserve can name here. The node's own bounds, usually far lower, come after. */
export const BUNDLE_IDS_MAX = 4_096;

/** What every write may carry. */
const WRITE = {
  operation_id: v.optional(id),
  client_id: v.optional(id),
  request_slot: v.optional(u64),
};

const CREATE = { ...WRITE, resource_id: id };

const RESERVE = {
  ...WRITE,
  resource_id: v.optional(id),
  resource_ids: v.optional(list(id, 0, BUNDLE_IDS_MAX)),
  holder_id: id,
  ttl_ms: v.optional(u64),
  ttl_slots: v.optional(u64),
  ttl: v.optional(duration),
};

const HOLDER = { ...WRITE, holder_id: id, epoch: u64 };

/** Body of a create. */
export const createBody = v.strictObject(CREATE);
/** Body of a reserve: one resource or a bundle, and one of three ways to say how long. */
export const reserveBody = v.pipe(v.strictObject(RESERVE), oneResource(), oneTtl());
/** Body of a confirm or a release. */
export const holderBody = v.strictObject(HOLDER);
/** Body of a revoke or a reclaim. */
export const operatorBody = v.strictObject(WRITE);
/** Body of an expiration tick. */
export const tickBody = v.strictObject({ current_slot: v.optional(u64) });
/** Body of whatever needs none. */
export const emptyBody = v.strictObject({});

/** One command of a batch: the body of its route, its name, and the id that is in the route's path. */
const batchCommand = v.variant("command", [
  v.strictObject({ command: v.literal("create_resource"), ...CREATE }),
  v.pipe(
    v.strictObject({ command: v.literal("reserve"), ...RESERVE }),
    oneResource(),
    oneTtl(),
  ),
  v.strictObject({ command: v.literal("confirm"), reservation_id: reservationId, ...HOLDER }),
  v.strictObject({ command: v.literal("release"), reservation_id: reservationId, ...HOLDER }),
  v.strictObject({ command: v.literal("revoke"), reservation_id: reservationId, ...WRITE }),
  v.strictObject({ command: v.literal("reclaim"), reservation_id: reservationId, ...WRITE }),
]);

/** A command as the batch and every single route hand it on. */
export type WriteRequest = v.InferOutput<typeof batchCommand>;

/** Body of a batch. */
export const batchBody = v.strictObject({
  client_id: v.optional(id),
  commands: list(batchCommand, 1, BATCH_COMMANDS_MAX),
});

/** A batch that was read. */
export type BatchRequest = v.InferOutput<typeof batchBody>;

/** Path of everything about one resource. */
export const resourcePath = v.strictObject({ id });
/** Path of everything about one reservation. */
export const reservationPath = v.strictObject({ id: reservationId });
/** No parameters. */
export const nothing = v.strictObject({});

/** Query of a resource lookup. */
export const resourceQuery = v.strictObject({ required_lsn: v.optional(u64) });
/** Query of a reservation lookup. */
export const reservationQuery = v.strictObject({
  required_lsn: v.optional(u64),
  current_slot: v.optional(u64),
});
/** Query of figures that depend on the time. */
export const slotQuery = v.strictObject({ current_slot: v.optional(u64) });

/** A list whose length is checked before its items cost anything. */
function list<const T extends v.GenericSchema>(
  item: T,
  min: number,
  max: number,
): v.GenericSchema<readonly v.InferInput<T>[], v.InferOutput<T>[]> {
  return v.pipe(
    v.array(v.unknown(), "must be a list"),
    v.minLength(min, `must have at least ${min}`),
    v.maxLength(max, `must not have more than ${max}`),
    v.array(item),
  );
}

interface Resources {
  readonly resource_id?: unknown;
  readonly resource_ids?: unknown;
}

interface Ttls {
  readonly ttl?: unknown;
  readonly ttl_ms?: unknown;
  readonly ttl_slots?: unknown;
}

function oneResource<T extends Resources>(): v.CheckAction<T, string> {
  return v.check(
    ({ resource_id, resource_ids }) => (resource_id === undefined) !== (resource_ids === undefined),
    "must have either resource_id or resource_ids",
  );
}

function oneTtl<T extends Ttls>(): v.CheckAction<T, string> {
  return v.check(
    (body) =>
      [body.ttl, body.ttl_ms, body.ttl_slots].filter((ttl) => ttl !== undefined).length === 1,
    "must have exactly one of ttl_ms, ttl_slots and ttl",
  );
}
