/** What a command asks for. The numbers are the wire's. Source: docs/wire.md#commands. */
export const CommandTag = {
  create_resource: 1,
  reserve: 2,
  reserve_bundle: 3,
  confirm: 4,
  release: 5,
  /** Internal: sequenced by the primary alone, never decodable from a client. */
  expire: 6,
  revoke: 7,
  reclaim: 8,
} as const;

/** One of the numbers in {@linkcode CommandTag}. */
export type CommandTag = typeof CommandTag[keyof typeof CommandTag];

/** The operator's word for each tag; index is the tag. */
export const COMMAND_NAMES: readonly string[] = [
  "unknown",
  "create_resource",
  "reserve",
  "reserve_bundle",
  "confirm",
  "release",
  "expire",
  "revoke",
  "reclaim",
];

/** Word offsets in {@linkcode Command.words}. The key is [0, 8), the fixed-size fields are [8, 18). */
export const Field = {
  operationId: 0,
  clientId: 4,
  /** resource_id of create and reserve, reservation_id of everything that names a reservation. */
  subjectId: 8,
  holderId: 12,
  /** ttl_slots of reserve and reserve_bundle, epoch of confirm and release, deadline_slot of expire. */
  quantity: 16,
} as const;

/** Words of a retry key: operation_id and client_id. */
export const KEY_WORDS = 8;
/** Words of the fields that make two commands the same one. */
export const FIELDS_WORDS = 10;
/** Words of a decoded command, bundle members aside. */
export const COMMAND_WORDS = KEY_WORDS + FIELDS_WORDS;

/**
 * A decoded command, reused from one command to the next: the decoder overwrites it, whoever keeps
 * something copies it.
 */
export interface Command {
  tag: CommandTag;
  /** Laid out by {@linkcode Field}; fields a tag does not have are 0. */
  readonly words: Uint32Array;
  /** How many of `members` are meant; 1 for reserve. A bundle may say more than fit: see the codec. */
  memberCount: number;
  /** Resource ids of reserve and reserve_bundle, 4 words each, in request order. */
  readonly members: Uint32Array;
  /**
   * What retries are compared by: `words[8..18)` itself, but for a bundle the SHA-256 of its ids and
   * holder followed by the ttl. 10 words.
   */
  readonly fingerprint: Uint32Array;
}

/**
 * Makes an empty command record.
 *
 * @param maxBundleSize How many member ids it must hold.
 * @returns A record for {@linkcode decodeCommand} to fill.
 */
export function createCommand(maxBundleSize: number): Command {
  return {
    tag: CommandTag.create_resource,
    words: new Uint32Array(COMMAND_WORDS),
    memberCount: 0,
    members: new Uint32Array(maxBundleSize * 4),
    fingerprint: new Uint32Array(FIELDS_WORDS),
  };
}
