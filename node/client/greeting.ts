/** What a client says until it may ask for something. Source: docs/wire.md#hello, docs/wire.md#authentication. */
import { type AuthChallenge, ClientHandshake } from "../auth/handshake.ts";
import type { RoleKey } from "../auth/keys.ts";
import { SocketWriter } from "../server/socket_writer.ts";
import { readAuthChallenge, writeAuthProof } from "../wire/auth.ts";
import { FRAME_HEADER_BYTES, type FrameReader } from "../wire/framing.ts";
import {
  type ClientHello,
  readError,
  readServerHello,
  type WireError,
  writeClientHello,
} from "../wire/hello.ts";
import { WireReader } from "../wire/reader.ts";
import type { WireWriter } from "../wire/writer.ts";
import { type ServerInfo, TransportError } from "./types.ts";

/** What to say to a server. */
export interface Greeting {
  readonly hello: ClientHello;
  /** What to prove; the server then has to prove that it knows the same. */
  readonly key: RoleKey | undefined;
  /** Who may vouch for the server over TLS, in PEM; plain TCP when absent. */
  readonly tlsAuthorities: string | undefined;
}

/**
 * Says hello, proves what is to be proved, and waits for the answer.
 *
 * @param conn An open socket.
 * @param frames Reads from it.
 * @param greeting What to say.
 * @param address Of the server, for messages.
 * @returns What the server says about itself.
 * @throws {TransportError} When it is no server for us; and whatever the socket throws.
 */
export async function greet(
  conn: Deno.Conn,
  frames: FrameReader,
  { hello, key, tlsAuthorities }: Greeting,
  address: string,
): Promise<ServerInfo> {
  const greeter = new Greeter(conn, frames, address);
  if (key === undefined) {
    await greeter.say((out) => writeClientHello(out, hello));
  } else {
    const transport = tlsAuthorities === undefined ? "tcp" : "tls";
    const handshake = new ClientHandshake(key, { channel: "client", transport });
    await prove(greeter, hello, handshake);
  }
  return greeter.info();
}

/** Offers a key, judges the server by its challenge, and only then answers it. */
async function prove(
  greeter: Greeter,
  hello: ClientHello,
  handshake: ClientHandshake,
): Promise<void> {
  const said = await greeter.say((out) => {
    writeClientHello(out, { ...hello, auth: handshake.offer });
  });
  const challenge = greeter.challenge();
  const { clusterId } = hello;
  if (clusterId !== undefined && clusterId.some((byte, i) => byte !== challenge.clusterId[i])) {
    throw new TransportError("wrong_cluster", `${greeter.address} belongs to another cluster`);
  }
  const proof = handshake.answer(said, challenge);
  if (proof === undefined) {
    throw new TransportError(
      "unauthenticated",
      `${greeter.address} does not know the key that it claims to know`,
    );
  }
  await greeter.say((out) => writeAuthProof(out, proof));
}

/** A conversation in which each side says one thing at a time. */
class Greeter {
  readonly address: string;
  readonly #conn: Deno.Conn;
  readonly #frames: FrameReader;
  readonly #writer: SocketWriter;
  readonly #reader = new WireReader();

  constructor(conn: Deno.Conn, frames: FrameReader, address: string) {
    this.address = address;
    this.#conn = conn;
    this.#frames = frames;
    this.#writer = new SocketWriter(conn, { bytesSent: 0 }, () => {}, () => {});
  }

  /** Sends one message and waits until there is an answer. Returns the body of the message. */
  async say(write: (out: WireWriter) => void): Promise<Uint8Array> {
    const { out } = this.#writer;
    write(out);
    const body = out.bytes.slice(FRAME_HEADER_BYTES, out.end);
    this.#writer.flush();
    await this.#receive();
    return body;
  }

  /** The answer as what a server says about itself. */
  info(): ServerInfo {
    const hello = readServerHello(this.#opened());
    if (hello === undefined) throw this.#refusal();
    this.#frames.maxFrameBytes = hello.maxFrameBytes;
    return { address: this.address, ...hello };
  }

  /** The answer as a challenge: a server that asks for no proof gives none either. */
  challenge(): AuthChallenge {
    const challenge = readAuthChallenge(this.#opened());
    if (challenge !== undefined) return challenge;
    if (readServerHello(this.#opened()) === undefined) throw this.#refusal();
    const message = `${this.address} does not prove that it knows the secret`;
    throw new TransportError("unauthenticated", message);
  }

  async #receive(): Promise<void> {
    const frames = this.#frames;
    let status = frames.next();
    while (status === "incomplete") {
      const count = await this.#conn.read(frames.space());
      if (count === null) {
        const message = `${this.address} closed the connection at hello`;
        throw new TransportError("unreachable", message);
      }
      frames.received(count);
      status = frames.next();
    }
    if (status === "unsupported_version") {
      const message = `${this.address} speaks another version of the protocol`;
      throw new TransportError("wrong_version", message);
    }
    if (status !== "frame") throw protocolError(this.address);
  }

  #opened(): WireReader {
    const { view, bodyStart, bodyEnd } = this.#frames;
    this.#reader.open(view, bodyStart, bodyEnd);
    return this.#reader;
  }

  #refusal(): TransportError {
    const error = readError(this.#opened());
    return error === undefined ? protocolError(this.address) : refusal(error, this.address);
  }
}

/** An error message that concerns the connection. */
export function refusal(error: WireError, address: string): TransportError {
  const message = `${address}: ${error.code}: ${error.message}`;
  switch (error.code) {
    case "wrong_cluster":
    case "unauthenticated":
      return new TransportError(error.code, message);
    case "unsupported_version":
      return new TransportError("wrong_version", message);
    default:
      return new TransportError("refused", message);
  }
}

/** What came is nothing that a server says. */
export function protocolError(address: string): TransportError {
  return new TransportError("protocol_error", `${address} sent something that is no reply`);
}
