/**
 * Clients of a script. Unlike those that live by themselves they ask one replica once and say what came back;
 * whether and whom to ask again is the script's affair, as long as it lasts.
 */
import type {
  ReadRefusal,
  Rejection,
  ReservationRead,
  ResourceRead,
  ResultSink,
} from "../../../node/api.ts";
import type { Outcome } from "../../../core/outcome.ts";
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../../../core/tables.ts";
import type { ClientCommand, ModelOutcome } from "../../model/words.ts";
import { createOperation, isRefusal, type Operation } from "../workload/operation.ts";
import { plainOutcome } from "../workload/plain.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { ClusterWorld } from "../world/world.ts";

/** An operation under its name in the script. */
export interface Asked {
  readonly name: string;
  readonly operation: Operation;
  /** Whether it uses the id of another operation: then nothing comes of it. */
  readonly isConflicting: boolean;
}

/** What a read is about. */
export interface Question {
  readonly resourceId: bigint | undefined;
  readonly reservationId: bigint | undefined;
  /** The reader wants to see at least what was true here. */
  readonly requiredLsn: bigint;
}

/** Milliseconds from a client to a replica. */
const HOP_MS = 1;
const TOKEN = 1;

/** Makes an operation that nobody has been asked to do yet. */
export function newOperation(world: ClusterWorld, command: ClientCommand): Operation {
  return createOperation("script", { command }, world.queue.nowMs);
}

/**
 * Asks one replica once.
 *
 * @param world Where.
 * @param asked What for.
 * @param machine Whom.
 * @param heard Told what came back, in words; never called when nothing does.
 */
export function attempt(
  world: ClusterWorld,
  { operation }: Asked,
  machine: ClusterMachine,
  heard: (text: string) => void,
): void {
  operation.attempts++;
  const seen = world.history.write(operation);
  const sink = {
    committed: (_token: number, outcome: Outcome): void => {
      const plain = plainOutcome(outcome);
      world.published(machine, operation, plain);
      world.queue.after(HOP_MS, () => {
        world.history.applied(seen, plain);
        learn(world, operation, plain);
        heard(outcomeText(plain));
      });
    },
    rejected: (_token: number, rejection: Rejection): void => {
      world.refused(machine, operation, rejection);
      world.queue.after(HOP_MS, () => {
        world.history.rejected(seen, rejection);
        heard(rejectionText(rejection));
      });
    },
  };
  world.queue.after(HOP_MS, () => {
    if (machine.isRunning) return machine.reach(() => arrive(world, operation, machine, sink));
    world.history.unreached(seen);
    heard(`nobody answers at ${machine.id}`);
  });
}

function arrive(
  world: ClusterWorld,
  operation: Operation,
  machine: ClusterMachine,
  sink: ResultSink,
): void {
  world.submitted(machine, operation);
  const bytes = operation.bytes.slice();
  const view = new DataView(bytes.buffer);
  machine.subject?.submit(view, 0, bytes.length, undefined, sink, TOKEN);
  bytes.fill(0xee); // They were only lent.
}

/**
 * Reads strictly at one replica, once.
 *
 * @param world Where.
 * @param question What about.
 * @param machine Whom to ask.
 * @param heard Told what came back; never called when nothing does.
 */
export function askAbout(
  world: ClusterWorld,
  question: Question,
  machine: ClusterMachine,
  heard: (result: ResourceRead | ReservationRead) => void,
): void {
  const floorLsn = world.learnedLsn;
  const { resourceId, reservationId, requiredLsn } = question;
  const isResource = resourceId !== undefined;
  const seen = world.history.read(isResource, resourceId ?? reservationId!, requiredLsn);
  world.queue.after(HOP_MS, () =>
    machine.reachSubject((subject) => {
      subject.confirmAuthority((refusal) => {
        const slot = subject.currentSlot();
        const result = refusal ?? look(question, machine, slot);
        world.read({ ...question, machine, slot, floorLsn, result });
        world.queue.after(HOP_MS, () => {
          world.history.seen(seen, result);
          heard(result);
        });
      });
    }));
}

function look(
  { resourceId, reservationId, requiredLsn }: Question,
  { subject }: ClusterMachine,
  slot: bigint,
): ResourceRead | ReservationRead {
  return resourceId === undefined
    ? subject!.getReservation(reservationId!, requiredLsn, slot)
    : subject!.getResource(resourceId, requiredLsn);
}

function learn(world: ClusterWorld, operation: Operation, outcome: ModelOutcome): void {
  if (operation.answeredMs !== undefined) return;
  operation.outcome = outcome;
  operation.answeredMs = world.queue.nowMs;
  world.answered(operation);
}

/** `ok lsn=3 reservation=3 epoch=1`: what a client keeps of an outcome. */
export function outcomeText({ code, appliedLsn, fromRetryCache, reserved }: ModelOutcome): string {
  const holds = reserved === undefined
    ? ""
    : ` reservation=${shortId(reserved.reservationId)} epoch=${reserved.epoch}`;
  return `${code} lsn=${appliedLsn}${holds}${fromRetryCache ? " (remembered)" : ""}`;
}

function rejectionText(rejection: Rejection): string {
  const { code, category } = rejection;
  return code === "not_primary"
    ? `not_primary${hintText(rejection.primary)}`
    : `${code} (${category})`;
}

/** What a reader was told. */
export function readText(
  result: ResourceRead | ReservationRead,
  nameOf: (reservationId: bigint) => string,
): string {
  if (isRefusal(result)) return refusalText(result);
  if (result.kind !== "found") return result.kind;
  if ("resourceId" in result) {
    const { currentReservationId: holder, state } = result;
    const by = holder === undefined ? "" : ` by ${nameOf(holder)}`;
    return `${RESOURCE_STATE_NAMES[state]}${by}`;
  }
  const { state, epoch, memberResourceIds } = result;
  return `${RESERVATION_STATE_NAMES[state]} epoch=${epoch} resources=${memberResourceIds.join()}`;
}

function refusalText(refusal: ReadRefusal): string {
  switch (refusal.kind) {
    case "not_primary":
      return `not_primary${hintText(refusal.primary)}`;
    case "fence_not_applied":
      return `fence_not_applied required=${refusal.requiredLsn} applied=${
        refusal.lastAppliedLsn ?? 0
      }`;
    case "engine_halted":
      return "engine_halted";
  }
}

function hintText(primary: bigint | undefined): string {
  return primary === undefined ? "" : `, ask ${primary}`;
}

/** A reservation's id without its shard: the lsn at which it was made. */
export function shortId(reservationId: bigint): bigint {
  return reservationId & 0xffff_ffff_ffff_ffffn;
}
