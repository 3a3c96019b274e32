// The control port stops a replica: nobody reaches it who has not proved that he may, and an operator does not
// hand his orders to a replica that proves nothing. Tried on real sockets.
import { assertEquals, assertRejects } from "@std/assert";
import { controlCall, ControlFailure, type Exchange } from "../control/client.ts";
import type { ControlReply, ControlRequest } from "../control/messages.ts";
import { type ControlServer, startControlServer } from "../control/server.ts";
import { sampleStatus } from "../../tests/support/control_status.ts";
import { controlGuards, proveToControl } from "./control_auth.ts";
import type { Credential } from "./credential.ts";
import { deriveKey } from "./keys.ts";
import { type Role, ROLES } from "./roles.ts";

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
const OTHER = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const CLUSTER = new Uint8Array(16).fill(5);

interface Port {
  readonly server: ControlServer;
  /** Requests that were carried out. */
  readonly done: ControlRequest[];
  readonly failures: string[];
}

async function withPort(
  secrets: readonly Uint8Array[] | undefined,
  use: (port: Port) => Promise<void>,
): Promise<void> {
  const done: ControlRequest[] = [];
  const failures: string[] = [];
  const answer = (request: ControlRequest): ControlReply => {
    done.push(request);
    return request.request === "status" ? sampleStatus() : { status: "ok" } as ControlReply;
  };
  const guard = secrets &&
    controlGuards(secrets, CLUSTER, (message) => failures.push(message));
  const options = { hostname: "127.0.0.1", port: 0, ...(guard === undefined ? {} : { guard }) };
  const server = startControlServer(answer, options);
  try {
    await use({ server, done, failures });
  } finally {
    await server.close();
  }
}

function keyFile(role: Role, secret: Uint8Array = SECRET): Credential {
  return { kind: "key", role, keys: [deriveKey(secret, role).key] };
}

const WHOLE: Credential = { kind: "secret", secrets: [SECRET] };

/** What becomes of one request. */
async function ask(
  { server }: Port,
  request: ControlRequest,
  prove: ((exchange: Exchange) => Promise<void>) | undefined,
): Promise<string> {
  try {
    const options = { timeoutMs: 5_000, ...(prove === undefined ? {} : { prove }) };
    return (await controlCall(server.addr, request, options)).status;
  } catch (error) {
    if (error instanceof ControlFailure) return error.code ?? error.kind;
    throw error;
  }
}

const STOP: ControlRequest = { request: "stop", drain_ms: 0 };
const STATUS: ControlRequest = { request: "status" };

Deno.test("a control port with a secret obeys operators, answers readers and knows nobody else", async () => {
  await withPort([OTHER, SECRET], async (port) => {
    for (const credential of [WHOLE, keyFile("operator"), keyFile("operator", OTHER)]) {
      assertEquals(await ask(port, STOP, proveToControl(credential)), "ok");
    }
    assertEquals(await ask(port, STATUS, proveToControl(keyFile("reader"))), "ok");
    assertEquals(await ask(port, STOP, proveToControl(keyFile("reader"))), "forbidden");
    assertEquals(port.done.map(({ request }) => request), ["stop", "stop", "stop", "status"]);
    assertEquals(port.failures, []);
    for (const role of ROLES.filter((role) => role !== "operator" && role !== "reader")) {
      assertEquals(await ask(port, STATUS, proveToControl(keyFile(role))), "denied");
    }
    assertEquals([port.done.length, port.failures.length], [4, 2]);
  });
});

Deno.test("a control port with a secret carries out nothing for who proves nothing", async () => {
  await withPort([SECRET], async (port) => {
    assertEquals(await ask(port, STOP, undefined), "denied");
    const stranger: Credential = { kind: "secret", secrets: [OTHER] };
    assertEquals(await ask(port, STOP, proveToControl(stranger)), "denied");
    const swallow = async (exchange: Exchange, ...messages: object[]): Promise<void> => {
      for (const message of messages) await exchange(message);
    };
    const offer = {
      auth: "offer",
      role: "operator",
      key_id: deriveKey(SECRET, "operator").id,
      nonce: new Uint8Array(32),
    };
    const guesses: object[][] = [
      [{ auth: "proof", proof: new Uint8Array(32) }],
      [offer],
      [offer, offer],
      [offer, { auth: "proof", proof: new Uint8Array(32) }],
      [offer, { auth: "proof", proof: new Uint8Array(31) }],
      [{ ...offer, nonce: new Uint8Array(31) }],
      [{ ...offer, role: "king" }],
    ];
    for (const guess of guesses) {
      assertEquals(await ask(port, STOP, (exchange) => swallow(exchange, ...guess)), "denied");
    }
    assertEquals(port.done, []);
  });
});

Deno.test("a recorded talk with a control port opens no second connection", async () => {
  await withPort([SECRET], async (port) => {
    const said: object[] = [];
    await ask(port, STATUS, (exchange) =>
      proveToControl(WHOLE)((message) => {
        said.push(message);
        return exchange(message);
      }));
    const replay = async (exchange: Exchange): Promise<void> => {
      for (const message of said) await exchange(message);
    };
    assertEquals([said.length, await ask(port, STOP, replay)], [2, "denied"]);
    assertEquals(port.done.length, 1);
  });
});

Deno.test("an operator with a secret gives no order to a replica that does not prove itself", async () => {
  await withPort(undefined, async (port) => {
    assertEquals(await ask(port, STOP, proveToControl(WHOLE)), "denied");
    assertEquals(port.done, []);
  });
  const sent: unknown[] = [];
  const lying = (message: object): Promise<unknown> => {
    sent.push(message);
    const proof = new Uint8Array(32);
    return Promise.resolve({ auth: "challenge", cluster_id: CLUSTER, nonce: proof, proof });
  };
  await assertRejects(() => proveToControl(WHOLE)(lying), ControlFailure);
  await assertRejects(() => proveToControl(WHOLE)(() => Promise.resolve({ auth: "ok" })));
  assertEquals(sent.length, 1);
});
