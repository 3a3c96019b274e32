/** Several attempts at one thing, of which the first that succeeds is enough. */

/**
 * Makes attempts in order, each as soon as the one before it has failed or is late, until one succeeds.
 *
 * @param attempts Each resolves to nothing when it fails.
 * @param patienceMs When an attempt is late.
 * @param discard Gets what late attempts come to when it is no longer wanted.
 * @returns What the first success came to, or nothing when all have failed.
 */
export function firstOf<T>(
  attempts: readonly (() => Promise<T | undefined>)[],
  patienceMs: number,
  discard: (late: T) => void,
): Promise<T | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  let started = 0;
  let underWay = 0;
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = (value: T | undefined): void => {
    isOver = true;
    clearTimeout(timer);
    resolve(value);
  };
  const ended = (value: T | undefined): void => {
    underWay--;
    if (isOver) return value === undefined ? undefined : discard(value);
    if (value !== undefined) end(value);
    else if (started < attempts.length) begin();
    else if (underWay === 0) end(undefined);
  };
  const begin = (): void => {
    clearTimeout(timer);
    // A timer that is due in the same turn as what clears it goes off all the same.
    if (isOver || started === attempts.length) return;
    underWay++;
    attempts[started++]!().then(ended).catch(reject);
    if (started < attempts.length) timer = setTimeout(begin, patienceMs);
  };
  if (attempts.length === 0) resolve(undefined);
  else begin();
  return promise;
}
