/** Rejections as numbers: a category, a code and up to three u64. Source: docs/wire.md#rejections. */
import { unreachable } from "../../core/assert.ts";
import { SlotOverflowKind } from "../../core/outcome.ts";
import { readU64, writeU64 } from "../../core/words.ts";
import type { Rejection } from "../api.ts";

/** Number of each rejection; the first seven are the runbook's. */
export const RejectionCode = {
  engine_halted: 1,
  invalid_request: 2,
  slot_overflow: 3,
  command_too_large: 4,
  lsn_exhausted: 5,
  overloaded: 6,
  storage_failure: 7,
  slot_rewound: 8,
  slot_too_far: 9,
  shutting_down: 10,
  not_primary: 11,
  view_changed: 12,
} as const satisfies Record<Rejection["code"], number>;

/** Highest number in {@linkcode RejectionCode}. */
export const REJECTION_CODE_MAX = 12;

/** Number of each category. */
export const RejectionCategory = { definite: 1, indefinite: 2 } as const;

/** Words of a rejection's details: three u64. */
export const DETAIL_WORDS = 6;

const INVALID_REQUEST_REASONS = [
  "buffer_too_short",
  "invalid_command_tag",
  "invalid_layout",
] as const;

/** Whether a code stands for something that certainly did not happen. */
export function isDefinite(code: number): boolean {
  return code !== RejectionCode.engine_halted && code !== RejectionCode.storage_failure &&
    code !== RejectionCode.view_changed;
}

/**
 * Writes the details of a rejection.
 *
 * @param rejection What to write.
 * @param words Where; {@linkcode DETAIL_WORDS} words are overwritten.
 * @param at Their first.
 */
export function writeDetails(rejection: Rejection, words: Uint32Array, at: number): void {
  words.fill(0, at, at + DETAIL_WORDS);
  switch (rejection.code) {
    case "engine_halted":
    case "storage_failure":
    case "view_changed":
    case "shutting_down":
      return;
    case "invalid_request":
      words[at] = INVALID_REQUEST_REASONS.indexOf(rejection.reason) + 1;
      return;
    case "slot_overflow":
      words[at] = rejection.kind;
      writeU64(words, at + 2, rejection.requestSlot);
      return writeU64(words, at + 4, rejection.delta);
    case "slot_rewound":
      writeU64(words, at, rejection.requestSlot);
      return writeU64(words, at + 2, rejection.lastRequestSlot);
    case "slot_too_far":
      writeU64(words, at, rejection.requestSlot);
      return writeU64(words, at + 2, rejection.slotMax);
    case "command_too_large":
      writeU64(words, at, BigInt(rejection.encodedLen));
      return writeU64(words, at + 2, BigInt(rejection.maxCommandBytes));
    case "lsn_exhausted":
      return writeU64(words, at, rejection.lastAppliedLsn);
    case "overloaded":
      words[at] = rejection.queueDepth;
      words[at + 2] = rejection.queueCapacity;
      return;
    case "not_primary":
      writeU64(words, at, rejection.view);
      return writeU64(words, at + 2, rejection.primary ?? 0n);
    default:
      return unreachable(rejection);
  }
}

const scratch = new Uint32Array(DETAIL_WORDS);

/**
 * Reads what {@linkcode writeDetails} wrote.
 *
 * @param code One of {@linkcode RejectionCode}.
 * @param words Where the details are.
 * @param at Their first word.
 * @returns The rejection, or `undefined` when these details are never written for the code.
 */
export function readRejection(
  code: number,
  words: Uint32Array,
  at: number,
): Rejection | undefined {
  const rejection = readFields(code, words, at);
  if (rejection === undefined) return undefined;
  writeDetails(rejection, scratch, 0);
  return scratch.every((word, i) => word === words[at + i]) ? rejection : undefined;
}

function readFields(code: number, words: Uint32Array, at: number): Rejection | undefined {
  const first = readU64(words, at);
  const second = readU64(words, at + 2);
  const category = "definite";
  switch (code) {
    case RejectionCode.engine_halted:
      return { category: "indefinite", code: "engine_halted" };
    case RejectionCode.storage_failure:
      return { category: "indefinite", code: "storage_failure" };
    case RejectionCode.view_changed:
      return { category: "indefinite", code: "view_changed" };
    case RejectionCode.shutting_down:
      return { category, code: "shutting_down" };
    case RejectionCode.not_primary: {
      const primary = second === 0n ? undefined : second;
      return { category, code: "not_primary", view: first, primary };
    }
    case RejectionCode.invalid_request: {
      const reason = INVALID_REQUEST_REASONS[Number(first) - 1];
      return reason && { category, code: "invalid_request", reason };
    }
    case RejectionCode.slot_overflow:
      return readSlotOverflow(first, second, readU64(words, at + 4));
    case RejectionCode.slot_rewound:
      return { category, code: "slot_rewound", requestSlot: first, lastRequestSlot: second };
    case RejectionCode.slot_too_far:
      return { category, code: "slot_too_far", requestSlot: first, slotMax: second };
    case RejectionCode.command_too_large:
      return {
        category,
        code: "command_too_large",
        encodedLen: Number(first),
        maxCommandBytes: Number(second),
      };
    case RejectionCode.lsn_exhausted:
      return { category, code: "lsn_exhausted", lastAppliedLsn: first };
    case RejectionCode.overloaded:
      return {
        category,
        code: "overloaded",
        queueDepth: Number(first),
        queueCapacity: Number(second),
      };
    default:
      return undefined;
  }
}

function readSlotOverflow(
  first: bigint,
  requestSlot: bigint,
  delta: bigint,
): Rejection | undefined {
  const kind = Object.values(SlotOverflowKind).find((value) => BigInt(value) === first);
  return kind && { category: "definite", code: "slot_overflow", kind, requestSlot, delta };
}
