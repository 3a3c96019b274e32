/** Certificates and keys as files. Source: docs/security.md#tls. */
import { CliError } from "../errors.ts";
import { readPrivateFile } from "./credential_file.ts";

/** What a server shows and proves to own, both PEM. */
export interface ServerTls {
  /** Its certificate, and those between it and the authority, if any. */
  readonly certificate: string;
  readonly privateKey: string;
}

/** What a PEM file can hold. */
export type PemLabel = "CERTIFICATE" | "PRIVATE KEY";

/** Kinds of keys by the names they have in PEM. */
const KEY_LABEL = /-----BEGIN (EC |RSA )?PRIVATE KEY-----/;

/**
 * Reads a PEM file; one with a key must be its owner's alone.
 *
 * @param path Where it is.
 * @param label What it must hold.
 * @returns Its text.
 * @throws {CliError} E_BAD_CERTIFICATE, or E_BAD_SECRET for a key that is open to others.
 */
export function readPem(path: string, label: PemLabel): string {
  const text = label === "CERTIFICATE" ? readPublic(path) : readPrivateFile(path);
  const holds = label === "CERTIFICATE"
    ? text.includes("-----BEGIN CERTIFICATE-----")
    : KEY_LABEL.test(text);
  if (holds) return text;
  throw new CliError("E_BAD_CERTIFICATE", `${path} holds no ${label.toLowerCase()} in PEM`);
}

/**
 * What a server is to show, from the flags that name its files.
 *
 * @param certificate Path of the certificate, if any.
 * @param key Path of its key, if any.
 * @returns Both, or nothing when neither is named.
 * @throws {CliError} E_USAGE when only one is, or as {@linkcode readPem}.
 */
export function readServerTls(
  certificate: string | undefined,
  key: string | undefined,
): ServerTls | undefined {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw new CliError("E_USAGE", "--tls-cert and --tls-key go together", {
      hint: "give both, as `allocdb tls create-cert` makes both",
    });
  }
  const tls = {
    certificate: readPem(certificate, "CERTIFICATE"),
    privateKey: readPem(key, "PRIVATE KEY"),
  };
  checkPair(tls, certificate, key);
  return tls;
}

/** Tries them where nobody looks: the runtime has no other way to find out that they belong together. */
function checkPair(tls: ServerTls, certificate: string, key: string): void {
  try {
    const { certificate: cert, privateKey } = tls;
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key: privateKey }).close();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError("E_BAD_CERTIFICATE", `cannot use ${certificate} with ${key}: ${reason}`);
  }
}

function readPublic(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CliError("E_BAD_CERTIFICATE", `cannot read ${path}: ${error.message}`);
  }
}
