/** Who may ask for what. docs/security.md has the same table, and a test compares the two. */

/** What a key makes of its holder. */
export const ROLES = ["peer", "operator", "client", "reader"] as const;

/** One of {@linkcode ROLES}. */
export type Role = typeof ROLES[number];

/** Which of a replica's listeners a connection came to. */
export const CHANNELS = ["client", "control", "peer"] as const;

/** One of {@linkcode CHANNELS}. */
export type Channel = typeof CHANNELS[number];

/** The number of a role on the wire. */
export const ROLE_NUMBERS: Readonly<Record<Role, number>> = {
  peer: 1,
  operator: 2,
  client: 3,
  reader: 4,
};

/** Requests of each listener and who may make them. A role without any is not let in. */
export const PERMISSIONS = {
  client: {
    get_resource: ["operator", "client", "reader"],
    get_reservation: ["operator", "client", "reader"],
    get_metrics: ["operator", "client", "reader"],
    status: ["operator", "client", "reader"],
    submit: ["operator", "client"],
    tick_expirations: ["operator"],
    checkpoint: ["operator"],
  },
  control: {
    status: ["operator", "reader"],
    command: ["operator"],
  },
  peer: {
    message: ["peer"],
  },
} as const satisfies Readonly<Record<Channel, Readonly<Record<string, readonly Role[]>>>>;

/** Something that a channel's clients may ask for. */
export type Permission<C extends Channel> = keyof typeof PERMISSIONS[C] & string;

/**
 * What one role may do on one channel; looked up once per connection, so that a request costs one test.
 *
 * @param channel Where the connection came to.
 * @param role What it has proved, or `undefined` where nothing needs to be proved: then everything.
 * @returns The requests it may make.
 */
export function permissionsOf<C extends Channel>(
  channel: C,
  role: Role | undefined,
): ReadonlySet<Permission<C>> {
  const table: Readonly<Record<string, readonly Role[]>> = PERMISSIONS[channel];
  const allowed = Object.keys(table).filter((request) =>
    role === undefined || table[request]!.includes(role)
  );
  return new Set(allowed as Permission<C>[]);
}

/** The role of a number on the wire; `undefined` when it is none. */
export function roleOfNumber(number: number): Role | undefined {
  return ROLES.find((role) => ROLE_NUMBERS[role] === number);
}

/** Whether a word is a role. */
export function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}
