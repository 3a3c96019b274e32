/**
 * A server on loopback, fed with streams in any pieces. Whatever comes, every batch is taken whole or not at
 * all, each request has its one reply, a broken stream ends with the word for what broke it, and the next
 * client is served.
 */
import { type Server, startServer } from "../../../node/server/server.ts";
import { readError, writeClientHello } from "../../../node/wire/hello.ts";
import { MessageType } from "../../../node/wire/messages.ts";
import { WireReader } from "../../../node/wire/reader.ts";
import { createResultColumns } from "../../../node/wire/results.ts";
import { writeRequest } from "../../../node/wire/requests.ts";
import { readSubmitReply } from "../../../node/wire/submit.ts";
import { encodePlain } from "../../../testbed/sim/workload/plain.ts";
import { referenceHead } from "../cbor_reference.ts";
import { join, mutate } from "../mutate.ts";
import { CLUSTER_ID, NodeSlot, turn } from "../node_slot.ts";
import type { FuzzRandom } from "../random.ts";
import { drawChunks, type Stream, streamOf } from "../stream.ts";
import { expect, expectEqual, FuzzFailure, type Target } from "../target.ts";
import { bodyOf, drawHello, drawReply, drawRequest, drawSubmit } from "./draw_message.ts";
import { frameAround, referenceFrames } from "./frames.ts";
import { type Expectation, expectedOf, type ServerBounds } from "./server_expectation.ts";

/** How the server was started; a test of the fuzzer brings one that loses something. */
export type StartServer = typeof startServer;

const BOUNDS: ServerBounds = {
  maxFrameBytes: 4_096,
  maxBatchCommands: 20,
  clusterId: CLUSTER_ID,
};

/** Longest wait for anything, in milliseconds: what takes longer hangs. */
const HANG_MS = 20_000;

const FAULTS = [
  ...["frame_too_large", "unsupported_version", "malformed_header", "checksum_mismatch"],
  ...["malformed_message", "unexpected_message", "wrong_cluster"],
];

/** Makes the target; the server starts with the first case. */
export function serverTarget(start: StartServer = startServer): Target {
  const node = new NodeSlot();
  let server: Server | undefined;
  return {
    name: "server",
    outcomes: ["ok", "ok hung_up", ...FAULTS],
    draw: drawStream,
    judge: (input) => {
      server ??= start(node, { version: "0", port: 0, ...BOUNDS, maxInFlightCommands: 30 });
      return judgeStream({ node, server }, streamOf(input));
    },
    close: async () => await server?.drain(0),
  };
}

/** Hello, then requests; now and then something else, and damage anywhere. */
function drawStream(random: FuzzRandom): Uint8Array {
  const hello = frameAround(bodyOf((out) => {
    const clusterId = random.oneIn(30) ? random.bytes(16) : random.pick([undefined, CLUSTER_ID]);
    writeClientHello(out, { version: random.oneIn(40) ? 2 : 1, clusterId, clientName: "stranger" });
  }));
  const frames = Array.from({ length: random.pick([0, 1, 2, 3, 5, 8, 20]) }, () => {
    const body = drawBody(random);
    const frame = frameAround(random.oneIn(12) ? mutate(random, body) : body);
    return random.oneIn(16) ? mutate(random, frame) : frame;
  });
  const stream = join(random.oneIn(20) ? new Uint8Array() : hello, ...frames);
  const choice = random.oneIn(8) ? 1 : 0;
  return drawChunks(random, choice, random.oneIn(8) ? mutate(random, stream) : stream);
}

function drawBody(random: FuzzRandom): Uint8Array {
  if (random.oneIn(40)) return random.oneIn(2) ? drawHello(random) : drawReply(random);
  return random.oneIn(3) ? drawRequest(random) : drawSubmit(random);
}

interface Served {
  readonly node: NodeSlot;
  readonly server: Server;
}

async function judgeStream({ node, server }: Served, stream: Stream): Promise<string> {
  await node.renew();
  const expected = expectedOf(join(...stream.chunks), BOUNDS);
  const commandsBefore = server.traffic().commands;
  const hangsUp = (stream.choice & 1) === 1;
  const received = await within(converse(server.addr.port, stream.chunks, hangsUp), "the stream");
  await within(settled({ node, server }), "the end of the connection");
  judgeCount(expected, server.traffic().commands - commandsBefore, hangsUp);
  judgeEnds(node, expected, server.traffic().commands - commandsBefore);
  if (!hangsUp) judgeReplies(expected, received);
  await within(judgeNextClient(server), "the next client");
  if (hangsUp) return "ok hung_up";
  return expected.fault ?? "ok";
}

/** Sends the pieces, each by itself, and reads what comes back; nothing when the client hangs up at once. */
async function converse(
  port: number,
  chunks: readonly Uint8Array[],
  hangsUp: boolean,
): Promise<Uint8Array> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  if (hangsUp) {
    await send(connection, chunks);
    return new Uint8Array();
  }
  const [received] = await Promise.all([readAll(connection), send(connection, chunks)]);
  return received;
}

/** A server that has heard enough may close before everything is sent. */
async function send(connection: Deno.TcpConn, chunks: readonly Uint8Array[]): Promise<void> {
  try {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) at += await connection.write(chunk.subarray(at));
    }
    await connection.closeWrite();
  } catch (error) {
    const isGone = error instanceof Deno.errors.BrokenPipe ||
      error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.NotConnected;
    if (!isGone) throw error;
  }
}

async function readAll(connection: Deno.TcpConn): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = new Uint8Array(0x4000);
    const count = await connection.read(part).catch(() => null);
    if (count === null) return join(...parts);
    parts.push(part.subarray(0, count));
  }
}

/** Until the server has noticed that nobody is there any more, and the node has nothing left to do. */
async function settled({ node, server }: Served): Promise<void> {
  while (server.traffic().connectionsOpen > 0) await turn();
  await node.quiet();
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new FuzzFailure(`${what} hangs`)), HANG_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** All batches in front of a fault are taken; who hangs up may take some back, but never a part of one. */
function judgeCount({ batches }: Expectation, commands: number, hangsUp: boolean): void {
  let sum = 0;
  const sums = [0, ...batches.map((count) => sum += count)];
  if (hangsUp) expect(sums.includes(commands), `${commands} commands of batches ${batches}`);
  else expectEqual(commands, sum, `commands of batches ${batches}`);
}

/** Every command that was taken has come to one end; a tick may add expirations of its own. */
function judgeEnds(node: NodeSlot, { replies }: Expectation, commands: number): void {
  const { counters, core, wal } = node.metrics();
  const { committed, rejected, recalled } = node.ends;
  const ends = committed + rejected + recalled;
  const hasTick = replies.some((reply) => reply.startsWith(`${MessageType.tick} `));
  if (hasTick) expect(ends >= commands, `${ends} ends of ${commands} commands`);
  else expectEqual(ends, commands, "commands that have come to an end");
  expectEqual(Number(core.lastAppliedLsn), counters.committed, "last applied lsn");
  expectEqual(wal.applyGap, 0, "entries that are not applied");
}

/** As many replies of each kind as requests; behind a fault what was under way may stay unanswered. */
function judgeReplies({ replies, fault }: Expectation, received: Uint8Array): void {
  const { bodies, stop, pendingBytes } = referenceFrames(received, 0x10_0000);
  expectEqual(`${stop} ${pendingBytes}`, "incomplete 0", "end of the replies");
  const told = bodies.map(describe);
  const last = fault === undefined ? undefined : told.pop();
  if (fault !== undefined) expectEqual(last, `20 0 0 ${fault}`, "the last message");
  const open = [...replies];
  for (const reply of told) {
    const i = open.indexOf(reply.split(" ").slice(0, 3).join(" "));
    expect(i >= 0, `reply ${reply} to ${replies.join(", ")}`);
    open.splice(i, 1);
  }
  if (fault === undefined) expectEqual(open.join(", "), "", "unanswered");
}

/** Type, request id, how many results, and of an error its word. */
function describe(body: Uint8Array): string {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const type = body[1]!;
  if (type === MessageType.hello_reply) return `${type} 0 0`;
  const requestId = view.getBigUint64(3);
  if (type === MessageType.submit_reply) return `${type} ${requestId} ${countResults(view)}`;
  if (type !== MessageType.error) return `${type} ${requestId} 0`;
  const reader = new WireReader();
  reader.open(view, 0, body.length);
  return `${type} ${requestId} 0 ${readError(reader)?.code}`;
}

function countResults(view: DataView): number {
  const body = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const count = Number(referenceHead(body, 11)!.argument);
  const isWhole = readSubmitReply(view, 0, body.length, createResultColumns(count), count);
  expect(isWhole, "results that cannot be read");
  return count;
}

/** Whoever comes next says hello, makes a resource, and asks how things are. */
async function judgeNextClient(server: Server): Promise<void> {
  const operation = { operationId: 2n ** 127n + 5n, clientId: 2n ** 127n };
  const create = encodePlain({ ...operation, kind: "create_resource", resourceId: 2n ** 127n });
  const stream = join(
    frameAround(bodyOf((out) => {
      writeClientHello(out, { version: 1, clusterId: CLUSTER_ID, clientName: "next" });
    })),
    frameAround(join(Uint8Array.of(0x84, 1, 0x1b, 0, 0, 0, 0, 0, 0, 0, 9, 0xf6, 0x81), create)),
    frameAround(bodyOf((out) => writeRequest(out, 10n, { kind: "status" }))),
  );
  const received = await converse(server.addr.port, [stream], false);
  const replies = referenceFrames(received, 0x10_0000).bodies.map(describe).sort();
  expectEqual(replies.join(", "), "10 0 0, 11 9 1, 17 10 0", "what the next client is told");
}
