// The runbook's history says less than our events do. What it does not say must not be made up, or a right system is accused:
// `released` may be an expiration, `confirmed` a revocation under way, `busy` a request that never ran.
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { formatNamed } from "../../testbed/jepsen/codec/formats.ts";
import { HistoryError } from "../../testbed/jepsen/history/history_error.ts";
import type { Recording } from "../../testbed/jepsen/history/recording.ts";
import { histories, readBytes, recordingOf, written } from "./codec_histories.ts";
import { SAMPLE } from "./codec_sample.ts";

const RUNBOOK = formatNamed("runbook");
const HEAD = "sequence=1 process=primary-1 time_millis=1790000000100";

function read(...lines: readonly string[]): Recording {
  const text = ["version=1", ...lines, ""].join("\n");
  return readBytes(new TextEncoder().encode(text), RUNBOOK);
}

/** The outcome of one line. */
function outcomeOf(line: string): unknown {
  const { operations, ticks } = read(`${HEAD} ${line}`);
  return operations[0]?.outcome ?? ticks[0];
}

const RESERVE =
  "operation=reserve operation_id=8801 resource_id=8800 holder_id=31 request_slot=12 ttl_slots=6";
const READ = "operation=get_reservation reservation_id=9 required_lsn=58 request_slot=13";
const SEEN =
  "outcome=read_ok read_target=reservation served_by=3 served_role=primary observed_lsn=58";

Deno.test("runbook reads what the reference writes: an ambiguous reserve, its retry, reads and a tick", () => {
  const found = read(
    `${HEAD} ${RESERVE} outcome=ambiguous reason=indefinite_write`,
    `sequence=2 process=primary-1 time_millis=1790000009420 ${RESERVE} outcome=committed_write applied_lsn=58 ` +
      "write_result=reserved committed_reservation_id=9 committed_holder_id=31 committed_lease_epoch=1 expires_at_slot=18",
    `sequence=3 process=primary-3 time_millis=1790000009633 ${READ} ${SEEN} reservation_state=active:8800:31:18:false`,
    `sequence=4 process=backup-1 time_millis=1790000015002 ${READ} outcome=definite_failure reason=not_primary`,
    "sequence=5 process=primary-3 time_millis=1790000015410 operation=tick_expirations operation_id=8802 " +
      "request_slot=19 outcome=committed_write applied_lsn=59 write_result=tick_expired expired=8800:31:9:59",
  );
  const key = { clientId: 0n, operationId: 8801n };
  const request = { kind: "reserve", resourceId: 8800n, holderId: 31n, ttlSlots: 6n } as const;
  const fenced = { kind: "get_reservation", reservationId: 9n, requiredLsn: 58n } as const;
  const common = { invokedAt: 0, request, slot: 12n, key };
  const reserved = { reservationId: 9n, epoch: 1n, deadlineSlot: 18n };
  assertEquals(found.operations, [
    {
      ...common,
      process: 0,
      completedAt: 1,
      outcome: { kind: "info", reason: "indefinite_write" },
      completedNs: 0,
    },
    {
      ...common,
      process: 0,
      completedAt: 3,
      outcome: { kind: "ok", answer: { kind: "applied", code: "ok", lsn: 58n, reserved } },
      completedNs: 9_320_000_000,
    },
    {
      process: 1,
      request: fenced,
      invokedAt: 0,
      completedAt: 5,
      outcome: {
        kind: "ok",
        answer: { kind: "reservation", state: "reserved", holderId: 31n, deadlineSlot: 18n },
      },
      completedNs: 9_533_000_000,
      slot: 13n,
      servedBy: { replicaId: 3, role: "primary", observedLsn: 58n },
    },
    {
      process: 2,
      request: fenced,
      invokedAt: 0,
      completedAt: 7,
      outcome: { kind: "fail", reason: "not_primary" },
      completedNs: 14_902_000_000,
      slot: 13n,
    },
  ]);
  assertEquals(found.ticks[0]!.expired, [
    { resourceId: 8800n, holderId: 31n, reservationId: 9n, releasedLsn: 59n },
  ]);
  assertEquals(found.hasInvocations, false);
  assertEquals(found.header.initialResourceIds, [8800n]);
  assertEquals([...found.processNames.values()], ["primary-1", "primary-3", "backup-1"]);
});

Deno.test("runbook failures of writes are answers where only an applied command gives them", () => {
  const failed = (reason: string): unknown =>
    outcomeOf(`${RESERVE} outcome=definite_failure reason=${reason}`);
  const applied = (code: string): unknown => ({ kind: "ok", answer: { kind: "applied", code } });
  assertEquals(failed("stale_epoch"), applied("stale_epoch"));
  assertEquals(failed("not_found"), applied("resource_not_found"));
  assertEquals(failed("retired"), applied("reservation_retired"));
  for (const reason of ["busy", "conflict", "engine_halted", "invalid_request", "not_primary"]) {
    assertEquals(failed(reason), { kind: "fail", reason });
  }
});

Deno.test("runbook failures of reads are what was seen, or nothing", () => {
  const failed = (reason: string): unknown =>
    outcomeOf(`${READ} outcome=definite_failure reason=${reason}`);
  assertEquals(failed("not_found"), { kind: "ok", answer: { kind: "not_found" } });
  assertEquals(failed("retired"), { kind: "ok", answer: { kind: "retired" } });
  assertEquals(failed("fence_not_applied"), { kind: "fail", reason: "fence_not_applied" });
});

Deno.test("runbook released says only that it has ended, and confirmed nothing once somebody revokes", () => {
  const released = outcomeOf(`${READ} ${SEEN} reservation_state=released:8800:31:59`);
  assertEquals(released, { kind: "ok", answer: { kind: "retired" } });
  const confirmed = `${HEAD} ${READ} ${SEEN} reservation_state=active:8800:31:18:true`;
  const revoke =
    `${HEAD} operation=revoke operation_id=5 reservation_id=9 outcome=ambiguous reason=timeout`;
  assertEquals(read(confirmed).operations[0]!.outcome.kind, "ok");
  assertEquals(read(revoke, confirmed).operations[1]!.outcome.kind, "info");
  const exact = read(revoke, `${confirmed} seen_state=revoking`).operations[1]!.outcome;
  assertEquals(exact.kind === "ok" && "state" in exact.answer && exact.answer.state, "revoking");
});

Deno.test("runbook passes over keys that it does not know, and takes the last of two", () => {
  const twice = `${RESERVE} colour=red ttl_slots=7 outcome=ambiguous reason=timeout`;
  const { request } = read(`${HEAD} ${twice}`).operations[0]!;
  assertEquals("ttlSlots" in request && request.ttlSlots, 7n);
});

Deno.test("runbook keeps a write without an operation id, for the check that looks for it", () => {
  const bare = RESERVE.replace("operation_id=8801 ", "");
  const { key } = read(`${HEAD} ${bare} outcome=ambiguous reason=timeout`).operations[0]!;
  assertEquals(key, undefined);
});

const REFUSED: readonly (readonly [line: string, message: string])[] = [
  [`${HEAD} ${RESERVE} outcome=ambiguous reason=timeout loose`, "key=value"],
  [`${HEAD} operation=steal outcome=ambiguous reason=timeout`, "reserve_bundle"],
  [`${HEAD} ${RESERVE} outcome=ok`, "committed_write"],
  [`${HEAD} ${RESERVE} outcome=ambiguous reason=bored`, "transport_loss"],
  [`${HEAD} ${RESERVE} outcome=committed_write write_result=reserved`, "applied_lsn"],
  [`${HEAD} ${RESERVE} outcome=committed_write applied_lsn=1 write_result=released`, "reserved"],
  [`${HEAD} ${RESERVE.replace("=8801", "=")} outcome=ambiguous reason=timeout`, "no operation_id"],
  [`${HEAD} ${RESERVE.replace("=8801", "=x")} outcome=ambiguous reason=timeout`, "2^128"],
  [`${HEAD} ${READ} ${SEEN} reservation_state=active:8800:31:18`, "a state with its ids"],
  [`process=a time_millis=1 ${RESERVE} outcome=ambiguous reason=timeout`, "no sequence"],
];

Deno.test("runbook refuses a line that it cannot mean, with its number", () => {
  for (const [line, message] of REFUSED) {
    const error = assertThrows(() => read(line), HistoryError);
    assertEquals(error.place, { line: 2 });
    assertStringIncludes(error.message, message);
  }
  const versioned = new TextEncoder().encode("version=2\n");
  assertStringIncludes(
    assertThrows(() => readBytes(versioned, RUNBOOK), HistoryError).message,
    "version=1",
  );
});

Deno.test("runbook written by us reads back as what was written, but for what it says is lost", () => {
  const found = readBytes(written(SAMPLE, "runbook"), RUNBOOK);
  const whole = recordingOf(SAMPLE);
  const outcomes = (recording: Recording): unknown[] =>
    recording.operations.filter(({ request }) => request.kind !== "create_resource")
      .map(({ request, outcome }) => [request, outcome]);
  const seen = outcomes(found);
  // Of a reservation that has ended the format knows neither its resources nor how long its record stays.
  const ended = { kind: "reservation", state: "expired", holderId: 7n, releasedLsn: 3n };
  const expected = outcomes(whole).map((pair) =>
    JSON.stringify(pair, text).includes('"expired"')
      ? [(pair as unknown[])[0], { kind: "ok", answer: ended }]
      : pair
  );
  // Completions are in the order of ends; these are not many.
  const sorted = (pairs: readonly unknown[]): unknown[] =>
    [...pairs].sort((a, b) => JSON.stringify(a, text) < JSON.stringify(b, text) ? -1 : 1);
  assertEquals(sorted(seen), sorted(expected));
  assertEquals(found.ticks.map(({ lsn, slot }) => [lsn, slot]), [[3n, 16n]]);
});

function text(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}

Deno.test("runbook can read whatever it writes, and counts what it leaves out", () => {
  fc.assert(
    fc.property(histories(true), (history) => {
      const writer = RUNBOOK.write!();
      writer.header(history.header);
      for (const event of history.events) writer.event(event, { line: 0 });
      writer.end();
      const found = readBytes(writer.take(), RUNBOOK);
      const left = [...writer.losses].filter(([reason]) => reason.includes("no words for"));
      const missing = left.reduce((sum, [, count]) => sum + count, 0);
      const asked = history.events.filter(({ type }) => type === "invoke").length;
      assertEquals(found.operations.length + found.ticks.length + missing, asked);
    }),
    { numRuns: 300, seed: 20_261_120 },
  );
});
