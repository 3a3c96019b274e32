/** Who may talk to a replica. */
import { readSecrets } from "../../node/auth/credential_file.ts";
import { createPeerAuth } from "../../node/auth/peer_auth.ts";
import { parseAddress } from "../../node/client/address.ts";
import { CliError } from "../../node/errors.ts";
import type { PeerAuth } from "../../node/peer/options.ts";
import type { ClusterLayout, ReplicaLayout } from "../workspace/layout.ts";

/** What callers have to prove, if anything. */
export interface Security {
  /** The cluster's secrets, the current one first; absent when it has none. */
  readonly secrets: readonly [Uint8Array, ...Uint8Array[]] | undefined;
  readonly peerAuth: PeerAuth | undefined;
}

/**
 * Reads the cluster's secret.
 *
 * @param layout The cluster.
 * @param replica Who listens.
 * @param http Where the HTTP gateway is to listen, if it is.
 * @throws {CliError} When the secret cannot be used, or there is none although others can reach this replica.
 */
export function loadSecurity(
  layout: ClusterLayout,
  replica: ReplicaLayout,
  http: string | undefined,
): Security {
  const secrets = layout.secretPath === undefined ? undefined : readSecrets(layout.secretPath);
  if (secrets !== undefined) return { secrets, peerAuth: createPeerAuth(secrets, "tcp") };
  const { controlAddr, clientAddr, protocolAddr } = replica;
  for (const address of [controlAddr, clientAddr, protocolAddr, http]) {
    if (address !== undefined) requireLoopback(address);
  }
  return { secrets: undefined, peerAuth: undefined };
}

/** Whoever reaches a port without a secret may do everything. */
function requireLoopback(address: string): void {
  if (isLoopback(hostOf(address))) return;
  throw new CliError(
    "E_USAGE",
    `${address} can be reached by others, and the cluster has no secret`,
    {
      hint:
        "make one with `allocdb secret create --out FILE` and name it as secret_path in the layout",
      context: { address },
    },
  );
}

/** Whether only this machine reaches an address. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** A port of 0 is an address, too, where the system may choose one. */
function hostOf(address: string): string {
  return parseAddress(address.replace(/:0$/, ":1")).hostname;
}
