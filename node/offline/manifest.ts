/** The first file of an exported replica: whose it is, how far it reaches, and what every other file must hash to. */
import { createHash } from "node:crypto";
import * as v from "valibot";

/** Its name in the archive. */
export const MANIFEST_FILE = "manifest.json";
/** What the manifest itself must hash to, in the form that `sha256sum --check` reads; the second file. */
export const MANIFEST_SUM_FILE = "manifest.json.sha256";
/** The one version there is. */
export const MANIFEST_VERSION = 1;
/** Longest that is believed, in bytes. */
export const MANIFEST_BYTES_MAX = 0x10_0000;

const decimal = v.pipe(v.string(), v.regex(/^(0|[1-9][0-9]{0,19})$/));
const hex = (digits: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${digits}}$`)));

const schema = v.object({
  version: v.literal(MANIFEST_VERSION),
  kind: v.literal("allocdb_replica"),
  program: v.string(),
  exported_at: v.pipe(v.string(), v.isoTimestamp()),
  cluster_id: hex(32),
  replica_id: decimal,
  shard_id: decimal,
  config_epoch: decimal,
  role: v.string(),
  view: decimal,
  log_view: decimal,
  commit_op_hint: decimal,
  first_op: decimal,
  tip_op: decimal,
  tip_hash: hex(16),
  files: v.array(
    v.object({
      name: v.string(),
      bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      sha256: hex(64),
    }),
  ),
});

/** A manifest; every u64 is a decimal text. */
export type Manifest = v.InferOutput<typeof schema>;

/** The manifest's bytes. */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
}

/** The bytes of {@linkcode MANIFEST_SUM_FILE}. */
export function encodeManifestSum(manifest: Uint8Array): Uint8Array<ArrayBuffer> {
  const sum = createHash("sha256").update(manifest).digest("hex");
  return Uint8Array.from(new TextEncoder().encode(`${sum}  ${MANIFEST_FILE}\n`));
}

/** Reads a manifest; a text says why there is none. */
export function decodeManifest(bytes: Uint8Array): Manifest | string {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return `${MANIFEST_FILE} is no JSON`;
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  return `${MANIFEST_FILE} is not what export writes: ${
    v.getDotPath(issue) ?? "it"
  }: ${issue.message}`;
}
