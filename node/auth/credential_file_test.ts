// A secret that others can read is none, and a file that is overwritten is a cluster that is locked out.
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { join } from "@std/path";
import type { ErrorCode } from "../error_catalogue.ts";
import { CliError } from "../errors.ts";
import { type Credential, formatCredential } from "./credential.ts";
import { readCredential, readSecrets, writeCredential } from "./credential_file.ts";

const SECRET: Credential = {
  kind: "secret",
  secrets: [Uint8Array.from({ length: 32 }, (_, i) => i * 7)],
};
const KEY: Credential = { kind: "key", role: "reader", keys: SECRET.secrets };

function withDirectory(use: (path: (name: string) => string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    use((name) => join(directory, name));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function failsWith(code: ErrorCode, call: () => unknown): CliError {
  const error = assertThrows(call, CliError);
  assertEquals(error.code, code);
  return error;
}

Deno.test("writeCredential() makes a file for its owner alone, and readCredential() reads it", () => {
  withDirectory((path) => {
    for (const [name, credential] of [["secret", SECRET], ["key", KEY]] as const) {
      writeCredential(path(name), credential);
      assertEquals(Deno.statSync(path(name)).mode! & 0o777, 0o600);
      assertEquals(readCredential(path(name)), credential);
    }
    assertEquals(readSecrets(path("secret")), SECRET.secrets);
  });
});

Deno.test("writeCredential() leaves alone what is there already", () => {
  withDirectory((path) => {
    Deno.writeTextFileSync(path("secret"), "mine");
    failsWith("E_FILE_EXISTS", () => writeCredential(path("secret"), SECRET));
    assertEquals(Deno.readTextFileSync(path("secret")), "mine");
    failsWith("E_IO", () => writeCredential(path("nowhere/secret"), SECRET));
  });
});

Deno.test("readCredential() refuses a file that anybody else may touch, and says how to mend it", () => {
  withDirectory((path) => {
    writeCredential(path("secret"), SECRET);
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777]) {
      Deno.chmodSync(path("secret"), mode);
      const { message, hint } = failsWith("E_BAD_SECRET", () => readCredential(path("secret")));
      assertMatch(message, new RegExp(`mode is 0${mode.toString(8)}$`));
      assertEquals(hint, `chmod 600 ${path("secret")}`);
    }
    Deno.chmodSync(path("secret"), 0o400);
    assertEquals(readCredential(path("secret")), SECRET);
  });
});

Deno.test("readCredential() refuses what is no secret file without repeating it", () => {
  withDirectory((path) => {
    failsWith("E_BAD_SECRET", () => readCredential(path("missing")));
    failsWith("E_BAD_SECRET", () => readCredential(path("")));
    const good = formatCredential(SECRET);
    for (const text of ["", "hunter2", good.slice(0, 40), good.repeat(5), "#".repeat(100_000)]) {
      Deno.writeTextFileSync(path("secret"), text, { mode: 0o600 });
      const { message } = failsWith("E_BAD_SECRET", () => readCredential(path("secret")));
      assertEquals(message.includes("hunter") || message.includes(good.slice(18, 30)), false);
    }
  });
});

Deno.test("readSecrets() takes no key of a role for the cluster's secret", () => {
  withDirectory((path) => {
    writeCredential(path("key"), KEY);
    failsWith("E_BAD_SECRET", () => readSecrets(path("key")));
  });
});
