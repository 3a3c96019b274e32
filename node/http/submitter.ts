/** The node's answers as promises. */
import { assert } from "../../core/assert.ts";
import { type Outcome, OutcomeField, RESULT_NAMES, type ResultName } from "../../core/outcome.ts";
import { readU128, readU64 } from "../../core/words.ts";
import type { NodeApi, Rejection, ResultSink } from "../api.ts";
import type { EncodedWrite } from "./encode.ts";

/** How one write ended, as far as this gateway knows. */
export type WriteAnswer =
  | {
    readonly kind: "committed";
    readonly code: ResultName;
    readonly appliedLsn: bigint;
    readonly fromRetryCache: boolean;
    readonly reservation: NewReservation | undefined;
  }
  | { readonly kind: "rejected"; readonly rejection: Rejection }
  /** The deadline came first. */
  | { readonly kind: "unanswered" };

/** What a successful reserve made. */
export interface NewReservation {
  readonly id: bigint;
  readonly epoch: bigint;
  readonly deadlineSlot: bigint;
}

/** Hands writes to a node and waits for their answers. */
export interface Submitter {
  /**
   * Submits the writes in order.
   *
   * @param writes At least one.
   * @param deadline Ends the wait; what the node answers later is dropped.
   * @returns One answer for each, in the same order.
   */
  submitAll(writes: readonly EncodedWrite[], deadline: AbortSignal): Promise<WriteAnswer[]>;
}

/** The writes of one request. */
interface Batch {
  readonly answers: WriteAnswer[];
  waiting: number;
  readonly finish: () => void;
}

const UNANSWERED: WriteAnswer = { kind: "unanswered" };

/** Makes a submitter; all its writes share one sink. */
export function createSubmitter(node: NodeApi): Submitter {
  const places = new Map<number, { readonly batch: Batch; readonly index: number }>();
  let lastToken = 0;

  function settle(token: number, answer: WriteAnswer): void {
    const place = places.get(token);
    assert(place !== undefined, "http/one-answer-per-write");
    places.delete(token);
    place.batch.answers[place.index] = answer;
    place.batch.waiting--;
    if (place.batch.waiting === 0) place.batch.finish();
  }

  const sink: ResultSink = {
    committed: (token, outcome) => settle(token, copyOutcome(outcome)),
    rejected: (token, rejection) => settle(token, { kind: "rejected", rejection }),
  };

  return {
    submitAll(writes, deadline): Promise<WriteAnswer[]> {
      // Not in the function given to a promise, which would swallow what is thrown after it is resolved.
      const { promise, resolve } = Promise.withResolvers<WriteAnswer[]>();
      const answers = new Array<WriteAnswer>(writes.length).fill(UNANSWERED);
      const finish = (): void => {
        deadline.removeEventListener("abort", finish);
        resolve(answers.slice());
      };
      deadline.addEventListener("abort", finish);
      const batch: Batch = { answers, waiting: writes.length, finish };
      for (const [index, { bytes, slot }] of writes.entries()) {
        lastToken = (lastToken + 1) % Number.MAX_SAFE_INTEGER;
        places.set(lastToken, { batch, index });
        node.submit(bytes, 0, bytes.byteLength, slot, sink, lastToken);
      }
      return promise;
    },
  };
}

function copyOutcome({ code, fromRetryCache, hasReservation, words }: Outcome): WriteAnswer {
  return {
    kind: "committed",
    code: RESULT_NAMES[code] as ResultName, // Only index 0 has no result's name, and no code is 0.
    appliedLsn: readU64(words, OutcomeField.appliedLsn),
    fromRetryCache,
    reservation: hasReservation
      ? {
        id: readU128(words, OutcomeField.reservationId),
        epoch: readU64(words, OutcomeField.epoch),
        deadlineSlot: readU64(words, OutcomeField.deadlineSlot),
      }
      : undefined,
  };
}
