/**
 * One frame of every message and of every variant of it: what is written, what a general CBOR codec would be
 * handed for the same body, and how it is read back.
 */
import { DEFAULT_CORE_CONFIG, DEFAULT_ENGINE_CONFIG } from "../../core/config.ts";
import { createOutcome, OutcomeField } from "../../core/outcome.ts";
import { writeU128, writeU64 } from "../../core/words.ts";
import type { CheckpointResult, ReservationRead, ResourceRead } from "../../node/api.ts";
import { writeCommand } from "../../node/client/encode.ts";
import type { ClientCommand } from "../../node/client/types.ts";
import { DiskFault } from "../../node/disk.ts";
import {
  readAuthChallenge,
  readAuthProof,
  writeAuthChallenge,
  writeAuthProof,
} from "../../node/wire/auth.ts";
import {
  readClientHello,
  readError,
  readServerHello,
  writeClientHello,
  writeError,
  writeServerHello,
} from "../../node/wire/hello.ts";
import { readMetricsReply, writeMetricsReply } from "../../node/wire/metrics.ts";
import type { WireReader } from "../../node/wire/reader.ts";
import {
  readCheckpointReply,
  readReservationReply,
  readResourceReply,
  readTickReply,
  type TickReply,
  writeCheckpointReply,
  writeReservationReply,
  writeResourceReply,
  writeTickReply,
} from "../../node/wire/replies.ts";
import { type Question, readRequest, writeRequest } from "../../node/wire/requests.ts";
import { createResultColumns, setCommitted, setRejected } from "../../node/wire/results.ts";
import { readStatusReply, type ServerStatus, writeStatusReply } from "../../node/wire/status.ts";
import { beginSubmit, writeSubmitReply } from "../../node/wire/submit.ts";
import { WireWriter } from "../../node/wire/writer.ts";
import { SAMPLE_METRICS, STANDING } from "./wire_node.ts";

/** One frame. */
export interface Sample {
  /** Of the golden file, behind `wire_v1_`. */
  readonly name: string;
  /** The body as plain values: ids are 16 bytes, numbers of 64 bits are `bigint`. */
  readonly general: unknown;
  readonly write: (out: WireWriter) => void;
  /** Reads a body and writes what it read; `undefined` when it is not this message. */
  readonly rewrite?: (reader: WireReader, out: WireWriter) => true | undefined;
}

/** 16 bytes, big-endian. */
export function idBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, value >> 64n);
  new DataView(bytes.buffer).setBigUint64(8, value & (2n ** 64n - 1n));
  return bytes;
}

const CLUSTER = Uint8Array.from({ length: 16 }, (_, i) => i);
const RESOURCE = 0x2an;
const RESERVATION = (7n << 64n) | 9n;
const HOLDER = 0xabcn;
const CLIENT = 0xc11e47n;
const LARGE = 2n ** 64n - 1n;
const LARGE_ID = 2n ** 128n - 1n;

function hello(name: string, clusterId: Uint8Array | undefined): Sample {
  const value = { version: 1, clusterId, clientName: "example" };
  return {
    name,
    general: [0, 1, clusterId ?? null, "example", null],
    write: (out) => writeClientHello(out, value),
    rewrite: (reader, out) => {
      const read = readClientHello(reader);
      return read && (writeClientHello(out, read), true);
    },
  };
}

const SERVER_HELLO = {
  clusterId: CLUSTER,
  version: "0.1.0",
  shardId: 7n,
  slotDurationMs: 10,
  maxFrameBytes: 1_048_576,
  maxCommandBytes: 4_096,
  maxBatchCommands: 8_192,
  maxBundleSize: 16,
  maxTtlSlots: 360_000n,
  currentSlot: 1_000n,
};

const HELLO_REPLY: Sample = {
  name: "hello_reply",
  general: [
    ...[10, 1, CLUSTER, "0.1.0", 7n, 10n, 1_048_576n, 4_096n, 8_192n, 16n, 360_000n, 1_000n],
    null,
  ],
  write: (out) => writeServerHello(out, SERVER_HELLO),
  rewrite: (reader, out) => {
    const read = readServerHello(reader);
    return read && (writeServerHello(out, read), true);
  },
};

const CLUSTER_HELLO = {
  ...SERVER_HELLO,
  cluster: {
    replicaId: 2n,
    view: 7n,
    primary: 1n,
    members: [
      { replicaId: 1n, address: "127.0.0.1:7101" },
      { replicaId: 2n, address: "[::1]:7102" },
    ],
  },
};

const HELLO_REPLY_CLUSTER: Sample = {
  ...HELLO_REPLY,
  name: "hello_reply_cluster",
  general: [
    ...HELLO_REPLY.general as unknown[],
    [2n, 7n, 1n, [[1n, "127.0.0.1:7101"], [2n, "[::1]:7102"]]],
  ],
  write: (out) => writeServerHello(out, CLUSTER_HELLO),
};

const KEY_ID = Uint8Array.from({ length: 8 }, (_, i) => 0xa0 + i);
const NONCE = Uint8Array.from({ length: 32 }, (_, i) => 0x40 + i);
const PROOF = Uint8Array.from({ length: 32 }, (_, i) => 0xe0 - i);

const HELLO_AUTH: Sample = {
  ...hello("hello_auth", CLUSTER),
  general: [0, 1, CLUSTER, "example", [3, KEY_ID, NONCE]],
  write: (out) => {
    const auth = { role: "client", keyId: KEY_ID, nonce: NONCE } as const;
    writeClientHello(out, { version: 1, clusterId: CLUSTER, clientName: "example", auth });
  },
};

const AUTH_CHALLENGE: Sample = {
  name: "auth_challenge",
  general: [18, CLUSTER, NONCE, PROOF],
  write: (out) => writeAuthChallenge(out, { clusterId: CLUSTER, nonce: NONCE, proof: PROOF }),
  rewrite: (reader, out) => {
    const read = readAuthChallenge(reader);
    return read && (writeAuthChallenge(out, read), true);
  },
};

const AUTH_PROOF: Sample = {
  name: "auth_proof",
  general: [8, PROOF],
  write: (out) => writeAuthProof(out, PROOF),
  rewrite: (reader, out) => {
    const read = readAuthProof(reader);
    return read && (writeAuthProof(out, read), true);
  },
};

function error(name: string, requestId: bigint, code: "wrong_cluster" | "batch_too_large"): Sample {
  return {
    name,
    general: [20, requestId, code, "as a person reads it"],
    write: (out) => writeError(out, requestId, code, "as a person reads it"),
    rewrite: (reader, out) => {
      const read = readError(reader);
      return read &&
        (writeError(out, read.requestId, read.code as "wrong_cluster", read.message), true);
    },
  };
}

/** Every command a client can send, with operation ids 1, 2, … */
export const SAMPLE_COMMANDS: readonly ClientCommand[] = [
  { kind: "create_resource", resourceId: RESOURCE },
  { kind: "reserve", resourceId: RESOURCE, holderId: HOLDER, ttlMs: 30_000 },
  { kind: "reserve_bundle", resourceIds: [1n, 2n, 3n], holderId: HOLDER, ttlSlots: 500n },
  { kind: "confirm", reservationId: RESERVATION, holderId: HOLDER, epoch: 1n },
  { kind: "release", reservationId: RESERVATION, holderId: HOLDER, epoch: 1n },
  { kind: "revoke", reservationId: RESERVATION },
  { kind: "reclaim", reservationId: RESERVATION },
];

function generalCommand(command: ClientCommand, operationId: bigint): unknown[] {
  const key = [idBytes(operationId), idBytes(CLIENT)];
  switch (command.kind) {
    case "create_resource":
      return [1, ...key, idBytes(command.resourceId)];
    case "reserve":
      return [2, ...key, idBytes(command.resourceId), idBytes(command.holderId), 3_000n];
    case "reserve_bundle":
      return [3, ...key, command.resourceIds.map(idBytes), idBytes(command.holderId), 500n];
    case "confirm":
    case "release": {
      const tag = command.kind === "confirm" ? 4 : 5;
      return [tag, ...key, idBytes(command.reservationId), idBytes(command.holderId), 1n];
    }
    default:
      return [command.kind === "revoke" ? 7 : 8, ...key, idBytes(command.reservationId)];
  }
}

function submit(
  name: string,
  slot: bigint | undefined,
  commands: readonly ClientCommand[],
): Sample {
  return {
    name,
    general: [
      ...[1, 2n, slot ?? null],
      commands.map((command, i) => generalCommand(command, BigInt(i + 1))),
    ],
    write: (out) => {
      const frame = beginSubmit(out, 2, slot, commands.length);
      commands.forEach((command, i) => writeCommand(out, command, CLIENT, BigInt(i + 1), 10));
      out.endFrame(frame);
    },
  };
}

const SUBMIT_REPLY: Sample = {
  name: "submit_reply",
  general: [
    ...[11, 2n],
    [
      [1, 9n, 0],
      [1, 10n, 0, idBytes((7n << 64n) | 10n), 1n, 4_000n],
      [6, 11n, 1],
      [0, 1, 6, 64n, 64n, 0n],
      [0, 2, 7, 0n, 0n, 0n],
    ],
  ],
  write: (out) => {
    const columns = createResultColumns(5);
    const outcome = createOutcome();
    writeU64(outcome.words, OutcomeField.appliedLsn, 9n);
    setCommitted(columns, 0, outcome);
    writeU64(outcome.words, OutcomeField.appliedLsn, 10n);
    writeU128(outcome.words, OutcomeField.reservationId, (7n << 64n) | 10n);
    writeU64(outcome.words, OutcomeField.epoch, 1n);
    writeU64(outcome.words, OutcomeField.deadlineSlot, 4_000n);
    setCommitted(columns, 1, { ...outcome, hasReservation: true });
    writeU64(outcome.words, OutcomeField.appliedLsn, 11n);
    setCommitted(columns, 2, { ...outcome, code: 6, fromRetryCache: true });
    const overloaded = { code: "overloaded", queueDepth: 64, queueCapacity: 64 } as const;
    setRejected(columns, 3, { category: "definite", ...overloaded });
    setRejected(columns, 4, { category: "indefinite", code: "storage_failure" });
    writeSubmitReply(out, 0, 2, columns, 5);
  },
};

function request(name: string, question: Question, general: readonly unknown[]): Sample {
  return {
    name,
    general: [general[0], 3n, ...general.slice(1)],
    write: (out) => writeRequest(out, 3n, question),
    rewrite: (reader, out) => {
      const read = readRequest(reader);
      return read && (writeRequest(out, read.requestId, read.question), true);
    },
  };
}

/** A reply that is read behind its request id. */
function reply<T>(
  name: string,
  value: T,
  general: readonly unknown[],
  write: (out: WireWriter, requestId: bigint, value: T) => void,
  read: (reader: WireReader, elements: number) => T | undefined,
): Sample {
  return {
    name,
    general: [general[0], 3n, ...general.slice(1)],
    write: (out) => write(out, 3n, value),
    rewrite: (reader, out) => {
      const elements = reader.arrayHead();
      if (reader.small(23) !== general[0]) return undefined;
      const requestId = reader.u64();
      const found = read(reader, elements);
      if (found === undefined || !reader.finish()) return undefined;
      write(out, requestId, found);
      return true;
    },
  };
}

function resource(name: string, value: ResourceRead, general: readonly unknown[]): Sample {
  return reply(`resource_${name}`, value, [12, ...general], writeResourceReply, readResourceReply);
}

function reservation(name: string, value: ReservationRead, general: readonly unknown[]): Sample {
  const all = [13, ...general];
  return reply(`reservation_${name}`, value, all, writeReservationReply, readReservationReply);
}

function tick(name: string, value: TickReply, general: readonly unknown[]): Sample {
  return reply(`tick_${name}`, value, [15, general], writeTickReply, readTickReply);
}

function checkpoint(name: string, value: CheckpointResult, general: readonly unknown[]): Sample {
  const all = [16, ...general];
  return reply(`checkpoint_${name}`, value, all, writeCheckpointReply, readCheckpointReply);
}

const FENCE = {
  kind: "fence_not_applied",
  requiredLsn: 12n,
  lastAppliedLsn: 11n,
} as const;

const NOT_PRIMARY = { kind: "not_primary", view: 3n, primary: 2n } as const;

const RESOURCES: readonly Sample[] = [
  resource("available", {
    kind: "found",
    resourceId: RESOURCE,
    state: 1,
    currentReservationId: undefined,
    version: 5n,
    observedLsn: 12n,
  }, [1, 12n, idBytes(RESOURCE), 1, null, 5n]),
  resource("held", {
    kind: "found",
    resourceId: LARGE_ID,
    state: 4,
    currentReservationId: RESERVATION,
    version: LARGE,
    observedLsn: LARGE,
  }, [1, LARGE, idBytes(LARGE_ID), 4, idBytes(RESERVATION), LARGE]),
  resource("not_found", { kind: "not_found", observedLsn: undefined }, [2, null]),
  resource("fence_not_applied", FENCE, [3, 12n, 11n]),
  resource("engine_halted", { kind: "engine_halted" }, [4]),
  resource("not_primary", NOT_PRIMARY, [6, 3n, 2n]),
];

const RESERVATIONS: readonly Sample[] = [
  reservation("live", {
    kind: "found",
    reservationId: RESERVATION,
    holderId: HOLDER,
    state: 1,
    epoch: 1n,
    createdLsn: 9n,
    deadlineSlot: 4_000n,
    releasedLsn: undefined,
    retireAfterSlot: undefined,
    memberResourceIds: [RESOURCE],
    observedLsn: 12n,
  }, [1, 12n, idBytes(RESERVATION), idBytes(HOLDER), 1, 1n, 9n, 4_000n, null, null, [
    idBytes(RESOURCE),
  ]]),
  reservation("ended", {
    kind: "found",
    reservationId: LARGE_ID,
    holderId: LARGE_ID,
    state: 6,
    epoch: LARGE,
    createdLsn: LARGE,
    deadlineSlot: LARGE,
    releasedLsn: LARGE,
    retireAfterSlot: LARGE,
    memberResourceIds: [3n, 1n, 2n],
    observedLsn: LARGE,
  }, [
    ...[1, LARGE, idBytes(LARGE_ID), idBytes(LARGE_ID), 6, LARGE, LARGE, LARGE, LARGE, LARGE],
    [idBytes(3n), idBytes(1n), idBytes(2n)],
  ]),
  reservation("not_found", { kind: "not_found", observedLsn: 12n }, [2, 12n]),
  reservation("fence_not_applied", { ...FENCE, lastAppliedLsn: undefined }, [3, 12n, null]),
  reservation("engine_halted", { kind: "engine_halted" }, [4]),
  reservation("retired", { kind: "retired", observedLsn: 12n }, [5, 12n]),
  reservation("not_primary", { ...NOT_PRIMARY, primary: undefined }, [6, 3n, null]),
];

const METRICS = [
  ...[1n, 2n, 1, null],
  [4, 3n, 4n, 5n, 6n],
  [7n, 8n, 9n, 10n, 11n, 12n, 13n, 14n, 15n, 16n, 17n, 18n, 19n],
  [20n, 21n, 22n, 23n, 24_500n, 125n, 25n, 26n],
  [27n, 28n, 29n, 30n, 31n, 32n, 33n],
];

const HALTED = {
  ...SAMPLE_METRICS,
  acceptingWrites: false,
  haltReason: "wal error",
  recovery: {
    startupKind: "fresh_start",
    loadedSnapshotLsn: undefined,
    replayedWalFrameCount: 0,
    replayedWalLastLsn: undefined,
    activeSnapshotLsn: undefined,
  },
  core: { ...SAMPLE_METRICS.core, lastAppliedLsn: undefined, lastRequestSlot: undefined },
  wal: { ...SAMPLE_METRICS.wal, checkpointAgeMs: undefined },
} as const;

const STATUS: ServerStatus = {
  clusterId: CLUSTER,
  replicaId: 1n,
  version: "0.1.0",
  uptimeMs: 60_000,
  currentSlot: 1_000n,
  core: DEFAULT_CORE_CONFIG,
  engine: DEFAULT_ENGINE_CONFIG,
  limits: {
    maxConnections: 1_024,
    maxFrameBytes: 1_048_576,
    maxBatchCommands: 8_192,
    maxInFlightCommands: 16_384,
    maxUnsentBytes: 4_194_304,
  },
  traffic: {
    connectionsOpen: 1,
    connectionsAccepted: 2,
    connectionsRefused: 3,
    connectionsFailed: 4,
    requests: 5,
    commands: 6,
    bytesReceived: 7,
    bytesSent: 8,
  },
  memory: { rssBytes: 9, heapUsedBytes: 10, heapTotalBytes: 11, externalBytes: 12 },
  metrics: SAMPLE_METRICS,
};

const STATUS_GENERAL = [
  [CLUSTER, 1n, "0.1.0", 60_000n, 1_000n],
  [0n, 1_000_000n, 1_000_000n, 2_000_000n, 16n, 360_000n, 1_000_000n, 30_000n, 30_000n, 10n],
  [65_536n, 4_096n, 4_096n],
  [1_024n, 1_048_576n, 8_192n, 16_384n, 4_194_304n],
  [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n],
  [9n, 10n, 11n, 12n],
  METRICS,
];

const REWOUND = { code: "slot_rewound", requestSlot: 5n, lastRequestSlot: 8n } as const;

/** Every message. */
export const SAMPLES: readonly Sample[] = [
  hello("hello", undefined),
  hello("hello_cluster", CLUSTER),
  HELLO_AUTH,
  AUTH_CHALLENGE,
  AUTH_PROOF,
  HELLO_REPLY,
  HELLO_REPLY_CLUSTER,
  error("error_connection", 0n, "wrong_cluster"),
  error("error_request", 2n, "batch_too_large"),
  submit("submit", undefined, SAMPLE_COMMANDS),
  submit("submit_slot", 1_234n, SAMPLE_COMMANDS.slice(0, 1)),
  SUBMIT_REPLY,
  request("get_resource", {
    kind: "get_resource",
    resourceId: RESOURCE,
    requiredLsn: 9n,
  }, [2, idBytes(RESOURCE), 9n]),
  ...RESOURCES,
  request("get_reservation", {
    kind: "get_reservation",
    reservationId: RESERVATION,
    requiredLsn: undefined,
    currentSlot: 1_000n,
  }, [3, idBytes(RESERVATION), null, 1_000n]),
  ...RESERVATIONS,
  request("get_metrics", { kind: "get_metrics", currentSlot: undefined }, [4, null]),
  reply("metrics", SAMPLE_METRICS, [14, METRICS], writeMetricsReply, readMetricsReply),
  reply(
    "metrics_halted",
    HALTED,
    [
      14,
      [
        ...[1n, 2n, 0, "wal error"],
        [1, null, 0n, null, null],
        [null, null, 9n, 10n, 11n, 12n, 13n, 14n, 15n, 16n, 17n, 18n, 19n],
        [20n, 21n, 22n, 23n, null, 125n, 25n, 26n],
        [27n, 28n, 29n, 30n, 31n, 32n, 33n],
      ],
    ],
    writeMetricsReply,
    readMetricsReply,
  ),
  request(
    "tick_expirations",
    { kind: "tick_expirations", currentSlot: 1_000n },
    [5, 1_000n],
  ),
  tick("applied", { kind: "applied", processedCount: 2, lastAppliedLsn: 11n }, [1, 2n, 11n]),
  tick("not_primary", {
    kind: "rejected",
    rejection: { category: "definite", code: "not_primary", view: 3n, primary: 2n },
  }, [0, 1, 11, 3n, 2n, 0n]),
  tick("view_changed", {
    kind: "rejected",
    rejection: { category: "indefinite", code: "view_changed" },
  }, [0, 2, 12, 0n, 0n, 0n]),
  tick("rejected", {
    kind: "rejected",
    rejection: { category: "definite", ...REWOUND },
  }, [0, 1, 8, 5n, 8n, 0n]),
  request("checkpoint", { kind: "checkpoint" }, [6]),
  checkpoint("done", {
    kind: "done",
    snapshotLsn: 11n,
    previousSnapshotLsn: undefined,
    removedSegments: 2,
  }, [1, 11n, null, 2n]),
  checkpoint("engine_halted", { kind: "engine_halted" }, [2]),
  checkpoint("already_running", { kind: "already_running" }, [3]),
  checkpoint("file_error", {
    kind: "snapshot_file_error",
    fault: new DiskFault("disk_full", "write", "state.snapshot.tmp", "no space left on device"),
  }, [4, 1, "write", "state.snapshot.tmp", "no space left on device"]),
  request("status", { kind: "status" }, [7]),
  reply("status_reply", STATUS, [17, ...STATUS_GENERAL], writeStatusReply, readStatusReply),
  reply(
    "status_reply_replica",
    { ...STATUS, replication: STANDING },
    [
      ...[17, ...STATUS_GENERAL],
      [2, 4n, 3n, 41n, 40n, 42n, [[2n, 0, 0n, 0n, null], [3n, 1, 0n, 0n, 12n]]],
    ],
    writeStatusReply,
    readStatusReply,
  ),
];

/** The frame of a sample. */
export function frameOf(sample: Sample): Uint8Array {
  const out = new WireWriter();
  sample.write(out);
  return out.bytes.slice(0, out.end);
}
