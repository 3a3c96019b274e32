/** `allocdb tls`: an authority and certificates, as files. */
import { join } from "@std/path";
import { writeNewFile } from "../auth/credential_file.ts";
import { type CertifiedKey, createAuthority, createCertificate } from "../auth/certificates.ts";
import { readPem } from "../auth/tls_files.ts";
import { CliError } from "../errors.ts";
import type { CliIo } from "./io.ts";
import { parseCount } from "./numbers.ts";
import { show, type Style } from "./output.ts";
import { quote } from "./text.ts";

/** Who reads a certificate. */
const PUBLIC = 0o644;
const PRIVATE = 0o600;
/** Longest life: what a date can hold, more or less. */
const DAYS_MAX = 36_500;
const CA_DAYS = 3_650;
/** Longest that browsers and others have put up with. */
const CERTIFICATE_DAYS = 825;
const CA_FILE = "ca.pem";
const CA_KEY_FILE = "ca-key.pem";

/** Flags of `tls create-ca`. */
export interface CreateCaFlags {
  readonly out: string;
  readonly name?: string | undefined;
  readonly days?: string | undefined;
}

/** Makes an authority. Throws {@linkcode CliError}. */
export async function createCa(io: CliIo, style: Style, flags: CreateCaFlags): Promise<void> {
  const { out, name = "AllocDB" } = flags;
  const days = daysOf(flags.days, CA_DAYS);
  const request = { commonName: name, hosts: [], days, now: new Date() };
  const files = { certificate: join(out, CA_FILE), key: join(out, CA_KEY_FILE) };
  write(files, await createAuthority(request));
  await show(io, { data: { ...files, name, days }, quiet: files.certificate }, style);
}

/** Flags of `tls create-cert`. */
export interface CreateCertFlags {
  readonly ca: string;
  readonly hosts: string;
  readonly out: string;
  readonly days?: string | undefined;
}

/** Makes a certificate. Throws {@linkcode CliError}. */
export async function createCert(
  io: CliIo,
  style: Style,
  name: string,
  flags: CreateCertFlags,
): Promise<void> {
  const hosts = flags.hosts.split(",").map((host) => checkedHost(host.trim()));
  const days = daysOf(flags.days, CERTIFICATE_DAYS);
  if (!/^[\w.-]+$/.test(name)) {
    throw new CliError("E_USAGE", `${quote(name)} cannot be the name of a file`, {
      hint: "letters, digits, dots, hyphens and underscores can",
    });
  }
  const authority = readAuthority(flags.ca);
  const request = { commonName: name, hosts, days, now: new Date() };
  const files = {
    certificate: join(flags.out, `${name}.pem`),
    key: join(flags.out, `${name}-key.pem`),
  };
  write(files, await certified(request, authority, flags.ca));
  await show(io, { data: { ...files, hosts, days }, quiet: files.certificate }, style);
}

function readAuthority(directory: string): CertifiedKey {
  return {
    certificate: readPem(join(directory, CA_FILE), "CERTIFICATE"),
    privateKey: readPem(join(directory, CA_KEY_FILE), "PRIVATE KEY"),
  };
}

async function certified(
  request: Parameters<typeof createCertificate>[0],
  authority: CertifiedKey,
  directory: string,
): Promise<CertifiedKey> {
  try {
    return await createCertificate(request, authority);
  } catch (error) {
    throw new CliError("E_BAD_CERTIFICATE", `${directory} has no authority that can be used`, {
      hint: "make one with `allocdb tls create-ca`",
      cause: error,
    });
  }
}

/** The key first: a certificate without its key is of no use, and its name is taken. */
function write(
  files: { readonly certificate: string; readonly key: string },
  made: CertifiedKey,
): void {
  writeNewFile(files.key, made.privateKey, PRIVATE);
  writeNewFile(files.certificate, made.certificate, PUBLIC);
}

function daysOf(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : parseCount(text, "--days", 1, DAYS_MAX);
}

/** A name as the DNS has them, or an address. */
function checkedHost(host: string): string {
  const isAddress = host.includes(":") || /^[\d.]+$/.test(host);
  const isHost = isAddress
    ? URL.canParse(`http://${host.includes(":") ? `[${host}]` : host}`) &&
      (host.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host))
    : /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(host);
  if (isHost) return host;
  throw new CliError("E_USAGE", `--hosts: ${quote(host)} is neither a name nor an address`, {
    hint: "give names and IP addresses with commas in between, without ports",
  });
}
