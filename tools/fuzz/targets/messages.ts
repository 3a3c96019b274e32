/** Messages in both directions: what a reader accepts is exactly what the writer would have written. */
import {
  readAuthChallenge,
  readAuthProof,
  writeAuthChallenge,
  writeAuthProof,
} from "../../../node/wire/auth.ts";
import {
  readClientHello,
  readError,
  readServerHello,
  writeClientHello,
  writeError,
  writeServerHello,
} from "../../../node/wire/hello.ts";
import { MessageType, type WireErrorCode } from "../../../node/wire/messages.ts";
import { readMetricsReply, writeMetricsReply } from "../../../node/wire/metrics.ts";
import { WireReader } from "../../../node/wire/reader.ts";
import {
  readCheckpointReply,
  readReservationReply,
  readResourceReply,
  readTickReply,
  writeCheckpointReply,
  writeReservationReply,
  writeResourceReply,
  writeTickReply,
} from "../../../node/wire/replies.ts";
import { readRequest, writeRequest } from "../../../node/wire/requests.ts";
import { readStatusReply, writeStatusReply } from "../../../node/wire/status.ts";
import type { WireWriter } from "../../../node/wire/writer.ts";
import { amongStrangers } from "../guarded_view.ts";
import { mutate } from "../mutate.ts";
import type { FuzzRandom } from "../random.ts";
import { expectSameBytes, hexOf, type Target } from "../target.ts";
import { bodyOf, drawHello, drawReply, drawRequest } from "./draw_message.ts";

/** Reads a body; answers its name and how to write it again, or `undefined` when it is not this message. */
export type Rewrite = (
  reader: WireReader,
) => { readonly name: string; readonly write: (out: WireWriter) => void } | undefined;

/** What opens and ends a connection. */
export function helloTarget(rewrites: readonly Rewrite[] = HELLOS): Target {
  const names = ["hello", "hello_reply", "auth_challenge", "auth_proof", "error"];
  const outcomes = [...names.map((name) => `ok ${name}`), "malformed"];
  return messageTarget("hello", outcomes, drawHello, rewrites);
}

/** What a client asks. */
export function requestTarget(rewrites: readonly Rewrite[] = [rewriteRequest]): Target {
  const kinds = ["get_resource", "get_reservation", "get_metrics", "tick_expirations"];
  const outcomes = [...kinds, "checkpoint", "status"].map((kind) => `ok ${kind}`);
  return messageTarget("requests", [...outcomes, "malformed"], drawRequest, rewrites);
}

/** What a server answers. */
export function replyTarget(rewrites: readonly Rewrite[] = REPLIES): Target {
  const kinds = ["resource", "reservation", "metrics", "tick", "checkpoint_reply", "status_reply"];
  const outcomes = kinds.map((kind) => `ok ${kind}`);
  return messageTarget("replies", [...outcomes, "malformed"], drawReply, rewrites);
}

/** A target that draws messages, damages most of them, and writes again what is read. */
export function messageTarget(
  name: string,
  outcomes: readonly string[],
  draw: (random: FuzzRandom) => Uint8Array,
  rewrites: readonly Rewrite[],
): Target {
  return {
    name,
    outcomes,
    draw: (random) => random.oneIn(6) ? draw(random) : mutate(random, draw(random), draw(random)),
    judge: (input) => judgeMessage(rewrites, input),
  };
}

function judgeMessage(rewrites: readonly Rewrite[], input: Uint8Array): string {
  let outcome = "malformed";
  for (const rewrite of rewrites) {
    let again: Uint8Array | undefined;
    const found = amongStrangers(input, (view) => {
      const reader = new WireReader();
      reader.open(view, view.at, view.end);
      const message = rewrite(reader);
      again = message && bodyOf(message.write);
      return message === undefined ? "" : `${message.name} ${hexOf(again!, Infinity)}`;
    });
    if (found === "") continue;
    expectSameBytes(again!, input, "written again");
    outcome = `ok ${found.split(" ")[0]}`;
  }
  return outcome;
}

/** Hello both ways, what is proved in between, and errors. */
const HELLOS: readonly Rewrite[] = [
  (reader) => {
    const challenge = readAuthChallenge(reader);
    return challenge &&
      { name: "auth_challenge", write: (out) => writeAuthChallenge(out, challenge) };
  },
  (reader) => {
    const proof = readAuthProof(reader);
    return proof && { name: "auth_proof", write: (out) => writeAuthProof(out, proof) };
  },
  (reader) => {
    const hello = readClientHello(reader);
    return hello && { name: "hello", write: (out) => writeClientHello(out, hello) };
  },
  (reader) => {
    const hello = readServerHello(reader);
    return hello && { name: "hello_reply", write: (out) => writeServerHello(out, hello) };
  },
  (reader) => {
    const error = readError(reader);
    if (error === undefined) return undefined;
    const { requestId, code, message } = error;
    const write = (out: WireWriter): void =>
      writeError(out, requestId, code as WireErrorCode, message);
    return { name: "error", write };
  },
];

/** Every request but submit. */
export function rewriteRequest(reader: WireReader): ReturnType<Rewrite> {
  const request = readRequest(reader);
  if (request === undefined) return undefined;
  const { requestId, question } = request;
  return { name: question.kind, write: (out) => writeRequest(out, requestId, question) };
}

/** Reads as a client does: the head, then what follows by type. */
function replyOf<T>(
  name: "resource" | "reservation" | "metrics" | "tick" | "checkpoint_reply" | "status_reply",
  read: (reader: WireReader, elements: number) => T | undefined,
  write: (out: WireWriter, requestId: bigint, value: T) => void,
): Rewrite {
  return (reader) => {
    const elements = reader.arrayHead();
    if (reader.small(23) !== MessageType[name]) return undefined;
    const requestId = reader.u64();
    const value = read(reader, elements);
    if (value === undefined || !reader.finish()) return undefined;
    return { name, write: (out) => write(out, requestId, value) };
  };
}

/** Every reply but results. */
const REPLIES: readonly Rewrite[] = [
  replyOf("resource", readResourceReply, writeResourceReply),
  replyOf("reservation", readReservationReply, writeReservationReply),
  replyOf("metrics", readMetricsReply, writeMetricsReply),
  replyOf("tick", readTickReply, writeTickReply),
  replyOf("checkpoint_reply", readCheckpointReply, writeCheckpointReply),
  replyOf("status_reply", readStatusReply, writeStatusReply),
];
