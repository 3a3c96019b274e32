/**
 * What the clients of one life do, as plain data: how many they are, what they ask for and how often, how
 * patient and how careless they are. Drawn so that each life has some habits and lacks others: a habit that
 * every life has would hide what happens without it.
 */
import type { SeededRandom } from "../random.ts";

/** Everything that a client may do next. */
export const ACTIONS = [
  "create_resource",
  "reserve",
  "reserve_bundle",
  "confirm",
  "release",
  "revoke",
  "reclaim",
  /** An earlier command again, bytes and all. */
  "retry",
  /** The key of an earlier command for another one: a conflict. */
  "reuse",
  /** One new command to two replicas at once. */
  "twice",
  /** A command with a slot of the client's own: past, present or too far ahead. */
  "slot",
  /** A command that no state can grant: no ttl, too long a ttl, too many members, nobody's id. */
  "invalid",
  /** Bytes that are no command. */
  "malformed",
  "read_resource",
  "read_reservation",
  /** A read of what another client has just been told of, with its lsn as the fence. */
  "read_news",
  /** A checkpoint of any replica. */
  "checkpoint",
] as const;

/** One of {@linkcode ACTIONS}. */
export type ActionName = typeof ACTIONS[number];

/** See the top of this file. JSON keeps it whole. */
export interface PlanWorkload {
  /** Clients that live by themselves. */
  readonly clients: number;
  /** Further clients that read from one replica each, whether it leads or not, and do nothing else. */
  readonly pinnedReaders: number;
  /** Commands that one client has under way at once, at most. */
  readonly inFlightMax: number;
  /** Commands that one client submits in one turn, at most, as one frame carries them; 1 is no batch. */
  readonly batchMax: number;
  /** How long a client thinks between two actions, at most. */
  readonly thinkMs: number;
  /** How often each action is taken, relative to the others; 0 is never. */
  readonly weights: Readonly<Record<ActionName, number>>;
  /** Resource ids that are used: 1 to this, which may be more than there may be. */
  readonly resources: number;
  /** How much the first resources are preferred: the smallest of so many further draws; 0 is not at all. */
  readonly skew: number;
  /** Holders that compete: their ids are 77 and up. */
  readonly holders: number;
  /** One in so many confirms and releases names another holder or epoch; 0 is none. */
  readonly impostorOneIn: number;
  /** How many of the latest reservations commands and reads are about. */
  readonly heldMax: number;
  readonly ttlSlotsMin: number;
  readonly ttlSlotsMax: number;
  /** Longest bundle. */
  readonly bundleMax: number;
  /** How long a client waits for an answer before it asks again, at least. */
  readonly timeoutMs: number;
  /** How long it waits after a refusal. */
  readonly backoffMs: number;
  /** After so many attempts it gives up and never knows; 0 is never. */
  readonly attemptsMax: number;
  /** One in so many questions goes to any replica instead of the one that leads; 0 is none. */
  readonly strayOneIn: number;
  /** One in so many reads has a fence that somebody has been told of; 0 is none. */
  readonly fenceOneIn: number;
  /** One in so many fences is above everything that there is; 0 is none. */
  readonly fenceTooHighOneIn: number;
}

/** Habits of clients in which nothing is unusual: what a life has unless it is told. */
export const PLAIN_WORKLOAD: PlanWorkload = {
  clients: 4,
  pinnedReaders: 0,
  inFlightMax: 1,
  batchMax: 1,
  thinkMs: 25,
  weights: {
    create_resource: 6,
    reserve: 14,
    reserve_bundle: 6,
    confirm: 12,
    release: 6,
    revoke: 6,
    reclaim: 6,
    retry: 8,
    reuse: 0,
    twice: 0,
    slot: 0,
    invalid: 0,
    malformed: 0,
    read_resource: 10,
    read_reservation: 10,
    read_news: 0,
    checkpoint: 0,
  },
  resources: 6,
  skew: 0,
  holders: 1,
  impostorOneIn: 0,
  heldMax: 4,
  ttlSlotsMin: 1,
  ttlSlotsMax: 40,
  bundleMax: 2,
  timeoutMs: 700,
  backoffMs: 30,
  attemptsMax: 0,
  strayOneIn: 12,
  fenceOneIn: 3,
  fenceTooHighOneIn: 0,
};

/** Draws what the clients of a life are like. */
export function drawWorkload(random: SeededRandom): PlanWorkload {
  // In one life of five so many clients at once that entries travel in batches and queues are full.
  const isCrowded = random.oneIn(5);
  const clients = isCrowded ? 16 + random.below(32) : 1 + random.below(8);
  const ttlSlotsMin = random.oneIn(3) ? 1 + random.below(60) : 1;
  return {
    clients,
    pinnedReaders: random.oneIn(2) ? 1 + random.below(3) : 0,
    inFlightMax: random.oneIn(2) ? 1 : 1 + random.below(isCrowded ? 4 : 16),
    batchMax: random.oneIn(3) ? 2 + random.below(7) : 1,
    thinkMs: 5 + random.below(random.oneIn(3) ? 200 : 40),
    weights: drawWeights(random),
    resources: random.oneIn(3) ? 1 + random.below(3) : 2 + random.below(12),
    skew: random.oneIn(2) ? 0 : 1 + random.below(4),
    holders: 1 + random.below(3),
    impostorOneIn: oftenOrNever(random, 4, 20),
    heldMax: 1 + random.below(12),
    ttlSlotsMin,
    ttlSlotsMax: ttlSlotsMin + random.below(random.oneIn(2) ? 20 : 120),
    bundleMax: 2 + random.below(3),
    timeoutMs: random.oneIn(4) ? 30 + random.below(200) : 300 + random.below(800),
    backoffMs: 5 + random.below(60),
    attemptsMax: random.oneIn(3) ? 2 + random.below(8) : 0,
    strayOneIn: oftenOrNever(random, 2, 12),
    fenceOneIn: oftenOrNever(random, 1, 5),
    fenceTooHighOneIn: oftenOrNever(random, 3, 8),
  };
}

/** Always something that takes, something that reads; of everything else a choice. */
function drawWeights(random: SeededRandom): Record<ActionName, number> {
  const weights = Object.fromEntries(
    ACTIONS.map((action) => [action, random.oneIn(4) ? 0 : drawWeight(action, random)]),
  ) as Record<ActionName, number>;
  const isEmpty = weights.reserve + weights.reserve_bundle === 0;
  return {
    ...weights,
    create_resource: 2 + random.below(6),
    reserve: isEmpty ? 10 : weights.reserve,
    read_resource: Math.max(1, weights.read_resource),
  };
}

/** What is refused or beside the point is rarer than what takes effect. */
function drawWeight(action: ActionName, random: SeededRandom): number {
  const isOdd = ODD.has(action);
  return 1 + random.below(isOdd ? 3 : 16);
}

const ODD: ReadonlySet<ActionName> = new Set<ActionName>([
  "reuse",
  "slot",
  "invalid",
  "malformed",
  "checkpoint",
]);

function oftenOrNever(random: SeededRandom, min: number, max: number): number {
  return random.oneIn(2) ? 0 : min + random.below(max - min + 1);
}
