/** Named sets of bounds, so that nobody has to know thirteen parameters to start. */

import { DEFAULT_CORE_CONFIG, DEFAULT_ENGINE_CONFIG } from "../../core/config.ts";
import type { NodeConfig } from "./text.ts";
import { nearest } from "../nearest.ts";

/** Names for `--profile`. */
export type ProfileName = "default" | "small" | "local";

/** What each profile stands for. */
export const PROFILES: Readonly<Record<ProfileName, NodeConfig>> = {
  /** Bounds a person can live with. */
  default: { core: DEFAULT_CORE_CONFIG, engine: DEFAULT_ENGINE_CONFIG },
  /** For demonstrations and tests: a few MiB, with times to live up to ten minutes. */
  small: {
    core: {
      ...DEFAULT_CORE_CONFIG,
      maxResources: 1_024,
      maxReservations: 1_024,
      maxOperations: 8_192,
      maxTtlSlots: 60_000n,
      maxExpirationBucketLen: 1_024,
      reservationHistoryWindowSlots: 3_000n,
      maxClientRetryWindowSlots: 3_000n,
    },
    engine: { maxSubmissionQueue: 4_096, maxCommandBytes: 4_096, maxExpirationsPerTick: 1_024 },
  },
  /** What the local cluster and the testbeds write into their layouts. */
  local: {
    core: {
      ...DEFAULT_CORE_CONFIG,
      maxResources: 1_024,
      maxReservations: 1_024,
      maxOperations: 4_096,
      // The safety workloads reserve two resources at once, so 1 would refuse every one of their bundles.
      maxBundleSize: 4,
      maxTtlSlots: 256n,
      maxExpirationBucketLen: 1_024,
      reservationHistoryWindowSlots: 64n,
      maxClientRetryWindowSlots: 128n,
    },
    engine: { maxSubmissionQueue: 64, maxCommandBytes: 4_096, maxExpirationsPerTick: 64 },
  },
};

/** The profile's name, or what to tell whoever asked for it. */
export type ProfileResult =
  | { readonly kind: "found"; readonly name: ProfileName; readonly config: NodeConfig }
  | { readonly kind: "unknown_profile"; readonly message: string };

/**
 * Looks a profile up by the name that was typed.
 *
 * @param name As typed.
 * @returns The profile, or a message that lists what there is.
 */
export function profileNamed(name: string): ProfileResult {
  const names = Object.keys(PROFILES) as ProfileName[];
  const found = names.find((known) => known === name);
  if (found !== undefined) return { kind: "found", name: found, config: PROFILES[found] };
  const guess = nearest(name, names);
  const hint = guess === undefined ? `there are ${names.join(", ")}` : `did you mean ${guess}?`;
  const message = `${JSON.stringify(name.slice(0, 60))} is not a profile; ${hint}`;
  return { kind: "unknown_profile", message };
}
