/** Whether an operation was sent so late again that the system may have forgotten its answer: then it may run twice. */
import type { HistoryOperation } from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";

const NS_PER_MS = 1_000_000;
/** Clocks of replicas may be faster than that of the recording, by a nemesis; by so much at most. */
const CLOCK_RATE_MAX = 2;

/**
 * An operation that was sent again after its retry window, for all that is known.
 *
 * @returns One attempt of it; undefined when there is none, or when the history does not say how long the window is.
 */
export function sentTooLate(
  { header, operations, endNs }: Recording,
): HistoryOperation | undefined {
  const { bounds, slotDurationMs } = header;
  if (bounds?.retryWindowSlots === undefined || slotDurationMs === undefined) return undefined;
  const windowMs = Number(bounds.retryWindowSlots) * slotDurationMs / CLOCK_RATE_MAX;
  const windowNs = windowMs * NS_PER_MS;
  if (endNs <= windowNs) return undefined;
  const firstNs = new Map<bigint, Map<bigint, number>>();
  return operations.find(({ key, invokedNs, completedNs }) => {
    if (key === undefined || invokedNs === undefined) return false;
    let ofClient = firstNs.get(key.clientId);
    if (ofClient === undefined) firstNs.set(key.clientId, ofClient = new Map());
    const first = ofClient.get(key.operationId);
    if (first !== undefined) return (completedNs ?? invokedNs) - first > windowNs;
    ofClient.set(key.operationId, invokedNs);
    return false;
  });
}
