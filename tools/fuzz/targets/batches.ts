/** The hot path of the wire: lists of commands on their way in, lists of results on their way out. */
import {
  createSubmitRequest,
  readSubmit,
  readSubmitReply,
  submitReplyId,
  type SubmitStatus,
  writeSubmitReply,
} from "../../../node/wire/submit.ts";
import { createResultColumns, isRejected, rejectionAt } from "../../../node/wire/results.ts";
import { referenceHead, referenceItemEnd } from "../cbor_reference.ts";
import { amongStrangers } from "../guarded_view.ts";
import { mutate } from "../mutate.ts";
import { expect, expectEqual, expectSameBytes, type Target } from "../target.ts";
import { bodyOf, drawResults, drawSubmit } from "./draw_message.ts";

/** Most commands of a batch here; batches of 250 to 260 are drawn. */
const BATCH_MAX = 255;

/** What a client submits. */
export function submitTarget(read: typeof readSubmit = readSubmit): Target {
  return {
    name: "submit",
    outcomes: ["ok", "malformed_message", "batch_too_large"],
    draw: (random) =>
      random.oneIn(6) ? drawSubmit(random) : mutate(random, drawSubmit(random), drawSubmit(random)),
    judge: (input) => judgeSubmit(read, input),
  };
}

function judgeSubmit(read: typeof readSubmit, input: Uint8Array): string {
  const expected = referenceSubmit(input);
  const into = createSubmitRequest(BATCH_MAX);
  const found = amongStrangers(input, (view) => {
    const status = read(view, view.at, view.end, into);
    if (status !== "ok") return status;
    const places = [...into.ends.subarray(0, into.count)].map((end) => end - view.at);
    const start = into.commandsStart - view.at;
    return `ok ${into.requestIdHigh} ${into.requestIdLow} ${into.slot} ${start} ${places}`;
  });
  expectEqual(found, expected, "what is in the request");
  return found.split(" ")[0]!;
}

/** The same, by the general rules of CBOR. */
function referenceSubmit(input: Uint8Array): string {
  const malformed: SubmitStatus = "malformed_message";
  const fixed = [0, 1, 2].map((i) => input[i]);
  if (fixed.join() !== "132,1,27" || input.length < 11) return malformed;
  const slot = referenceHead(input, 11);
  if (slot === undefined) return malformed;
  const isNone = input[11] === 0xf6;
  if (!isNone && input[11] !== 0x1b) return malformed;
  const list = referenceHead(input, slot.end);
  if (list === undefined || list.major !== 4 || !list.isShortest) return malformed;
  if (list.argument > 0xffffn) return malformed;
  if (list.argument > BigInt(BATCH_MAX)) return "batch_too_large";
  const ends: number[] = [];
  for (let at = list.end; ends.length < Number(list.argument);) {
    const end = referenceItemEnd(input, at);
    if (end === undefined) return malformed;
    ends.push(end);
    at = end;
  }
  if ((ends.at(-1) ?? list.end) !== input.length) return malformed;
  const words = new DataView(input.buffer, input.byteOffset, input.length);
  const requestId = `${words.getUint32(3)} ${words.getUint32(7)}`;
  return `ok ${requestId} ${isNone ? undefined : slot.argument} ${list.end} ${ends}`;
}

/** What a server answers to it. */
export function resultTarget(read: typeof readSubmitReply = readSubmitReply): Target {
  return {
    name: "results",
    outcomes: ["ok", "ok nonsense_rejection", "no_reply", "malformed"],
    draw: (random) => {
      const sound = drawResults(random);
      return random.oneIn(6) ? sound : mutate(random, sound, drawResults(random));
    },
    judge: (input) => judgeResults(read, input),
  };
}

function judgeResults(read: typeof readSubmitReply, input: Uint8Array): string {
  // A client knows how many results it waits for; here the list is believed.
  const head = referenceHead(input, 11);
  const count = head?.major === 4 ? Number(head.argument % 64n) : 1;
  const columns = createResultColumns(count);
  const found = amongStrangers(input, (view) => {
    const id = submitReplyId(view, view.at, view.end);
    if (id < 0) return "no_reply";
    return read(view, view.at, view.end, columns, count) ? `ok ${id}` : "malformed";
  });
  if (!found.startsWith("ok")) return found;
  const id = BigInt(found.split(" ")[1]!);
  const [high, low] = [Number(id >> 32n), Number(id & 0xffff_ffffn)];
  const again = bodyOf((out) => writeSubmitReply(out, high, low, columns, count));
  expectSameBytes(again, input, "written again");
  return hasNonsense(columns, count) ? "ok nonsense_rejection" : "ok";
}

/** Whether some rejection has details that are never written: the client takes it for a broken reply. */
function hasNonsense(columns: ReturnType<typeof createResultColumns>, count: number): boolean {
  for (let i = 0; i < count; i++) {
    if (!isRejected(columns, i)) continue;
    const rejection = rejectionAt(columns, i);
    if (rejection === undefined) return true;
    expect(rejection.code.length > 0, "a rejection without a code");
  }
  return false;
}
