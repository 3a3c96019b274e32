/** Well-formed messages of every kind, as bodies without their frame header. */
import { createOutcome, OutcomeField, type ResultCode } from "../../../core/outcome.ts";
import { writeU128, writeU64 } from "../../../core/words.ts";
import type {
  CheckpointResult,
  Metrics,
  ReadRefusal,
  Rejection,
  ReplicationView,
} from "../../../node/api.ts";
import { REPLICA_ROLES } from "../../../node/vsr/role.ts";
import {
  type AuthChallenge,
  type AuthOffer,
  NONCE_BYTES,
  PROOF_BYTES,
} from "../../../node/auth/handshake.ts";
import { KEY_ID_BYTES } from "../../../node/auth/keys.ts";
import { ROLES } from "../../../node/auth/roles.ts";
import { DiskFault } from "../../../node/disk.ts";
import { writeAuthChallenge, writeAuthProof } from "../../../node/wire/auth.ts";
import { FRAME_HEADER_BYTES } from "../../../node/wire/framing.ts";
import { writeClientHello, writeError, writeServerHello } from "../../../node/wire/hello.ts";
import type { ClusterHello } from "../../../node/wire/cluster.ts";
import { writeMetricsReply } from "../../../node/wire/metrics.ts";
import {
  type TickReply,
  writeCheckpointReply,
  writeReservationReply,
  writeResourceReply,
  writeTickReply,
} from "../../../node/wire/replies.ts";
import { type Question, writeRequest } from "../../../node/wire/requests.ts";
import { createResultColumns, setCommitted, setRejected } from "../../../node/wire/results.ts";
import { type ServerStatus, writeStatusReply } from "../../../node/wire/status.ts";
import { beginSubmit, writeSubmitReply } from "../../../node/wire/submit.ts";
import { WireWriter } from "../../../node/wire/writer.ts";
import { encodePlain } from "../../../testbed/sim/workload/plain.ts";
import { drawClientCommand, drawId, drawU64 } from "../../../tests/support/draw_command.ts";
import { SAMPLE_METRICS } from "../../../tests/support/wire_node.ts";
import type { FuzzRandom } from "../random.ts";

/** The body of the one frame that `write` writes. */
export function bodyOf(write: (out: WireWriter) => void): Uint8Array<ArrayBuffer> {
  const out = new WireWriter();
  write(out);
  return out.bytes.slice(FRAME_HEADER_BYTES, out.end);
}

/** Whatever opens a connection, or an error. */
export function drawHello(random: FuzzRandom): Uint8Array {
  return bodyOf((out) => {
    const kind = random.below(8);
    if (kind < 3) writeClientHello(out, drawClientHello(random));
    else if (kind < 5) writeServerHello(out, drawServerHello(random));
    else if (kind === 5) writeAuthChallenge(out, drawChallenge(random));
    else if (kind === 6) writeAuthProof(out, random.bytes(PROOF_BYTES));
    else writeError(out, u64(random), "wrong_cluster", drawWords(random, 300));
  });
}

function drawChallenge(random: FuzzRandom): AuthChallenge {
  const clusterId = random.bytes(16);
  return { clusterId, nonce: random.bytes(NONCE_BYTES), proof: random.bytes(PROOF_BYTES) };
}

function drawOffer(random: FuzzRandom): AuthOffer {
  const [keyId, nonce] = [random.bytes(KEY_ID_BYTES), random.bytes(NONCE_BYTES)];
  return { role: random.pick(ROLES), keyId, nonce };
}

function drawClientHello(random: FuzzRandom): Parameters<typeof writeClientHello>[1] {
  const clusterId = random.oneIn(2) ? undefined : random.bytes(16);
  const version = random.oneIn(8) ? random.below(24) : 1;
  const auth = random.oneIn(4) ? drawOffer(random) : undefined;
  return { version, clusterId, clientName: drawWords(random, 40), auth };
}

function drawServerHello(random: FuzzRandom): Parameters<typeof writeServerHello>[1] {
  return {
    clusterId: random.bytes(16),
    version: drawWords(random, 12),
    shardId: u64(random),
    slotDurationMs: count(random) || 10,
    maxFrameBytes: count(random),
    maxCommandBytes: count(random),
    maxBatchCommands: count(random) || 1,
    maxBundleSize: count(random),
    maxTtlSlots: u64(random),
    currentSlot: u64(random),
    cluster: random.oneIn(2) ? undefined : drawCluster(random, 5),
  };
}

/** What a replica says of its cluster, with fewer members than `memberBound`. */
export function drawCluster(random: FuzzRandom, memberBound: number): ClusterHello {
  return {
    ...{ replicaId: u64(random), view: u64(random), primary: maybePrimary(random) },
    members: Array.from({ length: memberBound === 0 ? 0 : random.below(memberBound) }, () => ({
      ...{ replicaId: u64(random), address: drawWords(random, 20) },
    })),
  };
}

/** Any question. */
export function drawQuestion(random: FuzzRandom): Question {
  switch (random.below(6)) {
    case 0:
      return { kind: "get_resource", resourceId: id(random), requiredLsn: maybeU64(random) };
    case 1: {
      const asked = { requiredLsn: maybeU64(random), currentSlot: maybeU64(random) };
      return { kind: "get_reservation", reservationId: id(random), ...asked };
    }
    case 2:
      return { kind: "get_metrics", currentSlot: maybeU64(random) };
    case 3:
      return { kind: "tick_expirations", currentSlot: maybeU64(random) };
    case 4:
      return { kind: "checkpoint" };
    default:
      return { kind: "status" };
  }
}

/** Any request but submit. */
export function drawRequest(random: FuzzRandom): Uint8Array {
  return bodyOf((out) => writeRequest(out, u64(random), drawQuestion(random)));
}

/** A submit request of commands, or of other items: what is inside is not the reader's to judge. */
export function drawSubmit(random: FuzzRandom): Uint8Array {
  const length = random.pick([0, 1, 1, 2, 3, 5, random.between(20, 28), random.between(250, 260)]);
  return bodyOf((out) => {
    const frame = beginSubmit(out, random.u32(), maybeU64(random), length);
    for (let i = 0; i < length; i++) {
      const item = length < 10 ? drawItem(random) : Uint8Array.of(random.below(24));
      out.room(item.length);
      out.bytes.set(item, out.end);
      out.end += item.length;
    }
    out.endFrame(frame);
  });
}

function drawItem(random: FuzzRandom): Uint8Array {
  if (!random.oneIn(6)) return encodePlain(drawClientCommand(random.forTests(), 6));
  const items = [[0x80], [0xa0], [0xf6], [0xc1, 0x00], [0x9a, 0, 0, 0, 1, 0x40], [0x78, 1, 0x61]];
  return Uint8Array.from(random.pick(items));
}

/** The results of up to 30 commands. */
export function drawResults(random: FuzzRandom): Uint8Array {
  const length = random.pick([0, 1, 2, 3, 5, random.between(20, 30)]);
  const columns = createResultColumns(length);
  for (let i = 0; i < length; i++) {
    if (random.oneIn(3)) setRejected(columns, i, drawRejection(random));
    else setCommitted(columns, i, drawOutcome(random));
  }
  // Clients count requests from 1 and take no id above 2^53 - 1 for theirs.
  const high = random.oneIn(20) ? random.u32() : random.below(0x20_0000);
  return bodyOf((out) => writeSubmitReply(out, high, random.u32(), columns, length));
}

function drawOutcome(random: FuzzRandom): ReturnType<typeof createOutcome> {
  const outcome = createOutcome();
  outcome.code = random.between(1, 19) as ResultCode;
  outcome.fromRetryCache = random.oneIn(3);
  outcome.hasReservation = random.oneIn(2);
  writeU64(outcome.words, OutcomeField.appliedLsn, u64(random));
  writeU128(outcome.words, OutcomeField.reservationId, id(random));
  writeU64(outcome.words, OutcomeField.epoch, u64(random));
  writeU64(outcome.words, OutcomeField.deadlineSlot, u64(random));
  return outcome;
}

const INDEFINITE = ["engine_halted", "storage_failure", "view_changed"] as const;

function drawRejection(random: FuzzRandom): Rejection {
  const requestSlot = u64(random);
  const reasons = ["buffer_too_short", "invalid_command_tag", "invalid_layout"] as const;
  return random.pick<Rejection>([
    { category: "indefinite", code: random.pick(INDEFINITE) },
    { category: "definite", code: "shutting_down" },
    { category: "definite", code: "not_primary", view: requestSlot, primary: maybePrimary(random) },
    { category: "definite", code: "invalid_request", reason: random.pick(reasons) },
    {
      ...{ category: "definite", code: "slot_overflow" },
      ...{ kind: random.pick([1, 2, 3]), requestSlot, delta: u64(random) },
    },
    { category: "definite", code: "slot_rewound", requestSlot, lastRequestSlot: u64(random) },
    { category: "definite", code: "slot_too_far", requestSlot, slotMax: u64(random) },
    { category: "definite", code: "lsn_exhausted", lastAppliedLsn: u64(random) },
    { category: "definite", code: "overloaded", queueDepth: 64, queueCapacity: random.u32() },
    {
      ...{ category: "definite", code: "command_too_large" },
      ...{ encodedLen: count(random), maxCommandBytes: random.u32() },
    },
  ]);
}

/** Any reply to a question. */
export function drawReply(random: FuzzRandom): Uint8Array {
  const requestId = u64(random);
  return bodyOf((out) => {
    switch (random.below(6)) {
      case 0:
        return writeResourceReply(out, requestId, drawResource(random));
      case 1:
        return writeReservationReply(out, requestId, drawReservation(random));
      case 2:
        return writeMetricsReply(out, requestId, drawMetrics(random));
      case 3:
        return writeTickReply(out, requestId, drawTick(random));
      case 4:
        return writeCheckpointReply(out, requestId, drawCheckpoint(random));
      default:
        return writeStatusReply(out, requestId, drawStatus(random));
    }
  });
}

/** Whom a replica follows, if anybody: 0 stands for nobody. */
function maybePrimary(random: FuzzRandom): bigint | undefined {
  return maybeU64(random) || undefined;
}

function drawRefusal(random: FuzzRandom): ReadRefusal {
  if (random.oneIn(3)) return { kind: "engine_halted" };
  if (random.oneIn(2)) {
    return { kind: "not_primary", view: u64(random), primary: maybePrimary(random) };
  }
  const required = { requiredLsn: u64(random), lastAppliedLsn: maybeU64(random) };
  return { kind: "fence_not_applied", ...required };
}

function drawResource(random: FuzzRandom): Parameters<typeof writeResourceReply>[2] {
  if (random.oneIn(4)) return drawRefusal(random);
  if (random.oneIn(4)) return { kind: "not_found", observedLsn: maybeU64(random) };
  const state = random.pick([1, 2, 3, 4] as const);
  const currentReservationId = random.oneIn(2) ? undefined : id(random);
  return {
    kind: "found",
    resourceId: id(random),
    state,
    currentReservationId,
    version: 5n,
    observedLsn: 7n,
  };
}

function drawReservation(random: FuzzRandom): Parameters<typeof writeReservationReply>[2] {
  if (random.oneIn(4)) return drawRefusal(random);
  if (random.oneIn(4)) {
    return { kind: random.pick(["not_found", "retired"]), observedLsn: maybeU64(random) };
  }
  return {
    kind: "found",
    reservationId: id(random),
    holderId: id(random),
    state: random.pick([1, 2, 3, 4, 5, 6] as const),
    epoch: u64(random),
    createdLsn: u64(random),
    deadlineSlot: u64(random),
    releasedLsn: maybeU64(random),
    retireAfterSlot: maybeU64(random),
    memberResourceIds: Array.from({ length: random.length(28) }, () => id(random)),
    observedLsn: maybeU64(random),
  };
}

function drawTick(random: FuzzRandom): TickReply {
  if (random.oneIn(2)) return { kind: "rejected", rejection: drawRejection(random) };
  return { kind: "applied", processedCount: count(random), lastAppliedLsn: maybeU64(random) };
}

function drawCheckpoint(random: FuzzRandom): CheckpointResult {
  if (random.oneIn(3)) return { kind: random.pick(["engine_halted", "already_running"]) };
  if (random.oneIn(2)) {
    const kinds = ["disk_full", "read_only", "permission_denied", "not_found", "io_error"] as const;
    const fault = new DiskFault(random.pick(kinds), "write", drawWords(random, 9), "no space");
    return { kind: "snapshot_file_error", fault };
  }
  const lsns = { snapshotLsn: maybeU64(random), previousSnapshotLsn: maybeU64(random) };
  return { kind: "done", ...lsns, removedSegments: count(random) };
}

function drawMetrics(random: FuzzRandom): Metrics {
  return {
    ...SAMPLE_METRICS,
    queueDepth: count(random),
    haltReason: random.oneIn(2) ? undefined : drawWords(random, 30),
    wal: {
      ...SAMPLE_METRICS.wal,
      lastSyncMs: count(random) / 1_000,
      checkpointAgeMs: random.oneIn(2) ? undefined : random.u32() / 1_000,
    },
  };
}

function drawStatus(random: FuzzRandom): ServerStatus {
  const zero = { maxConnections: 0, maxFrameBytes: 0, maxBatchCommands: 0 };
  const traffic = { connectionsOpen: 0, connectionsAccepted: 0, connectionsRefused: 0 };
  const memory = { rssBytes: 1, heapUsedBytes: 2, heapTotalBytes: 3, externalBytes: 4 };
  return {
    clusterId: random.bytes(16),
    replicaId: u64(random),
    version: drawWords(random, 12),
    uptimeMs: count(random),
    currentSlot: u64(random),
    core: {
      ...{ shardId: u64(random), maxResources: count(random), maxReservations: 1 },
      ...{ maxOperations: 2, maxBundleSize: 3, maxTtlSlots: u64(random), slotDurationMs: 10 },
      ...{ maxExpirationBucketLen: 4, reservationHistoryWindowSlots: 5n },
      maxClientRetryWindowSlots: u64(random),
    },
    engine: { maxSubmissionQueue: 1, maxCommandBytes: count(random), maxExpirationsPerTick: 3 },
    limits: { ...zero, maxInFlightCommands: count(random), maxUnsentBytes: 0 },
    traffic: {
      ...{ ...traffic, connectionsFailed: 0, requests: count(random), commands: 6 },
      ...{ bytesReceived: 7, bytesSent: 8 },
    },
    memory,
    metrics: drawMetrics(random),
    replication: random.oneIn(2) ? undefined : drawReplication(random),
  };
}

function drawReplication(random: FuzzRandom): ReplicationView {
  return {
    role: random.pick(REPLICA_ROLES),
    ...{ view: u64(random), primary: maybePrimary(random), commitOp: u64(random) },
    ...{ appliedOp: u64(random), tipOp: u64(random) },
    peers: Array.from({ length: random.below(4) }, () => ({
      ...{ replicaId: u64(random), connected: random.oneIn(2), matchOp: u64(random) },
      ...{ lag: u64(random), lastHeardMs: random.oneIn(2) ? undefined : count(random) },
    })),
  };
}

const WORDS = ["example", "ü", "€", "𝄞", "\u0000", "\ufeff", " ", "0.1.0", "wal error", "a\nb"];

function drawWords(random: FuzzRandom, countMax: number): string {
  return Array.from({ length: random.length(countMax) }, () => random.pick(WORDS)).join("");
}

function id(random: FuzzRandom): bigint {
  return drawId(random.forTests());
}

function u64(random: FuzzRandom): bigint {
  return drawU64(random.forTests());
}

function maybeU64(random: FuzzRandom): bigint | undefined {
  return random.oneIn(2) ? undefined : u64(random);
}

function count(random: FuzzRandom): number {
  return Number(u64(random) % BigInt(Number.MAX_SAFE_INTEGER + 1));
}
