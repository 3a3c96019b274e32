/** Schedules explored by seed: actions that may happen in one of several slots, and the transcript of what then happened. */
import type { ClientCommand } from "../../model/words.ts";
import { SeededRandom } from "../random.ts";
import type { Request } from "../workload/plain.ts";
import type { Expired, SingleNode } from "./harness.ts";
import { codeOf } from "./ticket.ts";

/** What is to happen, and when it may. */
export type ScheduledAction =
  & {
    /** Unique in its schedule. */
    readonly label: string;
    /** One of them is drawn; repetitions and order have no say. */
    readonly candidateSlots: readonly bigint[];
  }
  & (
    | { readonly kind: "submit"; readonly request: Request | ClientCommand }
    | { readonly kind: "tick" }
  );

/** What happened, in the order in which it did. */
export type ScheduleEntry =
  | {
    readonly label: string;
    readonly slot: bigint;
    readonly kind: "submit";
    readonly code: string;
    readonly operationId: bigint;
    readonly appliedLsn: bigint | undefined;
    readonly fromRetryCache: boolean;
  }
  | {
    readonly label: string;
    readonly slot: bigint;
    readonly kind: "tick";
    readonly processedCount: number | undefined;
    readonly lastAppliedLsn: bigint | undefined;
    readonly expired: readonly Expired[];
  };

/**
 * Carries out a schedule: a slot for each action in the order of the list, then slot by slot, and within a slot in an
 * order that the seed decides.
 *
 * @param single The node; it is left in the last slot.
 * @param seed Decides slots and order.
 * @param actions What is to happen.
 * @returns The transcript: the same for the same seed and actions.
 * @throws {Error} For labels that repeat, actions without a slot, and slots in the past.
 */
export function exploreSchedule(
  single: SingleNode,
  seed: number,
  actions: readonly ScheduledAction[],
): ScheduleEntry[] {
  const random = new SeededRandom(seed);
  checkLabels(actions);
  const left = actions.map((action) => ({ action, slot: drawSlot(random, single, action) }))
    .sort((a, b) => compare(a.slot, b.slot) || compare(a.action.label, b.action.label));
  const transcript: ScheduleEntry[] = [];
  while (left.length > 0) {
    const ready = left.filter(({ slot }) => slot === left[0]!.slot).length;
    const [next] = left.splice(random.below(ready), 1);
    single.advanceTo(next!.slot);
    transcript.push(carryOut(single, next!.action, next!.slot));
  }
  return transcript;
}

function checkLabels(actions: readonly ScheduledAction[]): void {
  const labels = new Set<string>();
  for (const { label } of actions) {
    if (labels.has(label)) throw new Error(`Two actions are called ${label}`);
    labels.add(label);
  }
}

function drawSlot(random: SeededRandom, single: SingleNode, action: ScheduledAction): bigint {
  const { label, candidateSlots } = action;
  const slots = [...new Set(candidateSlots)].sort(compare);
  if (slots.length === 0) throw new Error(`${label} has no slot to happen in`);
  if (slots[0]! < single.slot) {
    throw new Error(`${label} may happen in slot ${slots[0]}, which is in the past`);
  }
  return slots[random.below(slots.length)]!;
}

function carryOut(single: SingleNode, action: ScheduledAction, slot: bigint): ScheduleEntry {
  const { label } = action;
  if (action.kind === "tick") {
    const { outcome, expired } = single.tick();
    const told = outcome?.kind === "applied" ? outcome : undefined;
    const { processedCount, lastAppliedLsn } = told ?? {};
    return { label, slot, kind: "tick", processedCount, lastAppliedLsn, expired };
  }
  const ticket = single.submit(action.request);
  const { answer, command: { operationId } } = ticket;
  const outcome = answer?.kind === "committed" ? answer.outcome : undefined;
  return {
    label,
    slot,
    kind: "submit",
    code: codeOf(ticket),
    operationId,
    appliedLsn: outcome?.appliedLsn,
    fromRetryCache: outcome?.fromRetryCache ?? false,
  };
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
