/**
 * The hash that chains frames: each carries the hash of the one before, so two logs with the same hash at an
 * op hold the same history up to it. It covers what replicas share: everything in a frame but its checksums
 * and the synced op. 64 bits against accidents, not against forgers. Source: docs/storage.md#the-hash-chain.
 */
import { FRAME_HEADER_BYTES, frameBytes, FrameWord, payloadBytesAt } from "./log_frame.ts";

/** First words of the lanes: fractional digits of the golden ratio and of pi. */
const START_A = 0x9e3779b9 | 0;
const START_B = 0x243f6a88;
/** `ADG1`: no frame starts with it, so no frame hashes to what a genesis hashes to. */
const GENESIS_TAG = 0x31474441;

const lanes = new Int32Array(2);
const genesis = new Uint32Array(7);

/**
 * Hashes one frame, its link to the frame before included.
 *
 * @param words Holds the frame.
 * @param w The frame's first word.
 * @param hash Receives a u64 at `[at]`; never 0.
 * @param at Index into `hash`.
 */
export function chainHash(words: Uint32Array, w: number, hash: Uint32Array, at: number): void {
  const end = w + (frameBytes(payloadBytesAt(words, w)) >>> 2);
  lanes[0] = START_A;
  lanes[1] = START_B;
  absorb(words, w + FrameWord.kindAndLength, w + FrameWord.synced);
  absorb(words, w + FrameWord.previousHash, w + FRAME_HEADER_BYTES / 4);
  absorb(words, w + FRAME_HEADER_BYTES / 4, end);
  finish(hash, at);
}

/**
 * The hash that the frame at op 1 names as that of its predecessor.
 *
 * @param clusterId 16 bytes.
 * @param shardId A u64 in words 0 and 1.
 * @param hash Receives a u64 at `[at]`; never 0.
 * @param at Index into `hash`.
 */
export function genesisHash(
  clusterId: Uint8Array,
  shardId: Uint32Array,
  hash: Uint32Array,
  at: number,
): void {
  const id = new DataView(clusterId.buffer, clusterId.byteOffset, 16);
  genesis[0] = GENESIS_TAG;
  for (let i = 0; i < 4; i++) genesis[1 + i] = id.getUint32(i * 4, true);
  genesis[5] = shardId[0]!;
  genesis[6] = shardId[1]!;
  lanes[0] = START_A;
  lanes[1] = START_B;
  absorb(genesis, 0, genesis.length);
  finish(hash, at);
}

/** In each lane every step is a bijection of the lane and of the word, so one changed word always shows. */
function absorb(words: Uint32Array, from: number, end: number): void {
  let a = lanes[0]!;
  let b = lanes[1]!;
  for (let i = from; i < end; i++) {
    const word = words[i]!;
    a = Math.imul(a ^ word, 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul(b + word, 0xc2b2ae35);
    b ^= b >>> 13;
  }
  lanes[0] = a;
  lanes[1] = b;
}

/** Spreads both lanes over all 64 bits. Source: the end of MurmurHash3's 128-bit variant. */
function finish(hash: Uint32Array, at: number): void {
  let a = (lanes[0]! + lanes[1]!) | 0;
  let b = (lanes[1]! + a) | 0;
  a = avalanche(a);
  b = avalanche(b);
  a = (a + b) | 0;
  b = (b + a) | 0;
  hash[at] = a === 0 && b === 0 ? 1 : a;
  hash[at + 1] = b;
}

function avalanche(lane: number): number {
  let x = lane;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
