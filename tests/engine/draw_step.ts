/** Random histories in which everything collides: few ids, low bounds, retries, mutations and jumps in time. */
import type { CoreConfig } from "../../core/config.ts";
import type { Model, ModelReservation } from "../../testbed/model/model.ts";
import type { ClientCommand, ModelCommand } from "../../testbed/model/words.ts";
import type { SeededRandom } from "../../testbed/sim/random.ts";

/** One command and the slot it is applied at. */
export interface Step {
  readonly command: ModelCommand;
  readonly slot: bigint;
}

const U64_MAX = 2n ** 64n - 1n;

/** Resource ids that differ in one word each, both ends included. */
const RESOURCE_IDS = [0n, 1n, 2n ** 128n - 1n, 1n << 32n, 1n << 64n, 1n << 96n, 2n, 3n, 4n, 5n, 6n];
const HOLDER_IDS = [7n, 7n << 32n, 7n << 96n];

/** Slots at which histories begin; one in twelve begins shortly before the end of time instead. */
const ORIGINS = [0n, 0n, 0n, 2n ** 32n - 30n, 2n ** 63n];

/** Bounds between 1 and 8, in every relation that a configuration may have. */
export function drawConfig(random: SeededRandom): CoreConfig {
  const maxResources = 1 + random.below(8);
  const maxReservations = 1 + random.below(8);
  const maxTtlSlots = BigInt(1 + random.below(8));
  return {
    shardId: [0n, 0n, 5n, U64_MAX][random.below(4)]!,
    maxResources,
    maxReservations,
    maxOperations: random.oneIn(4) ? 1 + random.below(8) : 16 + random.below(60),
    maxBundleSize: 1 + random.below(Math.min(4, maxResources)),
    maxTtlSlots,
    maxExpirationBucketLen: 1 + random.below(Math.min(4, maxReservations)),
    reservationHistoryWindowSlots: BigInt(random.below(Number(maxTtlSlots) + 1)),
    maxClientRetryWindowSlots: BigInt(random.below(9)),
    slotDurationMs: 10,
  };
}

/** Where a history begins. */
export function drawOrigin(random: SeededRandom): bigint {
  if (random.oneIn(12)) return U64_MAX - 40n - BigInt(random.below(200));
  return ORIGINS[random.below(ORIGINS.length)]!;
}

/** The next step of a history that has come as far as the model. `past` holds its latest client commands. */
export function drawStep(
  random: SeededRandom,
  model: Model,
  slot: bigint,
  past: readonly ClientCommand[],
): Step {
  const step = { slot: drawSlot(random, model, slot) };
  if (random.oneIn(10)) return { ...step, command: drawExpire(random, model) };
  if (past.length > 0 && random.oneIn(6)) {
    const again = past[random.below(past.length)]!;
    return { ...step, command: random.oneIn(3) ? mutate(random, model, again) : again };
  }
  return { ...step, command: drawFresh(random, model) };
}

function drawSlot(random: SeededRandom, model: Model, slot: bigint): bigint {
  const { maxTtlSlots, maxClientRetryWindowSlots } = model.bounds;
  const luck = random.below(400);
  let ahead = 0n;
  if (luck < 120) ahead = 1n;
  else if (luck < 160) ahead = BigInt(random.below(Number(maxTtlSlots) + 2));
  else if (luck < 168) ahead = maxTtlSlots + maxClientRetryWindowSlots + BigInt(random.below(2));
  else if (luck < 169) ahead = BigInt(random.nextU32()) << BigInt(random.below(20));
  return slot + ahead > U64_MAX ? slot : slot + ahead;
}

function drawFresh(random: SeededRandom, model: Model): ClientCommand {
  const key = { operationId: drawOperationId(random), clientId: BigInt(random.below(3)) };
  const held = drawReservation(random, model);
  const { reservationId } = held;
  if (model.resources.size === 0 && !random.oneIn(4)) {
    return { ...key, kind: "create_resource", resourceId: drawResourceId(random, model) };
  }
  switch (random.below(12)) {
    case 0:
      return { ...key, kind: "create_resource", resourceId: drawResourceId(random, model) };
    case 1:
    case 2: {
      const resourceId = drawResourceId(random, model);
      const holderId = drawHolder(random);
      return { ...key, kind: "reserve", resourceId, holderId, ttlSlots: drawTtl(random, model) };
    }
    case 3:
    case 4: {
      const count = random.below(model.bounds.maxBundleSize + (random.oneIn(5) ? 2 : 1));
      const resourceIds = Array.from({ length: count }, () => drawResourceId(random, model));
      const holderId = drawHolder(random);
      return {
        ...key,
        kind: "reserve_bundle",
        resourceIds,
        holderId,
        ttlSlots: drawTtl(random, model),
      };
    }
    case 5:
    case 6:
    case 7:
      return { ...key, kind: "confirm", ...held };
    case 8:
      return { ...key, kind: "release", ...held };
    case 9:
      return { ...key, kind: "revoke", reservationId };
    default:
      return { ...key, kind: "reclaim", reservationId };
  }
}

/** Mostly new, now and then one that is likely in use. */
function drawOperationId(random: SeededRandom): bigint {
  if (random.oneIn(12)) return BigInt(random.below(8));
  return (BigInt(random.nextU32()) << 96n) | BigInt(random.nextU32());
}

function drawResourceId(random: SeededRandom, { bounds, resources }: Model): bigint {
  const known = [...resources.keys()];
  if (known.length > 0 && !random.oneIn(4)) return known[random.below(known.length)]!;
  return RESOURCE_IDS[random.below(bounds.maxResources + 2)]!;
}

function drawHolder(random: SeededRandom): bigint {
  return HOLDER_IDS[random.below(HOLDER_IDS.length)]!;
}

function drawTtl(random: SeededRandom, { bounds }: Model): bigint {
  if (random.oneIn(40)) return U64_MAX - BigInt(random.below(2));
  const most = Number(bounds.maxTtlSlots) + (random.oneIn(10) ? 2 : 0);
  return BigInt(random.oneIn(20) ? 0 : 1 + random.below(most));
}

/** A reservation with its holder and epoch, each now and then a wrong one. */
function drawReservation(
  random: SeededRandom,
  model: Model,
): { reservationId: bigint; holderId: bigint; epoch: bigint } {
  const known = drawKnown(random, model);
  const wrongEpochs = [0n, 1n, 2n, 3n, 1n << 32n, U64_MAX];
  return {
    reservationId: known?.reservationId ?? drawMissing(random, model),
    holderId: known === undefined || random.oneIn(8) ? drawHolder(random) : known.holderId,
    epoch: known === undefined || random.oneIn(8)
      ? wrongEpochs[random.below(wrongEpochs.length)]!
      : known.epoch,
  };
}

function drawKnown(random: SeededRandom, { reservations }: Model): ModelReservation | undefined {
  const all = [...reservations.values()];
  const live = all.filter(({ retireAfterSlot }) => retireAfterSlot === undefined);
  const from = live.length > 0 && !random.oneIn(6) ? live : all;
  return from.length === 0 || random.oneIn(10) ? undefined : from[random.below(from.length)];
}

/** Around the watermark and the end of the log, in another shard, or nowhere. */
function drawMissing(random: SeededRandom, model: Model): bigint {
  const shard = model.bounds.shardId << 64n;
  const ids = [
    ...[0n, 1n, U64_MAX].map((lsn) => shard | lsn),
    ...[model.retiredLsn, model.retiredLsn + 1n, model.lastLsn + 1n].map((lsn) => shard | lsn),
    (shard | model.retiredLsn) ^ (1n << 64n),
    ...[...model.reservations.keys()].map((id) => id ^ (1n << 64n)),
  ];
  return ids[random.below(ids.length)]!;
}

function drawExpire(random: SeededRandom, model: Model): ModelCommand {
  const known = drawKnown(random, model);
  const reservationId = known?.reservationId ?? drawMissing(random, model);
  const deadlineSlot = (known?.deadlineSlot ?? 0n) + (random.oneIn(8) ? 1n : 0n);
  return { kind: "expire", reservationId, deadlineSlot: deadlineSlot & U64_MAX };
}

/** The same key on a command that differs in kind, in one field, or only in its client. */
function mutate(random: SeededRandom, model: Model, command: ClientCommand): ClientCommand {
  const { operationId, clientId } = command;
  switch (random.below(3)) {
    case 0:
      return { ...command, clientId: clientId + 1n };
    case 1:
      return { ...drawFresh(random, model), operationId, clientId };
    default:
      return mutateField(random, command);
  }
}

function mutateField(random: SeededRandom, command: ClientCommand): ClientCommand {
  switch (command.kind) {
    case "create_resource":
      return { ...command, resourceId: command.resourceId ^ 1n };
    case "reserve": {
      const { resourceId, ...rest } = command;
      return { ...rest, kind: "reserve_bundle", resourceIds: [resourceId] };
    }
    case "reserve_bundle":
      return { ...command, resourceIds: command.resourceIds.toReversed() };
    case "confirm":
    case "release":
      if (random.oneIn(2)) return { ...command, epoch: command.epoch ^ (1n << 63n) };
      return { ...command, kind: command.kind === "confirm" ? "release" : "confirm" };
    case "revoke":
    case "reclaim":
      return { ...command, kind: command.kind === "revoke" ? "reclaim" : "revoke" };
  }
}
