// The frame around every command: which check comes before which, what a refusal may touch, and that a host
// which breaks the rules of the log is stopped instead of believed.
import { assertEquals, assertThrows } from "@std/assert";
import {
  apply,
  applyAt,
  applyCommand,
  type Bench,
  createBench,
  fillOperations,
  overflowNumber,
  ownershipText,
  throughBytes,
} from "../tests/support/core_builders.ts";
import type { ClientCommand, ModelCommand } from "../testbed/model/words.ts";
import { AssertionFailure } from "./assert.ts";
import { digest } from "./digest.ts";
import { SlotOverflowKind } from "./outcome.ts";
import { health } from "./query.ts";
import { Progress } from "./state.ts";
import { writeU64 } from "./words.ts";

const U64_MAX = 2n ** 64n - 1n;
const HISTORY = 4n;
const OPERATION_WINDOW = 16n;
const KEY = { operationId: 1n << 70n, clientId: 3n };

/** Resources 1 and 2; 1 is reserved by 7 since slot 10, as reservation 3. */
function createRoom(): Bench {
  const bench = createBench({ reservationHistoryWindowSlots: HISTORY });
  bench.slot = 10n;
  for (const resourceId of [1n, 2n]) apply(bench, { kind: "create_resource", resourceId });
  apply(bench, { kind: "reserve", resourceId: 1n, holderId: 7n, ttlSlots: 5n });
  return bench;
}

/** One of each kind that would succeed in {@linkcode createRoom}, or at least reach its own checks. */
const COMMANDS: readonly ClientCommand[] = [
  { ...KEY, kind: "create_resource", resourceId: 9n },
  { ...KEY, kind: "reserve", resourceId: 2n, holderId: 7n, ttlSlots: 5n },
  { ...KEY, kind: "reserve_bundle", resourceIds: [2n], holderId: 7n, ttlSlots: 5n },
  { ...KEY, kind: "confirm", reservationId: 3n, holderId: 7n, epoch: 1n },
  { ...KEY, kind: "release", reservationId: 3n, holderId: 7n, epoch: 1n },
  { ...KEY, kind: "revoke", reservationId: 3n },
  { ...KEY, kind: "reclaim", reservationId: 3n },
];
const EXPIRE: ModelCommand = { kind: "expire", reservationId: 3n, deadlineSlot: 15n };

Deno.test("W1: a slot below the last one stops the engine: engine/slot-monotonic", () => {
  for (const command of [...COMMANDS, EXPIRE]) {
    const bench = createRoom();
    assertThrows(
      () => applyAt(bench.engine, command, bench.lsn + 1n, 9n),
      AssertionFailure,
      "engine/slot-monotonic",
    );
  }
});

Deno.test("a position other than the next one stops the engine: engine/lsn-contiguous", () => {
  for (const lsn of [0n, 1n, 3n, 5n, 4n + (1n << 32n), U64_MAX]) {
    const bench = createRoom(); // The next one is 4.
    assertThrows(
      () => applyAt(bench.engine, COMMANDS[0]!, lsn, 10n),
      AssertionFailure,
      "engine/lsn-contiguous",
    );
  }
});

Deno.test("the last position is applied, the one behind it stops the engine: engine/lsn-not-exhausted", () => {
  const bench = createRoom();
  writeU64(bench.engine.progress, Progress.lastLsn, U64_MAX - 1n);
  assertEquals(applyAt(bench.engine, COMMANDS[0]!, U64_MAX, 10n).code, "ok");
  assertThrows(
    () => applyAt(bench.engine, EXPIRE, 0n, 10n),
    AssertionFailure,
    "engine/lsn-not-exhausted",
  );
});

Deno.test("P8: every command takes one position, whatever it answers", () => {
  const bench = createRoom();
  const codes = [...COMMANDS, EXPIRE].map((command) => applyCommand(bench, command).code);
  assertEquals(codes.filter((code) => code === "operation_conflict").length, COMMANDS.length - 1);
  assertEquals(health(bench.engine, 10n).lastAppliedLsn, 3n + BigInt(codes.length));
});

/** The highest slot at which each kind's sums still fit, and the sum that fails first above it. */
function overflowCases(): [ModelCommand, bigint, number][] {
  const { operation_window, reservation_history } = SlotOverflowKind;
  const fits = U64_MAX - OPERATION_WINDOW;
  const inWindow = COMMANDS.map((command) => [command, fits, operation_window] as const);
  return [...inWindow.map((each) => [...each] as [ModelCommand, bigint, number]), [
    EXPIRE,
    U64_MAX - HISTORY,
    reservation_history,
  ]];
}

Deno.test("slotOverflow() begins exactly where the sum leaves 64 bits", () => {
  const { engine } = createRoom();
  for (const [command, fits, kind] of overflowCases()) {
    const record = throughBytes(command);
    assertEquals(overflowNumber(engine, record, fits), 0, command.kind);
    assertEquals(overflowNumber(engine, record, fits + 1n), kind, command.kind);
  }
});

Deno.test("slotOverflow() names the command's own sum before the operation window", () => {
  const { engine } = createRoom();
  const at = (command: ModelCommand): number =>
    overflowNumber(engine, throughBytes(command), U64_MAX);
  assertEquals(COMMANDS.map(at), [1, 2, 2, 1, 3, 1, 3]);
  assertEquals(at(EXPIRE), 3);
  const hugeTtl = { ...COMMANDS[1]!, ttlSlots: U64_MAX } as ClientCommand;
  assertEquals(overflowNumber(engine, throughBytes(hugeTtl), 1n), SlotOverflowKind.deadline);
  assertEquals(overflowNumber(engine, throughBytes(hugeTtl), 0n), 0);
});

Deno.test("slot_overflow leaves no trace: no position, no slot, nothing retired, nothing remembered", () => {
  for (const [command, fits] of overflowCases()) {
    const bench = createRoom();
    const before = digest(bench.engine);
    const outcome = applyAt(bench.engine, command, bench.lsn + 1n, fits + 1n);
    assertEquals([outcome.code, outcome.fromRetryCache], ["slot_overflow", false]);
    assertEquals(digest(bench.engine), before);
    assertEquals(applyCommand(bench, command).fromRetryCache, false);
  }
});

Deno.test("slot_overflow comes before conflicts, retries and a full memory", () => {
  const bench = createRoom();
  applyCommand(bench, COMMANDS[0]!);
  fillOperations(bench);
  for (const command of COMMANDS) {
    assertEquals(applyAt(bench.engine, command, bench.lsn + 1n, U64_MAX).code, "slot_overflow");
  }
});

Deno.test("retries and conflicts come before a full memory, and a full memory before a command's checks", () => {
  const bench = createRoom();
  const [create, ...others] = COMMANDS;
  applyCommand(bench, create!);
  fillOperations(bench);
  assertEquals(applyCommand(bench, create!), { code: "ok", appliedLsn: 4n, fromRetryCache: true });
  for (const other of others) {
    const conflict = { code: "operation_conflict", appliedLsn: 4n, fromRetryCache: true };
    assertEquals(applyCommand(bench, other), conflict);
  }
  const unknown = apply(bench, { kind: "reserve", resourceId: 99n, holderId: 7n, ttlSlots: 0n });
  assertEquals(unknown.code, "operation_table_full");
});

Deno.test("what has passed is retired before a command is looked at", () => {
  const bench = createRoom();
  apply(bench, { kind: "release", reservationId: 3n, holderId: 7n, epoch: 1n });
  bench.slot = 10n + HISTORY + 1n;
  const confirm = { kind: "confirm", reservationId: 3n, holderId: 8n, epoch: 1n } as const;
  assertEquals(apply(bench, confirm).code, "reservation_retired");
});

Deno.test("commands that change nothing leave ownership as it was, command by command", () => {
  const bench = createRoom();
  applyCommand(bench, COMMANDS[0]!);
  const before = ownershipText(bench.engine);
  for (const command of COMMANDS) {
    applyCommand(bench, command);
    assertEquals(ownershipText(bench.engine), before, command.kind);
  }
});
