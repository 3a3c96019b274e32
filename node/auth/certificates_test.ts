// A certificate is right when others say so: Deno's TLS connects by every name in it and by no other, and
// refuses another authority's. OpenSSL, where it is installed, has its say, too.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type CertifiedKey, createAuthority, createCertificate } from "./certificates.ts";

const NOW = new Date();
const HOSTS = ["localhost", "127.0.0.1", "::1", "db-1.example"];

function authority(name: string): Promise<CertifiedKey> {
  return createAuthority({ commonName: name, hosts: [], days: 3_650, now: NOW });
}

function certificate(hosts: readonly string[], by: CertifiedKey, days = 10): Promise<CertifiedKey> {
  return createCertificate({ commonName: "replica", hosts, days, now: NOW }, by);
}

/** Says something through TLS to whoever shows `shown`, and gives what comes back. */
async function talk(shown: CertifiedKey, trusted: CertifiedKey, hostname: string): Promise<string> {
  const { certificate: cert, privateKey: key } = shown;
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const serving = (async () => {
    const conn = await listener.accept();
    try {
      await conn.write(new TextEncoder().encode("hello"));
      await conn.read(new Uint8Array(1));
    } catch {
      // The client did not like the certificate.
    } finally {
      conn.close();
    }
  })();
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  try {
    const conn = await Deno.startTls(plain, { hostname, caCerts: [trusted.certificate] });
    const bytes = new Uint8Array(10);
    const count = await conn.read(bytes).finally(() => conn.close());
    return new TextDecoder().decode(bytes.subarray(0, count ?? 0));
  } finally {
    await serving;
  }
}

Deno.test("a certificate is good for every host in it and for no other", async () => {
  const ours = await authority("ours");
  const shown = await certificate(HOSTS, ours);
  for (const host of HOSTS) assertEquals(await talk(shown, ours, host), "hello", host);
  for (const host of ["127.0.0.2", "::2", "db-2.example", "example"]) {
    await assertRejects(() => talk(shown, ours, host), Error, "not valid for name");
  }
});

Deno.test("a certificate of another authority of the same name is refused, and one that is over", async () => {
  const [ours, theirs] = [await authority("ca"), await authority("ca")];
  const shown = await certificate(HOSTS, theirs);
  await assertRejects(() => talk(shown, ours, "localhost"), Error, "certificate");
  const past = await createCertificate(
    { commonName: "x", hosts: HOSTS, days: 1, now: new Date(NOW.getTime() - 100 * 86_400_000) },
    ours,
  );
  await assertRejects(() => talk(past, ours, "localhost"), Error, "expired");
});

Deno.test("a certificate cannot vouch for others", async () => {
  const ours = await authority("ca");
  const server = await certificate(HOSTS, ours);
  const forged = await certificate(HOSTS, server);
  const chain = { ...forged, certificate: forged.certificate + server.certificate };
  await assertRejects(() => talk(chain, ours, "localhost"), Error);
});

const hasOpenssl = await new Deno.Command("openssl", { args: ["version"], stdout: "null" })
  .output().then(({ success }) => success, () => false);

Deno.test({
  name: "OpenSSL finds nothing wrong with an authority and a certificate of it",
  ignore: !hasOpenssl, // Not every machine that builds AllocDB has it.
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      const ours = await authority("ca");
      const { certificate: text } = await certificate(HOSTS, ours);
      await Deno.writeTextFile(`${directory}/ca`, ours.certificate);
      await Deno.writeTextFile(`${directory}/cert`, text);
      const openssl = async (...args: string[]): Promise<string> => {
        const { stdout } = await new Deno.Command("openssl", { args, cwd: directory }).output();
        return new TextDecoder().decode(stdout);
      };
      const verified = await openssl(
        ...["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca", "cert"],
      );
      assertEquals(verified, "cert: OK\n");
      const shown = await openssl("x509", "-in", "cert", "-noout", "-text");
      for (const part of ["ASN1 OID: prime256v1", "CA:FALSE", "Digital Signature"]) {
        assert(shown.includes(part), shown);
      }
      assert(shown.includes("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1"));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
