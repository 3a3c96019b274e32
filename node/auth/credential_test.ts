// A secret that is misread locks everybody out, and one that is weak lets everybody in: what is read is what was
// written, and everything else is refused without a word of it being repeated.
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type Credential,
  CredentialError,
  formatCredential,
  parseCredential,
} from "./credential.ts";
import { ROLES } from "./roles.ts";

const RANDOM = Uint8Array.from({ length: 32 }, (_, i) => (i * 37) & 0xff);

/** Bytes that look random: all different, in any order. */
function different(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length })
    .map((bytes) => Uint8Array.from(bytes));
}

const CREDENTIALS: fc.Arbitrary<Credential> = fc.oneof(
  fc.array(fc.integer({ min: 32, max: 64 }).chain(different), { minLength: 1, maxLength: 4 })
    .map((secrets) => ({ kind: "secret", secrets }) as unknown as Credential),
  fc.tuple(fc.constantFrom(...ROLES), fc.array(different(32), { minLength: 1, maxLength: 4 }))
    .map(([role, keys]) => ({ kind: "key", role, keys }) as unknown as Credential),
);

Deno.test("parseCredential() reads what formatCredential() wrote, with comments and blank lines in between", () => {
  fc.assert(
    fc.property(CREDENTIALS, (credential) => {
      const text = formatCredential(credential);
      assertEquals(parseCredential(text), credential);
      assertEquals(
        parseCredential(`# a comment\r\n\n  ${text.replaceAll("\n", " \r\n")}`),
        credential,
      );
    }),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("formatCredential() writes the documented text", () => {
  const base64 = "ACVKb5S53gMoTXKXvOEGK1B1mr_kCS5TeJ3C5wwxVns";
  assertEquals(
    formatCredential({ kind: "secret", secrets: [RANDOM] }),
    `allocdb-secret-v1:${base64}\n`,
  );
  assertEquals(
    formatCredential({ kind: "key", role: "reader", keys: [RANDOM] }),
    `allocdb-key-v1:reader:${base64}\n`,
  );
});

Deno.test("parseCredential() refuses what is malformed, weak or a mixture, and never repeats it", () => {
  const good = formatCredential({ kind: "secret", secrets: [RANDOM] }).trim();
  const key = formatCredential({ kind: "key", role: "client", keys: [RANDOM] }).trim();
  const weak = (length: number): string =>
    formatCredential({ kind: "secret", secrets: [new Uint8Array(length).fill(65)] }).trim();
  for (
    const [text, message] of [
      ["", "it holds no secret and no key"],
      ["# nothing\n\n", "it holds no secret and no key"],
      ["hunter2", "line 1 is neither"],
      [`\n${good.toUpperCase()}`, "line 2 is neither"],
      [good.slice(0, -1), "line 1 is not written in base64url"],
      [`${good}=`, "line 1 is not written in base64url"],
      [good.replace("_", "/"), "line 1 is not written in base64url"],
      [`${good} x`, "line 1 is not written in base64url"],
      [good.slice(0, -3), "line 1 has 30 bytes, not 32 to 64"],
      [weak(65), "line 1 has 65 bytes, not 32 to 64"],
      [weak(32), "line 1 does not look random"],
      [key.replace("client", "king"), "line 1 is neither"],
      [`${key}:x`, "line 1 is neither"],
      [`${key.slice(0, -3)}`, "line 1 has 30 bytes, not 32"],
      [`${good}\n${key}`, "its lines are not all of one kind"],
      [`${key}\n${key.replace("client", "reader")}`, "its lines are not all of one kind"],
      [new Array(5).fill(good).join("\n"), "it holds 5 lines, at most 4 are taken"],
    ] as const
  ) {
    const error = assertThrows(() => parseCredential(text), CredentialError);
    assert(error.message.startsWith(message), `${error.message} for ${message}`);
    assert(!error.message.includes("ACVKb5S5") && !error.message.includes("hunter"));
  }
});
