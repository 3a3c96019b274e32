/** `replica status`: one question to a replica's control port, as text, JSON or an exit code. */
import { proveToControl } from "../auth/control_auth.ts";
import { readCredential } from "../auth/credential_file.ts";
import { controlCall, ControlFailure, type ControlFailureKind } from "../control/client.ts";
import type { ControlPeer, ControlStatus } from "../control/messages.ts";
import type { ErrorCode } from "../error_catalogue.ts";
import { CliError } from "../errors.ts";
import { timeoutOf } from "./context.ts";
import type { CliIo } from "./io.ts";
import { parseAddress } from "./numbers.ts";
import type { LocatedReplica, LocateReplica, Requirement } from "./options.ts";
import { type Data, show, type Style } from "./output.ts";
import { parseReplicaId } from "./read_replica_options.ts";

/** Flags of status, as typed. */
export interface ReplicaStatusFlags {
  readonly addr?: string | undefined;
  readonly workspace?: string | undefined;
  readonly replicaId?: string | undefined;
  readonly require?: Requirement | undefined;
  readonly timeout?: string | undefined;
  readonly secretFile?: string | undefined;
}

/** How long to try unless told, in milliseconds. */
const TIMEOUT_MS_DEFAULT = 1_000;

/** `replica status` in all its forms. */
export async function replicaStatus(
  io: CliIo,
  style: Style,
  flags: ReplicaStatusFlags,
  locate: LocateReplica,
): Promise<void> {
  const { address, secretFile } = await locateBy(flags, locate);
  const timeoutMs = flags.timeout === undefined ? TIMEOUT_MS_DEFAULT : timeoutOf(flags.timeout);
  const status = await askStatus(address, timeoutMs, flags.secretFile ?? secretFile);
  await show(io, { data: statusData(status), quiet: status.role }, style);
  if (flags.require !== undefined) demand(status, flags.require);
}

async function locateBy(
  flags: ReplicaStatusFlags,
  locate: LocateReplica,
): Promise<LocatedReplica> {
  const { addr, workspace, replicaId } = flags;
  if ((addr === undefined) === (workspace === undefined)) {
    throw new CliError("E_USAGE", "give either --addr or --workspace with --replica-id", {
      hint: "allocdb replica status --workspace DIR --replica-id 1",
    });
  }
  if (addr !== undefined) {
    if (replicaId === undefined) {
      return { address: parseAddress(addr, "--addr", 1), secretFile: undefined };
    }
    throw new CliError("E_USAGE", "--replica-id goes with --workspace, not with --addr");
  }
  if (replicaId === undefined) {
    throw new CliError("E_USAGE", "--workspace has several replicas: give --replica-id, too");
  }
  return await locate(workspace!, parseReplicaId(replicaId));
}

async function askStatus(
  address: string,
  timeoutMs: number,
  secretFile: string | undefined,
): Promise<ControlStatus> {
  const prove = secretFile === undefined ? {} : {
    prove: proveToControl(readCredential(secretFile)),
  };
  try {
    return await controlCall(address, { request: "status" }, { timeoutMs, ...prove });
  } catch (error) {
    if (error instanceof ControlFailure) throw controlFailure(error, address);
    throw error;
  }
}

const FAILURE_CODES: Readonly<Record<ControlFailureKind, ErrorCode>> = {
  unreachable: "E_UNREACHABLE",
  timeout: "E_NO_ANSWER",
  closed: "E_NO_ANSWER",
  protocol: "E_PROTOCOL",
  refused: "E_REFUSED",
};

function errorCode({ kind, code }: ControlFailure): ErrorCode {
  if (code === "denied") return "E_UNAUTHENTICATED";
  return code === "forbidden" ? "E_FORBIDDEN" : FAILURE_CODES[kind];
}

/**
 * A control call without an answer, as an error of the contract.
 *
 * @param failure What the call threw.
 * @param address Whom it was put to.
 */
export function controlFailure(failure: ControlFailure, address: string): CliError {
  const code = errorCode(failure);
  return new CliError(code, `${address}: ${failure.message}`, {
    ...(failure.kind === "unreachable" ? { hint: UNREACHABLE_HINT } : {}),
    context: { address, reason: failure.code ?? failure.kind },
    cause: failure,
  });
}

const UNREACHABLE_HINT = "is the replica running? `allocdb cluster status --workspace DIR` says";

/**
 * A status to print: the runbook's fields in its order, then ours, peers and counters last.
 *
 * @param status What a replica answered.
 */
export function statusData(status: ControlStatus): Data {
  const { peers, counters, ...flat } = status;
  const byId = peers.map((peer): [string, Data] => [String(peer.replica_id), peerData(peer)]);
  return { ...flat, peers: Object.fromEntries(byId), counters };
}

function peerData({ replica_id: _, ...facts }: ControlPeer): Data {
  return facts;
}

function demand(status: ControlStatus, required: Requirement): void {
  if (meets(status, required)) return;
  const { replica_id, state, role, accepting_writes, fault_reason } = status;
  const why = fault_reason === undefined ? "" : `: ${fault_reason}`;
  const message = `replica ${replica_id} is not ${required}, it is ${state} as ${role}${why}`;
  throw new CliError("E_NOT_READY", message, {
    context: { replica_id, state, role, accepting_writes, required },
  });
}

/** Whether a replica is what a probe asks for. */
export function meets(status: ControlStatus, required: Requirement): boolean {
  const isActive = status.state === "active";
  switch (required) {
    case "active":
      return isActive;
    case "primary":
    case "backup":
      return isActive && status.role === required;
    case "writable":
      return isActive && status.role === "primary" && status.accepting_writes === true;
  }
}
