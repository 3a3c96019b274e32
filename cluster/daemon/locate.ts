/** From a path and a number, as typed, to a replica of a layout. */
import { join } from "@std/path";
import type { LocatedReplica } from "../../node/cli/options.ts";
import { CliError } from "../../node/errors.ts";
import { type ClusterLayout, type ReplicaLayout, replicaOf } from "../workspace/layout.ts";
import { LAYOUT_FILE, readLayout } from "../workspace/workspace_files.ts";

/** One replica of a layout. */
export interface Located {
  readonly layout: ClusterLayout;
  readonly replica: ReplicaLayout;
}

/**
 * Finds a replica in a layout file.
 *
 * @param path The layout file.
 * @param replicaId Which replica.
 * @throws {CliError} When there is no such file, it is no layout, or it has no such replica.
 */
export function findReplica(path: string, replicaId: bigint): Located {
  const layout = readLayout(path);
  if (layout === undefined) {
    throw new CliError("E_NO_WORKSPACE", `there is no layout ${path}`, {
      hint: "make a cluster first: allocdb cluster start --workspace DIR",
      context: { layout: path },
    });
  }
  const replica = replicaOf(layout, replicaId);
  if (replica !== undefined) return { layout, replica };
  throw new CliError("E_NO_SUCH_REPLICA", `replica ${replicaId} is not present in ${path}`, {
    hint: `the replicas are ${layout.members.join(", ")}`,
    context: { replica_id: replicaId, layout: path },
  });
}

/**
 * Where the operator of a replica of a workspace finds it, and what he has to prove there.
 *
 * @param workspace Its directory.
 * @param replicaId Which replica.
 * @throws {CliError} As {@linkcode findReplica}.
 */
export function locateReplica(workspace: string, replicaId: bigint): Promise<LocatedReplica> {
  const { layout, replica } = findReplica(join(workspace, LAYOUT_FILE), replicaId);
  return Promise.resolve({ address: replica.controlAddr, secretFile: layout.secretPath });
}
