/** A client in the node's own process: what is put together goes into the log together. */
import { type CommandTag, createCommand, Field } from "../../core/command.ts";
import { encodeCommand } from "../../core/command_codec.ts";
import { type Outcome, OutcomeField, RESULT_NAMES, type ResultName } from "../../core/outcome.ts";
import type { NodeApi, Rejection, ResultSink } from "../api.ts";
import { CliError } from "../errors.ts";

/** One command. Ids are whole numbers below 2^53: in a run nothing needs more. */
export interface Request {
  readonly tag: CommandTag;
  readonly operationId: number;
  /** Resource of create and reserve, else reservation. */
  readonly subjectId: number;
  readonly holderId?: number;
  /** Time to live of reserve, in slots; epoch of confirm and release. */
  readonly quantity?: number;
}

const CLIENT_ID = 1;
const COMMAND_BYTES_MAX = 128;
const HIGH = 0x1_0000_0000;

/** See the top of the file. Answers are told apart by the token that `put` gave out. */
export class BatchClient implements ResultSink {
  readonly #node: NodeApi;
  readonly #command = createCommand(1);
  readonly #bytes = new DataView(new ArrayBuffer(COMMAND_BYTES_MAX));
  readonly #codes: Uint8Array;
  readonly #fromCache: Uint8Array;
  readonly #reservationIds: Float64Array;
  #rejection: Rejection | undefined;
  #put = 0;
  #open = 0;
  #wake: (() => void) | undefined;

  /**
   * @param node The node.
   * @param commandsMax Most commands between two calls of {@linkcode BatchClient.begin}.
   */
  constructor(node: NodeApi, commandsMax: number) {
    this.#node = node;
    this.#codes = new Uint8Array(commandsMax);
    this.#fromCache = new Uint8Array(commandsMax);
    this.#reservationIds = new Float64Array(commandsMax);
  }

  /** Forgets the answers; none may be outstanding. */
  begin(): void {
    this.#put = 0;
    this.#rejection = undefined;
  }

  /**
   * Hands one command over.
   *
   * @param request What to ask for.
   * @param slot The slot to ask at; the node's clock if absent.
   * @returns The token of its answer.
   */
  put(request: Request, slot?: bigint): number {
    const { words } = this.#command;
    this.#command.tag = request.tag;
    writeId(words, Field.operationId, request.operationId);
    writeId(words, Field.clientId, CLIENT_ID);
    writeId(words, Field.subjectId, request.subjectId);
    writeId(words, Field.holderId, request.holderId ?? 0);
    writeId(words, Field.quantity, request.quantity ?? 0);
    const end = encodeCommand(this.#bytes, 0, this.#command);
    const token = this.#put++;
    this.#codes[token] = 0;
    this.#open++;
    this.#node.submit(this.#bytes, 0, end, slot, this, token);
    return token;
  }

  /**
   * Resolves when everything that was put has its answer.
   *
   * @throws {CliError} When the node's log failed.
   */
  async answered(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#wake = resolve);
    if (this.#rejection?.category !== "indefinite") return;
    const reason = this.#node.metrics().haltReason ?? "the node halted";
    throw new CliError("E_IO", `the disk failed while measuring: ${reason}`);
  }

  /** The result of a command, or why it has none. */
  result(token: number): ResultName | Rejection["code"] | "none" {
    const code = this.#codes[token]!;
    return code === 0 ? this.#rejection?.code ?? "none" : RESULT_NAMES[code]!;
  }

  /** The first answer since `begin` that is not `ok`, if there is one. */
  firstFailure(): string | undefined {
    for (let token = 0; token < this.#put; token++) {
      if (this.#codes[token] !== 1) return this.result(token);
    }
    return undefined;
  }

  /** Whether a result was remembered from an earlier attempt. */
  isFromCache(token: number): boolean {
    return this.#fromCache[token] === 1;
  }

  /** The reservation that a reserve made. */
  reservationId(token: number): number {
    return this.#reservationIds[token]!;
  }

  committed(token: number, outcome: Outcome): void {
    const { words } = outcome;
    this.#codes[token] = outcome.code;
    this.#fromCache[token] = outcome.fromRetryCache ? 1 : 0;
    if (outcome.hasReservation) {
      const at = OutcomeField.reservationId;
      this.#reservationIds[token] = words[at + 1]! * HIGH + words[at]!;
    }
    this.#close();
  }

  rejected(_token: number, rejection: Rejection): void {
    this.#rejection ??= rejection;
    this.#close();
  }

  #close(): void {
    if (--this.#open > 0) return;
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** The store keeps the low 32 bits; the upper words of an id are never set. */
function writeId(words: Uint32Array, at: number, value: number): void {
  words[at] = value;
  words[at + 1] = Math.floor(value / HIGH);
}
