/** One frame of everything that replicas say, beside what a general CBOR codec is handed for the same body. */
import {
  readPeerAlive,
  readPeerChallenge,
  readPeerHello,
  readPeerResponse,
  readPeerWelcome,
  writePeerAlive,
  writePeerChallenge,
  writePeerHello,
  writePeerRefusal,
  writePeerResponse,
  writePeerWelcome,
} from "../../node/peer/hello.ts";
import { readMessage, writeMessage } from "../../node/peer/codec.ts";
import type { RefusalCode } from "../../node/peer/hello.ts";
import type { Message } from "../../node/vsr/messages.ts";
import { readError } from "../../node/wire/hello.ts";
import type { WireReader } from "../../node/wire/reader.ts";
import type { WireWriter } from "../../node/wire/writer.ts";

/** One frame. */
export interface PeerSample {
  /** Of the golden file, behind `peer_v1_`. */
  readonly name: string;
  /** The body as plain values. */
  readonly general: unknown;
  readonly write: (out: WireWriter) => void;
  /** Reads a body and writes what it read; `undefined` when it is not this message. */
  readonly rewrite: (reader: WireReader, out: WireWriter) => true | undefined;
}

const CLUSTER = Uint8Array.from({ length: 16 }, (_, i) => i);
const FINGERPRINT = Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i);
const LARGE = 2n ** 64n - 1n;

/** A hello of replica 1 to replica 2 of 1, 2 and 3. */
export const SAMPLE_HELLO = {
  clusterId: CLUSTER,
  from: 1n,
  to: 2n,
  membersDigest: 0xe60a_4f54_7ed5_ccb9n,
  fingerprint: FINGERPRINT,
  shardId: 7n,
  version: "0.1.0",
  auth: undefined,
} as const;

/** Bytes of an entry, as far as anybody looks here. */
const FRAMES = Uint8Array.from({ length: 40 }, (_, i) => i);

/** A message of every kind and of every variant of it, and its elements behind the type. */
export const SAMPLE_MESSAGES: readonly (readonly [string, Message, number, unknown[]])[] = [
  [
    "prepare",
    {
      ...{ kind: "prepare", view: 3n, prevOp: 41n, prevHash: 0xabcn, commitOp: 40n },
      ...{ round: 9n, slot: 1_000n, frames: FRAMES },
    },
    40,
    [3n, 41n, 0xabcn, 40n, 9n, 1_000n, FRAMES],
  ],
  [
    "prepare_heartbeat",
    {
      ...{ kind: "prepare", view: LARGE, prevOp: LARGE, prevHash: LARGE, commitOp: LARGE },
      ...{ round: LARGE, slot: LARGE, frames: new Uint8Array() },
    },
    40,
    [LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, new Uint8Array()],
  ],
  [
    "prepare_ok",
    { kind: "prepare_ok", view: 3n, op: 42n, round: 9n, counts: true },
    41,
    [3n, 42n, 9n, 1],
  ],
  [
    "prepare_ok_learner",
    { kind: "prepare_ok", view: 3n, op: 42n, round: 0n, counts: false },
    41,
    [3n, 42n, 0n, 0],
  ],
  ["prepare_reject", { kind: "prepare_reject", view: 3n, op: 7n }, 42, [3n, 7n]],
  ["probe_view", { kind: "probe_view", view: 4n }, 43, [4n]],
  ["probe_view_ok", { kind: "probe_view_ok", view: 4n }, 44, [4n]],
  ["start_view_change", { kind: "start_view_change", view: 4n }, 45, [4n]],
  [
    "do_view_change",
    {
      ...{ kind: "do_view_change", view: 4n, logView: 3n, op: 42n, hash: 0xdefn },
      ...{ commitOp: 41n, slot: 1_001n },
    },
    46,
    [4n, 3n, 42n, 0xdefn, 41n, 1_001n],
  ],
  [
    "start_view",
    {
      ...{ kind: "start_view", view: 4n, op: 42n, hash: 0xdefn, commitOp: 41n },
      ...{ round: 1n, slot: 1_001n },
    },
    47,
    [4n, 42n, 0xdefn, 41n, 1n, 1_001n],
  ],
  [
    "get_log_range",
    { kind: "get_log_range", requestId: 5n, prevOp: 7n, prevHash: 0xabcn, toOp: 42n },
    48,
    [5n, 7n, 0xabcn, 42n],
  ],
  [
    "log_range",
    { kind: "log_range", requestId: 5n, refusal: undefined, frames: FRAMES },
    49,
    [5n, 0, FRAMES],
  ],
  ...(["removed", "differs", "unreadable"] as const).map((refusal, i) =>
    [
      `log_range_${refusal}`,
      { kind: "log_range", requestId: 5n, refusal, frames: new Uint8Array() },
      49,
      [5n, i + 1, new Uint8Array()],
    ] as const satisfies readonly [string, Message, number, unknown[]]
  ),
  ["recovery", { kind: "recovery", nonce: 77n }, 50, [77n]],
  [
    "recovery_response",
    { kind: "recovery_response", nonce: 77n, view: 4n, primaryOp: 42n },
    51,
    [77n, 4n, 42n],
  ],
  [
    "recovery_response_backup",
    { kind: "recovery_response", nonce: 77n, view: 4n, primaryOp: undefined },
    51,
    [77n, 4n, null],
  ],
  [
    "snapshot_offer",
    { kind: "snapshot_offer", view: 4n, op: 30n, hash: 0x123n, bytes: 1_048_576n },
    52,
    [4n, 30n, 0x123n, 1_048_576n],
  ],
  [
    "get_snapshot_chunk",
    { kind: "get_snapshot_chunk", op: 30n, hash: 0x123n, offset: 4_096n, length: 40n },
    53,
    [30n, 0x123n, 4_096n, 40n],
  ],
  [
    "snapshot_chunk",
    { kind: "snapshot_chunk", op: 30n, hash: 0x123n, offset: 4_096n, bytes: FRAMES },
    54,
    [30n, 0x123n, 4_096n, FRAMES],
  ],
];

function hello(name: string, auth: Uint8Array | undefined): PeerSample {
  const { membersDigest, version } = SAMPLE_HELLO;
  return {
    name,
    general: [32, 1, CLUSTER, 1n, 2n, membersDigest, FINGERPRINT, 7n, version, auth ?? null],
    write: (out) => writePeerHello(out, { ...SAMPLE_HELLO, auth }),
    rewrite: (reader, out) => {
      const read = readPeerHello(reader);
      if (read === undefined || read === "unsupported_version") return undefined;
      writePeerHello(out, read);
      return true;
    },
  };
}

function authentication(
  name: string,
  type: number,
  write: (out: WireWriter, bytes: Uint8Array) => void,
  read: (reader: WireReader) => Uint8Array | undefined,
): PeerSample {
  return {
    name,
    general: [type, FRAMES],
    write: (out) => write(out, FRAMES),
    rewrite: (reader, out) => {
      const bytes = read(reader);
      return bytes && (write(out, bytes), true);
    },
  };
}

const GREETINGS: readonly PeerSample[] = [
  hello("peer_hello", undefined),
  hello("peer_hello_auth", FRAMES),
  {
    name: "peer_welcome",
    general: [33, 1, CLUSTER, 2n, "0.1.0"],
    write: (out) => writePeerWelcome(out, { clusterId: CLUSTER, replicaId: 2n, version: "0.1.0" }),
    rewrite: (reader, out) => {
      const welcome = readPeerWelcome(reader);
      return welcome && (writePeerWelcome(out, welcome), true);
    },
  },
  authentication("peer_challenge", 34, writePeerChallenge, readPeerChallenge),
  authentication("peer_response", 35, writePeerResponse, readPeerResponse),
  {
    name: "peer_alive",
    general: [36],
    write: writePeerAlive,
    rewrite: (reader, out) => readPeerAlive(reader) ? (writePeerAlive(out), true) : undefined,
  },
  {
    name: "peer_refusal",
    general: [20, 0n, "wrong_cluster", "replica 2 belongs to another cluster"],
    write: (out) => writePeerRefusal(out, "wrong_cluster", "replica 2 belongs to another cluster"),
    rewrite: (reader, out) => {
      const error = readError(reader);
      if (error === undefined || error.requestId !== 0n) return undefined;
      writePeerRefusal(out, error.code as RefusalCode, error.message);
      return true;
    },
  },
];

/** Everything that goes over a connection between replicas. */
export const PEER_SAMPLES: readonly PeerSample[] = [
  ...GREETINGS,
  ...SAMPLE_MESSAGES.map(([name, message, type, elements]): PeerSample => ({
    name,
    general: [type, ...elements],
    write: (out) => writeMessage(out, message),
    rewrite: (reader, out) => {
      const read = readMessage(reader);
      return read && (writeMessage(out, read), true);
    },
  })),
];
