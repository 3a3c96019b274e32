// A node that anybody can reach must know whom it talks to; HTTP knows nobody and stays at home.
import { assertEquals, assertThrows } from "@std/assert";
import { CliError } from "./errors.ts";
import { requireLoopback, requireSecretBeyondLoopback } from "./listen_rule.ts";

const HERE = ["127.0.0.1:0", "127.8.9.1:7100", "localhost:7100", "[::1]:7100", "::1:7100"];
const BEYOND = [
  ...["0.0.0.0:7100", "[::]:7100", "10.0.0.1:7100", "node-1:7100", "127.0.0.1.example:7100"],
  ...["localhost.example:7100", "1127.0.0.1:7100", "[::2]:7100", ":7100"],
];

Deno.test("requireSecretBeyondLoopback() lets a node listen at home, and elsewhere with a secret", () => {
  for (const address of HERE) requireSecretBeyondLoopback(address, "--listen", false);
  for (const address of BEYOND) {
    requireSecretBeyondLoopback(address, "--listen", true);
    const listen = (): void => requireSecretBeyondLoopback(address, "--listen", false);
    const error = assertThrows(listen, CliError, `--listen ${address} is not a loopback address`);
    assertEquals([error.code, error.exitCode], ["E_USAGE", 2]);
  }
});

Deno.test("requireLoopback() lets HTTP listen at home and nowhere else", () => {
  for (const address of HERE) requireLoopback(address, "--http");
  for (const address of BEYOND) {
    const listen = (): void => requireLoopback(address, "--http");
    assertThrows(listen, CliError, `--http ${address} is not a loopback address`);
  }
});
