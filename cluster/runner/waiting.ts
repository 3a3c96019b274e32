/** Waiting for something outside, bounded. */

/** Between two looks, in milliseconds. */
const LOOK_MS = 25;

/**
 * Looks again and again.
 *
 * @param timeoutMs For how long; there is always a last look at the end.
 * @param look What is waited for; `undefined` for not yet.
 * @returns What was found, or `undefined` when time was up.
 */
export async function waitFor<T>(
  timeoutMs: number,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const isLast = performance.now() >= deadline;
    const found = await look();
    if (found !== undefined || isLast) return found;
    await sleep(Math.min(LOOK_MS, Math.max(deadline - performance.now(), 0)));
  }
}

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
