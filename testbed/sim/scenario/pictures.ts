/** Replicas, logs and messages as tables. */
import { commandOf } from "../judge/command.ts";
import type { MirrorFrame } from "../judge/log_mirror.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { Stage } from "./stage.ts";
import type { ModelCommand } from "../../model/words.ts";

/** All replicas: what they are and how far they are. */
export function showReplicas({ world }: Stage): string[] {
  const head = ["replica", "role", "view", "log_view", "commit", "applied", "tip", "snapshot"];
  return table([head, ...world.machines.map(replicaRow)]);
}

/** What a replica is, in one word: its role unless it is down or paused. */
export function roleOf(machine: ClusterMachine): string {
  if (machine.subject === undefined) return "down";
  return machine.isPaused ? "paused" : machine.subject.status().role;
}

function replicaRow(machine: ClusterMachine): string[] {
  const status = machine.subject?.status();
  const { id } = machine;
  if (status === undefined) return [`${id}`, "down", ...Array.from({ length: 6 }, () => "-")];
  const { view, logView, commitOp, appliedOp, tipOp, snapshotLsn } = status;
  const figures = [view, logView, commitOp, appliedOp, tipOp, snapshotLsn ?? "-"];
  return [`${id}`, roleOf(machine), ...figures.map(String)];
}

/** The log of a replica as its disk was written: every entry, and what became of it. */
export function showLog(stage: Stage, machine: ClusterMachine): string[] {
  const frames = [...machine.mirror.frames.values()].sort((a, b) => a.op - b.op);
  if (frames.length === 0) return [`the log of ${machine.id} is empty`];
  return table([["op", "view", "entry", "by", "standing"], ...frames.map((f) => logRow(stage, f))]);
}

function logRow(stage: Stage, frame: MirrorFrame): string[] {
  const { op, view, isInternal, isCommand, payload } = frame;
  const command = isCommand ? commandOf(isInternal, payload) : undefined;
  const by = command === undefined || command.kind === "expire"
    ? "primary"
    : stage.nameOf(command.clientId, command.operationId) ?? "client";
  return [`${op}`, `${view}`, entryText(stage, command), by, standingOf(stage, frame)];
}

/** What the whole cluster has decided about the place of an entry, and whether this copy would survive. */
function standingOf({ world }: Stage, { op, hash, isDurable }: MirrorFrame): string {
  const decided = world.judges.truth.hashAt(op);
  const durability = isDurable ? "" : ", not durable";
  if (decided === undefined) return `undecided${durability}`;
  return decided === hash ? `committed${durability}` : `overruled${durability}`;
}

function entryText(stage: Stage, command: ModelCommand | undefined): string {
  if (command === undefined) return "of the protocol";
  const { kind } = command;
  if ("resourceIds" in command) return `${kind} ${command.resourceIds.join()}`;
  if ("resourceId" in command) return `${kind} ${command.resourceId}`;
  return `${kind} ${stage.nameOfReservation(command.reservationId)}`;
}

/** What is held, in the order in which it was sent on each way. */
export function showHeld({ held }: Stage): string[] {
  if (held.messages.length === 0) return ["nothing is held"];
  const rows = held.messages.map(({ label, text }) => [label, text]);
  return table(rows.sort(([a], [b]) => a! < b! ? -1 : 1));
}

/** Columns side by side, two blanks between them and none behind the last. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()
  );
}
