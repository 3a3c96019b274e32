/** Files with a secret or a key in them: readable by their owner alone, or not used. */
import { CliError } from "../errors.ts";
import {
  type Credential,
  CredentialError,
  formatCredential,
  parseCredential,
} from "./credential.ts";

/** Nobody but the owner. */
const MODE = 0o600;
/** Permission bits of group and others. */
const OTHERS = 0o077;
/** Longer than any credential with its comments. */
const FILE_BYTES_MAX = 0x1_0000;

/**
 * Reads a file.
 *
 * @param path Where it is.
 * @returns What it gives its holder.
 * @throws {CliError} E_BAD_SECRET when it cannot be read, is open to others, or holds no credential. The
 * message never has any of its content in it.
 */
export function readCredential(path: string): Credential {
  const text = readPrivateFile(path);
  try {
    return parseCredential(text);
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    throw new CliError("E_BAD_SECRET", `${path} is no secret file: ${error.message}`);
  }
}

/**
 * Reads a file that must hold a cluster's secret: what replicas and servers need.
 *
 * @param path Where it is.
 * @returns The secrets, the current one first.
 * @throws {CliError} E_BAD_SECRET, also for a file with keys of one role.
 */
export function readSecrets(path: string): readonly [Uint8Array, ...Uint8Array[]] {
  const credential = readCredential(path);
  if (credential.kind === "secret") return credential.secrets;
  throw new CliError("E_BAD_SECRET", `${path} holds a key of the role ${credential.role}`, {
    hint: "a server needs the cluster's secret, which `allocdb secret create` makes",
  });
}

/**
 * Makes a file that only its owner can read, durably.
 *
 * @param path Where; nothing may be there yet.
 * @param credential What to put into it.
 * @throws {CliError} E_FILE_EXISTS, or that it cannot be made.
 */
export function writeCredential(path: string, credential: Credential): void {
  writeNewFile(path, formatCredential(credential), MODE);
}

/** Makes a file that was not there before, durably. Throws as {@linkcode writeCredential}. */
export function writeNewFile(path: string, text: string, mode: number): void {
  try {
    using file = Deno.openSync(path, { write: true, createNew: true, mode });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    file.syncSync();
  } catch (error) {
    throw cannotMake(path, error);
  }
}

function cannotMake(path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.AlreadyExists) {
    return new CliError("E_FILE_EXISTS", `${path} exists already`);
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new CliError("E_PERMISSION_DENIED", `cannot make ${path}: ${error.message}`);
  }
  if (error instanceof Error) {
    return new CliError("E_IO", `cannot make ${path}: ${error.message}`, { cause: error });
  }
  return error;
}

/**
 * Reads a file that nobody but its owner may touch.
 *
 * @param path Where it is.
 * @returns Its text.
 * @throws {CliError} E_BAD_SECRET when it cannot be read or is open to others.
 */
export function readPrivateFile(path: string): string {
  try {
    using file = Deno.openSync(path); // What is checked is what is read.
    const { mode, isFile, size } = file.statSync();
    if (!isFile) throw new CliError("E_BAD_SECRET", `${path} is not a file`);
    if (size > FILE_BYTES_MAX) {
      throw new CliError("E_BAD_SECRET", `${path} is too long for what it should hold`);
    }
    checkMode(path, mode);
    const bytes = new Uint8Array(size);
    let at = 0;
    for (let count: number | null; (count = file.readSync(bytes.subarray(at))) && at < size;) {
      at += count;
    }
    return new TextDecoder().decode(bytes.subarray(0, at));
  } catch (error) {
    if (!(error instanceof Error) || error instanceof CliError) throw error;
    throw new CliError("E_BAD_SECRET", `cannot read ${path}: ${error.message}`);
  }
}

/** Systems without modes answer none. */
function checkMode(path: string, mode: number | null): void {
  if (mode === null || (mode & OTHERS) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  throw new CliError("E_BAD_SECRET", `${path} is open to others: its mode is ${octal}`, {
    hint: `chmod 600 ${path}`,
  });
}
