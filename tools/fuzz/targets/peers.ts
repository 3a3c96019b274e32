/** What replicas say to each other: what a reader accepts is exactly what the writer would have written. */
import { readMessage, writeMessage } from "../../../node/peer/codec.ts";
import {
  type PeerHello,
  readPeerAlive,
  readPeerChallenge,
  readPeerHello,
  readPeerResponse,
  readPeerWelcome,
  writePeerAlive,
  writePeerChallenge,
  writePeerHello,
  writePeerResponse,
  writePeerWelcome,
} from "../../../node/peer/hello.ts";
import type { Message } from "../../../node/vsr/messages.ts";
import type { WireReader } from "../../../node/wire/reader.ts";
import type { WireWriter } from "../../../node/wire/writer.ts";
import { drawEdge } from "../mutate.ts";
import type { FuzzRandom } from "../random.ts";
import type { Target } from "../target.ts";
import { bodyOf } from "./draw_message.ts";
import { messageTarget, type Rewrite } from "./messages.ts";

const KINDS: readonly Message["kind"][] = [
  ...["prepare", "prepare_ok", "prepare_reject", "probe_view", "probe_view_ok"] as const,
  ...["start_view_change", "do_view_change", "start_view", "get_log_range", "log_range"] as const,
  ...["recovery", "recovery_response", "snapshot_offer", "get_snapshot_chunk"] as const,
  "snapshot_chunk",
];

/** What opens a connection between replicas and keeps it. */
export function peerHelloTarget(rewrites: readonly Rewrite[] = GREETINGS): Target {
  const names = ["peer_hello", "peer_welcome", "peer_challenge", "peer_response", "peer_alive"];
  const outcomes = [...names.map((name) => `ok ${name}`), "malformed"];
  return messageTarget("peer_hello", outcomes, drawGreeting, rewrites);
}

/** Messages of the protocol. */
export function peerMessageTarget(rewrites: readonly Rewrite[] = [rewriteMessage]): Target {
  const outcomes = [...KINDS.map((kind) => `ok ${kind}`), "malformed"];
  return messageTarget("peer_messages", outcomes, drawMessageBody, rewrites);
}

/** Reads and writes again any message of the protocol. */
export function rewriteMessage(reader: WireReader): ReturnType<Rewrite> {
  const message = readMessage(reader);
  return message && { name: message.kind, write: (out) => writeMessage(out, message) };
}

function greeting<T>(
  name: string,
  read: (reader: WireReader) => T | undefined,
  write: (out: WireWriter, value: T) => void,
): Rewrite {
  return (reader) => {
    const value = read(reader);
    return value === undefined ? undefined : { name, write: (out) => write(out, value) };
  };
}

/** A hello of this version, if it is one. */
export function readKnownHello(reader: WireReader): PeerHello | undefined {
  const hello = readPeerHello(reader);
  return hello === "unsupported_version" ? undefined : hello;
}

const GREETINGS: readonly Rewrite[] = [
  greeting("peer_hello", readKnownHello, writePeerHello),
  greeting("peer_welcome", readPeerWelcome, writePeerWelcome),
  greeting("peer_challenge", readPeerChallenge, writePeerChallenge),
  greeting("peer_response", readPeerResponse, writePeerResponse),
  greeting("peer_alive", (reader) => readPeerAlive(reader) || undefined, writePeerAlive),
];

function drawGreeting(random: FuzzRandom): Uint8Array {
  const bytes = random.bytes(random.length(100));
  return bodyOf((out) => {
    switch (random.below(5)) {
      case 0:
        return writePeerHello(out, {
          ...{ clusterId: random.bytes(16), from: random.u64(), to: drawEdge(random) },
          ...{ membersDigest: random.u64(), fingerprint: random.bytes(16), shardId: random.u64() },
          ...{ version: "x".repeat(random.below(40)), auth: random.oneIn(2) ? bytes : undefined },
        });
      case 1: {
        const [clusterId, replicaId] = [random.bytes(16), random.u64()];
        return writePeerWelcome(out, { clusterId, replicaId, version: "0.1.0" });
      }
      case 2:
        return writePeerChallenge(out, bytes);
      case 3:
        return writePeerResponse(out, bytes);
      default:
        return writePeerAlive(out);
    }
  });
}

function drawMessageBody(random: FuzzRandom): Uint8Array {
  const message = drawMessage(random);
  return bodyOf((out) => writeMessage(out, message));
}

/** Any message with any numbers; what a kind does not have is not written. */
function drawMessage(random: FuzzRandom): Message {
  const u64 = (): bigint => random.oneIn(2) ? random.u64() : drawEdge(random);
  const kind = random.pick(KINDS);
  const bytes = random.bytes(random.length(600));
  const numbers = {
    ...{ view: u64(), prevOp: u64(), prevHash: u64(), commitOp: u64(), round: u64(), slot: u64() },
    ...{ op: u64(), logView: u64(), hash: u64(), requestId: u64(), toOp: u64(), nonce: u64() },
    ...{ offset: u64(), length: u64(), counts: random.oneIn(2), frames: bytes },
    primaryOp: random.oneIn(2) ? undefined : u64(),
    refusal: random.pick([undefined, "removed", "differs", "unreadable"] as const),
  };
  if (kind === "snapshot_offer") return { ...numbers, kind, bytes: u64() };
  return { ...numbers, kind, bytes };
}
