/** The text of secret files and key files. Source: docs/security.md#files. */
import { Buffer } from "node:buffer";
import { isRole, type Role } from "./roles.ts";

/** Bytes of a new secret, and the fewest of any. */
export const SECRET_BYTES = 32;
/** Bytes of a role's key. */
export const KEY_BYTES = 32;
const SECRET_BYTES_MAX = 64;
/** Random bytes repeat themselves less: 32 of them have 16 different values or fewer less than once in 10^13 files. */
const DIFFERENT_BYTES_MIN = 16;
/** Secrets or keys in one file: the current one, and others while they are being replaced. */
const LINES_MAX = 4;
const SECRET_PREFIX = "allocdb-secret-v1:";
const KEY_PREFIX = "allocdb-key-v1:";

/** At least one. */
type NonEmpty<T> = readonly [T, ...T[]];

/** What a file gives its holder. The first of several is presented, all are accepted. */
export type Credential =
  /** The cluster's secret: any role. */
  | { readonly kind: "secret"; readonly secrets: NonEmpty<Uint8Array> }
  /** One role and no other. */
  | { readonly kind: "key"; readonly role: Role; readonly keys: NonEmpty<Uint8Array> };

/** One line that means something. */
type Line =
  | { readonly kind: "secret"; readonly bytes: Uint8Array }
  | { readonly kind: "key"; readonly role: Role; readonly bytes: Uint8Array };

/** A text that is no credential. Its message never has any of the text in it. */
export class CredentialError extends Error {
  /** Stable class name, kept through bundling. */
  override readonly name = "CredentialError";
}

/**
 * Reads the text of a file. Empty lines and lines that begin with `#` mean nothing.
 *
 * @param text The file's content.
 * @returns What it gives.
 * @throws {CredentialError} When it is malformed, weak, or a mixture.
 */
export function parseCredential(text: string): Credential {
  const lines = text.split("\n").map((line) => line.trim())
    .flatMap((line, at) => line === "" || line.startsWith("#") ? [] : [parseLine(line, at + 1)]);
  const [first] = lines;
  if (first === undefined) throw new CredentialError("it holds no secret and no key");
  if (lines.length > LINES_MAX) {
    throw new CredentialError(`it holds ${lines.length} lines, at most ${LINES_MAX} are taken`);
  }
  const isMixed = lines.some((line) => kindOf(line) !== kindOf(first));
  if (isMixed) throw new CredentialError("its lines are not all of one kind");
  const bytes = lines.map((line) => line.bytes) as [Uint8Array, ...Uint8Array[]];
  return first.kind === "secret"
    ? { kind: "secret", secrets: bytes }
    : { kind: "key", role: first.role, keys: bytes };
}

/** The text of a credential, one line each. */
export function formatCredential(credential: Credential): string {
  const lines = credential.kind === "secret"
    ? credential.secrets.map((bytes) => SECRET_PREFIX + toBase64(bytes))
    : credential.keys.map((bytes) => `${KEY_PREFIX}${credential.role}:${toBase64(bytes)}`);
  return lines.map((line) => `${line}\n`).join("");
}

function kindOf(line: Line): string {
  return line.kind === "secret" ? "secret" : line.role;
}

function parseLine(line: string, number: number): Line {
  if (line.startsWith(SECRET_PREFIX)) {
    const bytes = fromBase64(line.slice(SECRET_PREFIX.length), number);
    checkStrength(bytes, SECRET_BYTES, SECRET_BYTES_MAX, number);
    return { kind: "secret", bytes };
  }
  const [role, encoded, ...rest] = line.startsWith(KEY_PREFIX)
    ? line.slice(KEY_PREFIX.length).split(":")
    : [];
  if (role === undefined || encoded === undefined || rest.length > 0 || !isRole(role)) {
    throw new CredentialError(
      `line ${number} is neither ${SECRET_PREFIX}… nor ${KEY_PREFIX}ROLE:…`,
    );
  }
  const bytes = fromBase64(encoded, number);
  checkStrength(bytes, KEY_BYTES, KEY_BYTES, number);
  return { kind: "key", role, bytes };
}

function checkStrength(bytes: Uint8Array, min: number, max: number, number: number): void {
  if (bytes.length < min || bytes.length > max) {
    const right = min === max ? `${min}` : `${min} to ${max}`;
    throw new CredentialError(`line ${number} has ${bytes.length} bytes, not ${right}`);
  }
  if (new Set(bytes).size > DIFFERENT_BYTES_MIN) return;
  throw new CredentialError(`line ${number} does not look random`);
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

/** Only what `toBase64` writes: one text for the same bytes. */
function fromBase64(text: string, number: number): Uint8Array {
  const bytes = Uint8Array.from(Buffer.from(text, "base64url"));
  if (toBase64(bytes) === text) return bytes;
  throw new CredentialError(`line ${number} is not written in base64url`);
}
