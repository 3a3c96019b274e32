/**
 * A configuration: one way in which things may stand at a position of the history. Who holds what, which answers that are still
 * under way have been decided, and which unanswered operations have happened; all in one row of words, so that it is cheap to
 * copy and to compare.
 */
import type { Problem } from "./problem.ts";
import { ABSENT, AVAILABLE } from "./words.ts";

/** Where what lies in the words of a configuration. The core is compared for equality, the rest by what dominates. */
export interface Layout {
  /** One bit for each operation that waits for its answer. */
  readonly doneWords: number;
  /** One word a group: the variant that happened, 0 for none. */
  readonly groupAt: number;
  /** One word a resource: the claim that holds it, or `AVAILABLE` or `ABSENT`. */
  readonly currentAt: number;
  /** One word a resource: its version, for as long as anybody sees it. */
  readonly versionAt: number;
  /** Four bits a claim. */
  readonly statusAt: number;
  readonly coreWords: number;
  /** One word a resource: no later reserve of it has a smaller slot. */
  readonly floorAt: number;
  /** One word a resource: slot of the reserve that holds it. `floorAt` where only reserves tell their slots: then they are the same. */
  readonly sinceAt: number;
  /** One bit for each optional reserve that happened. */
  readonly usedAt: number;
  readonly words: number;
}

/** The order in which things happened on the way to a configuration, the latest first. */
export interface Trace {
  readonly previous: Trace | undefined;
  /** Index of a work, or -1 for an expiration. */
  readonly work: number;
  /** The claim that was made or expired; -1 for none. */
  readonly claim: number;
}

/** See the top of this file. */
export interface Configuration {
  readonly words: Int32Array;
  trace: Trace | undefined;
}

/** Lays out the words for a problem of which at most `doneBits` operations wait for their answers at a time. */
export function layOut(problem: Problem, doneBits: number): Layout {
  const { resourceIds, claims, groups, usedBits, hasSlots } = problem;
  const groupAt = Math.ceil(doneBits / 32);
  const currentAt = groupAt + groups;
  const versionAt = currentAt + resourceIds.length;
  const statusAt = versionAt + resourceIds.length;
  const coreWords = statusAt + Math.ceil(claims.length / 8);
  const sinceAt = hasSlots ? coreWords + resourceIds.length : coreWords;
  const usedAt = sinceAt + resourceIds.length;
  return {
    doneWords: groupAt,
    groupAt,
    currentAt,
    versionAt,
    statusAt,
    coreWords,
    floorAt: coreWords,
    sinceAt,
    usedAt,
    words: usedAt + Math.ceil(usedBits / 32),
  };
}

/** Before anything happened. */
export function initialConfiguration(problem: Problem, layout: Layout): Configuration {
  const words = new Int32Array(layout.words);
  for (const [resource, was] of problem.wasThere.entries()) {
    words[layout.currentAt + resource] = was ? AVAILABLE : ABSENT;
  }
  return { words, trace: undefined };
}

/** Where a claim is in its life. */
export function statusOf(words: Int32Array, layout: Layout, claim: number): number {
  return (words[layout.statusAt + (claim >>> 3)]! >>> ((claim & 7) * 4)) & 15;
}

/** Changes where a claim is in its life. */
export function setStatus(words: Int32Array, layout: Layout, claim: number, status: number): void {
  const at = layout.statusAt + (claim >>> 3);
  const shift = (claim & 7) * 4;
  words[at] = (words[at]! & ~(15 << shift)) | (status << shift);
}

/** Whether a bit is set in the words from `at` on. */
export function hasBit(words: Int32Array, at: number, bit: number): boolean {
  return (words[at + (bit >>> 5)]! & (1 << (bit & 31))) !== 0;
}

/** Sets a bit in the words from `at` on. */
export function setBit(words: Int32Array, at: number, bit: number): void {
  words[at + (bit >>> 5)]! |= 1 << (bit & 31);
}

/** Clears a bit in the words from `at` on. */
export function clearBit(words: Int32Array, at: number, bit: number): void {
  words[at + (bit >>> 5)]! &= ~(1 << (bit & 31));
}

/**
 * Configurations of which none is worse than another. One with the same core that leaves more open (smaller slots, fewer
 * unanswered operations used up) can do whatever the other can.
 */
export class ConfigurationSet {
  readonly #layout: Layout;
  readonly #byHash = new Map<number, Configuration[]>();
  /** How many have been added. */
  size = 0;
  /** How many have been compared with one of the same hash. */
  comparisons = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Adds one, unless one that is as good is there already. */
  add(configuration: Configuration): boolean {
    const hash = hashCore(configuration.words, this.#layout.coreWords);
    const others = this.#byHash.get(hash);
    if (others === undefined) this.#byHash.set(hash, [configuration]);
    else {
      this.comparisons += others.length;
      if (others.some((other) => dominates(other.words, configuration.words, this.#layout))) {
        return false;
      }
      others.push(configuration);
    }
    this.size++;
    return true;
  }
}

/** What a configuration takes in memory, about: its words, and what points to them. */
export function bytesOf({ words }: Layout): number {
  return words * 4 + OVERHEAD_BYTES;
}

const OVERHEAD_BYTES = 240;

function hashCore(words: Int32Array, count: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < count; i++) {
    hash = Math.imul(hash ^ words[i]!, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}

function dominates(
  a: Int32Array,
  b: Int32Array,
  { coreWords, floorAt, usedAt, words }: Layout,
): boolean {
  for (let i = 0; i < coreWords; i++) if (a[i] !== b[i]) return false;
  for (let i = floorAt; i < usedAt; i++) if (a[i]! > b[i]!) return false;
  for (let i = usedAt; i < words; i++) if ((a[i]! & ~b[i]!) !== 0) return false;
  return true;
}
