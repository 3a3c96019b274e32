/** A broken invariant: a bug in AllocDB or in its host, never bad input. Only the process edge catches it. */
export class AssertionFailure extends Error {
  /** Stable class name, kept through bundling. */
  override readonly name = "AssertionFailure";
  /** The fact that did not hold, as listed in docs/invariants.md (`area/claim`). */
  readonly fact: string;

  /**
   * @param fact The id of the violated fact, `area/claim`.
   */
  constructor(fact: string) {
    super(`Invariant violated: ${fact}`);
    this.fact = fact;
  }
}

/**
 * Checks one fact; always on. The text is constant so that a passing check costs a compare and a branch.
 *
 * @param condition What must hold.
 * @param fact The fact's id in docs/invariants.md.
 * @throws {AssertionFailure} When the condition is false.
 */
export function assert(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new AssertionFailure(fact);
}

/**
 * Ends a switch over a closed union: the compiler proves that nothing gets here.
 *
 * @param value The value whose every kind was handled.
 * @throws {AssertionFailure} When a value outside the union arrives after all.
 */
export function unreachable(value: never): never {
  throw new AssertionFailure(`switch/exhaustive: ${String(value)}`);
}
