/** How replicas prove themselves to each other: the same handshake, in the byte strings of node/peer. */
import type { PeerAuth } from "../peer/options.ts";
import { type PeerHello, writePeerHello } from "../peer/hello.ts";
import { FRAME_HEADER_BYTES } from "../wire/framing.ts";
import { WireWriter } from "../wire/writer.ts";
import {
  freshNonce,
  isProof,
  NONCE_BYTES,
  PROOF_BYTES,
  prove,
  type Terms,
  type Transport,
} from "./handshake.ts";
import { deriveKey, KEY_ID_BYTES, KeyRing, type RoleKey } from "./keys.ts";

/**
 * Makes a replica's side of every handshake with its peers.
 *
 * - greeting: key id (8 bytes), nonce (32)
 * - challenge: nonce (32), the dialled side's proof (32)
 * - response: the dialling side's proof (32)
 *
 * @param secrets The cluster's; the first is presented, all are accepted.
 * @param transport What the connections between replicas run over.
 * @returns What the transport between replicas asks.
 */
export function createPeerAuth(
  secrets: readonly [Uint8Array, ...Uint8Array[]],
  transport: Transport,
): PeerAuth {
  return new SecretPeerAuth(deriveKey(secrets[0], "peer"), new KeyRing(secrets), transport);
}

class SecretPeerAuth implements PeerAuth {
  readonly #own: RoleKey;
  readonly #ring: KeyRing;
  readonly #transport: Transport;

  constructor(own: RoleKey, ring: KeyRing, transport: Transport) {
    this.#own = own;
    this.#ring = ring;
    this.#transport = transport;
  }

  greeting(): Uint8Array {
    return concatenated(this.#own.id, freshNonce());
  }

  challenge(hello: PeerHello): Uint8Array | undefined {
    const nonce = freshNonce();
    const terms = this.#terms(hello, nonce);
    return terms && concatenated(nonce, prove(terms, "server"));
  }

  respond(hello: PeerHello, challenge: Uint8Array): Uint8Array | undefined {
    const terms = this.#challenged(hello, challenge);
    if (terms === undefined) return undefined;
    const isServer = isProof(terms, "server", challenge.subarray(NONCE_BYTES));
    return isServer ? prove(terms, "client") : undefined;
  }

  verify(hello: PeerHello, challenge: Uint8Array, response: Uint8Array): boolean {
    const terms = this.#challenged(hello, challenge);
    return terms !== undefined && isProof(terms, "client", response);
  }

  #challenged(hello: PeerHello, challenge: Uint8Array): Terms | undefined {
    if (challenge.length !== NONCE_BYTES + PROOF_BYTES) return undefined;
    return this.#terms(hello, challenge.subarray(0, NONCE_BYTES));
  }

  #terms(hello: PeerHello, serverNonce: Uint8Array): Terms | undefined {
    const { auth, clusterId } = hello;
    if (auth?.length !== KEY_ID_BYTES + NONCE_BYTES) return undefined;
    const key = this.#ring.find("peer", auth.subarray(0, KEY_ID_BYTES));
    const clientNonce = auth.subarray(KEY_ID_BYTES);
    const scene = { channel: "peer", transport: this.#transport } as const;
    return key && { scene, key, clusterId, serverNonce, clientNonce, hello: bodyOf(hello) };
  }
}

/** The hello as it went over the wire: it says who talks to whom. */
function bodyOf(hello: PeerHello): Uint8Array {
  const out = new WireWriter();
  writePeerHello(out, hello);
  return out.bytes.subarray(FRAME_HEADER_BYTES, out.end);
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
