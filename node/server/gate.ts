/** Who is let in: from the first message of a connection to the one behind which requests are taken. */
import { type AuthChallenge, type AuthFault, ServerHandshake } from "../auth/handshake.ts";
import { type Permission, permissionsOf, type Role } from "../auth/roles.ts";
import { readAuthProof } from "../wire/auth.ts";
import { type ClientHello, readClientHello } from "../wire/hello.ts";
import type { WireReader } from "../wire/reader.ts";
import type { ServerContext } from "./context.ts";
import { helloRefusal, NO_HELLO, type Refusal } from "./faults.ts";

/** What becomes of a connection after a message. */
export type Verdict =
  /** Nothing needs to be proved, or it has been. */
  | { readonly kind: "open"; readonly permissions: ReadonlySet<Permission<"client">> }
  /** This is to be answered first. */
  | { readonly kind: "challenge"; readonly challenge: AuthChallenge }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** For people. What is wrong with a proof is told to nobody. */
const FAULTS: Readonly<Record<AuthFault, string>> = {
  unknown_key: "the server knows no such key",
  role_not_served: "this port does not serve that role",
  wrong_proof: "the proof is wrong",
};

/** The way into one connection. */
export class Gate {
  readonly #context: ServerContext;
  #handshake: ServerHandshake | undefined;

  /** @param context The server's. */
  constructor(context: ServerContext) {
    this.#context = context;
  }

  /**
   * Takes a message of a connection that is not open yet.
   *
   * @param view The buffer it lies in.
   * @param at Where its body starts.
   * @param end Where it ends.
   * @returns What becomes of the connection.
   */
  take(view: DataView, at: number, end: number): Verdict {
    const { reader } = this.#context;
    reader.open(view, at, end);
    if (this.#handshake !== undefined) return this.#proof(this.#handshake, reader);
    const hello = readClientHello(reader);
    if (hello === undefined) return refused(NO_HELLO);
    const refusal = helloRefusal(this.#context, hello);
    if (refusal !== undefined) return refused(refusal);
    return this.#hello(hello, new Uint8Array(view.buffer, view.byteOffset + at, end - at));
  }

  #hello({ auth: offer }: ClientHello, body: Uint8Array): Verdict {
    const { auth, node } = this.#context;
    if (auth === undefined) {
      return offer === undefined ? open(undefined) : unauthenticated("this server has no secret");
    }
    if (offer === undefined) return unauthenticated("this server asks for a proof of identity");
    const scene = { channel: "client", transport: auth.transport } as const;
    this.#handshake = new ServerHandshake(auth.ring, scene);
    const challenge = this.#handshake.challenge(offer, body, node.identity.clusterId);
    if (typeof challenge === "string") return unauthenticated(FAULTS[challenge]);
    return { kind: "challenge", challenge };
  }

  #proof(handshake: ServerHandshake, reader: WireReader): Verdict {
    const proof = readAuthProof(reader);
    if (proof === undefined) {
      const message = "a challenge is answered by a proof and nothing else";
      return refused({ code: "unexpected_message", message });
    }
    const verdict = handshake.verify(proof);
    return typeof verdict === "string" ? unauthenticated(FAULTS[verdict]) : open(verdict.role);
  }
}

function open(role: Role | undefined): Verdict {
  return { kind: "open", permissions: permissionsOf("client", role) };
}

function unauthenticated(message: string): Verdict {
  return refused({ code: "unauthenticated", message });
}

function refused(refusal: Refusal): Verdict {
  return { kind: "refused", refusal };
}
