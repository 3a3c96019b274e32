// A load that misreads its peer measures nothing. A scripted server on a real socket stands in for etcd: it sends
// frames cut at odd places, holds back its window, and refuses.
import { assertEquals, assertRejects } from "@std/assert";
import { type CallSink, frame, FRAME_HEAD_BYTES, FrameType, GrpcChannel } from "./http2.ts";

const PREFACE_BYTES = 24;
const END_STREAM = 1;
const ACK = 1;

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
}

/** The other side: reads frames, writes what the test says. */
class Peer implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  #conn: Deno.TcpConn | undefined;
  #bytes = new Uint8Array();

  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  async accept(): Promise<void> {
    this.#conn = await this.#listener.accept();
    await this.#fill(PREFACE_BYTES);
    this.#bytes = this.#bytes.subarray(PREFACE_BYTES);
  }

  async #fill(size: number): Promise<void> {
    const chunk = new Uint8Array(65_536);
    while (this.#bytes.length < size) {
      const count = await this.#conn!.read(chunk);
      if (count === null) throw new Error("the client hung up");
      this.#bytes = Uint8Array.from([...this.#bytes, ...chunk.subarray(0, count)]);
    }
  }

  async next(): Promise<Frame> {
    await this.#fill(FRAME_HEAD_BYTES);
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
    const end = FRAME_HEAD_BYTES + (view.getUint32(0) >>> 8);
    await this.#fill(end);
    const [type, flags] = [this.#bytes[3]!, this.#bytes[4]!];
    const stream = new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getUint32(5);
    const payload = this.#bytes.slice(FRAME_HEAD_BYTES, end);
    this.#bytes = this.#bytes.subarray(end);
    return { type, flags, stream, payload };
  }

  /** The next frame of a type; others are passed over. */
  async nextOf(type: number): Promise<Frame> {
    for (;;) {
      const found = await this.next();
      if (found.type === type) return found;
    }
  }

  async write(...frames: Uint8Array[]): Promise<void> {
    const bytes = Uint8Array.from(frames.flatMap((part) => [...part]));
    for (let at = 0; at < bytes.length;) at += await this.#conn!.write(bytes.subarray(at));
  }

  [Symbol.dispose](): void {
    this.#conn?.close();
    this.#listener.close();
  }
}

class Notes implements CallSink {
  readonly lines: string[] = [];
  answered(stream: number, message: Uint8Array): void {
    this.lines.push(`${stream} answered ${[...message].join(" ")}`);
  }
  ended(stream: number): void {
    this.lines.push(`${stream} ended`);
  }
}

function answer(stream: number, ...message: number[]): Uint8Array[] {
  return [
    frame(FrameType.headers, 4, stream, Uint8Array.of(0x88)),
    frame(FrameType.data, 0, stream, Uint8Array.of(0, 0, 0, 0, message.length, ...message)),
    frame(FrameType.headers, 4 | END_STREAM, stream, Uint8Array.of(0x40)),
  ];
}

async function connected(peer: Peer): Promise<GrpcChannel> {
  const channel = await GrpcChannel.connect(peer.address, "/test.Service/Method");
  channel.flush();
  await peer.accept();
  await peer.write(frame(FrameType.settings, 0, 0, new Uint8Array()));
  return channel;
}

async function receiveUntil(channel: GrpcChannel, notes: Notes, lines: number): Promise<void> {
  for (let reads = 0; notes.lines.length < lines && reads < 100; reads++) {
    await channel.receive(notes);
    channel.flush();
  }
}

Deno.test("GrpcChannel sends calls in order and takes answers in any, acknowledging settings and pings", async () => {
  using peer = new Peer();
  const channel = await connected(peer);
  assertEquals([channel.call(Uint8Array.of(7)), channel.call(Uint8Array.of(8, 9))], [1, 3]);
  channel.flush();
  const first = await peer.nextOf(FrameType.headers);
  const named = new TextDecoder().decode(first.payload);
  assertEquals(
    ["/test.Service/Method", "application/grpc", "te", "trailers"].every((word) =>
      named.includes(word)
    ),
    true,
  );
  assertEquals((await peer.next()).payload, Uint8Array.of(0, 0, 0, 0, 1, 7));
  // The second request repeats the headers of the first by their places in the table.
  assertEquals((await peer.next()).payload, Uint8Array.of(0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe));
  assertEquals((await peer.next()).payload, Uint8Array.of(0, 0, 0, 0, 2, 8, 9));

  const notes = new Notes();
  await peer.write(
    frame(FrameType.ping, 0, 0, new Uint8Array(8).fill(5)),
    ...answer(3, 1),
    ...answer(1, 2, 3),
  );
  await receiveUntil(channel, notes, 4);
  assertEquals(notes.lines, ["3 answered 1", "3 ended", "1 answered 2 3", "1 ended"]);
  const settings = await peer.nextOf(FrameType.settings);
  const ping = await peer.nextOf(FrameType.ping);
  assertEquals([settings.flags, ping.flags, ping.payload], [ACK, ACK, new Uint8Array(8).fill(5)]);
  channel.close();
});

Deno.test("GrpcChannel understands frames cut anywhere", async () => {
  using peer = new Peer();
  const channel = await connected(peer);
  for (let i = 0; i < 3; i++) channel.call(Uint8Array.of(i));
  channel.flush();
  const notes = new Notes();
  const receiving = receiveUntil(channel, notes, 6);
  for (
    const byte of [1, 3, 5].flatMap((stream) => answer(stream, stream)).flatMap((part) => [...part])
  ) {
    await peer.write(Uint8Array.of(byte));
  }
  await receiving;
  assertEquals(
    notes.lines.filter((line) => line.includes("answered")),
    [1, 3, 5].map((id) => `${id} answered ${id}`),
  );
  channel.close();
});

Deno.test("GrpcChannel holds calls back that the server's window has no room for", async () => {
  using peer = new Peer();
  const channel = await connected(peer);
  const message = new Uint8Array(1_000);
  for (let i = 0; i < 100; i++) channel.call(message);
  channel.flush();
  const fitting = Math.floor(65_535 / 1_005);
  for (let i = 0; i < fitting; i++) await peer.nextOf(FrameType.data);
  const more = new Uint8Array(4);
  new DataView(more.buffer).setUint32(0, 100 * 1_005);
  await peer.write(frame(FrameType.window_update, 0, 0, more), ...answer(1, 1));
  await receiveUntil(channel, new Notes(), 2);
  let last = 0;
  for (let i = fitting; i < 100; i++) last = (await peer.nextOf(FrameType.data)).stream;
  assertEquals(last, 199);
  channel.close();
});

Deno.test("GrpcChannel ends a refused call without an answer, and throws when the connection is lost", async () => {
  using peer = new Peer();
  const channel = await connected(peer);
  channel.call(Uint8Array.of(1));
  channel.call(Uint8Array.of(2));
  channel.flush();
  const notes = new Notes();
  await peer.write(
    frame(FrameType.headers, 4 | END_STREAM, 1, Uint8Array.of(0x88)),
    frame(FrameType.rst_stream, 0, 3, new Uint8Array(4)),
  );
  await receiveUntil(channel, notes, 2);
  assertEquals(notes.lines, ["1 ended", "3 ended"]);
  await peer.write(frame(FrameType.goaway, 0, 0, new Uint8Array(8)));
  await assertRejects(() => receiveUntil(channel, notes, 3), Error, "goodbye");
  channel.close();
});
