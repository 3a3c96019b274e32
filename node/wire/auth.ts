/** What a handshake says between hello and its reply. Source: docs/wire.md#authentication. */
import { type AuthChallenge, type AuthOffer, NONCE_BYTES, PROOF_BYTES } from "../auth/handshake.ts";
import { KEY_ID_BYTES } from "../auth/keys.ts";
import { ROLE_NUMBERS, roleOfNumber } from "../auth/roles.ts";
import { MessageType } from "./messages.ts";
import type { WireReader } from "./reader.ts";
import type { WireWriter } from "./writer.ts";

/** The last element of hello: `[role, key_id, nonce]`, or null. */
export function writeAuthOffer(out: WireWriter, offer: AuthOffer | undefined): void {
  if (offer === undefined) return out.nil();
  out.array(3);
  out.small(ROLE_NUMBERS[offer.role]);
  out.byteString(offer.keyId);
  out.byteString(offer.nonce);
}

/** Reads the last element of hello. */
export function readAuthOffer(reader: WireReader): AuthOffer | undefined {
  return reader.optional(() => {
    reader.array(3);
    const role = roleOfNumber(reader.small(23));
    reader.require(role !== undefined);
    return {
      role: role ?? "reader",
      keyId: exactly(reader, KEY_ID_BYTES),
      nonce: exactly(reader, NONCE_BYTES),
    };
  });
}

/** `[18, cluster_id, nonce, proof]`. */
export function writeAuthChallenge(out: WireWriter, challenge: AuthChallenge): void {
  const frame = out.beginFrame();
  out.array(4);
  out.small(MessageType.auth_challenge);
  out.bytes16(challenge.clusterId);
  out.byteString(challenge.nonce);
  out.byteString(challenge.proof);
  out.endFrame(frame);
}

/** Reads a challenge; `undefined` when it is none. */
export function readAuthChallenge(reader: WireReader): AuthChallenge | undefined {
  reader.array(4);
  reader.require(reader.small(23) === MessageType.auth_challenge);
  const challenge = {
    clusterId: reader.bytes16(),
    nonce: exactly(reader, NONCE_BYTES),
    proof: exactly(reader, PROOF_BYTES),
  };
  return reader.finish() ? challenge : undefined;
}

/** `[8, proof]`. */
export function writeAuthProof(out: WireWriter, proof: Uint8Array): void {
  const frame = out.beginFrame();
  out.array(2);
  out.small(MessageType.auth_proof);
  out.byteString(proof);
  out.endFrame(frame);
}

/** Reads a proof; `undefined` when it is none. */
export function readAuthProof(reader: WireReader): Uint8Array | undefined {
  reader.array(2);
  reader.require(reader.small(23) === MessageType.auth_proof);
  const proof = exactly(reader, PROOF_BYTES);
  return reader.finish() ? proof : undefined;
}

/** A copy of so many bytes, neither more nor less. */
function exactly(reader: WireReader, count: number): Uint8Array {
  const bytes = reader.byteString(count).slice();
  reader.require(bytes.length === count);
  return bytes;
}
