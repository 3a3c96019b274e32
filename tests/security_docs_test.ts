// docs/security.md is what somebody trusts his data to: its table of roles is the program's.
import { assert, assertEquals } from "@std/assert";
import { KEY_BYTES } from "../node/auth/credential.ts";
import { NONCE_BYTES, PROOF_BYTES } from "../node/auth/handshake.ts";
import { KEY_ID_BYTES } from "../node/auth/keys.ts";
import { CHANNELS, PERMISSIONS, type Role, ROLE_NUMBERS, ROLES } from "../node/auth/roles.ts";
import { serverDeadlines } from "../node/server/options.ts";

const DOCUMENT = Deno.readTextFileSync(new URL("../docs/security.md", import.meta.url));
const TEXT = DOCUMENT.replaceAll(/\s+/g, " ");

Deno.test("the table of roles in docs/security.md is the one that is enforced", () => {
  const [head, , ...rows] = DOCUMENT.split("\n## Roles")[1]!.split("\n## ")[0]!.split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")));
  assertEquals(head, ["Port", "Request", ...ROLES]);
  const enforced = CHANNELS.flatMap((channel) =>
    Object.entries(PERMISSIONS[channel]).map(([request, roles]: [string, readonly Role[]]) => [
      channel,
      request,
      ...ROLES.map((role) => roles.includes(role) ? "yes" : ""),
    ])
  );
  assertEquals(rows, enforced);
});

Deno.test("docs/security.md states the sizes, numbers and times that are used", () => {
  const numbers = ROLES.map((role) => `${ROLE_NUMBERS[role]} \`${role}\``).join(", ");
  const stated = [
    `HKDF-SHA-256 of the secret, ${KEY_BYTES} bytes`,
    `the first ${KEY_ID_BYTES} bytes of HMAC-SHA-256`,
    `nonce (${NONCE_BYTES} bytes), the client's nonce (${NONCE_BYTES}), the cluster id (16)`,
    `the role's number (${numbers})`,
  ];
  for (const text of stated) assert(TEXT.includes(text), text);
  assertEquals([PROOF_BYTES, serverDeadlines({ version: "x" }).handshakeMs], [32, 5_000]);
});
