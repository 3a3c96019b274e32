// The life of a reservation as a table: every command against every state, with the right and the wrong
// holder, epoch and deadline, and with the memory of operations full or not. What is not said to change
// must not change.
import { assertEquals } from "@std/assert";
import {
  apply,
  applyCommand,
  type Bench,
  fillOperations,
  ownershipText,
} from "../../tests/support/core_builders.ts";
import {
  benchIn,
  DEADLINE,
  HISTORY,
  HOLDER,
  MEMBERS,
  record,
  say,
  type State,
  STATES,
  type Verb,
} from "../../tests/support/life_cycle.ts";
import { firstViolation } from "../invariants.ts";
import { type ReservationRecord, viewResource } from "../query.ts";
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../tables.ts";
import { collectDue } from "../timing_wheel.ts";

/** What each command answers in each state when holder, epoch and deadline are right. */
const ANSWERS: Record<Verb, Partial<Record<State, string>>> = {
  confirm: { reserved: "ok", confirmed: "invalid_state", revoking: "invalid_state" },
  release: { reserved: "ok", confirmed: "ok", revoking: "invalid_state" },
  revoke: { reserved: "invalid_state", confirmed: "ok", revoking: "invalid_state" },
  reclaim: { reserved: "invalid_state", confirmed: "invalid_state", revoking: "ok" },
  expire: { reserved: "ok", confirmed: "noop", revoking: "noop" },
};

/** What `ok` leads to: state and epoch of the reservation, state of its resources. */
const EFFECTS: Record<Verb, readonly [string, bigint, string]> = {
  confirm: ["confirmed", 1n, "confirmed"],
  release: ["released", 2n, "available"],
  revoke: ["revoking", 2n, "revoking"],
  reclaim: ["revoked", 2n, "available"],
  expire: ["expired", 2n, "available"],
};

/** What is said of a reservation: its id, its holder and epoch, its deadline. Wrong where a row says so. */
interface Row {
  readonly verb: Verb;
  readonly state: State;
  readonly holder: "right" | "wrong";
  readonly epoch: "right" | "wrong";
  readonly deadline: "right" | "wrong" | "early";
  readonly full: boolean;
}

function allRows(): Row[] {
  const rows: Row[] = [];
  for (const verb of Object.keys(ANSWERS) as Verb[]) {
    const isHolders = verb === "confirm" || verb === "release";
    for (const state of STATES) {
      for (const holder of isHolders ? ["right", "wrong"] as const : ["right"] as const) {
        for (const epoch of isHolders ? ["right", "wrong"] as const : ["right"] as const) {
          for (const deadline of deadlinesFor(verb, state)) {
            for (const full of [false, true]) {
              rows.push({ verb, state, holder, epoch, deadline, full });
            }
          }
        }
      }
    }
  }
  return rows;
}

/** Only expire names a deadline; it cannot be early for what has expired or was dropped. */
function deadlinesFor(verb: Verb, state: State): readonly Row["deadline"][] {
  if (verb !== "expire") return ["right"];
  return state === "expired" || state === "dropped"
    ? ["right", "wrong"]
    : ["right", "wrong", "early"];
}

function expectedAnswer({ verb, state, holder, epoch, deadline, full }: Row): string {
  const answer = answerWithRoom({ verb, state, holder, epoch, deadline });
  if (!full || verb === "expire" || (answer === "ok" && verb !== "confirm")) return answer;
  return "operation_table_full";
}

function answerWithRoom({ verb, state, holder, epoch, deadline }: Omit<Row, "full">): string {
  if (state === "never") return "reservation_not_found";
  if (state === "dropped") return "reservation_retired";
  if (deadline !== "right") return "noop";
  if (holder === "wrong") return "holder_mismatch";
  if (epoch === "wrong") return "stale_epoch";
  return ANSWERS[verb][state] ?? (verb === "expire" ? "noop" : "reservation_retired");
}

function isScheduled({ engine }: Bench, createdLsn: bigint): boolean {
  const rows = new Uint32Array(8);
  const count = collectDue(engine.wheel, new Uint32Array([0xffff_ffff, 0xffff_ffff]), rows);
  const { words, stride } = engine.tables.reservations;
  return [...rows.subarray(0, count)].some((row) => BigInt(words[row * stride]!) === createdLsn);
}

function checkRow(row: Row): void {
  const { bench, reservationId } = benchIn(row.state);
  if (row.full) fillOperations(bench);
  const before = record(bench, reservationId);
  const versions = MEMBERS.map((id) => viewResource(bench.engine, id)!.version);
  const ownership = ownershipText(bench.engine);
  const outcome = say(bench, row.verb, reservationId, row);
  assertEquals(outcome, {
    code: expectedAnswer(row),
    appliedLsn: bench.lsn,
    fromRetryCache: false,
  });
  if (outcome.code === "ok") checkEffect(bench, row.verb, before!, versions);
  else assertEquals(ownershipText(bench.engine), ownership, "a command that fails changes nothing");
  const scheduled = record(bench, reservationId)?.state === 1;
  assertEquals(isScheduled(bench, reservationId), scheduled, "the wheel holds what is reserved");
  assertEquals(firstViolation(bench.engine), undefined);
}

function checkEffect(
  bench: Bench,
  verb: Verb,
  before: ReservationRecord,
  versions: readonly bigint[],
): void {
  const [state, epoch, resourceState] = EFFECTS[verb];
  const ended = resourceState === "available";
  const after = record(bench, before.reservationId)!;
  assertEquals({ ...after, state: RESERVATION_STATE_NAMES[after.state] }, {
    ...before,
    state,
    epoch,
    releasedLsn: ended ? bench.lsn : undefined,
    retireAfterSlot: ended ? bench.slot + HISTORY : undefined,
  });
  for (const [at, id] of MEMBERS.entries()) {
    const { state: number, currentReservationId, version } = viewResource(bench.engine, id)!;
    assertEquals(RESOURCE_STATE_NAMES[number], resourceState);
    assertEquals(currentReservationId, ended ? undefined : before.reservationId);
    assertEquals(version, versions[at]! + 1n);
  }
}

for (const verb of Object.keys(ANSWERS) as Verb[]) {
  const rows = allRows().filter((row) => row.verb === verb);
  Deno.test(`${verb} answers and changes what the table says, in ${rows.length} cases`, () => {
    for (const row of rows) {
      try {
        checkRow(row);
      } catch (error) {
        throw new Error(JSON.stringify(row), { cause: error });
      }
    }
  });
}

Deno.test("P4: an ended reservation stays as it ended, whatever it is told, in either epoch", () => {
  for (const state of ["released", "expired", "revoked"] as const) {
    const { bench, reservationId } = benchIn(state);
    const ended = record(bench, reservationId);
    for (const verb of Object.keys(ANSWERS) as Verb[]) {
      say(bench, verb, reservationId);
      apply(bench, { kind: "confirm", reservationId, holderId: HOLDER, epoch: 1n });
      assertEquals(record(bench, reservationId), ended);
    }
  }
});

Deno.test("P3: confirmed and revoking reservations are never freed by time", () => {
  for (const state of ["confirmed", "revoking"] as const) {
    const { bench, reservationId } = benchIn(state);
    bench.slot = 2n ** 62n;
    const deadlineSlot = DEADLINE;
    assertEquals(applyCommand(bench, { kind: "expire", reservationId, deadlineSlot }).code, "noop");
    assertEquals(RESERVATION_STATE_NAMES[record(bench, reservationId)!.state], state);
    assertEquals(isScheduled(bench, reservationId), false);
  }
});

Deno.test("W3: expire frees at the deadline and never a slot early, whoever asks", () => {
  const { bench, reservationId } = benchIn("reserved");
  const expire = { kind: "expire", reservationId, deadlineSlot: DEADLINE } as const;
  for (bench.slot = 0n; bench.slot < DEADLINE; bench.slot++) {
    assertEquals(applyCommand(bench, expire).code, "noop");
  }
  assertEquals(applyCommand(bench, expire).code, "ok");
  assertEquals(applyCommand(bench, expire).code, "noop");
});

Deno.test("confirm has no deadline check: an overdue reservation may be confirmed until it is expired", () => {
  const { bench, reservationId } = benchIn("reserved");
  bench.slot = DEADLINE + 100n;
  assertEquals(say(bench, "confirm", reservationId).code, "ok");
  assertEquals(say(bench, "expire", reservationId).code, "noop");
});
