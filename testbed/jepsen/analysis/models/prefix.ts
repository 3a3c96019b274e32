/** The beginning of a history: as much of it as there was when a certain answer came. */
import type { ModelName, ModelOperation } from "../../history/model.ts";
import { type Board, layOut } from "./board.ts";
import { type Machine, type Settings, SILENT } from "./machine.ts";
import { MACHINES } from "./models.ts";
import { Race } from "./race.ts";
import type { Outcome } from "./search.ts";

/** What is being judged, and how far one attempt may go. */
export interface Question {
  readonly model: ModelName;
  readonly settings: Settings;
  readonly configurationsMax: number;
  readonly stepsMax: number;
}

/** What was known when the answer of `last` came: nothing that begins later, and no later answer. */
export function prefixOf(
  operations: readonly ModelOperation[],
  machine: Machine,
  last: ModelOperation,
): readonly ModelOperation[] {
  const end = last.completedAt!;
  return operations.flatMap((operation, index) => {
    if (operation.invokedAt >= end || machine.calls[index] === SILENT) return [];
    const isLater = operation.completedAt === undefined || operation.completedAt > end;
    return isLater ? weakened(operation, machine.isPure(machine.calls[index]!)) : [operation];
  });
}

/** As if nobody had been answered; what changes nothing is then as if it had not been. */
export function weakened(operation: ModelOperation, isPure: boolean): readonly ModelOperation[] {
  if (isPure) return [];
  const { completedAt: _at, completedNs: _ns, ...rest } = operation;
  return [{ ...rest, completedAt: undefined, outcome: { kind: "info" } }];
}

/**
 * The first answer that cannot be explained. A search may fail before it, for it knows answers that come later: the shortest
 * beginning of the history that cannot be explained ends with it.
 *
 * @param level One that is certainly not later.
 */
export function findFirst(board: Board, level: number, question: Question): ModelOperation {
  const { goals, operations, machine } = board;
  const isInvalidAt = (tried: number): boolean => {
    const prefix = prefixOf(operations, machine, operations[goals[tried]!]!);
    return judge(prefix, question, true).kind === "invalid";
  };
  let low = level;
  let high = goals.length - 1;
  // Mostly it is the first that is tried, or one soon after.
  for (let ahead = 1; low < high; ahead *= 2) {
    const tried = Math.min(high, level + ahead - 1);
    if (tried < high && !isInvalidAt(tried)) low = tried + 1;
    else {
      high = tried;
      break;
    }
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isInvalidAt(middle)) high = middle;
    else low = middle + 1;
  }
  return operations[goals[high]!]!;
}

/** States before the last answer, in words, of operations that only this answer makes inexplicable; empty when it takes too long. */
export function statesBefore(
  prefix: readonly ModelOperation[],
  question: Question,
): readonly string[] {
  const { outcome, board } = search(prefix, question, false);
  if (outcome?.kind !== "invalid" || outcome.level !== board.goals.length - 1) return [];
  return outcome.states.map((state) => board.machine.describe(state)).sort();
}

/** One of the states before the answer of `first`, in words: for histories of which not all can be found. */
export function someStateBefore(
  prefix: readonly ModelOperation[],
  first: ModelOperation,
  question: Question,
): readonly string[] {
  const before = prefix.filter((operation) => operation !== first);
  const { outcome, board: { machine } } = search(before, question, true);
  if (outcome?.kind !== "valid") return [];
  const state = outcome.path.reduce(
    (at, operation) => machine.step(at, machine.calls[operation]!),
    machine.initial,
  );
  return [machine.describe(state)];
}

/** Judges a history. */
export function judge(
  operations: readonly ModelOperation[],
  question: Question,
  looksAhead: boolean,
): { readonly kind: "valid" | "invalid" | "unknown"; readonly steps: number } {
  const { outcome, steps } = search(operations, question, looksAhead);
  return {
    kind: outcome === undefined || outcome.kind === "full" ? "unknown" : outcome.kind,
    steps,
  };
}

function search(
  operations: readonly ModelOperation[],
  { model, settings, configurationsMax, stepsMax }: Question,
  looksAhead: boolean,
): { readonly outcome: Outcome | undefined; readonly steps: number; readonly board: Board } {
  const board = layOut(operations, MACHINES[model](operations, settings));
  const race = new Race(board, "auto", configurationsMax, looksAhead);
  while (race.outcome === undefined && race.steps < stepsMax) race.run();
  return { outcome: race.outcome, steps: race.steps, board };
}
