/** The first sector of a log segment: whose log it is, and where in it the segment starts. Source: docs/storage.md#segments. */
import { crc32c } from "./crc32c.ts";
import { genesisHash } from "./log_hash.ts";
import { createTip, type Tip, TipWord } from "./log_tip.ts";
import { readU64, writeU64 } from "./words.ts";

/** Bytes of a segment header; the first frame follows at once. */
export const SEGMENT_HEADER_BYTES = 512;
/** The one version there is. */
export const SEGMENT_VERSION = 1;

const MAGIC = new TextEncoder().encode("ADSEG1\0\0");
const MAGIC_WORDS = new Uint32Array(MAGIC.buffer);

const Word = {
  checksum: 0,
  magic: 1,
  version: 3,
  generation: 4,
  baseOp: 6,
  baseLsn: 8,
  baseSlot: 10,
  baseHash: 12,
  shardId: 14,
  clusterId: 16,
  configFingerprint: 20,
  length: 24,
  baseView: 26,
  flags: 28,
} as const;

/** Flag of a segment with which the log starts: see {@linkcode SegmentHeader.startsLog}. */
const STARTS_LOG = 1;

/** Whose log it is: what every segment of it states and none of another states. */
export interface LogIdentity {
  /** 16 bytes. */
  readonly clusterId: Uint8Array;
  /** A u64 in words 0 and 1. */
  readonly shardId: Uint32Array;
  /** 16 bytes: a fingerprint of the bounds that replay depends on. */
  readonly configFingerprint: Uint8Array;
}

/** What a segment states about itself. */
export interface SegmentHeader {
  readonly identity: LogIdentity;
  /** Position in the order in which segments were made, from 1; a later one supersedes. */
  readonly generation: bigint;
  /** The last frame before this segment; its first frame is the one after. */
  readonly base: Tip;
  /** Length of the whole file, from its creation on. */
  readonly bytes: number;
  /**
   * Set when the log starts here: no frame of a lower generation counts, wherever its op is. So begins the log of a
   * replica that took over a snapshot in place of what it had. Left out otherwise.
   */
  readonly startsLog?: true;
}

/** Why bytes are no segment header. */
export type SegmentHeaderError =
  | "segment_cut"
  | "invalid_magic"
  | "invalid_header_checksum"
  | "invalid_version"
  | "wrong_base";

/** Why a sound header belongs to another log. */
export type IdentityError = "foreign_cluster" | "foreign_shard" | "configuration_mismatch";

/** The op of the segment's first frame, there or still to come. */
export function baseOp(header: SegmentHeader): bigint {
  return readU64(header.base, TipWord.op) + 1n;
}

/** The tip of a log without frames. */
export function genesisTip(identity: LogIdentity): Tip {
  const tip = createTip();
  genesisHash(identity.clusterId, identity.shardId, tip, TipWord.hash);
  return tip;
}

/**
 * Encodes a segment header.
 *
 * @param header What to state.
 * @returns {@linkcode SEGMENT_HEADER_BYTES} bytes.
 */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const words = new Uint32Array(SEGMENT_HEADER_BYTES / 4);
  const bytes = new Uint8Array(words.buffer);
  const { base, identity } = header;
  words.set(MAGIC_WORDS, Word.magic);
  words[Word.version] = SEGMENT_VERSION;
  writeU64(words, Word.generation, header.generation);
  writeU64(words, Word.baseOp, baseOp(header));
  for (const [to, from] of BASE_FIELDS) words.set(base.subarray(from, from + 2), to);
  words.set(identity.shardId.subarray(0, 2), Word.shardId);
  bytes.set(identity.clusterId, Word.clusterId * 4);
  bytes.set(identity.configFingerprint, Word.configFingerprint * 4);
  writeU64(words, Word.length, BigInt(header.bytes));
  words[Word.flags] = header.startsLog ? STARTS_LOG : 0;
  words[Word.checksum] = crc32c(bytes, 4, SEGMENT_HEADER_BYTES);
  return bytes;
}

/**
 * Decodes a segment header.
 *
 * @param sector The file's first bytes; more may follow.
 * @returns The header, or why there is none.
 */
export function decodeSegmentHeader(sector: Uint8Array): SegmentHeader | SegmentHeaderError {
  if (sector.length < SEGMENT_HEADER_BYTES) return "segment_cut";
  const bytes = sector.slice(0, SEGMENT_HEADER_BYTES);
  const words = new Uint32Array(bytes.buffer);
  for (let i = 0; i < MAGIC_WORDS.length; i++) {
    if (words[Word.magic + i] !== MAGIC_WORDS[i]) return "invalid_magic";
  }
  if (words[Word.checksum] !== crc32c(bytes, 4, SEGMENT_HEADER_BYTES)) {
    return "invalid_header_checksum";
  }
  if (words[Word.version] !== SEGMENT_VERSION || words[Word.flags]! > STARTS_LOG) {
    return "invalid_version";
  }
  const header = readHeader(words, bytes);
  return isPlausible(header) ? header : "wrong_base";
}

/**
 * Compares a header with the log that is wanted.
 *
 * @param header A decoded header.
 * @param wanted Whose log it shall be.
 * @returns The first difference, or `undefined`.
 */
export function checkIdentity(
  header: SegmentHeader,
  wanted: LogIdentity,
): IdentityError | undefined {
  const { identity } = header;
  if (!equalBytes(identity.clusterId, wanted.clusterId)) return "foreign_cluster";
  if (!equalBytes(identity.shardId, wanted.shardId)) return "foreign_shard";
  if (!equalBytes(identity.configFingerprint, wanted.configFingerprint)) {
    return "configuration_mismatch";
  }
  return undefined;
}

const BASE_FIELDS: readonly (readonly [number, number])[] = [
  [Word.baseLsn, TipWord.lsn],
  [Word.baseSlot, TipWord.slot],
  [Word.baseHash, TipWord.hash],
  [Word.baseView, TipWord.view],
];

function readHeader(words: Uint32Array, bytes: Uint8Array): SegmentHeader {
  const base = createTip();
  writeU64(base, TipWord.op, readU64(words, Word.baseOp) - 1n);
  for (const [from, to] of BASE_FIELDS) base.set(words.subarray(from, from + 2), to);
  return {
    identity: {
      clusterId: bytes.slice(Word.clusterId * 4, Word.clusterId * 4 + 16),
      shardId: words.slice(Word.shardId, Word.shardId + 2),
      configFingerprint: bytes.slice(Word.configFingerprint * 4, Word.configFingerprint * 4 + 16),
    },
    generation: readU64(words, Word.generation),
    base,
    bytes: Number(readU64(words, Word.length)),
    ...(words[Word.flags] === STARTS_LOG ? { startsLog: true } : {}),
  };
}

/** A checksum proves that the bytes are those written, not that a sane writer wrote them. */
function isPlausible(header: SegmentHeader): boolean {
  const first = baseOp(header);
  if (first < 1n || first > 0xffff_ffff_ffff_ffffn || header.generation < 1n) return false;
  if (first > 1n) return readU64(header.base, TipWord.hash) !== 0n;
  const genesis = genesisTip(header.identity);
  return genesis.every((word, i) => header.base[i] === word);
}

function equalBytes(a: Uint8Array | Uint32Array, b: Uint8Array | Uint32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
