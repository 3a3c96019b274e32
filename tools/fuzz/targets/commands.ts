/** Commands as bytes: one encoding each, nothing read outside, nothing accepted that would not be written. */
import { COMMAND_NAMES, createCommand } from "../../../core/command.ts";
import {
  codecErrorName,
  commandEnd,
  decodeCommand,
  decodeInternalCommand,
  encodeCommand,
  encodedBytes,
} from "../../../core/command_codec.ts";
import { encodePlain } from "../../../testbed/sim/workload/plain.ts";
import { drawClientCommand, drawExpire, drawId } from "../../../tests/support/draw_command.ts";
import { GuardedView } from "../guarded_view.ts";
import { join, mutate } from "../mutate.ts";
import type { FuzzRandom } from "../random.ts";
import { equalBytes, expect, expectEqual, expectSameBytes, type Target } from "../target.ts";

/** The functions under test; a test of the fuzzer brings broken ones. */
export interface CommandCodec {
  readonly decodeCommand: typeof decodeCommand;
  readonly decodeInternalCommand: typeof decodeInternalCommand;
  readonly commandEnd: typeof commandEnd;
}

const CODEC: CommandCodec = { decodeCommand, decodeInternalCommand, commandEnd };

/** More than any bundle names. */
const ROOM = createCommand(0xffff);
const ELSEWHERE = createCommand(0xffff);
const NARROW = createCommand(2);

/** Makes the target. */
export function commandTarget(codec: CommandCodec = CODEC): Target {
  return {
    name: "commands",
    outcomes: [
      ...COMMAND_NAMES.slice(1).map((name) => `ok ${name}`),
      ...["buffer_too_short", "invalid_command_tag", "invalid_layout"],
    ],
    draw: drawCommandBytes,
    judge: (input) => judgeCommand(codec, input),
  };
}

/** A command, damaged more often than not, and whatever may follow it. */
export function drawCommandBytes(random: FuzzRandom): Uint8Array {
  const sound = drawSound(random);
  const damaged = random.oneIn(6) ? sound : mutate(random, sound, drawSound(random));
  return random.oneIn(4) ? join(damaged, random.bytes(random.length(40))) : damaged;
}

function drawSound(random: FuzzRandom): Uint8Array {
  const draws = random.forTests();
  if (random.oneIn(8)) return encodePlain(drawExpire(draws));
  const command = drawClientCommand(draws, 30);
  if (command.kind !== "reserve_bundle" || !random.oneIn(8)) return encodePlain(command);
  const resourceIds = Array.from({ length: random.between(250, 270) }, () => drawId(draws));
  return encodePlain({ ...command, resourceIds });
}

function judgeCommand(codec: CommandCodec, input: Uint8Array): string {
  const client = judgeOne(codec.decodeCommand, input);
  const internal = judgeOne(codec.decodeInternalCommand, input);
  expect(client < 0 || internal < 0, "the bytes are both a client's and an internal command");
  const end = amongBoth(input, (view) => codec.commandEnd(view, view.at, view.end));
  if (client >= 0) expectEqual(end, client, "commandEnd of a command");
  else expect(end < 0 || codecErrorName(client) === "invalid_layout", `commandEnd answers ${end}`);
  const length = Math.max(client, internal);
  if (length < 0) return codecErrorName(client);
  codec[client < 0 ? "decodeInternalCommand" : "decodeCommand"](
    ...inside(new GuardedView(input, 0)),
    ROOM,
  );
  return `ok ${COMMAND_NAMES[ROOM.tag]}`;
}

/** Decodes among different neighbours and holds an acceptance against the encoder. Answers the length. */
function judgeOne(decode: CommandCodec["decodeCommand"], input: Uint8Array): number {
  const length = amongBoth(input, (view, i) => {
    return decode(...inside(view), i === 0 ? ROOM : ELSEWHERE);
  });
  if (length < 0) return length;
  expect(length > 0 && length <= input.length, `length ${length} of ${input.length} bytes`);
  const encoded = new Uint8Array(encodedBytes(ROOM));
  encodeCommand(new DataView(encoded.buffer), 0, ROOM);
  expectSameBytes(encoded, input.subarray(0, length), "encoded again");
  expectSameWords(ROOM.fingerprint, ELSEWHERE.fingerprint, "fingerprint");
  expectSameWords(ROOM.words, ELSEWHERE.words, "words");
  judgeCuts(decode, input, length);
  judgeNarrow(decode, input, length);
  return length;
}

/** A part of a command is no command yet. */
function judgeCuts(decode: CommandCodec["decodeCommand"], input: Uint8Array, length: number): void {
  for (const cut of [0, 1, length >> 1, length - 1]) {
    const error = decode(...inside(new GuardedView(input.subarray(0, cut), 0)), ELSEWHERE);
    expectEqual(codecErrorName(error), "buffer_too_short", `cut at ${cut} of ${length}`);
  }
}

/** A record without room for all members says everything else all the same. */
function judgeNarrow(
  decode: CommandCodec["decodeCommand"],
  input: Uint8Array,
  length: number,
): void {
  const view = new GuardedView(input, 0);
  expectEqual(decode(...inside(view), NARROW), view.at + length, "end with little room");
  expectEqual(NARROW.memberCount, ROOM.memberCount, "members with little room");
  expectSameWords(NARROW.fingerprint, ROOM.fingerprint, "fingerprint with little room");
  expectSameWords(NARROW.words, ROOM.words, "words with little room");
}

function inside(view: GuardedView): [GuardedView, number, number] {
  return [view, view.at, view.end];
}

/** What a reader answers, counted from the start of the input; its neighbours must not matter. */
function amongBoth(input: Uint8Array, read: (view: GuardedView, i: number) => number): number {
  const answers = [0x00, 0xff].map((around, i) => {
    const view = new GuardedView(input, around);
    const answer = read(view, i);
    return answer < 0 ? answer : answer - view.at;
  });
  expectEqual(answers[0]!, answers[1]!, "the answer depends on bytes outside");
  return answers[0]!;
}

function expectSameWords(a: Uint32Array, b: Uint32Array, what: string): void {
  const same = equalBytes(new Uint8Array(a.buffer), new Uint8Array(b.buffer));
  expect(same, `${what}: ${a} instead of ${b}`);
}
