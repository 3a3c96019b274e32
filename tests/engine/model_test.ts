// Everything the engine promises, at once: random histories over bounds so low and ids so few that every
// rule meets every other, compared with the model after each command. A failure prints the seed of its
// history and the shortest form of it that still fails; ALLOCDB_SEED repeats that history alone.
import { assertEquals, fail } from "@std/assert";
import type { CoreConfig } from "../../core/config.ts";
import type { ClientCommand } from "../../testbed/model/words.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { drawConfig, drawOrigin, drawStep, type Step } from "./draw_step.ts";
import { createLockstep, type Lockstep, takeStep } from "./lockstep.ts";

const HISTORIES = 700;
const STEPS = 300;
const PAST = 24;

/** One history: its bounds, what was done so far, and both sides of the comparison. */
interface History {
  readonly config: CoreConfig;
  readonly lockstep: Lockstep;
  readonly steps: Step[];
}

/** Runs the history of a seed. Returns it with the first difference, if there was one. */
function runHistory(seed: number, seen: Map<string, number>): History & { difference?: string } {
  const random = new SeededRandom(seed);
  const config = drawConfig(random);
  const history = { config, lockstep: createLockstep(config, seen), steps: [] as Step[] };
  const past: ClientCommand[] = [];
  let slot = drawOrigin(random);
  let calls = 0;
  for (let i = 0; i < STEPS; i++) {
    const step = drawStep(random, history.lockstep.model, slot, past);
    slot = step.slot;
    history.steps.push(step);
    if (step.command.kind !== "expire") past[calls++ % PAST] = step.command;
    const difference = tryStep(history.lockstep, step);
    if (difference !== undefined) return { ...history, difference };
  }
  return history;
}

function tryStep(lockstep: Lockstep, step: Step): string | undefined {
  try {
    return takeStep(lockstep, step);
  } catch (error) {
    return String(error);
  }
}

function firstDifference(config: CoreConfig, steps: readonly Step[]): string | undefined {
  const lockstep = createLockstep(config, new Map());
  for (const step of steps) {
    const difference = tryStep(lockstep, step);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** Leaves out ever smaller pieces for as long as something still differs. */
function shrink(config: CoreConfig, steps: readonly Step[]): Step[] {
  let kept = [...steps];
  for (let piece = kept.length >> 1; piece > 0; piece >>= 1) {
    for (let at = 0; at < kept.length;) {
      const without = leaveOut(kept, at, piece);
      if (firstDifference(config, without) === undefined) at += piece;
      else kept = without;
    }
  }
  return kept;
}

/** Reservations are named after their place in the log, so names behind the gap move up with it. */
function leaveOut(steps: readonly Step[], from: number, count: number): Step[] {
  const end = BigInt(from + count);
  return steps.toSpliced(from, count).map((step, at) => {
    const { command } = step;
    if (at < from || !("reservationId" in command)) return step;
    const named = BigInt.asUintN(64, command.reservationId);
    if (named <= end || named > BigInt(steps.length)) return step;
    const reservationId = command.reservationId - BigInt(count);
    return { ...step, command: { ...command, reservationId } };
  });
}

function report(
  seed: number,
  { config, steps, difference }: ReturnType<typeof runHistory>,
): string {
  const shortest = shrink(config, steps);
  const show = (value: object): string =>
    JSON.stringify(value, (_, field) => typeof field === "bigint" ? `${field}` : field);
  return [
    `ALLOCDB_SEED=${seed}: ${difference}`,
    `bounds ${show(config)}`,
    `after ${shortest.length} of ${steps.length} commands: ${firstDifference(config, shortest)}`,
    ...shortest.map(show),
  ].join("\n");
}

function seeds(): number[] {
  const only = Deno.env.get("ALLOCDB_SEED");
  return only === undefined ? Array.from({ length: HISTORIES }, (_, at) => at) : [Number(only)];
}

Deno.test("the engine, its twin and its restored copies agree with the model after every command", () => {
  const seen = new Map<string, number>();
  for (const seed of seeds()) {
    const history = runHistory(seed, seen);
    if (history.difference !== undefined) fail(report(seed, history));
  }
  if (seeds().length === 1) return;
  const rare = EXPECTED.filter((what) => (seen.get(what) ?? 0) < 10);
  assertEquals(rare, [], "ends that the histories hardly meet");
});

/** Every way a command can end: histories that miss one prove nothing about it. */
const HOLDER_ENDS = ["holder_mismatch", "stale_epoch", "invalid_state"];
const MISSING_ENDS = ["reservation_not_found", "reservation_retired", "slot_overflow"];
const RESERVE_ENDS = [
  ...["ok", "bundle_too_large", "ttl_out_of_range", "resource_busy", "resource_not_found"],
  ...["reservation_table_full", "expiration_index_full", "slot_overflow"],
];
const ENDS: Record<string, readonly string[]> = {
  create_resource: ["ok", "already_exists", "resource_table_full", "slot_overflow"],
  reserve: RESERVE_ENDS.filter((code) => code !== "bundle_too_large"),
  reserve_bundle: RESERVE_ENDS,
  confirm: ["ok", ...HOLDER_ENDS, ...MISSING_ENDS],
  release: ["ok", ...HOLDER_ENDS, ...MISSING_ENDS],
  revoke: ["ok", "invalid_state", ...MISSING_ENDS],
  reclaim: ["ok", "invalid_state", ...MISSING_ENDS],
};
const EXPECTED: readonly string[] = [
  ...Object.entries(ENDS).flatMap(([kind, codes]) => [
    ...codes.map((code) => `${kind} ${code}`),
    `${kind} ok again`,
    `${kind} operation_conflict again`,
    `${kind} operation_table_full`,
  ]),
  ...["ok", "noop", ...MISSING_ENDS].map((code) => `expire ${code}`),
  "headroom used",
];
