/** What replicas are found to be, and their states. */
import type { Observed } from "../../../../cluster/runner/observe.ts";
import type { ClusterLayout } from "../../../../cluster/workspace/layout.ts";
import { proveToControl } from "../../../../node/auth/control_auth.ts";
import { readCredential } from "../../../../node/auth/credential_file.ts";
import { controlCall, ControlFailure } from "../../../../node/control/client.ts";
import type { ReplicaDigest, ReplicaStatus } from "../backend.ts";

/** How long a replica may take to hash its state, in milliseconds. */
const DIGEST_MS_MAX = 10_000;

/** One replica in the words of every backend. */
export function statusOf(observed: Observed): ReplicaStatus {
  const id = Number(observed.replica.id);
  switch (observed.kind) {
    case "answering":
      return answering(id, observed.status);
    case "unreachable":
      return { id, state: observed.paused ? "paused" : "unreachable", serves: false };
    case "stopped":
      return { id, state: "stopped", serves: false };
    case "stranger":
      return { id, state: "unreachable", serves: false, detail: observed.says };
  }
}

function answering(
  id: number,
  status: Extract<Observed, { readonly kind: "answering" }>["status"],
): ReplicaStatus {
  const { state, role, fault_reason: detail, commit_lsn: commitLsn } = status;
  return {
    ...{ id, state, role, view: status.current_view, commitOp: status.commit_op },
    ...{ appliedOp: status.applied_op, tipOp: status.tip_op },
    serves: state === "active" && role === "primary" && status.accepting_writes === true,
    ...(commitLsn === undefined ? {} : { commitLsn }),
    ...(detail === undefined ? {} : { detail }),
  };
}

/** The state of every replica; nothing when one does not say. */
export async function askDigests(
  { replicas, secretPath }: ClusterLayout,
): Promise<readonly ReplicaDigest[] | undefined> {
  const prove = secretPath === undefined
    ? {}
    : { prove: proveToControl(readCredential(secretPath)) };
  const options = { timeoutMs: DIGEST_MS_MAX, ...prove };
  try {
    return await Promise.all(replicas.map(async ({ id, controlAddr }) => {
      const said = await controlCall(controlAddr, { request: "digest" }, options);
      return { id: Number(id), op: said.op, lsn: said.lsn, digest: said.digest };
    }));
  } catch (error) {
    if (error instanceof ControlFailure) return undefined;
    throw error;
  }
}
