/** Commands by chance and one of each kind, for tests of their bytes. */
import { readU128 } from "../../core/words.ts";
import type { ClientCommand, ExpireCommand } from "../../testbed/model/words.ts";
import type { SeededRandom } from "../../testbed/sim/random.ts";

const U64_MAX = 2n ** 64n - 1n;
const U128_MAX = 2n ** 128n - 1n;

/** Any u128, with words of 0 more often than chance has them. */
export function drawId(random: SeededRandom): bigint {
  const words = Uint32Array.from({ length: 4 }, () => random.oneIn(3) ? 0 : random.nextU32());
  return random.oneIn(10) ? U128_MAX : readU128(words, 0);
}

/** Any u64, half of them where an encoding changes length. */
export function drawU64(random: SeededRandom): bigint {
  const edges = [0n, 1n, 23n, 24n, 255n, 65_536n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, U64_MAX];
  return random.oneIn(2) ? edges[random.below(edges.length)]! : drawId(random) & U64_MAX;
}

/** Any client command. */
export function drawClientCommand(random: SeededRandom, membersMax = 16): ClientCommand {
  const key = { operationId: drawId(random), clientId: drawId(random) };
  const subject = drawId(random);
  const holderId = drawId(random);
  const quantity = drawU64(random);
  switch (random.below(7)) {
    case 0:
      return { ...key, kind: "create_resource", resourceId: subject };
    case 1:
      return { ...key, kind: "reserve", resourceId: subject, holderId, ttlSlots: quantity };
    case 2: {
      const resourceIds = Array.from(
        { length: random.below(membersMax + 1) },
        () => drawId(random),
      );
      return { ...key, kind: "reserve_bundle", resourceIds, holderId, ttlSlots: quantity };
    }
    case 3:
      return { ...key, kind: "confirm", reservationId: subject, holderId, epoch: quantity };
    case 4:
      return { ...key, kind: "release", reservationId: subject, holderId, epoch: quantity };
    case 5:
      return { ...key, kind: "revoke", reservationId: subject };
    default:
      return { ...key, kind: "reclaim", reservationId: subject };
  }
}

/** Any expire. */
export function drawExpire(random: SeededRandom): ExpireCommand {
  return { kind: "expire", reservationId: drawId(random), deadlineSlot: drawU64(random) };
}

/** A retry key with a different byte everywhere. */
export const KEY = { operationId: 0x0102030405060708090a0b0c0d0e0f10n, clientId: 0x11n << 120n };

/** One of each kind, bundles twice. */
export const EXAMPLES: readonly ClientCommand[] = [
  { ...KEY, kind: "create_resource", resourceId: 3n },
  { ...KEY, kind: "reserve", resourceId: 3n, holderId: 4n, ttlSlots: 5n },
  { ...KEY, kind: "reserve_bundle", resourceIds: [], holderId: 4n, ttlSlots: 5n },
  { ...KEY, kind: "reserve_bundle", resourceIds: [3n, 1n << 127n], holderId: 4n, ttlSlots: 5n },
  { ...KEY, kind: "confirm", reservationId: 3n, holderId: 4n, epoch: 1n },
  { ...KEY, kind: "release", reservationId: 3n, holderId: 4n, epoch: 1n },
  { ...KEY, kind: "revoke", reservationId: 3n },
  { ...KEY, kind: "reclaim", reservationId: 3n },
];

/** The internal command. */
export const EXPIRE: ExpireCommand = { kind: "expire", reservationId: 3n, deadlineSlot: 5n };
