/**
 * What an operator's tools read: control messages and exported archives. A general CBOR reader stands behind the
 * first, so the oracle is not the bytes: what is accepted means nothing but itself.
 */
import {
  decodeControl,
  encodeControl,
  parseReply,
  parseRequest,
} from "../../../node/control/codec.ts";
import {
  controlError,
  type ControlReply,
  LOG_LEVELS,
  REPLY_SCHEMAS,
} from "../../../node/control/messages.ts";
import { decodeManifest, encodeManifest, type Manifest } from "../../../node/offline/manifest.ts";
import { BadArchive, decodeTarHeader, encodeTarHeader } from "../../../node/offline/tar.ts";
import { FRAME_HEADER_BYTES } from "../../../node/wire/framing.ts";
import { sampleStatus } from "../../../tests/support/control_status.ts";
import { mutate } from "../mutate.ts";
import type { FuzzRandom } from "../random.ts";
import { expect, expectEqual, expectSameBytes, type Target } from "../target.ts";
import { bytesOfText, mutateText, textOf } from "../text.ts";

const VERBS = Object.keys(REPLY_SCHEMAS) as (keyof typeof REPLY_SCHEMAS)[];

/** The functions under test. */
export interface ControlReaders {
  readonly parseRequest: typeof parseRequest;
  readonly parseReply: typeof parseReply;
}

/** Requests to a control port, and what it answers. */
export function controlTarget(readers: ControlReaders = { parseRequest, parseReply }): Target {
  return {
    name: "control",
    outcomes: ["ok request", "ok reply", "ok error", "malformed"],
    draw: (random) => {
      const [first, second] = [bodyOf(drawMessage(random)), bodyOf(drawMessage(random))];
      return random.oneIn(4) ? first : mutate(random, first, second);
    },
    judge: (input) => judgeControl(readers, input),
  };
}

function judgeControl({ parseRequest, parseReply }: ControlReaders, input: Uint8Array): string {
  const value = decodeControl(input);
  const request = parseRequest(value);
  if (request !== undefined) {
    expectEqual(canonical(request), canonical(value), "a request is all of its message");
    return "ok request";
  }
  for (const verb of VERBS) {
    const reply = parseReply(verb, value);
    if (reply === undefined) continue;
    const again = parseReply(verb, decodeControl(bodyOf(reply)));
    expectEqual(canonical(again), canonical(reply), "an answer that was encoded again");
    return reply.status === "error" ? "ok error" : "ok reply";
  }
  return "malformed";
}

function bodyOf(message: object): Uint8Array {
  return encodeControl(message).subarray(FRAME_HEADER_BYTES);
}

/** A value as text, whatever the order of its keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return `${typeof value}:${String(value)}`;
  const entries = Object.entries(value).map(([key, entry]) => `${key}=${canonical(entry)}`);
  return `{${entries.sort().join()}}`;
}

function drawMessage(random: FuzzRandom): object {
  const u64 = random.u64();
  const replies: readonly ControlReply[] = [
    sampleStatus({ commit_lsn: u64, role: random.pick(["primary", "faulted"]) }),
    { status: "ok", op: u64, lsn: random.u64(), digest: 0n },
    controlError(random.pick(["denied", "failed"]), "x".repeat(random.below(40))),
    { status: "ok", network: "healthy", faults: ["link.1.2.cut=true"] },
    { status: "ok", metrics: { a: u64, b: 1, c: "x", d: true, e: undefined } },
  ];
  const requests = [
    { request: random.pick(VERBS) },
    { request: "stop", drain_ms: random.below(700_000) },
    { request: "log_level", level: random.pick(LOG_LEVELS) },
    { request: random.pick(VERBS), force: true },
  ];
  return random.oneIn(2) ? random.pick(requests) : random.pick(replies);
}

/** The functions under test. */
export interface ArchiveReaders {
  readonly decodeTarHeader: typeof decodeTarHeader;
  readonly decodeManifest: typeof decodeManifest;
}

/** Headers and manifests of exported replicas. */
export function archiveTarget(
  readers: ArchiveReaders = { decodeTarHeader, decodeManifest },
): Target {
  return {
    name: "archive",
    outcomes: ["ok header", "ok manifest", "ok end", "refused header", "refused manifest"],
    draw: (random) => random.oneIn(2) ? drawHeader(random) : drawManifest(random),
    judge: (input) => {
      return input.length === 512 ? judgeHeader(readers, input) : judgeManifest(readers, input);
    },
  };
}

function judgeHeader({ decodeTarHeader }: ArchiveReaders, input: Uint8Array): string {
  try {
    const entry = decodeTarHeader(input);
    if (entry === undefined) return "ok end";
    expect(/^[\w.-]+$/.test(entry.name) && !entry.name.startsWith("."), `the name ${entry.name}`);
    expect(Number.isSafeInteger(entry.bytes) && entry.bytes >= 0, `${entry.bytes} bytes`);
    const again = decodeTarHeader(encodeTarHeader(entry));
    expectEqual(`${again?.name} ${again?.bytes}`, `${entry.name} ${entry.bytes}`, "written again");
    return "ok header";
  } catch (error) {
    if (error instanceof BadArchive) return "refused header";
    throw error;
  }
}

function judgeManifest({ decodeManifest }: ArchiveReaders, input: Uint8Array): string {
  const manifest = decodeManifest(input);
  if (typeof manifest === "string") return "refused manifest";
  const again = encodeManifest(manifest);
  const twice = decodeManifest(again);
  expect(typeof twice !== "string", `a manifest that was written again: ${twice}`);
  expectSameBytes(encodeManifest(twice), again, "written twice");
  for (const { bytes, sha256 } of manifest.files) {
    expect(Number.isSafeInteger(bytes) && bytes >= 0 && sha256.length === 64, `${bytes} ${sha256}`);
  }
  return "ok manifest";
}

/** With the sum put right in half of the cases, so that what lies behind it is tried. */
function drawHeader(random: FuzzRandom): Uint8Array {
  const name = random.pick(["state.wal", "manifest.json", "../up", "a/b", ".hidden", "x"]);
  const header = encodeTarHeader({ name, bytes: random.below(100_000) });
  if (random.oneIn(10)) return new Uint8Array(512);
  for (let i = random.below(4); i > 0; i--) header[random.below(512)] = random.below(256);
  if (random.oneIn(2)) {
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  }
  return header;
}

function drawManifest(random: FuzzRandom): Uint8Array {
  const manifest: Manifest = {
    ...{ version: 1, kind: "allocdb_replica", program: "0.1.0", role: "backup" },
    ...{ exported_at: "2026-11-20T10:00:00.000Z", cluster_id: "0f".repeat(16) },
    ...{ replica_id: "1", shard_id: "0", config_epoch: "1", view: String(random.u64()) },
    ...{ log_view: "1", commit_op_hint: "0", first_op: "1", tip_op: "9", tip_hash: "a".repeat(16) },
    files: [{ name: "state.wal", bytes: random.below(1_000), sha256: "0".repeat(64) }],
  };
  const text = textOf(encodeManifest(manifest));
  return random.oneIn(4) ? bytesOfText(text) : bytesOfText(mutateText(random, text, WORDS));
}

const WORDS = ['"files": []', "null", "-1", "1e9", '"version": 2', "\u0000", "]", '"00"', "{}"];
