// What a log holds is applied by one function, live and at recovery: it must do exactly what decoding and
// applying do, and must not touch the engine when an entry does not decode.
import { assertEquals } from "@std/assert";
import { type Bench, createBench } from "../tests/support/core_builders.ts";
import { encodePlain, plainOutcome } from "../testbed/sim/workload/plain.ts";
import { EXAMPLES, EXPIRE } from "../tests/support/draw_command.ts";
import type { ModelCommand } from "../testbed/model/words.ts";
import { createCommand } from "./command.ts";
import { CodecError } from "./command_codec.ts";
import { digest } from "./digest.ts";
import { createOutcome } from "./outcome.ts";
import { health } from "./query.ts";
import { applyEntry } from "./replay.ts";
import { createEngine, type Engine } from "./state.ts";
import { writeU64 } from "./words.ts";

const out = createOutcome();

function applyBytes(engine: Engine, internal: boolean, bytes: Uint8Array, lsn: bigint): number {
  const position = new Uint32Array(4);
  writeU64(position, 0, lsn);
  const framed = new Uint8Array(bytes.length + 8); // An entry is a part of something larger.
  framed.set(bytes, 5);
  const view = new DataView(framed.buffer);
  const command = createCommand(4);
  return applyEntry(engine, internal, view, 5, 5 + bytes.length, position, command, out);
}

function history(): ModelCommand[] {
  const key = { operationId: 1n, clientId: 1n };
  return [
    { ...key, kind: "create_resource", resourceId: 1n },
    { ...key, operationId: 2n, kind: "reserve", resourceId: 1n, holderId: 7n, ttlSlots: 5n },
    { kind: "expire", reservationId: 2n, deadlineSlot: 5n },
    { ...key, operationId: 3n, kind: "confirm", reservationId: 2n, holderId: 7n, epoch: 1n },
    { ...key, operationId: 3n, kind: "confirm", reservationId: 2n, holderId: 7n, epoch: 1n },
    { ...key, operationId: 4n, kind: "revoke", reservationId: 2n },
  ];
}

Deno.test("P9: the same entries give the same state and outcomes on every replica", () => {
  const benches: Bench[] = [createBench(), createBench({}, { hashSeed: 9 })];
  for (const [at, command] of history().entries()) {
    const outcomes = benches.map(({ engine }) => {
      const code = applyBytes(
        engine,
        command.kind === "expire",
        encodePlain(command),
        BigInt(at + 1),
      );
      assertEquals(code, 0);
      return plainOutcome(out);
    });
    assertEquals(outcomes[0], outcomes[1]);
  }
  const [one, other] = benches.map(({ engine }) => digest(engine));
  assertEquals(one, other);
  assertEquals(health(benches[0]!.engine, 0n).lastAppliedLsn, 6n);
});

Deno.test("an entry that does not decode is answered by why, and touches nothing", () => {
  const engine = createEngine(createBench().engine.config);
  const before = digest(engine);
  const good = encodePlain(EXAMPLES[0]!);
  const cases: [boolean, Uint8Array, number][] = [
    [false, good.slice(0, -1), CodecError.buffer_too_short],
    [false, new Uint8Array(0), CodecError.buffer_too_short],
    [false, new Uint8Array([...good, 0]), CodecError.invalid_layout],
    [false, new Uint8Array([...good, ...good]), CodecError.invalid_layout],
    [false, encodePlain(EXPIRE), CodecError.invalid_command_tag],
    [true, good, CodecError.invalid_layout],
    [true, new Uint8Array([...encodePlain(EXPIRE), 0]), CodecError.invalid_layout],
  ];
  for (const [internal, bytes, code] of cases) {
    assertEquals(applyBytes(engine, internal, bytes, 1n), code);
    assertEquals(digest(engine), before);
  }
});

Deno.test("W3: an expire in a client's entry is refused, in an internal one applied", () => {
  const { engine } = createBench();
  const bytes = encodePlain(EXPIRE);
  assertEquals(applyBytes(engine, false, bytes, 1n), CodecError.invalid_command_tag);
  assertEquals(applyBytes(engine, true, bytes, 1n), 0);
  assertEquals(plainOutcome(out).code, "reservation_not_found");
});
