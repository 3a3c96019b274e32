/** Reservations in every state, and a way to say every command to them. */
import { type ReservationRecord, viewReservation } from "../../core/query.ts";
import { apply, applyCommand, type Bench, createBench } from "./core_builders.ts";
import type { Request } from "../../testbed/sim/workload/plain.ts";
import type { ModelOutcome } from "../../testbed/model/words.ts";

/** Who holds it. */
export const HOLDER = 7n;
/** When it falls due, unless it was confirmed. */
export const DEADLINE = 3n;
/** History window. */
export const HISTORY = 4n;
/** What it holds. */
export const MEMBERS = [1n, 2n];

/** `never` was not given out, `dropped` has aged out. */
export const STATES = [
  "never",
  "dropped",
  "reserved",
  "confirmed",
  "revoking",
  "released",
  "expired",
  "revoked",
] as const;
/** One of {@linkcode STATES}. */
export type State = typeof STATES[number];
/** What can be said to a reservation. */
export type Verb = "confirm" | "release" | "revoke" | "reclaim" | "expire";

/** A bundle of resources 1 and 2, reserved at slot 0 and led to a state. */
export function benchIn(state: State): { bench: Bench; reservationId: bigint } {
  const bench = createBench({ maxOperations: 12, reservationHistoryWindowSlots: HISTORY });
  for (const resourceId of MEMBERS) apply(bench, { kind: "create_resource", resourceId });
  if (state === "never") return { bench, reservationId: bench.lsn + 1n };
  const { reserved } = apply(bench, {
    kind: "reserve_bundle",
    resourceIds: MEMBERS,
    holderId: HOLDER,
    ttlSlots: DEADLINE,
  });
  const { reservationId } = reserved!;
  for (const verb of PATHS[state]) say(bench, verb, reservationId);
  if (state === "dropped") {
    bench.slot = HISTORY + 1n;
    apply(bench, { kind: "create_resource", resourceId: 1n });
  }
  return { bench, reservationId };
}

const PATHS: Record<Exclude<State, "never">, readonly Verb[]> = {
  reserved: [],
  confirmed: ["confirm"],
  revoking: ["confirm", "revoke"],
  released: ["release"],
  expired: ["expire"],
  revoked: ["confirm", "revoke", "reclaim"],
  dropped: ["release"],
};

/** What a command gets wrong. */
export interface Wrong {
  readonly holder?: "right" | "wrong";
  readonly epoch?: "right" | "wrong";
  readonly deadline?: "right" | "wrong" | "early";
}

/** Says a command with the right holder, epoch and deadline, at the deadline if it is about that, but for what is wrong. */
export function say(
  bench: Bench,
  verb: Verb,
  reservationId: bigint,
  wrong: Wrong = {},
): ModelOutcome {
  if (verb === "expire") {
    if (wrong.deadline !== "early" && bench.slot < DEADLINE) bench.slot = DEADLINE;
    const deadlineSlot = wrong.deadline === "wrong" ? DEADLINE - 1n : DEADLINE;
    return applyCommand(bench, { kind: "expire", reservationId, deadlineSlot });
  }
  const holderId = wrong.holder === "wrong" ? HOLDER + (1n << 96n) : HOLDER;
  const current = record(bench, reservationId)?.epoch ?? 1n;
  const epoch = wrong.epoch === "wrong" ? current + (1n << 32n) : current;
  const request: Request = verb === "confirm" || verb === "release"
    ? { kind: verb, reservationId, holderId, epoch }
    : { kind: verb, reservationId };
  return apply(bench, request);
}

/** The reservation as its bench reads it, if it can be read. */
export function record(
  { engine, slot }: Bench,
  reservationId: bigint,
): ReservationRecord | undefined {
  const view = viewReservation(engine, reservationId, slot);
  return typeof view === "string" ? undefined : view;
}
