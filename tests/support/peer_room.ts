/** Some transports in one process, and strangers who dial them. */
import { crc32c } from "../../core/crc32c.ts";
import { writePeerHello } from "../../node/peer/hello.ts";
import { membersDigest, type PeerHello } from "../../node/peer/hello.ts";
import { ownMessage } from "../../node/peer/link_faults.ts";
import type { PeerEvent, PeerMember, PeerTransportOptions } from "../../node/peer/options.ts";
import { type PeerTransport, startPeerTransport } from "../../node/peer/transport.ts";
import type { Message } from "../../node/vsr/messages.ts";
import { FRAME_HEADER_BYTES, FrameReader } from "../../node/wire/framing.ts";
import { WireWriter } from "../../node/wire/writer.ts";

/** Of the room, unless a replica is told otherwise. */
export const ROOM_CLUSTER: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => 0xc0 + i);
/** The same of its bounds. */
export const ROOM_FINGERPRINT: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i);

/** A replica's transport and all that it was told. */
export interface Seat {
  readonly id: bigint;
  transport: PeerTransport;
  readonly received: { readonly from: bigint; readonly message: Message }[];
  /** `up 2`, `down 2`, in order. */
  readonly links: string[];
  readonly events: PeerEvent[];
}

type Changes = Partial<PeerTransportOptions>;

/** See the top of the file. */
export class PeerRoom implements AsyncDisposable {
  readonly seats = new Map<bigint, Seat>();
  readonly #ids: readonly bigint[];
  readonly #changes: Changes;
  /** Where replicas that have been up once were listening. */
  readonly #ports = new Map<bigint, number>();

  /**
   * @param ids All that belong to the cluster; none is up yet.
   * @param changes Options that differ from a plain room's, for everybody.
   */
  constructor(ids: readonly bigint[], changes: Changes = {}) {
    this.#ids = ids;
    this.#changes = changes;
  }

  /** Starts one replica; its port is the same each time. */
  start(id: bigint, changes: Changes = {}): Seat {
    const seat = this.seats.get(id);
    const received: Seat["received"] = seat?.received ?? [];
    const links: string[] = seat?.links ?? [];
    const events: PeerEvent[] = seat?.events ?? [];
    const transport = startPeerTransport({
      ...{ replicaId: id, members: this.members(), clusterId: ROOM_CLUSTER, shardId: 7n },
      ...{ fingerprint: ROOM_FINGERPRINT, version: "test" },
      listen: { hostname: "127.0.0.1", port: this.#ports.get(id) ?? 0 },
      onMessage: (from, message) => received.push({ from, message: ownMessage(message) }),
      onLinkUp: (peer) => links.push(`up ${peer}`),
      onLinkDown: (peer) => links.push(`down ${peer}`),
      onEvent: (event) => events.push(event),
      ...this.#changes,
      ...changes,
    });
    this.#ports.set(id, transport.addr.port);
    const started = { id, transport, received, links, events };
    this.seats.set(id, started);
    return started;
  }

  /** Starts everybody and waits until each can send to each. */
  async startAll(): Promise<readonly Seat[]> {
    const seats = this.#ids.map((id) => this.start(id));
    await until(() => seats.every((seat) => isConnected(seat)));
    return seats;
  }

  /** Every member. Its port is looked up when it is dialled. */
  members(): PeerMember[] {
    const port = (id: bigint): number => this.port(id);
    return this.#ids.map((id) => ({
      ...{ id, hostname: "127.0.0.1" },
      get port(): number {
        return port(id);
      },
    }));
  }

  /** Where a replica listens; where nobody does, before it has been up. */
  port(id: bigint): number {
    return this.#ports.get(id) ?? 1;
  }

  /** A hello that replica `to` would find good. */
  hello(from: bigint, to: bigint): PeerHello {
    return {
      ...{ clusterId: ROOM_CLUSTER, from, to, membersDigest: membersDigest(this.#ids) },
      ...{ fingerprint: ROOM_FINGERPRINT, shardId: 7n, version: "test", auth: undefined },
    };
  }

  /** Stops everybody. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.seats.values()].map(({ transport }) => transport.close()));
  }
}

/** Whether a replica can send to all the others. */
export function isConnected({ transport }: Seat): boolean {
  return transport.stats().peers.every(({ connected }) => connected);
}

/** Resolves when the condition holds; fails after a long while. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error("it never came to that");
}

/** Somebody who dials a replica and says what it likes. */
export class PeerStranger implements Disposable {
  readonly conn: Deno.TcpConn;
  readonly #frames = new FrameReader(0x100_0000);

  private constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  static async dial(port: number): Promise<PeerStranger> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new PeerStranger(conn);
  }

  /** Says hello and takes the welcome. */
  static async greeted(port: number, hello: PeerHello): Promise<PeerStranger> {
    const stranger = await PeerStranger.dial(port);
    await stranger.send(written((out) => writePeerHello(out, hello)));
    const welcome = await stranger.next();
    if (welcome?.[2] !== 33) throw new Error(`not welcome: ${welcome}`);
    return stranger;
  }

  async send(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      for (let at = 0; at < part.length;) at += await this.conn.write(part.subarray(at));
    }
  }

  /** The body of the next frame; `undefined` at the end. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const status = this.#frames.next();
      if (status === "frame") {
        return this.#frames.bytes.slice(this.#frames.bodyStart, this.#frames.bodyEnd);
      }
      if (status !== "incomplete") throw new Error(status);
      const count = await this.conn.read(this.#frames.space()).catch(() => null);
      if (count === null) return undefined;
      this.#frames.received(count);
    }
  }

  /** Every body until the end. */
  async rest(): Promise<Uint8Array[]> {
    const bodies: Uint8Array[] = [];
    for (let body = await this.next(); body !== undefined; body = await this.next()) {
      bodies.push(body);
    }
    return bodies;
  }

  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // Closed in the test.
    }
  }
}

/** What `write` writes. */
export function written(write: (out: WireWriter) => void): Uint8Array<ArrayBuffer> {
  const out = new WireWriter();
  write(out);
  return out.bytes.slice(0, out.end);
}

/** A frame around any body. */
export function frameAround(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  view.setUint8(4, 1);
  view.setUint32(8, crc32c(body, 0, body.length));
  bytes.set(body, FRAME_HEADER_BYTES);
  return bytes;
}
