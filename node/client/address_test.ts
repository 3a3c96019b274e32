// An address is typed by people: what is none must be said so before anything is dialled.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dial, parseAddress } from "./address.ts";
import { TransportError } from "./types.ts";

Deno.test("parseAddress() reads host:port and bracketed IPv6", () => {
  const cases = [
    ["127.0.0.1:7400", "127.0.0.1", 7400],
    ["db-1.example.org:1", "db-1.example.org", 1],
    ["[::1]:65535", "::1", 65535],
  ] as const;
  for (const [text, hostname, port] of cases) {
    assertEquals(parseAddress(text), { text, hostname, port });
  }
});

Deno.test("parseAddress() refuses everything else", () => {
  const refused = ["", "host", "host:", ":7400", "host:0", "host:65536", "host:7x", "::1:7400"];
  for (const text of [...refused, "http://host:7400", "a b:7400", "host:7400/", "[::1]", "[x]:1"]) {
    assertThrows(() => parseAddress(text), TypeError);
  }
});

Deno.test("dial() says that nobody listens, and where", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const address = parseAddress(`127.0.0.1:${port}`);
  const error = await assertRejects(() => dial(address, 1_000), TransportError, `:${port}`);
  assertEquals(error.code, "unreachable");
});
