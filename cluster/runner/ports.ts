/** Loopback ports: finding free ones for a new workspace, and who is in the way of an old one. */
import { parseAddress } from "../../node/client/address.ts";
import { CliError } from "../../node/errors.ts";
import type { ReplicaAddresses, ReplicaLayout } from "../workspace/layout.ts";

const LOOPBACK = "127.0.0.1";

/** Three free ports for each replica. Nobody is kept from taking one before the replica does. */
export function freeAddresses(replicas: number): readonly ReplicaAddresses[] {
  const listeners = Array.from(
    { length: replicas * 3 },
    () => Deno.listen({ hostname: LOOPBACK, port: 0 }),
  );
  const addresses = listeners.map(({ addr }) => `${LOOPBACK}:${addr.port}`);
  for (const listener of listeners) listener.close();
  return Array.from({ length: replicas }, (_, i) => ({
    control: addresses[i * 3]!,
    client: addresses[i * 3 + 1]!,
    protocol: addresses[i * 3 + 2]!,
  }));
}

/** @throws {CliError} E_PORT_IN_USE when a replica that is about to start could not listen. */
export function requirePortsFree(replica: ReplicaLayout): void {
  const addresses = {
    control: replica.controlAddr,
    client: replica.clientAddr,
    protocol: replica.protocolAddr,
  };
  for (const [name, address] of Object.entries(addresses)) {
    try {
      const { hostname, port } = parseAddress(address);
      Deno.listen({ hostname, port }).close();
    } catch (error) {
      throw cannotListen(replica.id, name, address, error);
    }
  }
}

function cannotListen(id: bigint, name: string, address: string, error: unknown): CliError {
  const context = { replica_id: id, address };
  if (error instanceof Deno.errors.AddrInUse) {
    return new CliError(
      "E_PORT_IN_USE",
      `replica ${id} cannot listen for ${name} on ${address}: another process does`,
      {
        hint: "end that process; the ports of a workspace are fixed in its cluster-layout.txt",
        context,
      },
    );
  }
  const text = error instanceof Error ? error.message : String(error);
  return new CliError("E_IO", `replica ${id} cannot listen for ${name} on ${address}: ${text}`, {
    context,
  });
}
