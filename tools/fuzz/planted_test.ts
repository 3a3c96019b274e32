// A fuzzer that finds nothing says something only if it finds what is there. Each target is given a program
// with one mistake of the kind it is made for, and must notice within the number of cases stated beside it.
import { assert } from "@std/assert";
import { parseFaults } from "../../cluster/workspace/faults_text.ts";
import { parseLayout } from "../../cluster/workspace/layout.ts";
import { parseTimeline } from "../../cluster/workspace/timeline_text.ts";
import { CommandTag } from "../../core/command.ts";
import { commandEnd, decodeCommand, decodeInternalCommand } from "../../core/command_codec.ts";
import { crc32c } from "../../core/crc32c.ts";
import { createOutcome, ResultCode } from "../../core/outcome.ts";
import { applyEntry } from "../../core/replay.ts";
import { Resource, ResourceState } from "../../core/tables.ts";
import type { NodeApi } from "../../node/api.ts";
import { parseDuration } from "../../node/cli/durations.ts";
import { parseId, parseReservationId } from "../../node/cli/ids.ts";
import { parseU64 } from "../../node/cli/numbers.ts";
import { AllocDbClient } from "../../node/client/client.ts";
import { parseReply, parseRequest } from "../../node/control/codec.ts";
import { applyBounds, parseCoreConfig } from "../../node/config/text.ts";
import { FrameReader } from "../../node/wire/framing.ts";
import { parseJson } from "../../node/http/json_text.ts";
import { startHttp } from "../../node/http/server.ts";
import { loadMetadata, METADATA_FILE } from "../../node/metadata/metadata.ts";
import { COPY_BYTES, decodeCopy } from "../../node/metadata/codec.ts";
import { startServer } from "../../node/server/server.ts";
import { decodeManifest } from "../../node/offline/manifest.ts";
import { encodeNote } from "../../node/replica/install.ts";
import { loadSnapshot } from "../../node/snapshot/reader.ts";
import { writePeerHello } from "../../node/peer/hello.ts";
import { readClientHello, writeClientHello } from "../../node/wire/hello.ts";
import { MessageType } from "../../node/wire/messages.ts";
import { readMetricsReply, writeMetricsReply } from "../../node/wire/metrics.ts";
import { readSubmit, readSubmitReply } from "../../node/wire/submit.ts";
import type { WireWriter } from "../../node/wire/writer.ts";
import { open, SMALL } from "../../tests/support/log_driver.ts";
import { READ_DEFAULTS } from "../../testbed/jepsen/codec/format.ts";
import { parsePlan } from "../../testbed/sim/command/plan_file.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { runTarget } from "./run.ts";
import type { Target } from "./target.ts";
import { resultTarget, submitTarget } from "./targets/batches.ts";
import { clientTarget } from "./targets/client.ts";
import { commandTarget } from "./targets/commands.ts";
import { configTarget } from "./targets/config.ts";
import { engineTarget } from "./targets/engine.ts";
import { frameTarget } from "./targets/frames.ts";
import { httpTarget } from "./targets/http.ts";
import { historyTarget } from "./targets/histories.ts";
import { jsonTarget } from "./targets/json.ts";
import { logTarget } from "./targets/log.ts";
import { helloTarget, replyTarget, requestTarget, rewriteRequest } from "./targets/messages.ts";
import { metadataBodyTarget, metadataTarget } from "./targets/metadata.ts";
import {
  peerHelloTarget,
  peerMessageTarget,
  readKnownHello,
  rewriteMessage,
} from "./targets/peers.ts";
import { archiveTarget, controlTarget } from "./targets/operator.ts";
import { planTarget } from "./targets/plan.ts";
import {
  installNoteTarget,
  offerTarget,
  rewriteNote,
  rewriteOffer,
} from "./targets/replica_files.ts";
import { serverTarget } from "./targets/server.ts";
import { resealSnapshot, snapshotTarget } from "./targets/snapshot.ts";
import { wordTarget } from "./targets/words.ts";
import { workspaceTarget } from "./targets/workspace.ts";

const SEED = 1;

/** A mistake, cases within which it must be noticed, and a word of what is noticed. */
type Planted = readonly [mistake: string, target: () => Target, casesMax: number, noticed: RegExp];

const PLANTED: readonly Planted[] = [
  ["a command decoder that ignores a byte", ignoresByte, 200, /encoded again/],
  ["a command decoder that reads past its end", readsPastEnd, 20, /^FuzzFailure: read of/],
  ["a command decoder that takes a part for the whole", takesPart, 100, /buffer_too_short|length/],
  ["a command walker that is a byte off in bundles", walksOff, 200, /commandEnd of a command/],
  ["a frame reader that loses a byte between two pieces", losesByte, 200, /FuzzFailure/],
  ["a hello without a cluster taken for one with zeros", inventsCluster, 200, /written again/],
  ["requests with bytes behind them", takesTrailing, 500, /written again/],
  ["a batch whose first command ends elsewhere", cutsCommand, 50, /what is in the request/],
  ["a reader that believes a length before the bytes", believesLength, 5_000, /RangeError/],
  ["counts that lose what is above 32 bits", losesHighBits, 2_000, /written again/],
  ["results with bytes behind them", takesTrailingResults, 1_000, /written again|depends/],
  ["a log that is cut where it is damaged", cutsLog, 50, /nothing explains the loss/],
  ["a snapshot whose checksums nobody looks at", ignoresChecksums, 500, /loaded all the same/],
  ["metadata of which only the first copy counts", firstCopyOnly, 50, /whole copy|later copy/],
  ["metadata with bytes behind its body", takesTrailingBody, 2_000, /written again/],
  ["an offer whose rest nobody looks at", ignoresRest, 200, /written again/],
  ["a note whose beginning nobody looks at", ignoresMagic, 500, /written again/],
  ["a release that leaves its resource reserved", forgetsRelease, 500, /violation/],
  ["a configuration that is read with its spaces", ignoresSpaces, 20_000, /lines/],
  ["names that are the same with spaces around them", trimsNames, 2_000, /name/],
  ["JSON in which a name comes twice", acceptsTwice, 1_000, /a name twice|levels/],
  ["a server that takes half a batch", takesHalf, 50, /come to an end/],
  ["a gateway that says done and does nothing", saysDone, 50, /commands behind/],
  ["a gateway with a bug behind a route", hasBug, 300, /a bug: TypeError: planted/],
  ["a client that takes silence for success", inventsSuccess, 20, /which no reply says/],
  ["replicas that hand over bytes cut short", cutsFrames, 100, /written again/],
  ["replicas that take what follows a message", takesTrailingPeer, 500, /written again/],
  ["replicas that forget an authentication", forgetsAuth, 100, /written again/],
  ["a layout with two replicas on one port", sharesPorts, 2_000, /places/],
  ["a faults file that heals whom it isolates", healsAll, 200, /isolated/],
  ["a control port that overlooks part of a request", overlooksKeys, 2_000, /all of its message/],
  ["an archive whose names lead out of its directory", leadsOut, 200, /the name/],
  ["a plan of which half of the seed counts", halvesSeed, 50, /the plan/],
  ["a history reader that loses what stands between two pieces", losesPieces, 200, /in pieces/],
];

const CODEC = { decodeCommand, decodeInternalCommand, commandEnd };

function ignoresByte(): Target {
  const decode: typeof decodeCommand = (view, at, end, into) => {
    const bytes = Uint8Array.from({ length: end - at }, (_, i) => view.getUint8(at + i));
    if (bytes.length > 19) bytes[19] = 0x50;
    const next = decodeCommand(new DataView(bytes.buffer), 0, bytes.length, into);
    return next < 0 ? next : at + next;
  };
  return commandTarget({ ...CODEC, decodeCommand: decode });
}

function readsPastEnd(): Target {
  return commandTarget({
    ...CODEC,
    decodeCommand: (view, at, _end, into) => decodeCommand(view, at, view.byteLength, into),
  });
}

/** Zeros are made up for what is missing at the end. */
function takesPart(): Target {
  const decode: typeof decodeCommand = (view, at, end, into) => {
    const bytes = new Uint8Array(end - at + 4);
    for (let i = at; i < end; i++) bytes[i - at] = view.getUint8(i);
    const next = decodeCommand(new DataView(bytes.buffer), 0, bytes.length, into);
    return next < 0 ? next : at + next;
  };
  return commandTarget({ ...CODEC, decodeCommand: decode });
}

function walksOff(): Target {
  return commandTarget({
    ...CODEC,
    commandEnd: (view, at, end) => {
      const next = commandEnd(view, at, end);
      return next > at && view.getUint8(at + 1) === CommandTag.reserve_bundle ? next - 1 : next;
    },
  });
}

function losesByte(): Target {
  return frameTarget((max) => new LossyReader(max));
}

class LossyReader extends FrameReader {
  override received(count: number): void {
    super.received(count === 13 ? 12 : count);
  }
}

function inventsCluster(): Target {
  return helloTarget([(reader) => {
    const hello = readClientHello(reader);
    if (hello === undefined) return undefined;
    const { clusterId = new Uint8Array(16) } = hello;
    return { name: "hello", write: (out) => writeClientHello(out, { ...hello, clusterId }) };
  }]);
}

function takesTrailing(): Target {
  return requestTarget([(reader) => {
    reader.finish = () => !reader.failed;
    return rewriteRequest(reader);
  }]);
}

function cutsCommand(): Target {
  return submitTarget((view, at, end, into) => {
    const status = readSubmit(view, at, end, into);
    if (into.count > 1) into.ends[0]! -= 1;
    return status;
  });
}

/** Wherever a long list head stands, room for all that it announces. */
function believesLength(): Target {
  return submitTarget((view, at, end, into) => {
    for (let i = at + 11; i + 9 <= end; i++) {
      if (view.getUint8(i) === 0x9b) new Array(Number(view.getBigUint64(i + 1)));
    }
    return readSubmit(view, at, end, into);
  });
}

function losesHighBits(): Target {
  return replyTarget([(reader) => {
    const elements = reader.arrayHead();
    if (reader.small(23) !== MessageType.metrics) return undefined;
    const requestId = reader.u64();
    const metrics = readMetricsReply(reader, elements);
    if (!reader.finish()) return undefined;
    const queueDepth = metrics.queueDepth >>> 0;
    const write = (out: WireWriter): void =>
      writeMetricsReply(out, requestId, { ...metrics, queueDepth });
    return { name: "metrics", write };
  }]);
}

function takesTrailingResults(): Target {
  return resultTarget((view, at, end, columns, count) => {
    for (let stop = end; stop > at + 11; stop--) {
      if (readSubmitReply(view, at, stop, columns, count)) return true;
    }
    return false;
  });
}

/** As `open`, but frames in front of the damage are good enough. */
function cutsLog(): Target {
  return logTarget((disk, options) => {
    const opened = open(disk, options);
    if (opened.recovery.kind !== "corruption") return opened;
    return { ...open(new MemoryDisk(), SMALL), frames: opened.frames };
  });
}

function ignoresChecksums(): Target {
  return snapshotTarget((disk, identity, bytesMax, makeSink) => {
    for (const name of disk.list()) resealSnapshot(name, (disk as MemoryDisk).contents(name), 0);
    return loadSnapshot(disk, identity, bytesMax, makeSink);
  });
}

function firstCopyOnly(): Target {
  return metadataTarget((disk) => {
    if (disk.size(METADATA_FILE) !== 2 * COPY_BYTES) return loadMetadata(disk);
    (disk as MemoryDisk).contents(METADATA_FILE).copyWithin(COPY_BYTES, 0, COPY_BYTES);
    return loadMetadata(disk);
  });
}

function takesTrailingBody(): Target {
  return metadataBodyTarget((copy) => {
    const whole = decodeCopy(copy);
    const shorter = copy.slice();
    const view = new DataView(shorter.buffer);
    const length = view.getUint32(24, true);
    if (whole.kind === "copy" || length < 2) return whole;
    view.setUint32(24, length - 1, true);
    shorter[32 + length - 1] = 0;
    view.setUint32(0, crc32c(shorter, 4, COPY_BYTES), true);
    return decodeCopy(shorter);
  });
}

/** Sound fields, and anything behind them. */
function ignoresRest(): Target {
  return offerTarget((bytes) => {
    const whole = new Uint8Array(bytes.length);
    whole.set(bytes.subarray(0, 48));
    return rewriteOffer(resealed(whole));
  });
}

function ignoresMagic(): Target {
  return installNoteTarget((bytes) => {
    const whole = encodeNote({ op: 1n, hash: 1n });
    if (bytes.length !== whole.length) return undefined;
    whole.set(bytes.subarray(16), 16);
    return rewriteNote(resealed(whole));
  });
}

function resealed(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  if (bytes.length < 8) return bytes;
  new DataView(bytes.buffer).setUint32(0, crc32c(bytes, 4, bytes.length), true);
  return bytes;
}

function forgetsRelease(): Target {
  return engineTarget((engine, internal, view, at, end, position, command, out) => {
    const error = applyEntry(engine, internal, view, at, end, position, command, out);
    const isRelease = error === 0 && command.tag === CommandTag.release;
    if (isRelease && out.code === ResultCode.ok && !out.fromRetryCache) {
      engine.tables.resources.words[Resource.state] = ResourceState.reserved;
    }
    return error;
  });
}

function ignoresSpaces(): Target {
  const parse: typeof parseCoreConfig = (text) => parseCoreConfig(text.replaceAll(" ", ""));
  return configTarget({ parseCoreConfig: parse, applyBounds });
}

function sharesPorts(): Target {
  const parse: typeof parseLayout = (text, directory) => {
    const layout = parseLayout(text, directory);
    const [first] = layout.replicas;
    const replicas = layout.replicas.map((one) => ({ ...one, clientAddr: first!.clientAddr }));
    return { ...layout, replicas };
  };
  return workspaceTarget({ parseLayout: parse, parseFaults, parseTimeline });
}

function healsAll(): Target {
  const parse: typeof parseFaults = (text, members) => ({
    ...parseFaults(text, members),
    isolated: [],
  });
  return workspaceTarget({ parseLayout, parseFaults: parse, parseTimeline });
}

function halvesSeed(): Target {
  return planTarget((text, where) => {
    const plan = parsePlan(text, where);
    return { ...plan, seed: plan.seed & 0xffff };
  });
}

function losesPieces(): Target {
  return historyTarget((format, sink) => {
    const reader = format.read(sink, READ_DEFAULTS);
    let pieces = 0;
    return {
      push: (bytes) => pieces++ === 3 ? reader.push(bytes.subarray(1)) : reader.push(bytes),
      end: () => reader.end(),
    };
  });
}

function trimsNames(): Target {
  const parse: typeof parseId = (text, what) => parseId(text.trim(), what);
  return wordTarget({ parseId: parse, parseReservationId, parseDuration, parseU64 });
}

function acceptsTwice(): Target {
  return jsonTarget((text) => {
    try {
      return { kind: "value", value: JSON.parse(text) };
    } catch {
      return parseJson(text);
    }
  });
}

/** The same node with some other methods. */
function changed(node: NodeApi, changes: Partial<NodeApi>): NodeApi {
  return {
    identity: node.identity,
    submit: (...rest) => node.submit(...rest),
    confirmAuthority: (done) => node.confirmAuthority(done),
    getResource: (...rest) => node.getResource(...rest),
    getReservation: (...rest) => node.getReservation(...rest),
    metrics: (...rest) => node.metrics(...rest),
    tickExpirations: (...rest) => node.tickExpirations(...rest),
    checkpoint: (...rest) => node.checkpoint(...rest),
    currentSlot: () => node.currentSlot(),
    ...changes,
  };
}

function takesHalf(): Target {
  return serverTarget((node, options) => {
    const submit: NodeApi["submit"] = (view, at, end, slot, sink, token) => {
      if (token < 2) return node.submit(view, at, end, slot, sink, token);
      sink.rejected(token, { category: "definite", code: "shutting_down" });
    };
    return startServer(changed(node, { submit }), options);
  });
}

function saysDone(): Target {
  return httpTarget((node, options) => {
    const submit: NodeApi["submit"] = (_view, _at, _end, _slot, sink, token) => {
      sink.committed(token, createOutcome());
    };
    return startHttp(changed(node, { submit }), options);
  });
}

function hasBug(): Target {
  return httpTarget((node, options) => {
    const getReservation = (): never => {
      throw new TypeError("planted");
    };
    return startHttp(changed(node, { getReservation }), options);
  });
}

function inventsSuccess(): Target {
  return clientTarget(async (options) => {
    const client = await AllocDbClient.connect(options);
    client.submitMany = (commands) =>
      Promise.resolve(commands.map(({ operationId = 0n }) => ({
        ...{ kind: "committed", code: "ok", ok: true, appliedLsn: 1n, epoch: undefined },
        ...{ reservationId: undefined, deadlineSlot: undefined, fromRetryCache: false },
        operationId,
      })));
    return client;
  });
}

function cutsFrames(): Target {
  return peerMessageTarget([(reader) => {
    const byteString = reader.byteString.bind(reader);
    reader.byteString = (bytesMax) => byteString(bytesMax).subarray(0, 200);
    return rewriteMessage(reader);
  }]);
}

function takesTrailingPeer(): Target {
  return peerMessageTarget([(reader) => {
    reader.finish = () => !reader.failed;
    return rewriteMessage(reader);
  }]);
}

function forgetsAuth(): Target {
  return peerHelloTarget([(reader) => {
    const hello = readKnownHello(reader);
    if (hello === undefined) return undefined;
    return {
      name: "peer_hello",
      write: (out) => writePeerHello(out, { ...hello, auth: undefined }),
    };
  }]);
}

function overlooksKeys(): Target {
  return controlTarget({
    parseReply,
    parseRequest: (value) => {
      if (typeof value !== "object" || value === null || !("request" in value)) return undefined;
      const { request } = value;
      return parseRequest(request === "stop" ? value : { request });
    },
  });
}

function leadsOut(): Target {
  return archiveTarget({
    decodeManifest,
    decodeTarHeader: (header) => {
      const end = header.indexOf(0);
      return { name: new TextDecoder().decode(header.subarray(0, end)), bytes: 1 };
    },
  });
}

for (const [mistake, makeTarget, casesMax, noticed] of PLANTED) {
  Deno.test(`the fuzzer notices within ${casesMax} cases ${mistake}`, async () => {
    const target = makeTarget();
    const { failure } = await runTarget(target, { seed: SEED, casesMax });
    await target.close?.();
    assert(failure !== undefined, "not noticed");
    assert(noticed.test(failure.message), failure.message);
  });
}
