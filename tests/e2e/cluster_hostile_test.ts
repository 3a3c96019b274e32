// Whatever reaches the three ports of a live replica, the replica stays up and goes on with its work: strangers,
// broken programs, other clusters. Real processes from source, with clients that go on meanwhile.
import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { sleep } from "../../cluster/runner/waiting.ts";
import type { ClusterLayout, ReplicaLayout } from "../../cluster/workspace/layout.ts";
import { LAYOUT_FILE } from "../../cluster/workspace/workspace_files.ts";
import { AllocDbClient } from "../../node/client/client.ts";
import { configFingerprint } from "../../node/config/text.ts";
import { controlCall, ControlFailure } from "../../node/control/client.ts";
import { encodeControl } from "../../node/control/codec.ts";
import type { ControlStatus } from "../../node/control/messages.ts";
import { writeMessage } from "../../node/peer/codec.ts";
import { membersDigest, writePeerHello } from "../../node/peer/hello.ts";
import { MessageType } from "../../node/wire/messages.ts";
import { type ClusterCommands, clusterTest, REAL } from "../support/cluster_commands.ts";
import { frameAround, written } from "../support/peer_room.ts";
import { hello as clientHello, message } from "../support/raw_client.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

/** How long an answer may take, in milliseconds: only a replica that is stuck takes as long. */
const ANSWER_MS_MAX = 20_000;
const ATTEMPTS_MAX = 3;
/** What a replica may take, several times over: strangers must not be able to fill it. */
const RESIDENT_KIB_MAX = 600_000;
/** Silent connections to each port at once. */
const SILENT = 150;
/** Bytes that come one by one, and how long each is waited for, in milliseconds. */
const TRICKLED = 40;
const TRICKLE_MS = 25;
/** Questions whose answers nobody reads, and how long somebody tries to ask them, in milliseconds. */
const QUESTIONS = 20_000;
const FLOOD_MS = 1_500;

/** A port of a replica, and what somebody who belongs there would begin with. */
interface Port {
  readonly address: Deno.ConnectOptions;
  readonly greeting: Uint8Array;
  /** What may follow, over and over. */
  readonly question: Uint8Array;
}

/** Connections that stay open until the test is over. */
class Held implements Disposable {
  readonly #conns: Deno.TcpConn[] = [];

  add(conn: Deno.TcpConn): void {
    this.#conns.push(conn);
  }

  [Symbol.dispose](): void {
    this.#conns.forEach(close);
  }
}

/** Ways to behave badly at a port. */
const ATTACKS: Readonly<Record<string, (port: Port, held: Held) => Promise<void>>> = {
  async garbage({ address }) {
    const random = new SeededRandom(7);
    for (let i = 0; i < 10; i++) await say(address, random.fill(new Uint8Array(1 + 700 * i)));
    await say(address, new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    await say(address, new Uint8Array(3_000));
    await say(address, frameAround(random.fill(new Uint8Array(500))));
    await say(address, frameAround(new Uint8Array(5_000).fill(0x81)));
  },
  async "half frames"({ address, greeting }) {
    for (let length = 1; length < greeting.length; length += 5) {
      await say(address, greeting.subarray(0, length));
    }
  },
  async "bits turned over"({ address, greeting }) {
    for (let at = 0; at < greeting.length; at += 3) {
      await say(address, greeting.with(at, greeting[at]! ^ (1 << at % 8)));
    }
  },
  async "garbage after a greeting"({ address, greeting }) {
    const random = new SeededRandom(8);
    await say(address, greeting, random.fill(new Uint8Array(2_000)));
    await say(address, greeting, frameAround(random.fill(new Uint8Array(200))));
    await say(address, greeting, greeting, greeting);
  },
  async resets({ address, greeting }) {
    for (let i = 0; i < 40; i++) {
      const conn = await Deno.connect(address);
      await send(conn, greeting);
      close(conn); // With an answer that nobody reads, which makes a reset of it.
    }
  },
  async "half-open connections"({ address, greeting }, held) {
    for (let i = 0; i < 20; i++) {
      const conn = await Deno.connect(address);
      held.add(conn);
      await send(conn, greeting.subarray(0, greeting.length - 1 - i % 4));
    }
  },
  async "huge lengths"({ address, greeting }, held) {
    for (const length of [0xffff_ffff, 0x7fff_ffff, 0x1000_0000, 0x00ff_ffff, 0x0010_0000]) {
      for (const first of [new Uint8Array(0), greeting]) {
        const header = new Uint8Array(12);
        new DataView(header.buffer).setUint32(0, length);
        header[4] = 1;
        const conn = await Deno.connect(address);
        held.add(conn);
        await send(conn, first);
        await send(conn, header);
        await send(conn, new Uint8Array(1_000));
      }
    }
  },
  async "silent connections"({ address }, held) {
    for (let i = 0; i < SILENT; i++) held.add(await Deno.connect(address));
  },
  async "connections that trickle"({ address, greeting }, held) {
    const conns: Deno.TcpConn[] = [];
    for (let i = 0; i < 10; i++) conns.push(await Deno.connect(address));
    conns.forEach((conn) => held.add(conn));
    for (const byte of greeting.subarray(0, TRICKLED)) {
      await Promise.all(conns.map((conn) => send(conn, Uint8Array.of(byte))));
      await sleep(TRICKLE_MS);
    }
  },
  async "somebody who asks and never reads"({ address, greeting, question }, held) {
    const conn = await Deno.connect(address);
    held.add(conn);
    await send(conn, greeting);
    const questions = new Uint8Array(QUESTIONS * question.length);
    for (let i = 0; i < QUESTIONS; i++) questions.set(question, i * question.length);
    await Promise.race([send(conn, questions), sleep(FLOOD_MS)]);
  },
};

/** Sends and hangs up. */
async function say(address: Deno.ConnectOptions, ...parts: readonly Uint8Array[]): Promise<void> {
  const conn = await Deno.connect(address);
  for (const part of parts) await send(conn, part);
  await Promise.race([conn.read(new Uint8Array(64)).catch(() => null), sleep(20)]);
  close(conn);
}

/** Sends as much as the other side takes. */
async function send(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  } catch {
    // It hung up, which is its right.
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}

function addressOf(text: string): { readonly hostname: string; readonly port: number } {
  const [hostname, port] = text.split(":");
  return { hostname: hostname!, port: Number(port) };
}

/** The three ports of a replica. */
function portsOf(layout: ClusterLayout, replica: ReplicaLayout): readonly Port[] {
  const from = layout.members.find((id) => id !== replica.id)!;
  const peerHello = written((out) =>
    writePeerHello(out, {
      ...{ clusterId: layout.clusterId, from, to: replica.id },
      membersDigest: membersDigest(layout.members),
      fingerprint: configFingerprint(layout.config.core),
      ...{ shardId: layout.config.core.shardId, version: "hostile", auth: undefined },
    })
  );
  const control = encodeControl({ request: "status" });
  const status = message(MessageType.status, 1);
  const probe = written((out) => writeMessage(out, { kind: "probe_view", view: 1n }));
  return [
    { address: addressOf(replica.controlAddr), greeting: control, question: control },
    { address: addressOf(replica.clientAddr), greeting: clientHello(), question: status },
    { address: addressOf(replica.protocolAddr), greeting: peerHello, question: probe },
  ];
}

/** Where strangers hold every connection, one that waits on a slow machine may have to make room: whoever asks, asks again. */
async function statusOf({ controlAddr }: ReplicaLayout): Promise<ControlStatus> {
  for (let attempt = 1;; attempt++) {
    try {
      return await controlCall(controlAddr, { request: "status" }, { timeoutMs: ANSWER_MS_MAX });
    } catch (error) {
      const isMadeRoomFor = error instanceof ControlFailure && error.kind === "closed";
      if (!isMadeRoomFor || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

/** A client that buys one thing after the other, and an operator who looks: both must get their answers. */
class Everyday {
  bought = 0;
  looks = 0;
  readonly #layout: ClusterLayout;
  readonly #client: AllocDbClient;
  readonly #pids = new Map<bigint, number>();
  readonly #running: Promise<unknown>;
  #isOver = false;

  private constructor(layout: ClusterLayout, client: AllocDbClient) {
    this.#layout = layout;
    this.#client = client;
    this.#running = Promise.all([this.#buy(), this.#look()]);
    this.#running.catch(() => {}); // Told by `end`.
  }

  static async begin(layout: ClusterLayout): Promise<Everyday> {
    const addresses = layout.replicas.map(({ clientAddr }) => clientAddr);
    const requestTimeoutMs = ANSWER_MS_MAX;
    const client = await AllocDbClient.connect({ addresses, requestTimeoutMs });
    return new Everyday(layout, client);
  }

  /** Stops, and makes sure that all that was bought is there and that every replica is who it was. */
  async end(): Promise<void> {
    this.#isOver = true;
    try {
      await this.#running;
      for (let id = 1; id <= this.bought; id++) {
        assertEquals((await this.#client.getResource(BigInt(id))).kind, "found", `${id} is lost`);
      }
      for (const replica of this.#layout.replicas) await this.#lookAt(replica);
    } finally {
      await this.#client.close();
    }
  }

  async #buy(): Promise<void> {
    while (!this.#isOver) {
      const result = await this.#client.createResource({ resourceId: BigInt(this.bought + 1) });
      assert(result.kind === "committed" && result.ok, `purchase ${this.bought}: ${result.kind}`);
      this.bought++;
      await sleep(30);
    }
  }

  async #look(): Promise<void> {
    while (!this.#isOver) {
      for (const replica of this.#layout.replicas) await this.#lookAt(replica);
      this.looks++;
      await sleep(30);
    }
  }

  async #lookAt(replica: ReplicaLayout): Promise<void> {
    const status = await statusOf(replica);
    const pid = this.#pids.get(replica.id) ?? status.process_id;
    this.#pids.set(replica.id, pid);
    assertEquals([status.process_id, status.state], [pid, "active"], `replica ${replica.id}`);
  }
}

clusterTest(
  "nothing that strangers do at any port of any replica stops a cluster, its clients or its operators",
  async (c) => {
    await c.ok("start --profile small");
    const layout = c.layout();
    const everyday = await Everyday.begin(layout);
    using held = new Held();
    for (const [name, attack] of Object.entries(ATTACKS)) {
      const before = everyday.bought;
      const ports = layout.replicas.flatMap((replica) => portsOf(layout, replica));
      await Promise.all(ports.map((port) => attack(port, held)));
      await proceeds(everyday, before, name);
      for (const pid of c.pids().values()) assertLess(residentKib(pid), RESIDENT_KIB_MAX, name);
    }
    await greetsStrangersStill(layout);
    await everyday.end();
    assertGreater(everyday.looks, 0);
    assertEquals(c.pids().size, 3);
    assertMatch(await c.ok("stop"), /cluster stopped\n$/);
  },
  REAL,
);

/** Memory of a process. */
function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+([0-9]+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]);
}

/** Something more is bought before long. */
async function proceeds(everyday: Everyday, before: number, after: string): Promise<void> {
  const end = performance.now() + ANSWER_MS_MAX;
  while (everyday.bought < before + 2) {
    if (performance.now() > end) throw new Error(`nothing is bought any more after ${after}`);
    await sleep(20);
  }
}

/** With all that is held open, each replica takes another client and another operator. */
async function greetsStrangersStill({ replicas }: ClusterLayout): Promise<void> {
  for (const replica of replicas) {
    await using client = await AllocDbClient.connect({
      ...{ address: replica.clientAddr, connectTimeoutMs: ANSWER_MS_MAX },
    });
    assertEquals((await client.status()).replication !== undefined, true);
    await statusOf(replica);
  }
}

/** Another workspace beside the first, in the same directory. */
function besides({ directory }: ClusterCommands): string {
  return `${directory}/other`;
}

clusterTest(
  "two clusters pointed at each other keep apart, go on, and say why in their logs",
  async (c) => {
    await c.ok("start --profile small --replicas 1");
    const stranger = c.layout().replicas[0]!;
    const other = besides(c);
    await c.ok("start --profile small", other);
    await c.ok("stop", other);
    await pointAt(other, 3n, stranger);
    const started = await c.run("start --timeout 5s", other);
    assertEquals(started.code === 0, false, "a replica of another cluster is none of ours");
    assertMatch(started.stderr, /replica 1 of cluster [0-9a-f]{32} answers[\s\S]*\n {2}hint: /);
    for (const id of [1, 2]) await c.ok(`restart --replica-id ${id}`, other);
    await bothServe(c, other, stranger);
    const theirs = await Deno.readTextFile(`${other}/logs/replica-1.log`);
    const refusal = theirs.split("\n").find((line) => line.includes("wrong_cluster")) ?? theirs;
    assertMatch(refusal, /event=peer_refused_by_peer peer=3 code=wrong_cluster .*another cluster/);
    assertMatch(refusal, /hint="two clusters share an address: /);
    assertMatch(
      await Deno.readTextFile(stranger.logPath),
      /event=peer_refused_peer .*wrong_cluster/,
    );
    await stopOthers(c, other);
    await c.ok("stop");
  },
  REAL,
);

/** Replaces a replica's addresses in a layout by those of another cluster's. */
async function pointAt(workspace: string, id: bigint, to: ReplicaLayout): Promise<void> {
  const path = `${workspace}/${LAYOUT_FILE}`;
  const addresses = { control: to.controlAddr, client: to.clientAddr, protocol: to.protocolAddr };
  let text = await Deno.readTextFile(path);
  for (const [name, address] of Object.entries(addresses)) {
    text = text.replace(
      new RegExp(`^(replica\\.${id}\\.${name}_addr=).*$`, "m"),
      (_, key) => `${key}${address}`,
    );
  }
  await Deno.writeTextFile(path, text);
}

/** The cluster of one serves, and of the other two replicas make a majority. */
async function bothServe(
  c: ClusterCommands,
  other: string,
  { clientAddr }: ReplicaLayout,
): Promise<void> {
  await using alone = await AllocDbClient.connect({ address: clientAddr });
  const layout = await Deno.readTextFile(`${other}/${LAYOUT_FILE}`);
  const addresses = [1, 2].map((id) =>
    new RegExp(`^replica\\.${id}\\.client_addr=(.*)$`, "m").exec(layout)![1]!
  );
  const requestTimeoutMs = ANSWER_MS_MAX;
  await using two = await AllocDbClient.connect({ addresses, requestTimeoutMs });
  for (const client of [alone, two]) {
    const made = await client.createResource({ resourceId: 7n });
    assert(made.kind === "committed" && made.ok, `${made.kind} ${c.workspace}`);
  }
}

/** A cluster that has a stranger for a replica is not stopped as a whole. */
async function stopOthers(c: ClusterCommands, other: string): Promise<void> {
  for (const id of [1, 2]) await c.ok(`crash --replica-id ${id}`, other);
}
