/** Bounds under which a node can take whatever load this machine can make. */
import { DEFAULT_CORE_CONFIG, DEFAULT_ENGINE_CONFIG } from "../../core/config.ts";
import type { NodeConfig } from "../config/text.ts";

/** Longest time to live, in slots. */
export const TTL_SLOTS = 100;
const RETRY_SLOTS = 50;

/** The defaults, but for windows so short that no table fills up at the rates that are reached. */
export const LOAD_CONFIG: NodeConfig = {
  core: {
    ...DEFAULT_CORE_CONFIG,
    maxTtlSlots: BigInt(TTL_SLOTS),
    maxClientRetryWindowSlots: BigInt(RETRY_SLOTS),
    reservationHistoryWindowSlots: BigInt(RETRY_SLOTS),
  },
  engine: DEFAULT_ENGINE_CONFIG,
};

/** How long an operation is remembered, in milliseconds. */
export const REMEMBERED_MS: number = (TTL_SLOTS + RETRY_SLOTS) * LOAD_CONFIG.core.slotDurationMs;

/** Commands per second above which the operation table would fill up. */
export const RATE_MAX: number = LOAD_CONFIG.core.maxOperations * 1_000 / REMEMBERED_MS;

/** The same for the flags of a server, in pairs of `--bound` and `name=value`. */
export function loadBoundFlags(): string[] {
  const { core } = LOAD_CONFIG;
  return [
    ["core.max_ttl_slots", core.maxTtlSlots],
    ["core.max_client_retry_window_slots", core.maxClientRetryWindowSlots],
    ["core.reservation_history_window_slots", core.reservationHistoryWindowSlots],
  ].flatMap(([name, value]) => ["--bound", `${name}=${value}`]);
}
