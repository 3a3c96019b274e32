// The hot path is written by hand, so it has to earn the word CBOR: cbor-x must write the same bytes and
// read the same values, both ways, and no damaged message may be taken for another one.
import { assertEquals } from "@std/assert";
import { Encoder } from "cbor-x";
import fc from "fast-check";
import { createOutcome, type Outcome, ResultCode } from "../../core/outcome.ts";
import { readU128, readU64, writeU128, writeU64 } from "../../core/words.ts";
import type { Rejection } from "../api.ts";
import { FRAME_HEADER_BYTES } from "./framing.ts";
import {
  createResultColumns,
  isRejected,
  outcomeAt,
  rejectionAt,
  type ResultColumns,
  setCommitted,
  setRejected,
} from "./results.ts";
import {
  batchCommandsMax,
  beginSubmit,
  createSubmitRequest,
  readSubmit,
  readSubmitReply,
  submitBodyBytesMax,
  submitReplyId,
  type SubmitRequest,
  writeSubmitReply,
} from "./submit.ts";
import { WireWriter } from "./writer.ts";

const cbor = new Encoder({ useRecords: false, tagUint8Array: false });
const U64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const U128 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
const COUNT = fc.integer({ min: 0, max: 0xffff_ffff });
const REQUEST_ID = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const ID = U128.map((value) => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, value >> 64n);
  new DataView(bytes.buffer).setBigUint64(8, value & (2n ** 64n - 1n));
  return bytes;
});

/** Commands as positional arrays, the way a client in any language would build them. */
const COMMAND = fc.oneof(
  fc.tuple(fc.constantFrom(1, 7, 8), ID, ID, ID),
  fc.tuple(fc.constantFrom(2, 4, 5), ID, ID, ID, ID, U64),
  fc.tuple(fc.constant(3), ID, ID, fc.array(ID, { maxLength: 40, size: "max" }), ID, U64),
);
/** What is a whole item but no command: the node's to reject, one by one. */
const NO_COMMAND = fc.oneof(
  fc.array(fc.integer(), { maxLength: 30 }),
  fc.string(),
  fc.constant(null),
);
const COMMANDS = fc.array(fc.oneof({ weight: 5, arbitrary: COMMAND }, NO_COMMAND), {
  maxLength: 300,
  size: "max",
});

const REJECTION: fc.Arbitrary<Rejection> = fc.oneof(
  fc.constantFrom<Rejection>(
    { category: "indefinite", code: "engine_halted" },
    { category: "indefinite", code: "storage_failure" },
    { category: "definite", code: "shutting_down" },
    { category: "definite", code: "invalid_request", reason: "buffer_too_short" },
    { category: "definite", code: "invalid_request", reason: "invalid_command_tag" },
    { category: "definite", code: "invalid_request", reason: "invalid_layout" },
  ),
  fc.tuple(fc.constantFrom(1 as const, 2 as const, 3 as const), U64, U64).map(
    ([kind, requestSlot, delta]): Rejection => (
      { category: "definite", code: "slot_overflow", kind, requestSlot, delta }
    ),
  ),
  fc.tuple(U64, U64).map(([requestSlot, lastRequestSlot]): Rejection => (
    { category: "definite", code: "slot_rewound", requestSlot, lastRequestSlot }
  )),
  fc.tuple(U64, U64).map(([requestSlot, slotMax]): Rejection => (
    { category: "definite", code: "slot_too_far", requestSlot, slotMax }
  )),
  fc.tuple(COUNT, COUNT).map(([encodedLen, maxCommandBytes]): Rejection => (
    { category: "definite", code: "command_too_large", encodedLen, maxCommandBytes }
  )),
  U64.map((lastAppliedLsn): Rejection => (
    { category: "definite", code: "lsn_exhausted", lastAppliedLsn }
  )),
  fc.tuple(COUNT, COUNT).map(([queueDepth, queueCapacity]): Rejection => (
    { category: "definite", code: "overloaded", queueDepth, queueCapacity }
  )),
);
const REJECTION_NUMBERS = [
  ...["engine_halted", "invalid_request", "slot_overflow", "command_too_large", "lsn_exhausted"],
  ...["overloaded", "storage_failure", "slot_rewound", "slot_too_far", "shutting_down"],
];

/** A committed result in plain numbers. */
interface Plain {
  readonly code: ResultCode;
  readonly lsn: bigint;
  readonly cached: boolean;
  readonly grant: { readonly id: bigint; readonly epoch: bigint; readonly deadline: bigint } | null;
}
const PLAIN: fc.Arbitrary<Plain> = fc.record({
  code: fc.constantFrom(...Object.values(ResultCode)),
  lsn: U64,
  cached: fc.boolean(),
  grant: fc.option(fc.record({ id: U128, epoch: U64, deadline: U64 })),
});
const RESULT = fc.oneof(PLAIN, REJECTION);
const RESULTS = fc.array(RESULT, { maxLength: 300, size: "max" });

function isRejection(result: Plain | Rejection): result is Rejection {
  return "category" in result;
}

function toOutcome({ code, lsn, cached, grant }: Plain): Outcome {
  const outcome = createOutcome();
  outcome.code = code;
  outcome.fromRetryCache = cached;
  outcome.hasReservation = grant !== null;
  writeU64(outcome.words, 0, lsn);
  if (grant === null) return outcome;
  writeU128(outcome.words, 2, grant.id);
  writeU64(outcome.words, 6, grant.epoch);
  writeU64(outcome.words, 8, grant.deadline);
  return outcome;
}

function fromColumns(columns: ResultColumns, index: number): unknown {
  if (isRejected(columns, index)) return rejectionAt(columns, index);
  const outcome = createOutcome();
  outcome.words.fill(0xdead);
  outcomeAt(columns, index, outcome);
  const { words } = outcome;
  return {
    code: outcome.code,
    lsn: readU64(words, 0),
    cached: outcome.fromRetryCache,
    grant: outcome.hasReservation
      ? { id: readU128(words, 2), epoch: readU64(words, 6), deadline: readU64(words, 8) }
      : null,
  };
}

/** The same result as docs/wire.md lays it out, for a general codec. */
function toGeneral(result: Plain | Rejection): unknown[] {
  if (isRejection(result)) {
    const category = result.category === "definite" ? 1 : 2;
    return [0, category, REJECTION_NUMBERS.indexOf(result.code) + 1, ...details(result)];
  }
  const { code, lsn, cached, grant } = result;
  const head = [code, lsn, cached ? 1 : 0];
  if (grant === null) return head;
  const id = new Uint8Array(16);
  new DataView(id.buffer).setBigUint64(0, grant.id >> 64n);
  new DataView(id.buffer).setBigUint64(8, grant.id & (2n ** 64n - 1n));
  return [...head, id, grant.epoch, grant.deadline];
}

function details(rejection: Rejection): bigint[] {
  const reasons = ["buffer_too_short", "invalid_command_tag", "invalid_layout"];
  const given = Object.entries(rejection)
    .filter(([name]) => name !== "category" && name !== "code")
    .map(([, value]) => BigInt(typeof value === "string" ? reasons.indexOf(value) + 1 : value));
  return [...given, 0n, 0n, 0n].slice(0, 3);
}

function fill(results: readonly (Plain | Rejection)[]): ResultColumns {
  const columns = createResultColumns(Math.max(1, results.length));
  columns.words.fill(0xbeef); // Columns are used again and again.
  results.forEach((result, i) => {
    if (isRejection(result)) setRejected(columns, i, result);
    else setCommitted(columns, i, toOutcome(result));
  });
  return columns;
}

function reply(requestId: number, results: readonly (Plain | Rejection)[]): Uint8Array {
  const out = new WireWriter();
  const high = Math.floor(requestId / 2 ** 32);
  writeSubmitReply(out, high, requestId >>> 0, fill(results), results.length);
  return out.bytes.slice(FRAME_HEADER_BYTES, out.end);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function read(body: Uint8Array, request: SubmitRequest): string {
  return readSubmit(viewOf(body), 0, body.length, request);
}

Deno.test("readSubmit() finds the commands that cbor-x wrote, and any other whole item among them", () => {
  const request = createSubmitRequest(300);
  fc.assert(
    fc.property(REQUEST_ID, fc.option(U64), COMMANDS, (requestId, slot, commands) => {
      const body = Uint8Array.from(cbor.encode([1, BigInt(requestId), slot, commands]));
      assertEquals(read(body, request), "ok");
      const id = request.requestIdHigh * 2 ** 32 + request.requestIdLow;
      assertEquals([id, request.slot ?? null, request.count], [requestId, slot, commands.length]);
      let at = request.commandsStart;
      for (let i = 0; i < commands.length; i++) {
        const encoded = Uint8Array.from(cbor.encode(commands[i]));
        assertEquals(body.slice(at, request.ends[i]), encoded);
        at = request.ends[i]!;
      }
    }),
    { seed: 4, numRuns: 300 },
  );
});

Deno.test("beginSubmit() and the commands behind it are what cbor-x writes, within the stated size", () => {
  const commands = fc.array(COMMAND, { minLength: 1, maxLength: 300, size: "max" });
  fc.assert(
    fc.property(REQUEST_ID, fc.option(U64), commands, (requestId, slot, list) => {
      const out = new WireWriter();
      const frame = beginSubmit(out, requestId, slot ?? undefined, list.length);
      let commandBytes = 0;
      for (const command of list) {
        const bytes = cbor.encode(command);
        out.room(bytes.length);
        out.bytes.set(bytes, out.end);
        out.end += bytes.length;
        commandBytes += bytes.length;
      }
      out.endFrame(frame);
      const body = out.bytes.slice(FRAME_HEADER_BYTES, out.end);
      assertEquals(body, Uint8Array.from(cbor.encode([1, BigInt(requestId), slot, list])));
      assertEquals(body.length <= submitBodyBytesMax(commandBytes), true);
    }),
    { seed: 5, numRuns: 100 },
  );
});

Deno.test("readSubmit() takes nothing of a request that is cut, padded or miscounted", () => {
  const request = createSubmitRequest(3);
  const command = [1, ...[1, 2, 3].map((byte) => new Uint8Array(16).fill(byte))];
  const good = Uint8Array.from(cbor.encode([1, 7n, null, [command, command]]));
  assertEquals(read(good, request), "ok");
  for (let length = 0; length < good.length; length++) {
    assertEquals(read(good.slice(0, length), request), "malformed_message", `${length} bytes`);
  }
  assertEquals(read(Uint8Array.from([...good, 0]), request), "malformed_message");
  const listHead = good.indexOf(0x82, 10);
  for (const head of [0x81, 0x83, 0xa1, 0x9f, 0x42]) {
    assertEquals(read(good.with(listHead, head), request), "malformed_message", `${head}`);
  }
  const four = Uint8Array.from(cbor.encode([1, 7n, null, [command, command, command, command]]));
  assertEquals([read(four, request), request.requestIdLow], ["batch_too_large", 7]);
});

Deno.test("a submit reply is what cbor-x writes, and both read it back", () => {
  fc.assert(
    fc.property(REQUEST_ID, RESULTS, (requestId, results) => {
      const body = reply(requestId, results);
      const general = [11, BigInt(requestId), results.map(toGeneral)];
      assertEquals(body, Uint8Array.from(cbor.encode(general)));
      assertEquals(submitReplyId(viewOf(body), 0, body.length), requestId);
      const columns = createResultColumns(300);
      assertEquals(readSubmitReply(viewOf(body), 0, body.length, columns, results.length), true);
      assertEquals(results.map((_, i) => fromColumns(columns, i)), results);
      const decoded = cbor.decode(body);
      assertEquals(decoded[2].length, results.length);
      assertEquals(Uint8Array.from(cbor.encode(decoded)), body);
    }),
    { seed: 6, numRuns: 300 },
  );
});

Deno.test("readSubmitReply() reads a damaged reply as what it says or not at all", () => {
  const damage = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
  const some = fc.array(RESULT, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(some, damage, (results, [where, flip]) => {
      const body = reply(1, results);
      body[where % body.length]! ^= flip;
      const columns = createResultColumns(4);
      const { length } = results;
      const id = submitReplyId(viewOf(body), 0, body.length);
      if (id < 0 || !readSubmitReply(viewOf(body), 0, body.length, columns, length)) return;
      const read = results.map((_, i) => fromColumns(columns, i) as Plain | Rejection | undefined);
      if (read.every((result) => result !== undefined)) assertEquals(reply(id, read), body);
    }),
    { seed: 7, numRuns: 5_000 },
  );
});

Deno.test("readSubmitReply() refuses a reply to another number of commands, cut or padded", () => {
  const results: Plain[] = [
    { code: 1, lsn: 1n, cached: false, grant: null },
    { code: 1, lsn: 2n, cached: true, grant: { id: 1n, epoch: 1n, deadline: 9n } },
  ];
  const body = reply(1, results);
  const columns = createResultColumns(4);
  const reads = (bytes: Uint8Array, count: number): boolean =>
    submitReplyId(viewOf(bytes), 0, bytes.length) === 1 &&
    readSubmitReply(viewOf(bytes), 0, bytes.length, columns, count);
  assertEquals([0, 1, 2, 3].map((count) => reads(body, count)), [false, false, true, false]);
  for (let length = 0; length < body.length; length++) {
    assertEquals(reads(body.slice(0, length), 2), false, `${length} bytes`);
  }
  assertEquals(reads(Uint8Array.from([...body, 0]), 2), false);
});

Deno.test("batchCommandsMax() leaves room for the longest reply, and for not one result more", () => {
  const longest: Plain = {
    code: 1,
    lsn: 1n,
    cached: true,
    grant: { id: 1n, epoch: 1n, deadline: 1n },
  };
  for (const maxFrameBytes of [4_096, 65_536, 1_048_576]) {
    const count = batchCommandsMax(maxFrameBytes);
    const body = reply(1, new Array<Plain>(count).fill(longest));
    assertEquals(body.length <= maxFrameBytes && body.length + 47 > maxFrameBytes, true);
  }
});
