/** Every strike there is, and which of them a nemesis deals. Source: docs/jepsen.md#nemeses. */
import { CLOCK_STRIKES, DISK_STRIKES } from "./disk_strikes.ts";
import { MIXED_STRIKES } from "./mixed_strikes.ts";
import { LINK_STRIKES, PARTITION_STRIKES } from "./network_strikes.ts";
import { CRASH_STRIKES, PAUSE_STRIKES, WIPE_STRIKES } from "./process_strikes.ts";
import { STORM_STRIKES } from "./storm.ts";
import type { StrikeKind } from "./strike_kind.ts";

const STRIKES = {
  ...CRASH_STRIKES,
  ...PAUSE_STRIKES,
  ...WIPE_STRIKES,
  ...PARTITION_STRIKES,
  ...LINK_STRIKES,
  ...DISK_STRIKES,
  ...CLOCK_STRIKES,
  ...MIXED_STRIKES,
  ...STORM_STRIKES,
} as const;

/** The name of a kind of strike. */
export type StrikeName = keyof typeof STRIKES;

/** What a kind of strike needs and does. */
export function strikeKind(name: StrikeName): StrikeKind {
  return STRIKES[name];
}

/** Every name, in the order of the table. */
export const STRIKE_NAMES = Object.keys(STRIKES) as readonly StrikeName[];

/** What can be asked for. The first four are those of the matrix. */
export const NEMESIS_NAMES = [
  "none",
  "crash_restart",
  "partition_heal",
  "mixed_failover",
  "pause",
  "link",
  "disk",
  "clock",
  "wipe",
  "storm",
] as const;

/** One of {@linkcode NEMESIS_NAMES}. */
export type NemesisName = typeof NEMESIS_NAMES[number];

function namesOf(kinds: Partial<Record<StrikeName, StrikeKind>>): readonly StrikeName[] {
  return Object.keys(kinds) as StrikeName[];
}

const LINKS = namesOf(LINK_STRIKES);

/** Which strikes each nemesis deals, all of them equally often. */
const DEALS: Readonly<Record<NemesisName, readonly StrikeName[]>> = {
  none: [],
  crash_restart: namesOf(CRASH_STRIKES),
  partition_heal: [...namesOf(PARTITION_STRIKES), ...LINKS],
  mixed_failover: namesOf(MIXED_STRIKES),
  pause: namesOf(PAUSE_STRIKES),
  link: LINKS,
  disk: namesOf(DISK_STRIKES),
  clock: namesOf(CLOCK_STRIKES),
  wipe: namesOf(WIPE_STRIKES),
  storm: STRIKE_NAMES,
};

/** Which strikes a nemesis deals. */
export function strikesOf(nemesis: NemesisName): readonly StrikeName[] {
  return DEALS[nemesis];
}
