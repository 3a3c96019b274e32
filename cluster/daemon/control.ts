/** Carries out what an operator asks a replica for. */
import type { CheckpointResult } from "../../node/api.ts";
import { snakeCase } from "../../node/cli/fields.ts";
import {
  controlError,
  type ControlReply,
  type ControlRequest,
  type ControlStatus,
  type LogLevel,
} from "../../node/control/messages.ts";
import type { ControlHandler } from "../../node/control/handler.ts";
import type { ReplicaHost } from "./host.ts";

/** What requests act on. */
export interface Controlled {
  readonly host: ReplicaHost;
  status(): ControlStatus;
  /** Begins to stop; the answer still goes out. */
  stop(drainMs: number): void;
  /** Everything that is wrong on purpose, as it is now. */
  faultLines(): Promise<readonly string[]>;
  setLogLevel(level: LogLevel): void;
}

/** Answers every request of docs/wire.md#control. */
export function controlHandler(controlled: Controlled): ControlHandler {
  return (request) => answer(controlled, request);
}

function answer(
  controlled: Controlled,
  request: ControlRequest,
): ControlReply | Promise<ControlReply> {
  const { host } = controlled;
  switch (request.request) {
    case "status":
      return controlled.status();
    case "stop":
      controlled.stop(request.drain_ms);
      return { status: "ok" };
    case "digest":
      return unlessFaulted(host, () => {
        const found = host.digest();
        return found === undefined ? NO_STATE : { status: "ok", ...found };
      });
    case "checkpoint":
      return unlessFaulted(host, () => checkpoint(host));
    case "view_change":
      return unlessFaulted(host, () => {
        host.startViewChange();
        return { status: "ok", current_view: host.status().view };
      });
    case "faults":
      return faults(controlled);
    case "log_level":
      controlled.setLogLevel(request.level);
      return { status: "ok", level: request.level };
    case "metrics":
      return unlessFaulted(host, () => ({ status: "ok", metrics: flat(host.metrics()) }));
  }
}

async function faults(controlled: Controlled): Promise<ControlReply> {
  const lines = await controlled.faultLines();
  return { status: "ok", network: controlled.status().network, faults: [...lines] };
}

type Reply = ControlReply | Promise<ControlReply>;

function unlessFaulted(host: ReplicaHost, act: () => Reply): Reply {
  const { state, faultReason } = host.status();
  if (state === "active") return act();
  return controlError("unavailable", `the replica is faulted: ${faultReason ?? "unknown"}`);
}

const NO_STATE = controlError(
  "unavailable",
  "the replica is opening its data or writing a snapshot",
);

function checkpoint(host: ReplicaHost): Promise<ControlReply> {
  return new Promise((resolve) => host.checkpoint((result) => resolve(checkpointReply(result))));
}

function checkpointReply(result: CheckpointResult): ControlReply {
  switch (result.kind) {
    case "done":
      return {
        status: "ok",
        snapshot_lsn: result.snapshotLsn,
        previous_snapshot_lsn: result.previousSnapshotLsn,
        removed_segments: result.removedSegments,
      };
    case "already_running":
      return controlError("unavailable", "a checkpoint is being written already");
    case "engine_halted":
      return controlError("unavailable", "the engine is halted");
    case "snapshot_file_error":
      return controlError("failed", result.fault.message);
  }
}

type Scalar = string | number | bigint | boolean | undefined;

/** `core: { lastAppliedLsn }` as `core.last_applied_lsn`. */
function flat(record: object, prefix = ""): Record<string, Scalar> {
  const all: Record<string, Scalar> = {};
  for (const [name, value] of Object.entries(record) as [string, unknown][]) {
    const path = prefix + snakeCase(name);
    if (typeof value === "object" && value !== null) Object.assign(all, flat(value, `${path}.`));
    else all[path] = value as Scalar;
  }
  return all;
}
