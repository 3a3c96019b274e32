/** Who may talk to a replica, and over what. */
import { readSecrets } from "../../node/auth/credential_file.ts";
import { createPeerAuth } from "../../node/auth/peer_auth.ts";
import { readPem, readServerTls, type ServerTls } from "../../node/auth/tls_files.ts";
import type { ReplicaRunOptions } from "../../node/cli/options.ts";
import { requireLoopback, requireSecretBeyondLoopback } from "../../node/listen_rule.ts";
import type { PeerAuth, PeerTls } from "../../node/peer/options.ts";
import type { ClusterLayout, ReplicaLayout } from "../workspace/layout.ts";

/** What callers have to prove, and what they are shown. */
export interface Security {
  /** The cluster's secrets, the current one first; absent when it has none. */
  readonly secrets: readonly [Uint8Array, ...Uint8Array[]] | undefined;
  readonly peerAuth: PeerAuth | undefined;
  /** What clients are shown over TLS; plain TCP when absent. */
  readonly tls: ServerTls | undefined;
  /** The same for replicas, and who vouches for the others. */
  readonly peerTls: PeerTls | undefined;
}

/**
 * Reads the cluster's secret, and certificates.
 *
 * @param layout The cluster.
 * @param replica Who listens.
 * @param run Where the HTTP gateway is to listen, if it is, and which files have certificates.
 * @throws {CliError} When a file cannot be used, or there is no secret although others can reach this replica.
 */
export function loadSecurity(
  { secretPath }: ClusterLayout,
  { controlAddr, clientAddr, protocolAddr }: ReplicaLayout,
  run: Pick<ReplicaRunOptions, "http" | "tlsCert" | "tlsKey" | "tlsCa">,
): Security {
  if (run.http !== undefined) requireLoopback(run.http, "--http");
  const hasSecret = secretPath !== undefined;
  requireSecretBeyondLoopback(controlAddr, "the control address", hasSecret);
  requireSecretBeyondLoopback(clientAddr, "the client address", hasSecret);
  requireSecretBeyondLoopback(protocolAddr, "the protocol address", hasSecret);
  const tls = readServerTls(run.tlsCert, run.tlsKey);
  const secrets = secretPath === undefined ? undefined : readSecrets(secretPath);
  return {
    secrets,
    peerAuth: secrets && createPeerAuth(secrets, tls === undefined ? "tcp" : "tls"),
    tls,
    peerTls: tls && { ...tls, authorities: authorities(run.tlsCa) },
  };
}

function authorities(file: string | undefined): readonly string[] {
  return file === undefined ? [] : [readPem(file, "CERTIFICATE")];
}
