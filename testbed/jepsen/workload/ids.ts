/**
 * Ids of a run, all from its seed: small enough to be read, and others for another seed, so that a cluster that outlives a
 * run does not take the next run's operations for retries.
 */

/** Ids of one kind that a seed has for itself. */
const IDS_PER_SEED = 100_000n;
/** Most resources of a run. */
export const RESOURCES_MAX = 10_000;

/** Where the ids of a seed begin. */
function base(seed: number): bigint {
  return BigInt(seed >>> 0) * IDS_PER_SEED;
}

/** The id of a client, counted from 0. */
export function clientIdOf(seed: number, index: number): bigint {
  return base(seed) + BigInt(index) + 1n;
}

/** The id of a resource, counted from 0. */
export function resourceIdOf(seed: number, index: number): bigint {
  return base(seed) + BigInt(index) + 1n;
}

/** On whose behalf the client of that number claims. */
export function holderIdOf(index: number): bigint {
  return BigInt(index) + 1n;
}
