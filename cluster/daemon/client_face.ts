/** A replica as its clients meet it: behind links that may be faulty, and, at level debug, with a line for each write. */
import { type Outcome, RESULT_NAMES } from "../../core/outcome.ts";
import { OutcomeField } from "../../core/outcome.ts";
import { readU64 } from "../../core/words.ts";
import type {
  CheckpointResult,
  Metrics,
  NodeApi,
  NodeIdentity,
  ReadRefusal,
  Rejection,
  ReplicationView,
  ReservationRead,
  ResourceRead,
  ResultSink,
} from "../../node/api.ts";
import type { TickOutcome } from "../../node/expiration.ts";
import type { LinkFault, LinkPorts } from "../../node/peer/line.ts";
import { Lane } from "./lane.ts";
import type { LeveledLog } from "./leveled_log.ts";

/** Bytes that an answer stands for. */
const ANSWER_BYTES = 64;
/** Bytes that a question stands for. */
const QUESTION_BYTES = 32;

/** Hands everything on as it is unless told otherwise. */
export class ClientFace implements NodeApi {
  readonly identity: NodeIdentity;
  /** Commands that came, ever. */
  submits = 0;
  readonly #inner: NodeApi;
  readonly #log: LeveledLog;
  readonly #requests: Lane;
  readonly #answers: Lane;

  /**
   * @param inner The replica.
   * @param log Where writes are told at level debug.
   * @param ports Time and chance, for faults.
   */
  constructor(inner: NodeApi, log: LeveledLog, ports: LinkPorts) {
    this.identity = inner.identity;
    this.#inner = inner;
    this.#log = log;
    this.#requests = new Lane(ports);
    this.#answers = new Lane(ports);
  }

  /** What happens to requests and answers from now on. */
  setFaults(requests: LinkFault | undefined, answers: LinkFault | undefined): void {
    this.#requests.set(requests);
    this.#answers.set(answers);
  }

  /** See {@linkcode NodeApi}. */
  submit(
    view: DataView,
    at: number,
    end: number,
    slot: bigint | undefined,
    sink: ResultSink,
    token: number,
  ): void {
    this.submits++;
    const seen = this.#log.isDebug ? new ToldSink(sink, this.#log) : sink;
    const isFaulty = this.#requests.isFaulty || this.#answers.isFaulty;
    if (!isFaulty) return this.#inner.submit(view, at, end, slot, seen, token);
    const bytes = new Uint8Array(end - at);
    bytes.set(new Uint8Array(view.buffer, view.byteOffset + at, end - at));
    const copy = new DataView(bytes.buffer);
    const answer = new LateSink(seen, this.#answers);
    this.#requests.pass(bytes.length, () => {
      this.#inner.submit(copy, 0, bytes.length, slot, answer, token);
    });
  }

  /** Late questions, not late answers: what is read must be what is true when it is read. */
  confirmAuthority(done: (refusal: ReadRefusal | undefined) => void): void {
    const once = onlyOnce(done);
    const ask = (): void => this.#inner.confirmAuthority(once);
    this.#requests.pass(QUESTION_BYTES, () => this.#answers.pass(ANSWER_BYTES, ask));
  }

  getResource(resourceId: bigint, requiredLsn?: bigint): ResourceRead {
    return this.#inner.getResource(resourceId, requiredLsn);
  }

  getReservation(
    reservationId: bigint,
    requiredLsn?: bigint,
    currentSlot?: bigint,
  ): ReservationRead {
    return this.#inner.getReservation(reservationId, requiredLsn, currentSlot);
  }

  metrics(currentSlot?: bigint): Metrics {
    return this.#inner.metrics(currentSlot);
  }

  tickExpirations(currentSlot: bigint | undefined, done: (outcome: TickOutcome) => void): void {
    const once = onlyOnce(done);
    this.#requests.pass(QUESTION_BYTES, () => {
      this.#inner.tickExpirations(currentSlot, (outcome) => {
        this.#answers.pass(ANSWER_BYTES, () => once(outcome));
      });
    });
  }

  checkpoint(done: (result: CheckpointResult) => void): void {
    this.#inner.checkpoint(done);
  }

  replication(): ReplicationView | undefined {
    return this.#inner.replication?.();
  }

  currentSlot(): bigint {
    return this.#inner.currentSlot();
  }
}

/** Whoever asked takes one answer. */
function onlyOnce<T>(done: (value: T) => void): (value: T) => void {
  let isDone = false;
  return (value) => {
    if (isDone) return;
    isDone = true;
    done(value);
  };
}

/** Answers that come late, never, or a second time: which the client's connection must not see. */
class LateSink implements ResultSink {
  readonly #inner: ResultSink;
  readonly #answers: Lane;
  #isDone = false;

  constructor(inner: ResultSink, answers: Lane) {
    this.#inner = inner;
    this.#answers = answers;
  }

  committed(token: number, outcome: Outcome): void {
    const copy = { ...outcome, words: outcome.words.slice() };
    this.#once(() => this.#inner.committed(token, copy));
  }

  rejected(token: number, rejection: Rejection): void {
    this.#once(() => this.#inner.rejected(token, rejection));
  }

  #once(call: () => void): void {
    this.#answers.pass(ANSWER_BYTES, () => {
      if (this.#isDone) return;
      this.#isDone = true;
      call();
    });
  }
}

/** Writes a line for each answer. */
class ToldSink implements ResultSink {
  readonly #inner: ResultSink;
  readonly #log: LeveledLog;

  constructor(inner: ResultSink, log: LeveledLog) {
    this.#inner = inner;
    this.#log = log;
  }

  committed(token: number, outcome: Outcome): void {
    this.#log.event("debug", "client_submit_committed", {
      lsn: readU64(outcome.words, OutcomeField.appliedLsn),
      result_code: RESULT_NAMES[outcome.code],
      from_retry_cache: outcome.fromRetryCache,
    });
    this.#inner.committed(token, outcome);
  }

  rejected(token: number, rejection: Rejection): void {
    const { code, category } = rejection;
    if (rejection.code === "not_primary") {
      const { view, primary } = rejection;
      this.#log.event("debug", "client_submit_not_primary", { view, primary });
    } else this.#log.event("debug", "client_submit_rejected", { category, code });
    this.#inner.rejected(token, rejection);
  }
}
