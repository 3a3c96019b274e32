// TLS as an operator sets it up: an authority, a certificate, a server that shows it and clients that believe it.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { run, startServer, TemporaryDirectory } from "./server_process.ts";

async function succeeds(...args: string[]): Promise<string> {
  const ended = await run(args);
  assertEquals([ended.code, ended.stderr], [0, ""], args.join(" "));
  return ended.stdout;
}

async function failsWith(code: string, ...args: string[]): Promise<void> {
  const ended = await run(args);
  assertStringIncludes(ended.stderr, `error[${code}]`, args.join(" "));
}

Deno.test("a server shows a certificate of its own authority to clients that trust that", async () => {
  using directory = new TemporaryDirectory();
  const at = (name: string): string => `${directory.path}/${name}`;
  for (const name of ["ours", "theirs"]) {
    Deno.mkdirSync(at(name));
    await succeeds("tls", "create-ca", "--out", at(name));
  }
  const made = ["--ca", at("ours"), "--hosts", "127.0.0.1,localhost", "--out", at("ours")];
  await succeeds("tls", "create-cert", "node", ...made);
  await failsWith("E_FILE_EXISTS", "tls", "create-cert", "node", ...made);
  assertEquals(Deno.statSync(at("ours/node-key.pem")).mode! & 0o777, 0o600);
  await succeeds("secret", "create", "--out", at("secret"));

  const serve = ["--data", at("data"), "--listen", "127.0.0.1:0", "--profile", "small"];
  await failsWith("E_USAGE", "serve", ...serve, "--tls-cert", at("ours/node.pem"));
  const shown = ["--tls-cert", at("ours/node.pem"), "--tls-key", at("ours/node-key.pem")];
  const proof = ["--secret-file", at("secret")];
  await using server = await startServer([...serve, ...shown, ...proof]);
  assertEquals(server.serving["transport"], "tls");
  const to = ["--server", server.address, "--timeout", "5s", ...proof];
  await succeeds("create", "7", ...to, "--tls-ca", at("ours/ca.pem"));
  await failsWith("E_UNAUTHENTICATED", "create", "8", ...to, "--tls-ca", at("theirs/ca.pem"));
  await failsWith("E_BAD_CERTIFICATE", "create", "8", ...to, "--tls-ca", at("ours/none.pem"));
  await failsWith("E_PROTOCOL", "create", "8", ...to);
});
