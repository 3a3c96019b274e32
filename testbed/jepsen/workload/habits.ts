/**
 * What the clients of each family do, as plain data. Every family does a little of everything, and much of what it is named
 * for: what only one of them did would hide what comes of doing it beside something else.
 */
import type { WorkloadName } from "./workload_name.ts";

/** Everything that a client may do next. */
export const INTENTS = [
  "reserve",
  "reserve_bundle",
  "confirm",
  "release",
  "revoke",
  "reclaim",
  /** Confirm or release with an epoch that is not, or no longer, the claim's, or for somebody else. */
  "stale_confirm",
  "stale_release",
  /** Confirm, or take what it holds, in the moment in which a hold falls due. */
  "race",
  /** Read a resource, and free it as an operator if somebody has confirmed it. */
  "sweep",
  "read_resource",
  "read_reservation",
  /** Read what another client has just been told of, with its lsn as the fence. */
  "read_news",
  /** An operation that was answered once more: the answer must be the same. */
  "again",
  /** A new operation on two connections at once. */
  "twin",
  /** The key of an operation with another command. */
  "reuse",
  /** Two commands under one new key at once: one is executed, the other one must be told so. */
  "clash",
  /** The client dies with an operation under way, and comes back under the same id. */
  "abandon",
  "tick",
  /** Make a resource that is there. */
  "create",
  /** What no state can grant: no ttl, too long a ttl, too large a bundle, nobody's id. */
  "invalid",
] as const;

/** One of {@linkcode INTENTS}. */
export type IntentName = (typeof INTENTS)[number];

/** See the top of this file. */
export interface Habits {
  /** How often each is done, relative to the others. */
  readonly weights: Readonly<Record<IntentName, number>>;
  readonly ttlSlotsMin: number;
  readonly ttlSlotsMax: number;
  /** How long calls may take, in milliseconds; one is drawn for each. Short ones leave outcomes unknown. */
  readonly patiencesMs: readonly number[];
  /** One in so many reads has the highest lsn that any client has been told as its fence. */
  readonly fenceOneIn: number;
  /** One in so many new writes names a slot of its own. */
  readonly slotOneIn: number;
  /** How long whoever reads from one replica and no other thinks at most, in milliseconds. */
  readonly watchPauseMs: number;
}

const PLAIN: Habits = {
  weights: {
    reserve: 20,
    reserve_bundle: 7,
    confirm: 9,
    release: 8,
    revoke: 3,
    reclaim: 4,
    stale_confirm: 1,
    stale_release: 1,
    race: 1,
    sweep: 6,
    read_resource: 12,
    read_reservation: 6,
    read_news: 3,
    again: 3,
    twin: 2,
    reuse: 1,
    clash: 1,
    abandon: 1,
    tick: 1,
    create: 1,
    invalid: 1,
  },
  ttlSlotsMin: 20,
  ttlSlotsMax: 300,
  patiencesMs: [60, 250, 1_000, 1_000, 2_000],
  fenceOneIn: 4,
  slotOneIn: 80,
  watchPauseMs: 800,
};

/** By the name of the family. */
export const HABITS: Readonly<Record<WorkloadName, Habits>> = {
  reservation_contention: habits({ reserve: 34, reserve_bundle: 14, release: 11, twin: 3 }),
  ambiguous_write_retry: habits(
    {
      ...{ reserve: 24, reserve_bundle: 9, read_resource: 6 },
      ...{ again: 14, twin: 9, reuse: 5, clash: 5, abandon: 4 },
    },
    { patiencesMs: [5, 20, 20, 60, 250, 1_000, 2_000] },
  ),
  failover_read_fences: habits(
    { reserve: 14, reserve_bundle: 4, read_resource: 30, read_reservation: 14, read_news: 14 },
    { fenceOneIn: 2, watchPauseMs: 250 },
  ),
  expiration_and_recovery: habits(
    { reserve: 26, confirm: 5, release: 5, race: 12, tick: 8, read_reservation: 10 },
    { ttlSlotsMin: 10, ttlSlotsMax: 200, slotOneIn: 30 },
  ),
  lease_safety: habits({
    ...{ reserve: 14, reserve_bundle: 16, confirm: 20, revoke: 10, reclaim: 9 },
    ...{ stale_confirm: 7, stale_release: 8, read_reservation: 9, sweep: 8 },
  }),
};

function habits(
  weights: Partial<Record<IntentName, number>>,
  rest: Partial<Omit<Habits, "weights">> = {},
): Habits {
  return { ...PLAIN, ...rest, weights: { ...PLAIN.weights, ...weights } };
}
