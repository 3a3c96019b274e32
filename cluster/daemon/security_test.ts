// A cluster with a secret lets nobody in on any of its three ports who does not know it, over TCP and over TLS, and
// works for those who do.
import { assertEquals, assertRejects } from "@std/assert";
import {
  ask,
  eventually,
  ReplicaRoom,
  type RunningReplica,
} from "../../tests/support/replica_room.ts";
import { createAuthority, createCertificate } from "../../node/auth/certificates.ts";
import { proveToControl } from "../../node/auth/control_auth.ts";
import { type Credential, formatCredential } from "../../node/auth/credential.ts";
import { writeCredential, writeNewFile } from "../../node/auth/credential_file.ts";
import type { ReplicaRunOptions } from "../../node/cli/options.ts";
import { AllocDbClient } from "../../node/client/client.ts";
import { type ConnectOptions, TransportError } from "../../node/client/types.ts";
import { controlCall, ControlFailure } from "../../node/control/client.ts";
import { CliError } from "../../node/errors.ts";

function secretOf(seed: number): Credential {
  return { kind: "secret", secrets: [Uint8Array.from({ length: 32 }, (_, i) => i * 7 + seed)] };
}

const OURS = secretOf(1);
const THEIRS = secretOf(2);

/** A room whose cluster has a secret in a file of that name. */
async function guardedRoom(): Promise<ReplicaRoom> {
  const room = await ReplicaRoom.make(3);
  writeCredential(`${room.root}/secret`, OURS);
  writeCredential(`${room.root}/wrong`, THEIRS);
  setSecret(room, "secret");
  return room;
}

function setSecret(room: ReplicaRoom, name: string): void {
  const text = Deno.readTextFileSync(room.layoutPath);
  Deno.writeTextFileSync(room.layoutPath, text.replace(/^secret_path=.*$/m, `secret_path=${name}`));
}

async function startAll(
  room: ReplicaRoom,
  flags: Partial<ReplicaRunOptions> = {},
): Promise<RunningReplica[]> {
  const ids = [...room.layout.members];
  return await Promise.all(ids.map((id) => room.start(id, undefined, undefined, flags)));
}

function clients(all: readonly RunningReplica[], options: Partial<ConnectOptions>): ConnectOptions {
  const addresses = all.map(({ replica }) => replica.clientAddr);
  return { addresses, requestTimeoutMs: 20_000, ...options };
}

/** Writes through the cluster and reads it back. */
async function works(
  all: readonly RunningReplica[],
  options: Partial<ConnectOptions>,
): Promise<void> {
  await using client = await AllocDbClient.connect(clients(all, options));
  const made = await client.createResource({ resourceId: 7n });
  assertEquals(made.kind === "committed" && made.ok, true);
  assertEquals((await client.getResource(7n)).kind, "found");
}

async function refusedClient(
  all: readonly RunningReplica[],
  options: Partial<ConnectOptions>,
): Promise<string> {
  const connect = (): Promise<unknown> => AllocDbClient.connect(clients(all, options));
  return (await assertRejects(connect, TransportError)).code;
}

async function refusedOperator(
  one: RunningReplica,
  credential: Credential | undefined,
): Promise<unknown> {
  const prove = credential === undefined ? {} : { prove: proveToControl(credential) };
  const call = (): Promise<unknown> =>
    controlCall(one.replica.controlAddr, { request: "status" }, { timeoutMs: 5_000, ...prove });
  return (await assertRejects(call, ControlFailure)).code;
}

Deno.test("replicas with a secret form a cluster, and turn everybody else away on all three ports", async () => {
  await using room = await guardedRoom();
  const all = await startAll(room);
  await works(all, { secret: formatCredential(OURS) });
  for (const secret of [undefined, formatCredential(THEIRS)]) {
    assertEquals(await refusedClient(all, { secret }), "unauthenticated");
  }
  for (const credential of [undefined, THEIRS]) {
    assertEquals(await refusedOperator(all[0]!, credential), "denied");
  }
  await assertRejects(() => ask(all[0]!, { request: "stop", drain_ms: 0 }), ControlFailure);
  assertEquals(all.flatMap(({ stops }) => stops), []);
});

Deno.test("a replica with another secret, or none, does not get into the cluster, which goes on", async () => {
  for (const name of ["wrong", "none"]) {
    await using room = await guardedRoom();
    const two = [await room.start(1n), await room.start(2n)];
    setSecret(room, name);
    const stranger = await room.start(3n);
    await works(two, { secret: formatCredential(OURS) });
    await eventually("that the stranger is refused", () => {
      return stranger.lines.some((line) => line.includes("unauthenticated"));
    });
    const { peers } = stranger.process.status();
    assertEquals(peers.map(({ connected }) => connected), [false, false]);
  }
});

Deno.test("replicas with certificates talk TLS to each other and to clients", async () => {
  await using room = await guardedRoom();
  const now = new Date();
  const authority = await createAuthority({ commonName: "ca", hosts: [], days: 1, now });
  const request = { commonName: "all", hosts: ["127.0.0.1"], days: 1, now };
  const { certificate, privateKey } = await createCertificate(request, authority);
  const at = (name: string): string => `${room.root}/${name}`;
  writeNewFile(at("ca.pem"), authority.certificate, 0o644);
  writeNewFile(at("all.pem"), certificate, 0o644);
  writeNewFile(at("all-key.pem"), privateKey, 0o600);
  const flags = { tlsCert: at("all.pem"), tlsKey: at("all-key.pem"), tlsCa: at("ca.pem") };
  const all = await startAll(room, flags);
  const secret = formatCredential(OURS);
  await works(all, { secret, tlsAuthorities: authority.certificate });
  assertEquals(
    ["wrong_version", "unreachable"].includes(await refusedClient(all, { secret })),
    true,
  );
  for (const { process } of all) {
    await eventually("that all are connected", () => {
      return process.status().peers.every(({ connected }) => connected);
    });
  }
});

Deno.test("a replica does not start with a secret that others can read, or with half of a certificate", async () => {
  await using room = await guardedRoom();
  Deno.chmodSync(`${room.root}/secret`, 0o640);
  const open = await assertRejects(() => room.start(1n), CliError);
  assertEquals([open.code, open.exitCode], ["E_BAD_SECRET", 2]);
  Deno.chmodSync(`${room.root}/secret`, 0o600);
  const flags = { tlsCert: `${room.root}/secret`, tlsKey: `${room.root}/secret` };
  const half = await assertRejects(() => room.start(1n, undefined, undefined, flags), CliError);
  assertEquals([half.code, half.exitCode], ["E_BAD_CERTIFICATE", 2]);
});
