/** The verbs that change something. Each is one command with its retry key. */
import type { Committed, SubmitResult, Ttl, Unknown } from "../client/types.ts";
import { resultErrorCode } from "../error_catalogue.ts";
import { CliError } from "../errors.ts";
import { pasteable, unlessInterrupted, type VerbContext, withClient } from "./context.ts";
import { parseDuration } from "./durations.ts";
import { rejectionFailure } from "./failures.ts";
import { formatId, parseId, parseReservationId } from "./ids.ts";
import type { NodeClient } from "./io.ts";
import { parseU64 } from "./numbers.ts";
import { type Data, Id, show, type Value } from "./output.ts";
import { shellCommand } from "./text.ts";

/** Flags of confirm and release, as typed. */
export interface HolderFlags {
  readonly holder?: string | undefined;
  readonly epoch?: string | undefined;
}

/** Flags of reserve, as typed. */
export interface ReserveFlags {
  readonly holder?: string | undefined;
  readonly ttl?: string | undefined;
}

/** Half of the retry key and the slot, as every call takes them. */
interface Base {
  readonly operationId: bigint;
}
interface Options {
  readonly slot?: bigint;
}

/** One write: what it is called, what it is about, how it is sent. */
interface Write {
  readonly verb: string;
  /** Printed with the result. */
  readonly subject: Data;
  /** The same as it was typed, for tables: a person knows the name, not its number. */
  readonly typed: Data;
  readonly send: (client: NodeClient, base: Base, options: Options) => Promise<SubmitResult>;
  /** The line of `--quiet` after success. */
  readonly quiet: (result: Committed) => Value;
  /** What to tell somebody at a terminal after success. */
  readonly next?: (result: Committed) => string | undefined;
  /** What was not ok, in a sentence, and what to do. */
  readonly advice: (result: Committed) => string | undefined;
}

/** `create`: makes a resource. */
export async function create(context: VerbContext, resource: string): Promise<void> {
  const resourceId = parseId(resource, "resource");
  await write(context, {
    verb: "create",
    subject: { resource_id: new Id(resourceId) },
    typed: { resource },
    send: (client, base, options) => client.createResource({ ...base, resourceId }, options),
    quiet: () => new Id(resourceId),
    advice: ({ code }) =>
      code === "already_exists" ? `look at it: ${paste("get", resource)}` : undefined,
  });
}

/** `reserve`: claims one resource, or several as a bundle. */
export async function reserve(
  context: VerbContext,
  resources: readonly string[],
  flags: ReserveFlags,
): Promise<void> {
  const resourceIds = resources.map((resource) => parseId(resource, "resource"));
  const holder = holderOf(context, flags.holder);
  const holderId = parseId(holder, "--holder");
  const ttl = ttlOf(
    required(flags.ttl, "--ttl", "how long it may stay unconfirmed, like --ttl 10m"),
  );
  const [resourceId] = resourceIds;
  await write(context, {
    verb: "reserve",
    subject: { resource_ids: resourceIds.map((id) => new Id(id)), holder_id: new Id(holderId) },
    typed: { [resources.length === 1 ? "resource" : "resources"]: resources, holder },
    send: (client, base, options) =>
      resourceIds.length === 1
        ? client.reserve({ ...base, ...ttl, resourceId: resourceId!, holderId }, options)
        : client.reserveBundle({ ...base, ...ttl, resourceIds, holderId }, options),
    quiet: ({ reservationId }) => idOrNone(reservationId),
    next: ({ reservationId, epoch }) =>
      paste("confirm", `${reservationId}`, "--holder", holder, "--epoch", `${epoch}`),
    advice: ({ code }) => reserveAdvice(code, resources),
  });
}

/** `confirm` and `release`: what a holder does with his reservation. */
export async function actAsHolder(
  context: VerbContext,
  verb: "confirm" | "release",
  reservation: string,
  flags: HolderFlags,
): Promise<void> {
  const reservationId = parseReservationId(reservation, "reservation");
  const holderId = parseId(holderOf(context, flags.holder), "--holder");
  const epochText = required(flags.epoch, "--epoch", "the fencing token that reserve printed");
  const epoch = parseU64(epochText, "--epoch");
  await write(context, {
    verb,
    subject: { reservation_id: new Id(reservationId) },
    typed: { reservation },
    send: (client, base, options) =>
      client[verb]({ ...base, reservationId, holderId, epoch }, options),
    quiet: () => undefined,
    advice: ({ code }) => reservationAdvice(code, reservation),
  });
}

/** `revoke` and `reclaim`: what an operator does with anybody's reservation. */
export async function actAsOperator(
  context: VerbContext,
  verb: "revoke" | "reclaim",
  reservation: string,
): Promise<void> {
  const reservationId = parseReservationId(reservation, "reservation");
  await write(context, {
    verb,
    subject: { reservation_id: new Id(reservationId) },
    typed: { reservation },
    send: (client, base, options) => client[verb]({ ...base, reservationId }, options),
    quiet: () => undefined,
    next: () => verb === "revoke" ? paste("reclaim", reservation) : undefined,
    advice: ({ code }) => reservationAdvice(code, reservation),
  });
}

/** Sends one command and says how it ended. */
async function write(context: VerbContext, request: Write): Promise<void> {
  const { io, flags } = context;
  const operationId = idFlag(flags.operationId, "--operation-id") ?? io.randomId();
  const clientText = flags.client ?? (io.env("ALLOCDB_CLIENT") || undefined);
  const clientId = idFlag(clientText, "--client") ?? 0n;
  const options = flags.slot === undefined ? {} : { slot: parseU64(flags.slot, "--slot") };
  const again = pasteable(context, request.verb, [
    ["--client", formatId(clientId, "hex")],
    ["--operation-id", formatId(operationId, "hex")],
  ]);
  let sent = false;
  const work = withClient(context, clientId, (client) => {
    sent = true;
    return request.send(client, { operationId }, options);
  });
  const result = await unlessInterrupted(work, io.interruption());
  if (result === undefined) throw interrupted(sent, again);
  if (result.kind === "rejected") throw rejectionFailure(result.rejection);
  if (result.kind === "unknown") throw indefinite(result, clientId, again);
  await showCommitted(context, request, result, clientId);
}

async function showCommitted(
  context: VerbContext,
  request: Write,
  result: Committed,
  clientId: bigint,
): Promise<void> {
  const { io, style } = context;
  const failure = resultErrorCode(result.code);
  const data = style.format === "table"
    ? shortData(request, result)
    : fullData(request, result, clientId);
  if (failure === undefined) {
    await show(io, { data, quiet: request.quiet(result) }, style);
    if (style.format === "table" && !style.quiet && io.err.isTerminal) {
      const next = request.next?.(result);
      if (next !== undefined) io.err.write(`next: ${next}\n`);
    }
    return;
  }
  if (!style.quiet) await show(io, { data }, style);
  const hint = request.advice(result);
  throw new CliError(failure, `${request.verb} failed: ${result.code}`, {
    ...(hint === undefined ? {} : { hint }),
    context: { result_code: result.code, applied_lsn: result.appliedLsn },
  });
}

function fullData(request: Write, result: Committed, clientId: bigint): Data {
  return {
    result_code: result.code,
    ...request.subject,
    ...(request.verb === "reserve" ? reservationFields(result) : {}),
    applied_lsn: result.appliedLsn,
    from_retry_cache: result.fromRetryCache,
    operation_id: new Id(result.operationId),
    client_id: new Id(clientId),
  };
}

function shortData(request: Write, result: Committed): Data {
  return {
    result_code: result.code,
    ...request.typed,
    ...(result.reservationId === undefined ? {} : reservationFields(result)),
    applied_lsn: result.appliedLsn,
    from_retry_cache: result.fromRetryCache,
  };
}

function reservationFields({ reservationId, epoch, deadlineSlot }: Committed): Data {
  return { reservation_id: idOrNone(reservationId), epoch, deadline_slot: deadlineSlot };
}

function indefinite(result: Unknown, clientId: bigint, again: string): CliError {
  return new CliError("E_INDEFINITE", `${result.message}; it may or may not have happened`, {
    hint: `the same again is safe: ${again}`,
    context: {
      reason: result.reason,
      operation_id: result.operationId,
      client_id: clientId,
      retry_command: again,
    },
  });
}

function interrupted(sent: boolean, again: string): CliError {
  if (!sent) return new CliError("E_INTERRUPTED", "interrupted before anything was sent");
  return new CliError("E_INTERRUPTED", "interrupted; it may or may not have happened", {
    hint: `the same again is safe: ${again}`,
    context: { retry_command: again },
  });
}

function reserveAdvice(code: string, resources: readonly string[]): string | undefined {
  const named = resources.length === 1 ? resources[0]! : "RESOURCE";
  if (code === "resource_busy") return `see who holds it: ${paste("get", named)}`;
  if (code === "resource_not_found") return `make it first: ${paste("create", named)}`;
  return undefined;
}

function reservationAdvice(code: string, reservation: string): string | undefined {
  const look = paste("get", "--reservation", reservation);
  if (code === "stale_epoch") return `stop using the resource; see who may: ${look}`;
  if (code === "invalid_state" || code === "holder_mismatch") return `look at it: ${look}`;
  return undefined;
}

function ttlOf(text: string): Ttl {
  const duration = parseDuration(text, "--ttl");
  if (duration.unit === "slots") return { ttlSlots: duration.slots };
  return { ttlMs: Number(duration.ms) };
}

function holderOf({ io }: VerbContext, flag: string | undefined): string {
  const text = flag ?? (io.env("ALLOCDB_HOLDER") || undefined);
  return required(text, "--holder", "who the reservation is for; or set ALLOCDB_HOLDER");
}

function idFlag(text: string | undefined, what: string): bigint | undefined {
  return text === undefined ? undefined : parseId(text, what);
}

function required(text: string | undefined, flag: string, says: string): string {
  if (text !== undefined) return text;
  throw new CliError("E_USAGE", `${flag} is missing`, { hint: `${flag} says ${says}` });
}

function idOrNone(id: bigint | undefined): Id | undefined {
  return id === undefined ? undefined : new Id(id);
}

function paste(...words: string[]): string {
  return shellCommand(["allocdb", ...words]);
}
