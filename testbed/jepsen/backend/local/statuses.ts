/** What replicas are found to be, and their states. */
import type { Observed } from "../../../../cluster/runner/observe.ts";
import type { ClusterLayout } from "../../../../cluster/workspace/layout.ts";
import { proveToControl } from "../../../../node/auth/control_auth.ts";
import { readCredential } from "../../../../node/auth/credential_file.ts";
import {
  controlCall,
  type ControlCallOptions,
  ControlFailure,
} from "../../../../node/control/client.ts";
import type { ReplicaDigest, ReplicaStatus } from "../backend.ts";

/** How long a replica may take to hash or to write its state, in milliseconds. */
const STATE_MS_MAX = 10_000;

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
  layout: ClusterLayout,
): Promise<readonly ReplicaDigest[] | undefined> {
  const options = callOptions(layout);
  return await answerOf(() =>
    Promise.all(layout.replicas.map(async ({ id, controlAddr }) => {
      const said = await controlCall(controlAddr, { request: "digest" }, options);
      return { id: Number(id), op: said.op, lsn: said.lsn, digest: said.digest };
    }))
  );
}

/** Whether a replica wrote a snapshot when it was asked to. */
export async function askCheckpoint(layout: ClusterLayout, id: number): Promise<boolean> {
  const { controlAddr } = layout.replicas.find((replica) => replica.id === BigInt(id))!;
  const request = { request: "checkpoint" } as const;
  const said = await answerOf(() => controlCall(controlAddr, request, callOptions(layout)));
  return said !== undefined;
}

function callOptions({ secretPath }: ClusterLayout): ControlCallOptions {
  const timeoutMs = STATE_MS_MAX;
  if (secretPath === undefined) return { timeoutMs };
  return { timeoutMs, prove: proveToControl(readCredential(secretPath)) };
}

/** Nothing from one that does not answer, or says no. */
async function answerOf<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ControlFailure) return undefined;
    throw error;
  }
}
