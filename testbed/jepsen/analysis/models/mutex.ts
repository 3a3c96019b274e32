/**
 * `mutex`: who holds it is nobody's business, so a release may come from another process than its acquire. Acquiring what is held
 * and releasing what is free cannot succeed; failed attempts say nothing.
 */
import type { ModelOperation } from "../../history/model.ts";
import { type Machine, REFUSED, type Settings, SILENT, unknownFunction } from "./machine.ts";

const FREE = 0;
const HELD = 1;

/** See the top of this file. The initial value `true` is a mutex that is held. */
export function makeMutex(
  operations: readonly ModelOperation[],
  { init }: Settings,
): Machine {
  return {
    initial: init === true ? HELD : FREE,
    calls: Int32Array.from(operations, callOf),
    callsCount: 2,
    isCommutative: false,
    growth: undefined,
    values: undefined,
    isObservable: () => true,
    // The call that leads to a state has its number.
    step: (state, call) => state === call ? REFUSED : call,
    isPure: () => false,
    isImpossible: () => false,
    describe: (state) => state === HELD ? "the mutex was held" : "the mutex was free",
  };
}

function callOf(operation: ModelOperation): number {
  const { f, outcome } = operation;
  if (f !== "acquire" && f !== "release") throw unknownFunction(operation, "acquire or release");
  if (outcome.kind === "fail") return SILENT;
  return f === "acquire" ? HELD : FREE;
}
