/** An invocation and what is known of its end, as one record. There are millions of them, so they have few shapes. */
import type { Completion, Invocation, RecordedAnswer, RecordedRequest } from "./event.ts";
import type { ModelOperation, ModelOutcome, ModelRequest } from "./model.ts";
import type {
  HistoryAnswer,
  HistoryOperation,
  HistoryOutcome,
  HistoryRequest,
} from "./operation.ts";
import type { TickOperation } from "./recording.ts";

/** Why a completion is not one of this request. */
export interface Unfitness {
  readonly found: string;
  readonly expected: string;
}

const ANSWERS = {
  write: ["applied"],
  get_resource: ["resource", "not_found"],
  get_reservation: ["reservation", "not_found", "retired"],
  tick_expirations: ["ticked"],
  model: ["model"],
} as const;

/** Why a completion cannot be one of this request; undefined when it can. */
export function unfitness(
  request: RecordedRequest,
  { type, answer }: Completion,
): Unfitness | undefined {
  const kinds: readonly string[] = ANSWERS[answerClass(request)];
  if (answer === undefined) {
    if (type !== "ok") return undefined;
    return { found: "ok without an answer", expected: `an answer: ${kinds.join(", ")}` };
  }
  if (type === "info") return { found: "info with an answer", expected: "ok, or no answer" };
  if (type === "fail" && request.kind !== "model") {
    return { found: "fail with an answer", expected: "ok, or no answer" };
  }
  if (kinds.includes(answer.kind)) return undefined;
  return { found: `the answer ${answer.kind} to ${request.kind}`, expected: kinds.join(" or ") };
}

function answerClass({ kind }: RecordedRequest): keyof typeof ANSWERS {
  switch (kind) {
    case "get_resource":
    case "get_reservation":
    case "tick_expirations":
    case "model":
      return kind;
    default:
      return "write";
  }
}

const UNKNOWN: HistoryOutcome & ModelOutcome = { kind: "info" };
const FAILED: HistoryOutcome & ModelOutcome = { kind: "fail" };

/** An attempt on reservations. The answer fits the request. */
export function operationOf(
  { process: client, key, timeNs: invokedNs, slot }: Invocation,
  request: HistoryRequest,
  invokedAt: number,
  completion: Completion | undefined,
  completedAt: number | undefined,
): HistoryOperation {
  const outcome = completion === undefined ? UNKNOWN : outcomeOf(completion);
  const servedBy = completion?.servedBy;
  const completedNs = completion?.timeNs ?? NaN;
  const isTimed = !Number.isNaN(invokedNs) && !Number.isNaN(completedNs);
  // Written out, because properties that are added later, or spread, lie in a second object.
  if (isTimed && slot === undefined && servedBy !== undefined) {
    return key === undefined
      ? {
        process: client,
        request,
        invokedAt,
        completedAt,
        outcome,
        invokedNs,
        completedNs,
        servedBy,
      }
      : {
        process: client,
        request,
        invokedAt,
        completedAt,
        outcome,
        invokedNs,
        completedNs,
        servedBy,
        key,
      };
  }
  const isBare = Number.isNaN(invokedNs) && Number.isNaN(completedNs) && servedBy === undefined;
  if (isBare && slot === undefined && key !== undefined) {
    return { process: client, request, invokedAt, completedAt, outcome, key };
  }
  const operation: { -readonly [Name in keyof HistoryOperation]: HistoryOperation[Name] } = {
    process: client,
    request,
    invokedAt,
    completedAt,
    outcome,
  };
  if (!Number.isNaN(invokedNs)) operation.invokedNs = invokedNs;
  if (!Number.isNaN(completedNs)) operation.completedNs = completedNs;
  if (servedBy !== undefined) operation.servedBy = servedBy;
  if (key !== undefined) operation.key = key;
  if (slot !== undefined) operation.slot = slot;
  return operation;
}

function outcomeOf({ type, answer, reason }: Completion): HistoryOutcome {
  // The caller has seen to it that an `ok` has an answer of its kind.
  if (type === "ok") return { kind: "ok", answer: answer as HistoryAnswer };
  if (reason === undefined) return type === "fail" ? FAILED : UNKNOWN;
  return { kind: type, reason };
}

/** An attempt on something else. */
export function modelOperationOf(
  { process: client, timeNs: invokedNs }: Invocation,
  { f, key, value }: ModelRequest,
  invokedAt: number,
  completion: Completion | undefined,
  completedAt: number | undefined,
): ModelOperation {
  const outcome = completion === undefined ? UNKNOWN : modelOutcomeOf(completion);
  const completedNs = completion?.timeNs ?? NaN;
  const operation: { -readonly [Name in keyof ModelOperation]: ModelOperation[Name] } = {
    process: client,
    f,
    value,
    invokedAt,
    completedAt,
    outcome,
  };
  if (key !== undefined) operation.key = key;
  if (!Number.isNaN(invokedNs)) operation.invokedNs = invokedNs;
  if (!Number.isNaN(completedNs)) operation.completedNs = completedNs;
  return operation;
}

function modelOutcomeOf({ type, answer, reason }: Completion): ModelOutcome {
  const why = reason === undefined ? {} : { reason };
  if (type === "info") return { kind: "info", ...why };
  const value = modelValue(answer);
  if (type === "ok") return { kind: "ok", value: value ?? null };
  return value === undefined ? { kind: "fail", ...why } : { kind: "fail", value, ...why };
}

function modelValue(answer: RecordedAnswer | undefined): ModelRequest["value"] | undefined {
  return answer?.kind === "model" ? answer.value : undefined;
}

/** An attempt to have expirations sequenced. */
export function tickOf(
  { process: client, key, slot }: Invocation,
  invokedAt: number,
  completion: Completion | undefined,
  completedAt: number | undefined,
): TickOperation {
  const answer = completion?.answer?.kind === "ticked" ? completion.answer : undefined;
  return {
    process: client,
    ...(key === undefined ? {} : { key }),
    ...(slot === undefined ? {} : { slot }),
    invokedAt,
    completedAt,
    kind: completion?.type ?? "info",
    ...(completion?.reason === undefined ? {} : { reason: completion.reason }),
    ...(answer?.lsn === undefined ? {} : { lsn: answer.lsn }),
    ...(answer?.expired === undefined ? {} : { expired: answer.expired }),
  };
}
