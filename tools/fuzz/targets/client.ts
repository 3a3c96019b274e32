/**
 * The client against a server that answers whatever the case says. Every call comes to an end, in one of the
 * ways it is documented to, and nothing counts as committed that no reply says.
 */
import { MessageType } from "../../../node/wire/messages.ts";
import {
  createResultColumns,
  isRejected,
  setCommitted,
  setRejected,
} from "../../../node/wire/results.ts";
import { readSubmitReply, writeSubmitReply } from "../../../node/wire/submit.ts";
import { writeError, writeServerHello } from "../../../node/wire/hello.ts";
import { writeMetricsReply } from "../../../node/wire/metrics.ts";
import { writeResourceReply } from "../../../node/wire/replies.ts";
import { createOutcome, OutcomeField } from "../../../core/outcome.ts";
import { readU64, writeU64 } from "../../../core/words.ts";
import { AllocDbClient } from "../../../node/client/client.ts";
import { TransportError } from "../../../node/client/types.ts";
import type { SubmitResult } from "../../../node/client/types.ts";
import { SAMPLE_METRICS } from "../../../tests/support/wire_node.ts";
import { join, mutate } from "../mutate.ts";
import { CLUSTER_ID } from "../node_slot.ts";
import type { FuzzRandom } from "../random.ts";
import { drawChunks, type Stream, streamOf, writeStream } from "../stream.ts";
import { expect, expectEqual, FuzzFailure, type Target } from "../target.ts";
import { bodyOf, drawCluster, drawReply, drawResults } from "./draw_message.ts";
import { frameAround, referenceFrames } from "./frames.ts";

/** Connects; a test of the fuzzer brings a client that believes too much. */
export type Connect = typeof AllocDbClient.connect;

/** Largest frame that a client takes, in bytes, before the server has told it another bound. */
const FRAME_BYTES_MAX = 0x10_0000;
/** Longest wait for every call of a case: what takes longer hangs. */
const HANG_MS = 20_000;

/** Makes the target; the outcome is that of the writes, or of connecting. */
export function clientTarget(connect: Connect = AllocDbClient.connect): Target {
  const servers: ScriptedServer[] = [];
  return {
    name: "client",
    outcomes: [
      ...["ok committed", "rejected", "unknown", "unreachable", "wrong_version", "wrong_cluster"],
      ...["protocol_error", "refused"],
    ],
    draw: drawAnswers,
    judge: (input) => {
      if (servers.length === 0) servers.push(new ScriptedServer());
      return judgeClient(connect, servers[0]!, streamOf(input));
    },
    close: async () => await servers[0]?.close(),
  };
}

/** A hello, then replies to the four requests of a case, most of them to the point. */
function drawAnswers(random: FuzzRandom): Uint8Array {
  const hello = frameAround(bodyOf((out) => {
    writeServerHello(out, {
      clusterId: CLUSTER_ID,
      ...{ version: "0", shardId: 0n, slotDurationMs: 10, maxFrameBytes: 4_096 },
      ...{ maxCommandBytes: 4_096, maxBatchCommands: random.oneIn(8) ? 1 : 2, maxBundleSize: 4 },
      ...{ maxTtlSlots: 100n, currentSlot: 5n },
      // Nobody but itself: a case must not connect to strangers.
      cluster: random.oneIn(8) ? drawCluster(random, 0) : undefined,
    });
  }));
  // In the order in which the client asks: what any replica answers, then what only a primary does.
  const replies = [drawMetrics(), drawStatus(random), drawFound(), drawCommitted(random)];
  const frames = replies.map((body) => {
    const said = random.oneIn(40) ? drawResults(random) : body;
    const frame = frameAround(random.oneIn(20) ? mutate(random, said) : said);
    return random.oneIn(30) ? mutate(random, frame) : frame;
  });
  const rest = join(...frames);
  const answers = drawChunks(random, 0, random.oneIn(10) ? mutate(random, rest) : rest);
  const greeting = random.oneIn(12) ? drawOddGreeting(random, hello) : hello;
  return writeStream(0, [greeting, ...streamOf(answers).chunks]);
}

function drawOddGreeting(random: FuzzRandom, hello: Uint8Array): Uint8Array {
  if (!random.oneIn(3)) return mutate(random, hello);
  const code = random.pick(["too_many_connections", "wrong_cluster", "shutting_down"] as const);
  return frameAround(bodyOf((out) => writeError(out, 0n, code, "as a person reads it")));
}

function drawCommitted(random: FuzzRandom): Uint8Array {
  const columns = createResultColumns(2);
  for (let i = 0; i < 2; i++) {
    const outcome = createOutcome();
    writeU64(outcome.words, OutcomeField.appliedLsn, BigInt(random.u32()));
    setCommitted(columns, i, outcome);
    const exhausted = { code: "lsn_exhausted", lastAppliedLsn: 5n } as const;
    if (random.oneIn(8)) setRejected(columns, i, { category: "definite", ...exhausted });
  }
  return bodyOf((out) => writeSubmitReply(out, 0, 4, columns, 2));
}

function drawFound(): Uint8Array {
  const facts = { resourceId: 7n, state: 1, currentReservationId: undefined, version: 1n } as const;
  const observedLsn = 9n;
  return bodyOf((out) => writeResourceReply(out, 3n, { kind: "found", ...facts, observedLsn }));
}

function drawMetrics(): Uint8Array {
  return bodyOf((out) => writeMetricsReply(out, 1n, SAMPLE_METRICS));
}

/** A status reply, or some other one. */
function drawStatus(random: FuzzRandom): Uint8Array {
  for (;;) {
    const body = drawReply(random);
    if (body[1] !== MessageType.status_reply && !random.oneIn(30)) continue;
    body.set([0x1b, 0, 0, 0, 0, 0, 0, 0, 2], 2);
    return body;
  }
}

/**
 * Says the case's bytes to the first who connects: the first piece for a greeting, the rest for the requests,
 * and then the end. Whoever comes back for more is told nothing.
 */
class ScriptedServer {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #accepting = this.#accept();
  #script: readonly Uint8Array[] | undefined;
  #cameBack = (): void => {};

  get address(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** Takes the script of the next connection; settles when somebody connects after that one. */
  play(script: readonly Uint8Array[]): Promise<void> {
    this.#script = script;
    return new Promise((resolve) => this.#cameBack = resolve);
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      const script = this.#script;
      this.#script = undefined;
      if (script === undefined) this.#cameBack();
      this.#connections.add(connection);
      void this.#serve(connection, script ?? []).finally(() => {
        this.#connections.delete(connection);
        closeQuietly(connection);
      });
    }
  }

  async #serve(connection: Deno.TcpConn, script: readonly Uint8Array[]): Promise<void> {
    const [greeting = new Uint8Array(), ...answers] = script;
    const heard = new Uint8Array(4_096);
    try {
      connection.setNoDelay(true);
      await connection.read(heard);
      await writeAll(connection, greeting);
      // Whoever waits for the rest of a greeting asks for nothing.
      const isGreeted = referenceFrames(greeting, FRAME_BYTES_MAX).bodies.length > 0;
      if (isGreeted) await connection.read(heard);
      for (const answer of answers) await writeAll(connection, answer);
      await connection.closeWrite();
      while (await connection.read(heard) !== null);
    } catch {
      // The client has heard enough.
    }
  }

  async close(): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) closeQuietly(connection);
    await this.#accepting;
  }
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}

async function judgeClient(
  connect: Connect,
  server: ScriptedServer,
  { chunks }: Stream,
): Promise<string> {
  const cameBack = server.play(chunks);
  const client = await within(
    connect({ address: server.address, clientId: 1n, reconnectBackoffMsMax: 1 })
      .catch(transportCode),
  );
  if (typeof client === "string") return client;
  // There is nothing more to come: what is unanswered now ends by being closed.
  void cameBack.then(() => client.close());
  try {
    return await within(callAll(client, join(...chunks)));
  } finally {
    await within(client.close());
  }
}

async function callAll(client: AllocDbClient, script: Uint8Array): Promise<string> {
  const commands = [1n, 2n].map((operationId) => {
    return { kind: "create_resource", operationId, resourceId: 7n } as const;
  });
  const [results] = await Promise.all([
    client.submitMany(commands),
    client.getResource(7n).catch(transportCode),
    client.metrics().catch(transportCode),
    client.status().catch(transportCode),
  ]);
  results.forEach((result, i) => {
    expectEqual(result.operationId, commands[i]!.operationId, "operation id of a result");
    if (result.kind === "committed") judgeCommitted(result, i, script);
  });
  return results.find(({ kind }) => kind !== "committed")?.kind ?? "ok committed";
}

/** Some whole reply says it, at that place. */
function judgeCommitted(
  result: Extract<SubmitResult, { readonly kind: "committed" }>,
  i: number,
  script: Uint8Array,
): void {
  const saysSo = referenceFrames(script, FRAME_BYTES_MAX).bodies.some((body) => {
    return [1, 2].some((count) => saidAt(body, count).some((lsn) => lsn === result.appliedLsn));
  });
  expect(saysSo, `result ${i} is committed at ${result.appliedLsn}, which no reply says`);
}

/** Applied positions that a body states, if it is a reply with so many results. */
function saidAt(body: Uint8Array, count: number): bigint[] {
  if (body[1] !== MessageType.submit_reply) return [];
  const columns = createResultColumns(count);
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  if (!readSubmitReply(view, 0, body.length, columns, count)) return [];
  const places = Array.from({ length: count }, (_, i) => i);
  return places.filter((i) => !isRejected(columns, i)).map((i) => readU64(columns.words, i * 10));
}

/** What a call may throw. */
function transportCode(error: unknown): string {
  if (error instanceof TransportError) return error.code;
  throw error;
}

async function within<T>(promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new FuzzFailure("the client hangs")), HANG_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
