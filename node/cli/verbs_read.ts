/** The verbs that look, and those that make a node work without changing what anybody holds. */
import { unreachable } from "../../core/assert.ts";
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../../core/tables.ts";
import type { CheckpointResult, ReservationView, ResourceView } from "../api.ts";
import { CliError } from "../errors.ts";
import { styleOf, type VerbContext, withClient } from "./context.ts";
import { readFailure, rejectionFailure } from "./failures.ts";
import { dataOf } from "./fields.ts";
import { formatId, parseId, parseReservationId } from "./ids.ts";
import type { CliIo } from "./io.ts";
import { METRICS } from "./metric_names.ts";
import { parseU64 } from "./numbers.ts";
import { Id, type Report, show, type Style } from "./output.ts";
import type { SharedFlags } from "./shared_flags.ts";
import { quote, shellCommand } from "./text.ts";

/** How long a checkpoint may take unless told, in milliseconds. */
const CHECKPOINT_TIMEOUT_MS = 60_000;

/** What `get` was asked for, as typed. */
export interface GetFlags {
  readonly reservation?: string | undefined;
  readonly requiredLsn?: string | undefined;
}

/** `get`: `RESOURCE`, `resource X`, `reservation R` or `--reservation R`. */
export async function get(
  context: VerbContext,
  words: readonly string[],
  flags: GetFlags,
): Promise<void> {
  const target = targetOf(words, flags.reservation);
  const fence = flags.requiredLsn === undefined
    ? {}
    : { requiredLsn: parseU64(flags.requiredLsn, "--required-lsn") };
  if (target.kind === "reservation") return await getReservation(context, target.text, fence);
  if (context.flags.slot !== undefined) {
    throw new CliError("E_USAGE", "--slot is for reservations: a resource has no time in it");
  }
  await getResource(context, target.text, fence);
}

interface Fence {
  readonly requiredLsn?: bigint;
}

/** What a `get` is about. A resource that is called `resource` is read as `get resource resource`. */
function targetOf(
  words: readonly string[],
  reservation: string | undefined,
): { readonly kind: "resource" | "reservation"; readonly text: string } {
  const [first, second, third] = words;
  if (reservation !== undefined) {
    if (first === undefined) return { kind: "reservation", text: reservation };
    throw new CliError("E_USAGE", "get reads a resource or a reservation, not both at once");
  }
  if (first === undefined) {
    const hint = "allocdb get RESOURCE, or allocdb get --reservation ID";
    throw new CliError("E_USAGE", "get needs something to read", { hint });
  }
  if (first !== "resource" && first !== "reservation") {
    if (second === undefined) return { kind: "resource", text: first };
    const hint = "allocdb get resource ID, or allocdb get reservation ID";
    throw new CliError("E_USAGE", `get reads one thing, not ${quote(first)} and more`, { hint });
  }
  if (third !== undefined) {
    throw new CliError("E_USAGE", `get ${first} reads one id, not ${quote(third)} as well`);
  }
  if (second !== undefined) return { kind: first, text: second };
  throw new CliError("E_USAGE", `get ${first} needs an id`, { hint: `allocdb get ${first} ID` });
}

async function getResource(context: VerbContext, text: string, fence: Fence): Promise<void> {
  const id = parseId(text, "resource");
  const read = await withClient(
    context,
    undefined,
    (client) => client.getResource(id, fence),
  );
  switch (read.kind) {
    case "found":
      return await show(context.io, resourceReport(read, text, context.style), context.style);
    case "not_found": {
      const hint = `make it first: ${shellCommand(["allocdb", "create", text])}`;
      const message = `there is no resource ${quote(text)}`;
      throw new CliError("E_RESOURCE_NOT_FOUND", message, { hint, context: { resource_id: id } });
    }
    default:
      throw readFailure(read);
  }
}

function resourceReport(view: ResourceView, typed: string, { format }: Style): Report {
  const state = RESOURCE_STATE_NAMES[view.state];
  const holder = view.currentReservationId;
  return {
    data: {
      ...(format === "table" ? { resource: typed } : {}),
      resource_id: new Id(view.resourceId),
      state,
      current_reservation_id: holder === undefined ? undefined : new Id(holder),
      version: view.version,
    },
    quiet: state,
  };
}

async function getReservation(context: VerbContext, text: string, fence: Fence): Promise<void> {
  const id = parseReservationId(text, "reservation");
  const { slot } = context.flags;
  const options = slot === undefined ? fence : { ...fence, currentSlot: parseU64(slot, "--slot") };
  const read = await withClient(
    context,
    undefined,
    (client) => client.getReservation(id, options),
  );
  const named = formatId(id, context.style.ids);
  switch (read.kind) {
    case "found":
      return await show(context.io, reservationReport(read), context.style);
    case "not_found":
      throw new CliError("E_RESERVATION_NOT_FOUND", `there is no reservation ${named}`, {
        context: { reservation_id: id },
      });
    case "retired":
      throw new CliError("E_RESERVATION_RETIRED", `reservation ${named} ended too long ago`, {
        context: { reservation_id: id },
      });
    default:
      throw readFailure(read);
  }
}

function reservationReport(view: ReservationView): Report {
  const state = RESERVATION_STATE_NAMES[view.state];
  return {
    data: {
      reservation_id: new Id(view.reservationId),
      state,
      holder_id: new Id(view.holderId),
      epoch: view.epoch,
      created_lsn: view.createdLsn,
      deadline_slot: view.deadlineSlot,
      released_lsn: view.releasedLsn,
      retire_after_slot: view.retireAfterSlot,
      member_resource_ids: view.memberResourceIds.map((id) => new Id(id)),
    },
    quiet: state,
  };
}

/** `metrics`: every figure of the node. */
export async function metrics(context: VerbContext): Promise<void> {
  const read = await withClient(
    context,
    undefined,
    (client) => client.metrics(slotOf(context)),
  );
  await show(context.io, { data: dataOf(read) }, context.style);
}

/** `metrics --list`: what the figures mean. Needs no node. */
export async function listMetrics(io: CliIo, flags: SharedFlags): Promise<void> {
  const style = styleOf(flags, io);
  if (style.quiet) {
    io.out.write(METRICS.map(({ name }) => `${name}\n`).join(""));
    return;
  }
  const data = Object.fromEntries(
    METRICS.map(({ name, kind, says }) => [name, `${kind}: ${says}`]),
  );
  await show(io, { data }, style);
}

/** `tick`: sequences the expirations that are due. */
export async function tick(context: VerbContext): Promise<void> {
  const reply = await withClient(
    context,
    undefined,
    (client) => client.tick(slotOf(context)),
  );
  if (reply.kind === "rejected") {
    if (reply.rejection.category === "definite") throw rejectionFailure(reply.rejection);
    const message = `the tick ended with ${reply.rejection.code}; it may or may not have happened`;
    throw new CliError("E_INDEFINITE", message, { hint: "tick again: that is always safe" });
  }
  const data = { processed_count: reply.processedCount, last_applied_lsn: reply.lastAppliedLsn };
  await show(context.io, { data, quiet: reply.processedCount }, context.style);
}

/** `checkpoint`: has the node write a snapshot, and waits for it. */
export async function checkpoint(context: VerbContext): Promise<void> {
  const timeoutMs = context.timeoutMs ?? CHECKPOINT_TIMEOUT_MS;
  const result = await withClient(
    context,
    undefined,
    (client) => client.checkpoint({ timeoutMs }),
  );
  if (result.kind !== "done") throw checkpointFailure(result);
  const data = {
    snapshot_lsn: result.snapshotLsn,
    previous_snapshot_lsn: result.previousSnapshotLsn,
    removed_segments: result.removedSegments,
  };
  await show(context.io, { data, quiet: result.snapshotLsn }, context.style);
}

function checkpointFailure(
  result: Exclude<CheckpointResult, { readonly kind: "done" }>,
): CliError {
  switch (result.kind) {
    case "engine_halted":
      return new CliError("E_ENGINE_HALTED", "the node has stopped itself");
    case "already_running":
      return new CliError("E_CHECKPOINT_RUNNING", "a checkpoint is being written already");
    case "snapshot_file_error": {
      const { kind, message } = result.fault;
      const code = kind === "disk_full" ? "E_DISK_FULL" : "E_CHECKPOINT_FAILED";
      return new CliError(code, `the snapshot could not be written: ${message}`);
    }
    default:
      return unreachable(result);
  }
}

function slotOf({ flags }: VerbContext): { readonly currentSlot?: bigint } {
  return flags.slot === undefined ? {} : { currentSlot: parseU64(flags.slot, "--slot") };
}
