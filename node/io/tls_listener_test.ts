// Two small writes in a row must not wait for a delayed acknowledgement: the option is found on the socket that
// listens and on every connection that it accepts, and on nobody else's.
import { assertEquals } from "@std/assert";
import { createAuthority, createCertificate } from "../auth/certificates.ts";
import { listenTls, sendAtOnce } from "./tls_listener.ts";

const now = new Date();
const authority = await createAuthority({ commonName: "ca", hosts: [], days: 1, now });
const tls = await createCertificate(
  { commonName: "x", hosts: ["127.0.0.1", "::1"], days: 1, now },
  authority,
);

Deno.test({
  name: "sendAtOnce() finds the listening sockets of a port, of either family, and no others",
  ignore: Deno.build.os !== "linux",
  fn: () => {
    using four = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    using _other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    assertEquals(sendAtOnce(four.addr.port), 1);
    const { port } = four.addr;
    four.close();
    assertEquals(sendAtOnce(port), 0);
    using six = Deno.listen({ hostname: "::1", port: 0 });
    assertEquals(sendAtOnce(six.addr.port), 1);
  },
});

Deno.test("listenTls() gives connections on which TLS works", async () => {
  for (const hostname of ["127.0.0.1", "::1"]) {
    using listener = listenTls({ hostname, port: 0 }, tls);
    const { port } = listener.addr;
    const serving = (async () => {
      using conn = await listener.accept();
      for (let i = 0; i < 3; i++) await conn.write(Uint8Array.of(i));
    })();
    const conn = await Deno.connectTls({ hostname, port, caCerts: [authority.certificate] });
    const bytes: number[] = [];
    for (const piece = new Uint8Array(8);;) {
      const count = await conn.read(piece);
      if (count === null) break;
      bytes.push(...piece.subarray(0, count));
    }
    conn.close();
    await serving;
    assertEquals(bytes, [0, 1, 2]);
  }
});
