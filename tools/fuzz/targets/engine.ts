/**
 * Entries of a log that no ingress has looked at, into engines with bounds so low that all of them are met.
 * After every entry the whole-state facts hold; a twin that gets the same bytes is the same, and so is what a
 * snapshot of it restores to.
 */
import { createCommand } from "../../../core/command.ts";
import { codecErrorName } from "../../../core/command_codec.ts";
import type { CoreConfig } from "../../../core/config.ts";
import { digest } from "../../../core/digest.ts";
import { firstViolation } from "../../../core/invariants.ts";
import { createOutcome, RESULT_NAMES, ResultCode } from "../../../core/outcome.ts";
import { applyEntry } from "../../../core/replay.ts";
import { createEngine, type Engine, Position, POSITION_WORDS } from "../../../core/state.ts";
import { writeU64 } from "../../../core/words.ts";
import { drawConfig, drawOrigin, drawStep } from "../../../tests/engine/draw_step.ts";
import { restoredCopy } from "../../../tests/support/core_builders.ts";
import { encodePlain, plainOutcome } from "../../../testbed/sim/workload/plain.ts";
import { applyToModel, createModel } from "../../../testbed/model/model.ts";
import type { ClientCommand } from "../../../testbed/model/words.ts";
import { SeededRandom } from "../../../testbed/sim/random.ts";
import { join, mutate } from "../mutate.ts";
import type { FuzzRandom } from "../random.ts";
import { expect, expectEqual, type Target } from "../target.ts";

/** Applies one entry; a test of the fuzzer brings one that forgets something. */
export type ApplyEntry = typeof applyEntry;

/** Seed of the bounds, first slot. */
const HEAD_BYTES = 4 + 8;
/** Kind, slots since the entry before, length of the payload. */
const ENTRY_HEAD_BYTES = 1 + 2 + 2;
/** Commands that retries and changed retries are drawn from. */
const PAST = 24;
const U64_MAX = 2n ** 64n - 1n;

/** One entry of the input. */
interface Entry {
  readonly internal: boolean;
  readonly ahead: number;
  readonly payload: Uint8Array;
}

/** Makes the target. The outcome of a case is that of its last entry. */
export function engineTarget(apply: ApplyEntry = applyEntry): Target {
  const codes = RESULT_NAMES.slice(1).filter((name) => name !== "reservation_member_table_full");
  return {
    name: "engine",
    outcomes: [
      ...["ok", "ok from_retry_cache", "ok nothing", ...codes.filter((name) => name !== "ok")],
      ...["buffer_too_short", "invalid_command_tag", "invalid_layout"],
    ],
    draw: drawHistory,
    judge: (input) => judgeHistory(apply, input),
  };
}

/** A history that follows the model, with a damaged entry now and then. */
function drawHistory(random: FuzzRandom): Uint8Array {
  const seed = random.u32();
  const config = boundsOf(seed);
  const draws = random.forTests();
  const model = createModel(config);
  const past: ClientCommand[] = [];
  const origin = drawOrigin(draws);
  const entries: Uint8Array[] = [];
  let slot = origin;
  let calls = 0;
  for (let left = random.between(1, random.pick([4, 40, 120])); left > 0; left--) {
    const step = drawStep(draws, model, slot, past);
    const ahead = step.slot - slot > 0xffffn ? 0xffffn : step.slot - slot;
    slot += ahead;
    const { command } = step;
    if (command.kind !== "expire") past[calls++ % PAST] = command;
    const payload = encodePlain(command);
    const damaged = random.oneIn(12) ? mutate(random, payload) : payload;
    if (damaged === payload) applyToModel(model, command, slot);
    entries.push(writeEntry(command.kind === "expire", Number(ahead), damaged));
  }
  const head = new Uint8Array(HEAD_BYTES);
  new DataView(head.buffer).setUint32(0, seed);
  new DataView(head.buffer).setBigUint64(4, origin);
  return join(head, ...entries);
}

function boundsOf(seed: number): CoreConfig {
  return drawConfig(new SeededRandom(seed));
}

function writeEntry(internal: boolean, ahead: number, payload: Uint8Array): Uint8Array {
  const entry = new Uint8Array(ENTRY_HEAD_BYTES + payload.length);
  const view = new DataView(entry.buffer);
  view.setUint8(0, internal ? 1 : 0);
  view.setUint16(1, ahead);
  view.setUint16(3, payload.length);
  entry.set(payload, ENTRY_HEAD_BYTES);
  return entry;
}

function readEntries(input: Uint8Array): Entry[] {
  const entries: Entry[] = [];
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  for (let at = HEAD_BYTES; at + ENTRY_HEAD_BYTES <= input.length;) {
    const from = at + ENTRY_HEAD_BYTES;
    const end = Math.min(input.length, from + view.getUint16(at + 3));
    const internal = (view.getUint8(at) & 1) === 1;
    entries.push({ internal, ahead: view.getUint16(at + 1), payload: input.subarray(from, end) });
    at = end;
  }
  return entries;
}

/** An engine and the place it has come to. */
interface Shard {
  readonly engine: Engine;
  lsn: bigint;
  slot: bigint;
}

function judgeHistory(apply: ApplyEntry, input: Uint8Array): string {
  if (input.length < HEAD_BYTES) return "ok nothing";
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const config = boundsOf(view.getUint32(0));
  const slot = view.getBigUint64(4);
  const [live, twin] = [1, 99].map((hashSeed) => {
    return { engine: createEngine(config, { hashSeed }), lsn: 0n, slot };
  }) as [Shard, Shard];
  let last = "ok nothing";
  for (const entry of readEntries(input)) {
    last = applyTo(apply, live, entry);
    expectEqual(applyTo(apply, twin, entry), last, "outcome of the twin");
    expectEqual(firstViolation(live.engine), undefined, "violation");
  }
  judgeState(live.engine, twin.engine);
  return codeOf(last);
}

function judgeState(live: Engine, twin: Engine): void {
  const state = digest(live);
  expectEqual(digest(twin), state, "digest of the twin");
  const restored = restoredCopy(live, { hashSeed: 7 });
  expect(typeof restored !== "string", `a snapshot of it is refused: ${restored}`);
  expectEqual(digest(restored), state, "digest of the restored copy");
}

const position = new Uint32Array(POSITION_WORDS);
const outcome = createOutcome();
const command = createCommand(4);

/** Everything that a client would be told, as text. */
function applyTo(apply: ApplyEntry, shard: Shard, { internal, ahead, payload }: Entry): string {
  const slot = shard.slot + BigInt(ahead);
  shard.slot = slot > U64_MAX ? U64_MAX : slot;
  writeU64(position, Position.lsn, shard.lsn + 1n);
  writeU64(position, Position.slot, shard.slot);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const { engine } = shard;
  const error = apply(engine, internal, view, 0, payload.length, position, command, outcome);
  if (error !== 0) return codecErrorName(error);
  if (outcome.code !== ResultCode.slot_overflow) shard.lsn++;
  const { code, appliedLsn, fromRetryCache, reserved } = plainOutcome(outcome);
  const place = reserved && Object.values(reserved).join(" ");
  const name = fromRetryCache && code === "ok" ? "ok from_retry_cache" : code;
  return `${name}:${appliedLsn} ${fromRetryCache} ${place ?? ""}`;
}

function codeOf(text: string): string {
  return text.split(":")[0]!;
}
