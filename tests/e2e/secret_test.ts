// Secrets as an operator handles them: made, derived, given to a server and its clients, and replaced without a
// moment in which anybody is locked out. No file's content is ever printed.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Ending, run, startServer, TemporaryDirectory } from "./server_process.ts";

const SMALL = ["--profile", "small"];

/** The content of a file, without what every such file has. */
function contentOf(path: string): string {
  return Deno.readTextFileSync(path).trim().split(":").at(-1)!;
}

async function succeeds(...args: string[]): Promise<Ending> {
  const ended = await run(args);
  assertEquals([ended.code, ended.stderr], [0, ""], args.join(" "));
  return ended;
}

async function failsWith(code: string, exitCode: number, ...args: string[]): Promise<void> {
  const ended = await run(args);
  assertStringIncludes(ended.stderr, `error[${code}]`, args.join(" "));
  assertEquals(ended.code, exitCode);
}

Deno.test("secret create and derive make private files, print nothing of them, and overwrite none", async () => {
  using directory = new TemporaryDirectory();
  const secret = `${directory.path}/cluster.secret`;
  const key = `${directory.path}/client.key`;
  const created = await succeeds("secret", "create", "--out", secret, "--json");
  const derived = await succeeds(
    ...["secret", "derive", "--role", "client", "--from", secret, "--out", key],
  );
  for (const [file, { stdout }] of [[secret, created], [key, derived]] as const) {
    assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
    assertEquals(stdout.includes(contentOf(file)), false);
  }
  assertEquals(JSON.parse(created.stdout).kind, "secret");
  assertMatch(derived.stdout, /^role=client$/m);
  const before = Deno.readTextFileSync(secret);
  await failsWith("E_FILE_EXISTS", 1, "secret", "create", "--out", secret);
  await failsWith(
    ...["E_BAD_SECRET", 2, "secret", "derive", "--role", "reader"] as const,
    ...["--from", key, "--out", `${directory.path}/x`],
  );
  assertEquals(Deno.readTextFileSync(secret), before);
});

Deno.test("a server with a secret listens anywhere, and the command line talks to it by role", async () => {
  using directory = new TemporaryDirectory();
  const at = (name: string): string => `${directory.path}/${name}`;
  await succeeds("secret", "create", "--out", at("secret"));
  for (const role of ["client", "reader"]) {
    await succeeds(
      ...["secret", "derive", "--role", role, "--from", at("secret"), "--out", at(role)],
    );
  }
  const listen = ["--listen", "0.0.0.0:0", "--secret-file", at("secret")];
  const http = ["--http", "0.0.0.0:0"];
  await failsWith("E_USAGE", 2, "serve", "--data", at("data"), ...listen, ...http);
  await failsWith("E_BAD_SECRET", 2, "serve", "--data", at("data"), "--secret-file", at("client"));
  await using server = await startServer(["--data", at("data"), ...listen, ...SMALL]);
  assertEquals(server.serving["authentication"], "secret");
  const port = server.address.split(":").at(-1)!;
  const to = ["--server", `127.0.0.1:${port}`, "--timeout", "5s"];
  await failsWith("E_UNAUTHENTICATED", 1, "create", "7", ...to);
  await succeeds("create", "7", ...to, "--secret-file", at("client"));
  await succeeds("get", "7", ...to, "--secret-file", at("reader"));
  await failsWith("E_FORBIDDEN", 1, "create", "8", ...to, "--secret-file", at("reader"));
  await failsWith("E_FORBIDDEN", 1, "tick", ...to, "--secret-file", at("client"));
  await succeeds("tick", ...to, "--secret-file", at("secret"));
  Deno.chmodSync(at("reader"), 0o644);
  await failsWith("E_BAD_SECRET", 2, "get", "7", ...to, "--secret-file", at("reader"));
  assert(server.process.stderr.includes("unauthenticated"), "the log says that somebody tried");
  assertEquals(server.process.stderr.includes(contentOf(at("secret"))), false);
});

Deno.test("a client with a secret does not talk to a server without one", async () => {
  using directory = new TemporaryDirectory();
  const secret = `${directory.path}/secret`;
  await succeeds("secret", "create", "--out", secret);
  const data = ["--data", `${directory.path}/data`, "--listen", "127.0.0.1:0"];
  await using server = await startServer([...data, ...SMALL]);
  assertEquals(server.serving["authentication"], "none");
  const to = ["--server", server.address, "--timeout", "5s"];
  await failsWith("E_UNAUTHENTICATED", 1, "status", ...to, "--secret-file", secret);
  await succeeds("status", ...to);
});

Deno.test("a secret is replaced while old and new clients are served", async () => {
  using directory = new TemporaryDirectory();
  const at = (name: string): string => `${directory.path}/${name}`;
  for (const name of ["old", "new"]) await succeeds("secret", "create", "--out", at(name));
  const both = Deno.readTextFileSync(at("old")) + Deno.readTextFileSync(at("new"));
  Deno.writeTextFileSync(at("both"), both, { mode: 0o600 });
  const serve = ["--data", at("data"), "--listen", "127.0.0.1:0", ...SMALL];
  for (const [file, served] of [["old", "old"], ["both", "old new"], ["new", "new"]] as const) {
    await using server = await startServer([...serve, "--secret-file", at(file)]);
    for (const client of ["old", "new"]) {
      const status = ["status", "--server", server.address, "--secret-file", at(client)];
      if (served.includes(client)) await succeeds(...status);
      else await failsWith("E_UNAUTHENTICATED", 1, ...status);
    }
    server.process.signal("SIGTERM");
    await server.process.exit();
  }
});

/** An address in a workspace's layout. */
function addressIn(workspace: string, name: string): string {
  const layout = Deno.readTextFileSync(`${workspace}/cluster-layout.txt`);
  return new RegExp(`^${name}=(.*)$`, "m").exec(layout)![1]!;
}

Deno.test("a cluster with a secret obeys its workspace's verbs, and clients with a key", async () => {
  using directory = new TemporaryDirectory();
  const at = (name: string): string => `${directory.path}/${name}`;
  await succeeds("secret", "create", "--out", at("secret"));
  await succeeds(
    ...["secret", "derive", "--role", "client", "--from", at("secret"), "--out", at("key")],
  );
  const workspace = ["--workspace", at("ws")];
  const flags = ["--profile", "small", "--secret-file", at("secret")];
  try {
    await succeeds("cluster", "start", ...workspace, ...flags);
    assertMatch((await succeeds("cluster", "status", ...workspace)).stdout, /role=primary/);
    const one = ["--replica-id", "1", "-q"];
    await succeeds("replica", "status", ...workspace, ...one);
    const control = addressIn(at("ws"), "replica.1.control_addr");
    await failsWith("E_UNAUTHENTICATED", 1, "replica", "status", "--addr", control);
    const to = ["--server", addressIn(at("ws"), "replica.1.client_addr")];
    await failsWith("E_UNAUTHENTICATED", 1, "create", "7", ...to);
    await succeeds("create", "7", ...to, "--secret-file", at("key"));
  } finally {
    await run(["cluster", "stop", ...workspace]);
  }
});
