// The chain decides whether two logs hold the same history: it must change with every bit that replicas
// share, with no bit that they do not, and not favour any value.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { assertGolden } from "../tests/support/golden.ts";
import { frameRun, hashOf, IDENTITY } from "../tests/support/log_frames.ts";
import { SeededRandom } from "../testbed/sim/random.ts";
import { createLogBuffer, FrameWord } from "./log_frame.ts";
import { chainHash, genesisHash } from "./log_hash.ts";
import { writeSpec } from "../tests/support/log_frames.ts";

const FRAMES = frameRun([2, 3], (i) => [0, 1, 8, 79, 200][i]!);
const NOT_SHARED: readonly number[] = [
  FrameWord.headerChecksum,
  FrameWord.payloadChecksum,
  FrameWord.magic,
  FrameWord.synced,
  FrameWord.synced + 1,
];

Deno.test("chainHash() and genesisHash() are those of version 1", () => {
  const hashes = new BigUint64Array(1 + FRAMES.length);
  hashes[0] = FRAMES[0]!.previousHash;
  for (const [i, frame] of FRAMES.entries()) hashes[i + 1] = hashOf(frame);
  assertGolden("log_hash_v1", new Uint8Array(hashes.buffer));
});

Deno.test("chainHash() changes with every shared bit of a frame and with no other", () => {
  const buffer = createLogBuffer(152);
  writeSpec(buffer, 0, FRAMES[3]!);
  const before = hash(buffer.words);
  for (let word = 0; word < 36; word++) {
    for (let bit = 0; bit < 32; bit++) {
      // The length decides what is hashed, and would read behind the buffer.
      if (word === FrameWord.kindAndLength && bit < 24) continue;
      buffer.words[word]! ^= 1 << bit;
      assertEquals(hash(buffer.words) === before, NOT_SHARED.includes(word), `${word}.${bit}`);
      buffer.words[word]! ^= 1 << bit;
    }
  }
});

Deno.test("chainHash() flips about half of its bits for any one bit, and each of them for some", () => {
  const random = new SeededRandom(7);
  const buffer = createLogBuffer(152);
  const flipsOfBit = new Uint32Array(64);
  let flips = 0;
  let trials = 0;
  for (let round = 0; round < 40; round++) {
    writeSpec(buffer, 0, { ...FRAMES[3]!, payload: random.fill(new Uint8Array(79)) });
    const before = hash(buffer.words);
    for (let bit = 0; bit < 160; bit += 3) {
      buffer.words[16 + (bit >> 3)]! ^= 1 << (bit % 32);
      const difference = hash(buffer.words) ^ before;
      buffer.words[16 + (bit >> 3)]! ^= 1 << (bit % 32);
      for (let i = 0; i < 64; i++) {
        if ((difference >> BigInt(i) & 1n) === 0n) continue;
        flips++;
        flipsOfBit[i]!++;
      }
      trials++;
    }
  }
  assert(Math.abs(flips / trials - 32) < 0.5, `${flips / trials} of 64 bits flip`);
  for (const count of flipsOfBit) assert(Math.abs(count / trials - 0.5) < 0.05);
});

Deno.test("chainHash() has no collisions among frames that differ in few bits of two words", () => {
  const buffer = createLogBuffer(152);
  writeSpec(buffer, 0, FRAMES[3]!);
  const seen = new Set<bigint>();
  let count = 0;
  for (let word = 16; word < 20; word++) {
    for (let bit = 0; bit < 32; bit++) {
      for (let next = word + 1; next < 24; next++) {
        for (let other = 0; other < 32; other++) {
          buffer.words[word]! ^= 1 << bit;
          buffer.words[next]! ^= 1 << other;
          seen.add(hash(buffer.words));
          count++;
          buffer.words[word]! ^= 1 << bit;
          buffer.words[next]! ^= 1 << other;
        }
      }
    }
  }
  assertEquals(seen.size, count);
});

Deno.test("chainHash() depends on the order of words", () => {
  const payload = new Uint8Array(80);
  payload[0] = 1;
  const moved = new Uint8Array(80);
  moved[4] = 1;
  assertNotEquals(hashOf({ ...FRAMES[0]!, payload }), hashOf({ ...FRAMES[0]!, payload: moved }));
});

Deno.test("genesisHash() changes with every bit of cluster id and shard", () => {
  const seen = new Set<bigint>();
  for (let bit = -1; bit < 128 + 64; bit++) {
    const clusterId = IDENTITY.clusterId.slice();
    const shardId = IDENTITY.shardId.slice();
    if (bit >= 128) shardId[(bit - 128) >> 5]! ^= 1 << (bit % 32);
    else if (bit >= 0) clusterId[bit >> 3]! ^= 1 << (bit % 8);
    const hash = new Uint32Array(2);
    genesisHash(clusterId, shardId, hash, 0);
    seen.add(new BigUint64Array(hash.buffer)[0]!);
  }
  assertEquals(seen.size, 1 + 128 + 64);
});

function hash(words: Uint32Array): bigint {
  const lanes = new Uint32Array(2);
  chainHash(words, 0, lanes, 0);
  return new BigUint64Array(lanes.buffer)[0]!;
}
