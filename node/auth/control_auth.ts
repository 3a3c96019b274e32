/** How an operator proves himself to a replica's control port: the same handshake, in its CBOR maps. */
import * as v from "valibot";
import { ControlFailure, type Exchange } from "../control/client.ts";
import { controlError, type ControlErrorReply, errorSchema } from "../control/messages.ts";
import type { ControlGuard } from "../control/handler.ts";
import type { Credential } from "./credential.ts";
import {
  type AuthFault,
  type AuthOffer,
  ClientHandshake,
  NONCE_BYTES,
  PROOF_BYTES,
  type Scene,
  ServerHandshake,
} from "./handshake.ts";
import { KEY_ID_BYTES, KeyRing, presentedKey } from "./keys.ts";
import { type Permission, permissionsOf, ROLE_NUMBERS, ROLES } from "./roles.ts";

/** The control port is plain TCP: it listens where operators are, and carries no data. */
const SCENE: Scene = { channel: "control", transport: "tcp" };

function bytes(length: number): v.GenericSchema<Uint8Array> {
  return v.pipe(v.instance(Uint8Array), v.check((value) => value.length === length));
}

const offerSchema = v.strictObject({
  auth: v.literal("offer"),
  role: v.picklist(ROLES),
  key_id: bytes(KEY_ID_BYTES),
  nonce: bytes(NONCE_BYTES),
});

const challengeSchema = v.strictObject({
  auth: v.literal("challenge"),
  cluster_id: bytes(16),
  nonce: bytes(NONCE_BYTES),
  proof: bytes(PROOF_BYTES),
});

const proofSchema = v.strictObject({ auth: v.literal("proof"), proof: bytes(PROOF_BYTES) });

const welcomeSchema = v.strictObject({ auth: v.literal("ok") });

/** What an offer says, as both proofs cover it: role, key id, nonce. */
function offerBytes({ role, keyId, nonce }: AuthOffer): Uint8Array {
  return Uint8Array.from([ROLE_NUMBERS[role], ...keyId, ...nonce]);
}

/**
 * Makes what stands before every connection to a control port.
 *
 * @param secrets The cluster's, all of which are accepted.
 * @param clusterId 16 bytes.
 * @param onFailure Called when somebody could not prove who he is.
 * @returns The guard of one connection.
 */
export function controlGuards(
  secrets: readonly Uint8Array[],
  clusterId: Uint8Array,
  onFailure: (message: string) => void = () => {},
): () => ControlGuard {
  const ring = new KeyRing(secrets);
  return () => new SecretGuard(new ServerHandshake(ring, SCENE), clusterId, onFailure);
}

const FAULTS: Readonly<Record<AuthFault, string>> = {
  unknown_key: "this replica knows no such key",
  role_not_served: "the control port does not serve that role",
  wrong_proof: "the proof is wrong",
};

class SecretGuard implements ControlGuard {
  readonly #handshake: ServerHandshake;
  readonly #clusterId: Uint8Array;
  readonly #onFailure: (message: string) => void;
  #step: "offer" | "proof" | "over" = "offer";
  #permissions: ReadonlySet<Permission<"control">> | undefined;

  constructor(
    handshake: ServerHandshake,
    clusterId: Uint8Array,
    onFailure: (message: string) => void,
  ) {
    this.#handshake = handshake;
    this.#clusterId = clusterId;
    this.#onFailure = onFailure;
  }

  check(message: unknown): "pass" | object {
    if (this.#permissions !== undefined) return judge(this.#permissions, message);
    const step = this.#step;
    this.#step = "over";
    if (step === "offer") return this.#challenge(message);
    return step === "proof" ? this.#verify(message) : this.#deny("there is one try per connection");
  }

  #challenge(message: unknown): object {
    const parsed = v.safeParse(offerSchema, message);
    if (!parsed.success) return this.#deny("this replica asks for a proof of identity");
    const { role, key_id: keyId, nonce } = parsed.output;
    const offer = { role, keyId, nonce };
    const challenge = this.#handshake.challenge(offer, offerBytes(offer), this.#clusterId);
    if (typeof challenge === "string") return this.#deny(FAULTS[challenge]);
    this.#step = "proof";
    const { clusterId, nonce: own, proof } = challenge;
    return { auth: "challenge", cluster_id: clusterId, nonce: own, proof };
  }

  #verify(message: unknown): object {
    const parsed = v.safeParse(proofSchema, message);
    const verdict = parsed.success ? this.#handshake.verify(parsed.output.proof) : "wrong_proof";
    if (typeof verdict === "string") return this.#deny(FAULTS[verdict]);
    this.#permissions = permissionsOf("control", verdict.role);
    return { auth: "ok" };
  }

  #deny(message: string): ControlErrorReply {
    this.#onFailure(message);
    return controlError("denied", message);
  }
}

const requestSchema = v.object({ request: v.string() });

/** Everything but a look at the status is for operators. */
function judge(permissions: ReadonlySet<Permission<"control">>, message: unknown): "pass" | object {
  const parsed = v.safeParse(requestSchema, message);
  const isStatus = parsed.success && parsed.output.request === "status";
  if (permissions.has(isStatus ? "status" : "command")) return "pass";
  return controlError("forbidden", "the role of this connection's key may not ask for this");
}

/**
 * Makes what a caller does before its request.
 *
 * @param credential What it has. A holder of the whole secret is an operator.
 * @returns For {@linkcode ControlCallOptions.prove}.
 */
export function proveToControl(credential: Credential): (exchange: Exchange) => Promise<void> {
  const key = presentedKey(credential, "operator");
  return async (exchange) => {
    const handshake = new ClientHandshake(key, SCENE);
    const { role, keyId, nonce } = handshake.offer;
    const offer = { auth: "offer", role, key_id: keyId, nonce };
    const challenge = expected(challengeSchema, await exchange(offer));
    const proof = handshake.answer(offerBytes(handshake.offer), {
      clusterId: challenge.cluster_id,
      nonce: challenge.nonce,
      proof: challenge.proof,
    });
    if (proof === undefined) throw denied("it does not know the key that it claims to know");
    expected(welcomeSchema, await exchange({ auth: "proof", proof }));
  };
}

/** The answer that was due, or why there is none. A replica without a secret understands no offer. */
function expected<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const error = v.safeParse(errorSchema, value);
  if (!error.success) throw denied("it does not prove that it knows the secret");
  const { code, message } = error.output;
  if (code !== "malformed_request") throw new ControlFailure("refused", message, code);
  throw denied("it has no secret, so it cannot prove who it is");
}

function denied(message: string): ControlFailure {
  return new ControlFailure("refused", message, "denied");
}
