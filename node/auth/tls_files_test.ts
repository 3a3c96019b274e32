// What a server shows is tried before it listens: a certificate with somebody else's key, or half of a pair, is a
// mistake to be told at once.
import { assertEquals, assertThrows } from "@std/assert";
import type { ErrorCode } from "../error_catalogue.ts";
import { CliError } from "../errors.ts";
import { createAuthority } from "./certificates.ts";
import { readPem, readServerTls } from "./tls_files.ts";

const request = { commonName: "x", hosts: [], days: 1, now: new Date() };
const [one, two] = [await createAuthority(request), await createAuthority(request)];

function withFiles(use: (at: (name: string) => string) => void): void {
  const directory = Deno.makeTempDirSync();
  const at = (name: string): string => `${directory}/${name}`;
  try {
    Deno.writeTextFileSync(at("cert"), one.certificate);
    Deno.writeTextFileSync(at("key"), one.privateKey, { mode: 0o600 });
    Deno.writeTextFileSync(at("other-key"), two.privateKey, { mode: 0o600 });
    Deno.writeTextFileSync(at("open-key"), one.privateKey, { mode: 0o644 });
    Deno.writeTextFileSync(at("empty"), "", { mode: 0o600 });
    use(at);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function failsWith(code: ErrorCode, call: () => unknown): void {
  assertEquals(assertThrows(call, CliError).code, code);
}

Deno.test("readServerTls() reads a certificate with its key, or nothing at all", () => {
  withFiles((at) => {
    assertEquals(readServerTls(at("cert"), at("key")), one);
    assertEquals(readServerTls(undefined, undefined), undefined);
  });
});

Deno.test("readServerTls() refuses what is not a pair, and a key that is open to others", () => {
  withFiles((at) => {
    failsWith("E_USAGE", () => readServerTls(at("cert"), undefined));
    failsWith("E_USAGE", () => readServerTls(undefined, at("key")));
    failsWith("E_BAD_CERTIFICATE", () => readServerTls(at("cert"), at("other-key")));
    failsWith("E_BAD_CERTIFICATE", () => readServerTls(at("key"), at("key")));
    failsWith("E_BAD_CERTIFICATE", () => readServerTls(at("cert"), at("empty")));
    failsWith("E_BAD_CERTIFICATE", () => readServerTls(at("missing"), at("key")));
    failsWith("E_BAD_SECRET", () => readServerTls(at("cert"), at("missing")));
    failsWith("E_BAD_SECRET", () => readServerTls(at("cert"), at("open-key")));
  });
});

Deno.test("readPem() takes a file for what it was asked for and for nothing else", () => {
  withFiles((at) => {
    assertEquals(readPem(at("cert"), "CERTIFICATE"), one.certificate);
    failsWith("E_BAD_CERTIFICATE", () => readPem(at("key"), "CERTIFICATE"));
  });
});
