/** Keys of roles, made from a cluster's secret. Source: docs/security.md#keys. */
import { hkdfSync } from "node:crypto";
import { type Credential, KEY_BYTES } from "./credential.ts";
import { hmacSha256 } from "./hmac.ts";
import { type Role, ROLES } from "./roles.ts";

/** Bytes by which a key is named on the wire. */
export const KEY_ID_BYTES = 8;

const SALT = "allocdb-secret-v1";
const KEY_ID_LABEL = new TextEncoder().encode("allocdb-key-id-v1");

/** What proves a role. */
export interface RoleKey {
  readonly role: Role;
  readonly key: Uint8Array;
  /** Names the key without telling anything about it, so that a new and an old one may be valid at once. */
  readonly id: Uint8Array;
}

/**
 * The key of one role: HKDF-SHA-256 with the role in its label, so that no key leads to another role's.
 *
 * @param secret The cluster's.
 * @param role Whose key.
 * @returns The key.
 */
export function deriveKey(secret: Uint8Array, role: Role): RoleKey {
  const bytes = hkdfSync("sha256", secret, SALT, `allocdb-role-v1 ${role}`, KEY_BYTES);
  return roleKey(role, new Uint8Array(bytes));
}

/** A key that was derived before, with its name. */
export function roleKey(role: Role, key: Uint8Array): RoleKey {
  return { role, key, id: hmacSha256(key, KEY_ID_LABEL).slice(0, KEY_ID_BYTES) };
}

/** Every key that a server accepts. */
export class KeyRing {
  readonly #keys = new Map<string, RoleKey>();

  /** @param secrets The cluster's secret, and while it is being replaced the other one, too. */
  constructor(secrets: readonly Uint8Array[]) {
    for (const secret of secrets) {
      for (const role of ROLES) {
        const key = deriveKey(secret, role);
        this.#keys.set(nameOf(role, key.id), key);
      }
    }
  }

  /** The key of that name, if it is one of ours. */
  find(role: Role, id: Uint8Array): RoleKey | undefined {
    return this.#keys.get(nameOf(role, id));
  }
}

function nameOf(role: Role, id: Uint8Array): string {
  return `${role} ${id.join(".")}`;
}

/**
 * The key that a credential's holder presents: the first line of its file counts.
 *
 * @param credential What the holder has.
 * @param role What a holder of the whole secret wants to be; a key has its own role.
 * @returns The key.
 */
export function presentedKey(credential: Credential, role: Role): RoleKey {
  if (credential.kind === "secret") return deriveKey(credential.secrets[0], role);
  return roleKey(credential.role, credential.keys[0]);
}
