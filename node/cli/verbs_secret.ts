/** `allocdb secret`: files for those who have to prove who they are. */
import type { Credential } from "../auth/credential.ts";
import { SECRET_BYTES } from "../auth/credential.ts";
import { readSecrets, writeCredential } from "../auth/credential_file.ts";
import { deriveKey, type RoleKey } from "../auth/keys.ts";
import type { Role } from "../auth/roles.ts";
import type { CliIo } from "./io.ts";
import { show, type Style } from "./output.ts";

/**
 * Makes a secret.
 *
 * @param io Where the report goes; the secret goes into the file alone.
 * @param style How the report looks.
 * @param out The file to make.
 * @throws {CliError} When it exists or cannot be made.
 */
export async function createSecret(io: CliIo, style: Style, out: string): Promise<void> {
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  writeCredential(out, { kind: "secret", secrets: [secret] });
  // The name of the operator's key: the same in every copy of the file, and it tells nothing else.
  const { id } = deriveKey(secret, "operator");
  await show(io, { data: { file: out, kind: "secret", id: hex(id) }, quiet: out }, style);
}

/** Flags of `secret derive`. */
export interface DeriveFlags {
  readonly role: Role;
  readonly from: string;
  readonly out: string;
}

/**
 * Makes a key for one role out of a secret. A file with an old and a new secret gives a file with both keys.
 *
 * @param io Where the report goes; the key goes into the file alone.
 * @param style How the report looks.
 * @param flags Which role, and the files.
 * @throws {CliError} When the secret cannot be read or the file cannot be made.
 */
export async function deriveKeyFile(io: CliIo, style: Style, flags: DeriveFlags): Promise<void> {
  const { role, from, out } = flags;
  const keys = readSecrets(from).map((secret) => deriveKey(secret, role));
  writeCredential(out, keyCredential(role, keys as [RoleKey, ...RoleKey[]]));
  await show(
    io,
    { data: { file: out, kind: "key", role, id: hex(keys[0]!.id) }, quiet: out },
    style,
  );
}

function keyCredential(
  role: Role,
  [first, ...others]: readonly [RoleKey, ...RoleKey[]],
): Credential {
  return { kind: "key", role, keys: [first.key, ...others.map(({ key }) => key)] };
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
