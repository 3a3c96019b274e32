/** Requests and words in as few words as possible. */
import { writeU64 } from "../../../core/words.ts";
import type { Request } from "./plain.ts";

/** The holder that every request below has unless told. */
export const HOLDER = 77n;

export function create(resourceId: bigint): Request {
  return { kind: "create_resource", resourceId };
}

export function reserve(resourceId: bigint, ttlSlots = 8n, holderId = HOLDER): Request {
  return { kind: "reserve", resourceId, holderId, ttlSlots };
}

export function bundle(resourceIds: readonly bigint[], ttlSlots = 8n, holderId = HOLDER): Request {
  return { kind: "reserve_bundle", resourceIds, holderId, ttlSlots };
}

export function confirm(reservationId: bigint, epoch = 1n, holderId = HOLDER): Request {
  return { kind: "confirm", reservationId, holderId, epoch };
}

export function release(reservationId: bigint, epoch = 1n, holderId = HOLDER): Request {
  return { kind: "release", reservationId, holderId, epoch };
}

export function revoke(reservationId: bigint): Request {
  return { kind: "revoke", reservationId };
}

export function reclaim(reservationId: bigint): Request {
  return { kind: "reclaim", reservationId };
}

/** A u64 as two words. */
export function u64Words(value: bigint): Uint32Array {
  const words = new Uint32Array(2);
  writeU64(words, 0, value);
  return words;
}
