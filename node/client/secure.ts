import type { Address } from "./address.ts";
import { TransportError } from "./types.ts";

/**
 * Has a server prove over TLS who it is.
 *
 * @param conn A connection around which TLS was put, silent so far.
 * @param address Whom it should lead to: the certificate must name its host.
 * @throws {TransportError} `unauthenticated` when the server shows no certificate to believe, `protocol_error` when
 * it does not speak TLS, `unreachable` when the connection ended.
 */
export async function verifyServer(conn: Deno.TlsConn, { text }: Address): Promise<void> {
  try {
    await conn.handshake();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!(error instanceof Deno.errors.InvalidData)) {
      throw new TransportError("unreachable", `${text} closed the connection: ${reason}`);
    }
    const isAboutTrust = reason.includes("certificate");
    throw isAboutTrust
      ? new TransportError("unauthenticated", `${text}: ${reason}`)
      : new TransportError("protocol_error", `${text} does not speak TLS: ${reason}`);
  }
}
