import { dial } from "../client/address.ts";
import { listenTls } from "../io/tls_listener.ts";
import type { PeerMember, PeerTls } from "./options.ts";

/**
 * Opens a connection to another replica that sends at once.
 *
 * @param member Where to.
 * @param tls Certificates to insist on, if any. The handshake happens with the first bytes.
 * @param timeoutMs How long it may take.
 * @returns The connection.
 * @throws {Error} With a message for people.
 */
export async function dialPeer(
  { hostname, port }: PeerMember,
  tls: PeerTls | undefined,
  timeoutMs: number,
): Promise<Deno.Conn> {
  const text = hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
  const conn = await dial({ hostname, port, text }, timeoutMs);
  if (tls === undefined) return conn;
  return await Deno.startTls(conn, { hostname, caCerts: [...tls.authorities] });
}

/** Listens for other replicas. Errors are those of `Deno.listen`. */
export function listenForPeers(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  tls: PeerTls | undefined,
): Deno.Listener<Deno.Conn, Deno.NetAddr> {
  if (tls === undefined) return Deno.listen({ hostname, port });
  return listenTls({ hostname, port }, tls);
}
