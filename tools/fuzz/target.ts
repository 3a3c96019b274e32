/** What the fuzzer runs: something that eats bytes, inputs for it, and what must hold of its answers. */
import type { FuzzRandom } from "./random.ts";

/**
 * One thing under test. What a case does follows from its bytes alone, so a file repeats it; what the bytes
 * are follows from the case's draws alone, so a seed does.
 */
export interface Target {
  /** As in `--target` and in names of corpus files: small letters and underscores. */
  readonly name: string;
  /** Every outcome there is; a long run that misses one has tested less than it says. */
  readonly outcomes: readonly string[];
  /** Makes the input of one case. */
  draw(random: FuzzRandom): Uint8Array;
  /**
   * Gives the input to the program and holds the answer against what is known of it.
   *
   * @returns The outcome; one that begins with `ok` is an acceptance, every other a refusal.
   * @throws Whatever shows that the program broke a promise; {@linkcode FuzzFailure} when an oracle says so.
   */
  judge(input: Uint8Array): string | Promise<string>;
  /** Ends servers and whatever else outlives a case. */
  close?(): Promise<void>;
}

/** A promise that the program did not keep. */
export class FuzzFailure extends Error {
  override readonly name = "FuzzFailure";
}

/** Fails the case unless the condition holds. */
export function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new FuzzFailure(what);
}

/** Fails the case unless both are the same bytes; `what` says of whom. */
export function expectSameBytes(got: Uint8Array, expected: Uint8Array, what: string): void {
  if (equalBytes(got, expected)) return;
  throw new FuzzFailure(`${what}: ${hexOf(got)} instead of ${hexOf(expected)}`);
}

/** Fails the case unless both are the same number, text or flag. */
export function expectEqual<T extends string | number | bigint | boolean | undefined>(
  got: T,
  expected: T,
  what: string,
): void {
  if (got !== expected) throw new FuzzFailure(`${what}: ${got} instead of ${expected}`);
}

/** Whether an outcome is an acceptance. */
export function isAccepted(outcome: string): boolean {
  return outcome === "ok" || outcome.startsWith("ok ");
}

/** Whether both are the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Bytes as hexadecimal digits, cut where a message ends. */
export function hexOf(bytes: Uint8Array, bytesMax = 256): string {
  const shown = Array.from(
    bytes.subarray(0, bytesMax),
    (byte) => byte.toString(16).padStart(2, "0"),
  );
  return shown.join("") + (bytes.length > bytesMax ? `… (${bytes.length} bytes)` : "");
}
