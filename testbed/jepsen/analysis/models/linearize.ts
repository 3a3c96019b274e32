/** From the mutations that a search found to an order of all operations. */
import type { Board } from "./board.ts";
import { REFUSED } from "./machine.ts";

/** Indexes of all operations that happened, each read at the first place where it fits. */
export function linearize(board: Board, path: readonly number[]): number[] {
  const { machine, goals, reads, readsFrom } = board;
  const order: number[] = [];
  const done = new Set<number>();
  let state = machine.initial;
  let next = 0;
  const happen = (operation: number): void => {
    order.push(operation);
    done.add(operation);
  };
  for (let level = 0; level < goals.length; level++) {
    const absorb = (): void => {
      for (let i = readsFrom[level]!; i < readsFrom[level + 1]!; i++) {
        const read = reads[i]!;
        if (!done.has(read) && machine.step(state, machine.calls[read]!) !== REFUSED) happen(read);
      }
    };
    absorb();
    while (!done.has(goals[level]!)) {
      const operation = path[next++]!;
      state = machine.step(state, machine.calls[operation]!);
      happen(operation);
      absorb();
    }
  }
  return order;
}
