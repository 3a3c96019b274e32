/**
 * A handshake in which both sides prove that they know a role's key and neither sends it: hello with an offer,
 * challenge with the server's proof, the client's proof. Pure: values in, values out. Source:
 * docs/security.md#handshake.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { assert } from "../../core/assert.ts";
import { hmacSha256 } from "./hmac.ts";
import type { KeyRing, RoleKey } from "./keys.ts";
import { type Channel, permissionsOf, type Role } from "./roles.ts";

/** Bytes of a nonce. */
export const NONCE_BYTES = 32;
/** Bytes of a proof. */
export const PROOF_BYTES = 32;
const LABEL = "allocdb-auth-v1";
const UTF_8 = new TextEncoder();

/** What a side of the connection sees below it; both must see the same. */
export type Transport = "tcp" | "tls";

/** Where a handshake takes place. Whoever relays one to another listener changes it. */
export interface Scene {
  readonly channel: Channel;
  readonly transport: Transport;
}

/** What a client's hello offers. */
export interface AuthOffer {
  readonly role: Role;
  /** {@linkcode RoleKey.id} of the key that it will use. */
  readonly keyId: Uint8Array;
  readonly nonce: Uint8Array;
}

/** What a server answers to an offer. */
export interface AuthChallenge {
  /** 16 bytes. */
  readonly clusterId: Uint8Array;
  readonly nonce: Uint8Array;
  /** That the server knows the key that was offered. */
  readonly proof: Uint8Array;
}

/** Why a server turns an offer or a proof down. */
export type AuthFault = "unknown_key" | "role_not_served" | "wrong_proof";

/** Fills with random bytes. */
export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => void;

/** Everything that both proofs cover. */
export interface Terms {
  readonly scene: Scene;
  readonly key: RoleKey;
  readonly clusterId: Uint8Array;
  readonly serverNonce: Uint8Array;
  readonly clientNonce: Uint8Array;
  /** The whole message that the offer stands in, without its frame. */
  readonly hello: Uint8Array;
}

/** 32 bytes nobody has seen before. */
export function freshNonce(
  fillRandom: FillRandom = crypto.getRandomValues.bind(crypto),
): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  fillRandom(nonce);
  return nonce;
}

/**
 * What one side proves. Its direction is in it, so nobody's proof can be sent back to him.
 *
 * @param terms What both sides must agree on.
 * @param prover Which side.
 * @returns HMAC-SHA-256 over all of it.
 */
export function prove(terms: Terms, prover: "client" | "server"): Uint8Array {
  const { scene, key } = terms;
  const words = [LABEL, prover, scene.channel, scene.transport, key.role];
  return hmacSha256(
    key.key,
    UTF_8.encode(words.map((word) => `${word}\0`).join("")),
    terms.serverNonce,
    terms.clientNonce,
    terms.clusterId,
    createHash("sha256").update(terms.hello).digest(),
  );
}

/** Whether a proof is the one that the terms ask for; takes the same time however much of it is right. */
export function isProof(terms: Terms, prover: "client" | "server", proof: Uint8Array): boolean {
  return proof.length === PROOF_BYTES && timingSafeEqual(prove(terms, prover), proof);
}

/** The side that connects; serves one connection. */
export class ClientHandshake {
  /** What hello offers. */
  readonly offer: AuthOffer;
  readonly #key: RoleKey;
  readonly #scene: Scene;
  #isOver = false;

  /**
   * @param key What to prove.
   * @param scene Where.
   * @param fillRandom Where nonces come from; tests bring their own.
   */
  constructor(key: RoleKey, scene: Scene, fillRandom?: FillRandom) {
    this.#key = key;
    this.#scene = scene;
    this.offer = { role: key.role, keyId: key.id, nonce: freshNonce(fillRandom) };
  }

  /**
   * Judges the server and answers it.
   *
   * @param hello The hello as it was sent, without its frame.
   * @param challenge What came back.
   * @returns The proof to send, or `undefined` when the server has not proved itself: nothing is sent then.
   */
  answer(hello: Uint8Array, challenge: AuthChallenge): Uint8Array | undefined {
    assert(!this.#isOver, "auth/one-proof-per-connection");
    this.#isOver = true;
    const terms = {
      scene: this.#scene,
      key: this.#key,
      clusterId: challenge.clusterId,
      serverNonce: challenge.nonce,
      clientNonce: this.offer.nonce,
      hello,
    };
    return isProof(terms, "server", challenge.proof) ? prove(terms, "client") : undefined;
  }
}

/** The side that listens; serves one connection. */
export class ServerHandshake {
  readonly #ring: KeyRing;
  readonly #scene: Scene;
  readonly #fillRandom: FillRandom | undefined;
  #terms: Terms | undefined;
  #hasBegun = false;

  /**
   * @param ring Which keys are known.
   * @param scene Where.
   * @param fillRandom Where nonces come from; tests bring their own.
   */
  constructor(ring: KeyRing, scene: Scene, fillRandom?: FillRandom) {
    this.#ring = ring;
    this.#scene = scene;
    this.#fillRandom = fillRandom;
  }

  /**
   * Takes the offer of a hello.
   *
   * @param offer What the client offers.
   * @param hello The hello as it was received, without its frame; copied.
   * @param clusterId The server's cluster, 16 bytes.
   * @returns The challenge to send, or why there is none.
   */
  challenge(
    offer: AuthOffer,
    hello: Uint8Array,
    clusterId: Uint8Array,
  ): AuthChallenge | AuthFault {
    assert(!this.#hasBegun, "auth/one-challenge-per-connection");
    this.#hasBegun = true;
    const { channel } = this.#scene;
    if (permissionsOf(channel, offer.role).size === 0) return "role_not_served";
    const key = this.#ring.find(offer.role, offer.keyId);
    if (key === undefined) return "unknown_key";
    const nonce = freshNonce(this.#fillRandom);
    this.#terms = {
      scene: this.#scene,
      key,
      clusterId,
      serverNonce: nonce,
      clientNonce: offer.nonce,
      hello: hello.slice(),
    };
    return { clusterId, nonce, proof: prove(this.#terms, "server") };
  }

  /**
   * Judges a proof; there is one try per connection.
   *
   * @param proof What the client answered to the challenge.
   * @returns What the client has proved to be, or why not.
   */
  verify(proof: Uint8Array): { readonly role: Role } | AuthFault {
    const terms = this.#terms;
    this.#terms = undefined;
    if (terms === undefined || !isProof(terms, "client", proof)) return "wrong_proof";
    return { role: terms.key.role };
  }
}
