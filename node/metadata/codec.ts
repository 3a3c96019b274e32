/**
 * The bytes of one copy of `replica.metadata`: a checksummed head and a CBOR array. Every value has one
 * encoding, and reading accepts no other. Source: docs/storage.md#metadata.
 */

import { Encoder } from "cbor-x";
import * as v from "valibot";
import { assert } from "../../core/assert.ts";
import { type CoreConfig, U64_MAX } from "../../core/config.ts";
import { crc32c } from "../../core/crc32c.ts";
import { formatCoreConfig, parseCoreConfig } from "../config/text.ts";
import { REPLICA_ROLES, type ReplicaRole, type Vote } from "../vsr/role.ts";

/** Bytes of one copy: eight sectors, all of them under the checksum. */
export const COPY_BYTES = 4096;

/** Bytes in front of the body. */
const HEAD_BYTES = 32;
const MAGIC = new TextEncoder().encode("ADMETA1\0");
const VERSION = 1;

/** What a replica must remember besides its log. */
export interface ReplicaMetadata {
  /** 16 bytes, the same on every replica of a cluster. */
  readonly clusterId: Uint8Array;
  readonly replicaId: bigint;
  /** The bounds that the data was made under; they carry the shard id. */
  readonly core: CoreConfig;
  /** Counts changes of the membership. */
  readonly configEpoch: bigint;
  readonly view: bigint;
  /** Latest view in which this replica's log was known to be right. */
  readonly logView: bigint;
  readonly vote: Vote | null;
  readonly role: ReplicaRole;
  /** At least this much was committed once; the log knows better. */
  readonly commitOpHint: bigint;
  /** Op of a snapshot that existed once. */
  readonly snapshotOpHint: bigint;
  /** When the data directory was made, ISO 8601. */
  readonly createdAt: string;
}

/** Why bytes are not a copy of the metadata. */
export type CopyDefect =
  | "checksum_mismatch"
  | "bad_magic"
  | "unsupported_version"
  | "body_length_out_of_range"
  | "unused_bytes_not_zero"
  | "malformed_body";

/** One copy, or why it is none. */
export type DecodedCopy =
  | { readonly kind: "copy"; readonly sequence: bigint; readonly metadata: ReplicaMetadata }
  | { readonly kind: "defect"; readonly defect: CopyDefect };

const u64 = v.pipe(v.bigint(), v.minValue(0n), v.maxValue(U64_MAX));

const bodySchema = v.strictTuple([
  v.pipe(v.instance(Uint8Array), v.length(16)), // Cluster id.
  u64, // Replica id.
  u64, // Shard id.
  v.string(), // Core configuration, as text.
  u64, // Configuration epoch.
  u64, // View.
  u64, // Log view.
  v.nullable(v.strictTuple([u64, u64])), // Vote: view, replica.
  v.picklist(REPLICA_ROLES),
  u64, // Commit hint.
  u64, // Snapshot hint.
  v.pipe(v.string(), v.isoTimestamp()), // Creation time.
]);

/** Byte strings without a tag and no state between calls. Its results lie in a buffer that it reuses. */
const cbor = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true });

/**
 * Encodes one copy.
 *
 * @param metadata What to remember.
 * @param sequence Position among all writes of the metadata, from 1.
 * @returns {@linkcode COPY_BYTES} bytes.
 */
export function encodeCopy(metadata: ReplicaMetadata, sequence: bigint): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(COPY_BYTES);
  const view = new DataView(copy.buffer);
  const body = encodeBody(metadata);
  assert(body.length <= COPY_BYTES - HEAD_BYTES, "metadata/body-fits-its-copy");
  copy.set(MAGIC, 4);
  view.setUint32(12, VERSION, true);
  view.setBigUint64(16, sequence, true);
  view.setUint32(24, body.length, true);
  copy.set(body, HEAD_BYTES);
  view.setUint32(0, crc32c(copy, 4, COPY_BYTES), true);
  return copy;
}

/**
 * Decodes one copy.
 *
 * @param copy {@linkcode COPY_BYTES} bytes; nothing of them is kept.
 * @returns The metadata and its sequence, or the first defect.
 */
export function decodeCopy(copy: Uint8Array): DecodedCopy {
  assert(copy.length === COPY_BYTES, "metadata/copy-length");
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  if (view.getUint32(0, true) !== crc32c(copy, 4, COPY_BYTES)) return defect("checksum_mismatch");
  if (!MAGIC.every((byte, i) => copy[4 + i] === byte)) return defect("bad_magic");
  if (view.getUint32(12, true) !== VERSION) return defect("unsupported_version");
  const bodyBytes = view.getUint32(24, true);
  const end = HEAD_BYTES + bodyBytes;
  if (bodyBytes === 0 || end > COPY_BYTES) return defect("body_length_out_of_range");
  if (view.getUint32(28, true) !== 0 || !isZeroFrom(copy, end)) {
    return defect("unused_bytes_not_zero");
  }
  const metadata = decodeBody(copy.subarray(HEAD_BYTES, end));
  if (metadata === undefined) return defect("malformed_body");
  return { kind: "copy", sequence: view.getBigUint64(16, true), metadata };
}

/** A loop: a call for each of four thousand bytes takes longer than all else about a copy. */
function isZeroFrom(bytes: Uint8Array, from: number): boolean {
  for (let at = from; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** The one encoding of the metadata. The result is only good until the next call. */
function encodeBody(metadata: ReplicaMetadata): Uint8Array {
  const { vote } = metadata;
  return cbor.encode([
    metadata.clusterId,
    metadata.replicaId,
    metadata.core.shardId,
    formatCoreConfig(metadata.core),
    metadata.configEpoch,
    metadata.view,
    metadata.logView,
    vote === null ? null : [vote.view, vote.replica],
    metadata.role,
    metadata.commitOpHint,
    metadata.snapshotOpHint,
    metadata.createdAt,
  ]);
}

/** Encoding again what was decoded must give the same bytes: no second spelling, nothing left over. */
function decodeBody(body: Uint8Array): ReplicaMetadata | undefined {
  const metadata = metadataFrom(decodeCbor(body));
  if (metadata === undefined) return undefined;
  const again = encodeBody(metadata);
  const isSame = again.length === body.length && body.every((byte, i) => byte === again[i]);
  return isSame ? metadata : undefined;
}

/** Whatever the decoder throws at malformed bytes, they are malformed. */
function decodeCbor(body: Uint8Array): unknown {
  try {
    return cbor.decode(body);
  } catch {
    return undefined;
  }
}

function metadataFrom(value: unknown): ReplicaMetadata | undefined {
  const parsed = v.safeParse(bodySchema, value);
  if (!parsed.success) return undefined;
  const fields = parsed.output;
  const core = parseCoreConfig(fields[3]);
  if (core.kind === "refused" || core.config.shardId !== fields[2]) return undefined;
  return {
    clusterId: Uint8Array.from(fields[0]), // A copy: the decoder's byte strings are views.
    replicaId: fields[1],
    core: core.config,
    configEpoch: fields[4],
    view: fields[5],
    logView: fields[6],
    vote: fields[7] === null ? null : { view: fields[7][0], replica: fields[7][1] },
    role: fields[8],
    commitOpHint: fields[9],
    snapshotOpHint: fields[10],
    createdAt: fields[11],
  };
}

function defect(kind: CopyDefect): { readonly kind: "defect"; readonly defect: CopyDefect } {
  return { kind: "defect", defect: kind };
}
