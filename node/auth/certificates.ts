/** X.509 certificates of a cluster's own authority: ECDSA P-256, nothing to choose. Source: RFC 5280. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { BitString, Integer, OctetString, Utf8String } from "asn1js";
import {
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  CryptoEngine,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
  setEngine,
} from "pkijs";

/** A certificate and its private key, both PEM. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly privateKey: string;
}

/** What a certificate says. */
export interface CertificateRequest {
  /** For people. */
  readonly commonName: string;
  /** Names and addresses of the server; empty for an authority. */
  readonly hosts: readonly string[];
  /** From now on. */
  readonly days: number;
  /** Now, for the times it is valid. */
  readonly now: Date;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const HASH = "SHA-256";
const DAY_MS = 86_400_000;
/** Clocks differ: a certificate is valid from a little before it was made. */
const BACKDATE_MS = 3_600_000;
const SERIAL_BYTES = 16;

const OID = {
  commonName: "2.5.4.3",
  subjectAltName: "2.5.29.17",
  keyUsage: "2.5.29.15",
  basicConstraints: "2.5.29.19",
  subjectKeyIdentifier: "2.5.29.14",
  authorityKeyIdentifier: "2.5.29.35",
  extKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

/** Bits of the key usage extension, first bit first. */
const KEY_USAGE = { digitalSignature: 0x80, keyCertSign: 0x04 } as const;

/** Makes an authority: a certificate that vouches for others, signed by itself. */
export async function createAuthority(request: CertificateRequest): Promise<CertifiedKey> {
  const keys = await generateKeys();
  const certificate = await begin(request, keys);
  certificate.issuer.typesAndValues.push(commonName(request.commonName));
  certificate.extensions = [
    basicConstraints(true),
    keyUsage(KEY_USAGE.keyCertSign),
    subjectKeyIdentifier(keyHash(certificate)),
  ];
  return await sign(certificate, keys, keys.privateKey);
}

/**
 * Makes a server's certificate.
 *
 * @param request Whose.
 * @param authority Who vouches for it.
 * @returns The certificate with a key of its own.
 * @throws {Error} When the authority is none.
 */
export async function createCertificate(
  request: CertificateRequest,
  authority: CertifiedKey,
): Promise<CertifiedKey> {
  const issuer = Certificate.fromBER(pemBytes(authority.certificate));
  const keys = await generateKeys();
  const certificate = await begin(request, keys);
  certificate.issuer = issuer.subject;
  certificate.extensions = [
    basicConstraints(false),
    keyUsage(KEY_USAGE.digitalSignature),
    serverUsage(),
    alternativeNames(request.hosts),
    subjectKeyIdentifier(keyHash(certificate)),
    authorityKeyIdentifier(keyHash(issuer)),
  ];
  return await sign(certificate, keys, await importKey(authority.privateKey));
}

async function begin(
  { commonName: name, days, now }: CertificateRequest,
  { publicKey }: CryptoKeyPair,
): Promise<Certificate> {
  const engine = new CryptoEngine({ name: "webcrypto", crypto });
  setEngine("webcrypto", engine);
  const serial = crypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  serial[0]! &= 0x7f; // Positive,
  serial[0]! |= 0x40; // and of full length.
  const certificate = new Certificate({ version: 2 });
  certificate.serialNumber = new Integer({ valueHex: serial.buffer });
  certificate.subject.typesAndValues.push(commonName(name));
  certificate.notBefore.value = new Date(now.getTime() - BACKDATE_MS);
  certificate.notAfter.value = new Date(now.getTime() + days * DAY_MS);
  await certificate.subjectPublicKeyInfo.importKey(publicKey);
  return certificate;
}

async function sign(
  certificate: Certificate,
  keys: CryptoKeyPair,
  signer: CryptoKey,
): Promise<CertifiedKey> {
  await certificate.sign(signer, HASH);
  const privateKey = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: pem("CERTIFICATE", certificate.toSchema().toBER()),
    privateKey: pem("PRIVATE KEY", privateKey),
  };
}

function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function importKey(text: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("pkcs8", pemBytes(text), ALGORITHM, false, ["sign"]);
}

function commonName(text: string): AttributeTypeAndValue {
  return new AttributeTypeAndValue({
    type: OID.commonName,
    value: new Utf8String({ value: text }),
  });
}

function basicConstraints(isAuthority: boolean): Extension {
  const constraints = new BasicConstraints(
    isAuthority ? { cA: true, pathLenConstraint: 0 } : { cA: false },
  );
  return extension(OID.basicConstraints, true, constraints.toSchema().toBER());
}

function keyUsage(bits: number): Extension {
  const valueHex = Uint8Array.of(bits).buffer;
  const unusedBits = bits === KEY_USAGE.keyCertSign ? 2 : 7;
  return extension(OID.keyUsage, true, new BitString({ valueHex, unusedBits }).toBER());
}

function serverUsage(): Extension {
  const usage = new ExtKeyUsage({ keyPurposes: [OID.serverAuth] });
  return extension(OID.extKeyUsage, false, usage.toSchema().toBER());
}

function alternativeNames(hosts: readonly string[]): Extension {
  const names = new GeneralNames({ names: hosts.map(generalName) });
  return extension(OID.subjectAltName, false, names.toSchema().toBER());
}

/** Names a public key: 20 bytes of its SHA-256. Source: RFC 7093. */
function keyHash({ subjectPublicKeyInfo }: Certificate): ArrayBuffer {
  const { valueHexView } = subjectPublicKeyInfo.subjectPublicKey.valueBlock;
  const hash = createHash("sha256").update(Uint8Array.from(valueHexView)).digest();
  return Uint8Array.from(hash.subarray(0, 20)).buffer;
}

function subjectKeyIdentifier(valueHex: ArrayBuffer): Extension {
  return extension(OID.subjectKeyIdentifier, false, new OctetString({ valueHex }).toBER());
}

function authorityKeyIdentifier(valueHex: ArrayBuffer): Extension {
  const keyIdentifier = new OctetString({ valueHex });
  const identifier = new AuthorityKeyIdentifier({ keyIdentifier });
  return extension(OID.authorityKeyIdentifier, false, identifier.toSchema().toBER());
}

const GENERAL_NAME = { dns: 2, address: 7 } as const;

function generalName(host: string): GeneralName {
  const address = addressBytes(host);
  if (address === undefined) return new GeneralName({ type: GENERAL_NAME.dns, value: host });
  const value = new OctetString({ valueHex: Uint8Array.from(address).buffer });
  return new GeneralName({ type: GENERAL_NAME.address, value });
}

/** The bytes of an IP address; `undefined` for a name. */
function addressBytes(host: string): readonly number[] | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return host.split(".").map(Number);
  if (!host.includes(":")) return undefined;
  // A URL parser knows every way to write one, and has one way of its own.
  const [left = "", right] = new URL(`http://[${host}]`).hostname.slice(1, -1).split("::");
  const groups = (text: string): string[] => text === "" ? [] : text.split(":");
  const behind = right === undefined ? [] : groups(right);
  const zeros = new Array<string>(8 - groups(left).length - behind.length).fill("0");
  const all = [...groups(left), ...zeros, ...behind].map((group) => parseInt(group, 16));
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}

function extension(extnID: string, critical: boolean, extnValue: ArrayBuffer): Extension {
  return new Extension({ extnID, critical, extnValue });
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function pemBytes(text: string): Uint8Array<ArrayBuffer> {
  const body = /-----BEGIN [A-Z ]+-----([^-]+)-----END/.exec(text)?.[1] ?? "";
  return Uint8Array.from(Buffer.from(body, "base64"));
}
