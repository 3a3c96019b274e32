/** A client without manners: sends whatever bytes it is given and shows what comes back, as plain values. */
import { Decoder, Encoder } from "cbor-x";
import { FRAME_HEADER_BYTES, FrameReader, writeFrameHeader } from "../../node/wire/framing.ts";
import { WireWriter } from "../../node/wire/writer.ts";
import { writeClientHello } from "../../node/wire/hello.ts";
import { idBytes } from "./wire_samples.ts";

const OPTIONS = { useRecords: false, tagUint8Array: false } as const;
const encoder = new Encoder(OPTIONS);
const decoder = new Decoder(OPTIONS);

/** A message body, decoded: numbers of 64 bits are `bigint`. */
export type Message = readonly unknown[];

/** A frame around any body. */
export function frame(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  bytes.set(body, FRAME_HEADER_BYTES);
  writeFrameHeader(bytes, new DataView(bytes.buffer), 0, bytes.length);
  return bytes;
}

/** A frame around a message. */
export function message(...elements: readonly unknown[]): Uint8Array {
  return frame(Uint8Array.from(encoder.encode(elements)));
}

/** A hello that every server takes. */
export function hello(): Uint8Array {
  const out = new WireWriter();
  writeClientHello(out, { version: 1, clusterId: undefined, clientName: "raw" });
  return out.bytes.slice(0, out.end);
}

/** A `create_resource` command as plain values. */
export function create(operationId: number, resourceId: number): unknown[] {
  return [1, idBytes(BigInt(operationId)), idBytes(1n), idBytes(BigInt(resourceId))];
}

/** See the top of the file. */
export class RawClient implements Disposable {
  readonly conn: Deno.TcpConn;
  readonly #frames = new FrameReader(0x1000_0000);

  private constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  /** Connects without a word. */
  static async connect(port: number): Promise<RawClient> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new RawClient(conn);
  }

  /** Connects, says hello and takes the answer. */
  static async greeted(port: number): Promise<RawClient> {
    const client = await RawClient.connect(port);
    await client.send(hello());
    await client.next();
    return client;
  }

  /** Sends bytes, all of them. */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      for (let at = 0; at < part.length;) at += await this.conn.write(part.subarray(at));
    }
  }

  /** The next message; `undefined` when the server has closed. */
  async next(): Promise<Message | undefined> {
    for (;;) {
      const status = this.#frames.next();
      if (status === "frame") {
        const { bytes, bodyStart, bodyEnd } = this.#frames;
        return decoder.decode(bytes.slice(bodyStart, bodyEnd));
      }
      if (status !== "incomplete") throw new Error(`The server sent a bad frame: ${status}`);
      const count = await this.conn.read(this.#frames.space()).catch(() => null);
      if (count === null) return undefined;
      this.#frames.received(count);
    }
  }

  /** The next `count` messages. */
  async take(count: number): Promise<(Message | undefined)[]> {
    const messages: (Message | undefined)[] = [];
    while (messages.length < count) messages.push(await this.next());
    return messages;
  }

  /** Everything until the server closes. */
  async rest(): Promise<Message[]> {
    const messages: Message[] = [];
    for (let next = await this.next(); next !== undefined; next = await this.next()) {
      messages.push(next);
    }
    return messages;
  }

  /** Sends one request and takes one message. */
  async ask(...elements: readonly unknown[]): Promise<Message | undefined> {
    await this.send(message(...elements));
    return await this.next();
  }

  /** Hangs up. */
  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // The test has.
    }
  }
}
