/**
 * Foreign operations become events of ours. The first of them are held back until it is certain which model they are of and
 * whether they name keys; then everything goes on as it comes.
 */
import { equalValues } from "../../history/claims.ts";
import type { HistoryEvent, HistoryHeader } from "../../history/event.ts";
import { HistoryError, quoted, shown } from "../../history/history_error.ts";
import type { ModelName, ModelRequest, Value } from "../../history/model.ts";
import type { EventSink, ReadOptions } from "../format.ts";
import { type Datum, isGroup, isWord } from "./datum.ts";
import { printEdn } from "./edn_print.ts";
import { FaultReader } from "./faults.ts";
import { ModelGuess } from "./guess.ts";
import { type KeyedDatum, KeyGuess } from "./keys.ts";
import { type Dialect, type ForeignOperation, PROCESS_NUMBER_MAX } from "./operation.ts";
import { Values } from "./values.ts";

/** How a foreign history is to be read. */
export interface ForeignOptions extends ReadOptions {
  /** Whether values are `[key value]`; default: what the history shows. */
  readonly keyed?: boolean;
}

/** Most operations that are held back. */
export const HELD_MAX = 20_000;

/** The process that breaks things. */
const NEMESIS = "nemesis";
/** Operations whose end repeats what they asked for, if it says anything. */
const ECHOING: ReadonlySet<string> = new Set(["write", "cas", "put", "append", "add"]);
/** Operations that are asked for the sake of the answer. */
const ASKING: ReadonlySet<string> = new Set(["read", "get", "txn"]);

/** See the top of this file. */
export class ForeignHistory {
  readonly #sink: EventSink;
  readonly #model: ModelGuess;
  readonly #isModelTold: boolean;
  readonly #keys: KeyGuess;
  readonly #values: Values;
  readonly #faults = new FaultReader();
  readonly #open = new Map<number, ModelRequest>();
  readonly #names = new Map<string, number>();
  #held: ForeignOperation[] | undefined = [];
  #name: ModelName = "register";
  /** Of the operation at hand; not a number where none is said. */
  #timeNs = NaN;
  #hasTimes = false;
  #clients = 0;

  constructor(sink: EventSink, options: ForeignOptions, dialect: Dialect) {
    if (options.model === "reservation") {
      throw new HistoryError(
        undefined,
        "a history of Jepsen's",
        "a model of other systems, not reservation",
      );
    }
    this.#sink = sink;
    this.#model = new ModelGuess(options.model);
    this.#isModelTold = options.model !== undefined;
    this.#keys = new KeyGuess(options.keyed);
    this.#values = new Values(dialect);
  }

  add(operation: ForeignOperation): void {
    this.#look(operation);
    if (this.#held === undefined) return this.#pass(operation);
    this.#held.push(operation);
    if (this.#model.isCertain && this.#keys.isCertain) this.#release(false);
    else if (this.#held.length >= HELD_MAX) this.#release(false);
  }

  end(): void {
    if (this.#held !== undefined) this.#release(true);
    if (this.#clients > 0 && !this.#hasTimes) {
      this.#sink.note("no times in it");
    }
  }

  #look(operation: ForeignOperation): void {
    if (operation.process === NEMESIS) return;
    this.#model.see(operation);
    this.#keys.see(operation);
  }

  #release(isWhole: boolean): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#name = this.#model.name(isWhole);
    const header: HistoryHeader = { model: this.#name };
    this.#keys.place();
    this.#sink.header(header);
    if (!this.#isModelTold) this.#sink.note(`model guessed from the operations: ${this.#name}`);
    const note = this.#keys.note;
    if (note !== undefined) this.#sink.note(note);
    for (const operation of held) this.#pass(operation);
  }

  #pass(operation: ForeignOperation): void {
    this.#readTime(operation);
    if (operation.process === NEMESIS) return this.#passFault(operation);
    this.#clients++;
    const process = this.#numberOf(operation.process);
    if (operation.type === "invoke") this.#passInvocation(operation, process);
    else this.#passCompletion(operation, process);
  }

  #readTime({ timeNs, hasTime }: ForeignOperation): void {
    this.#timeNs = timeNs ?? NaN;
    if (timeNs !== undefined) this.#hasTimes = true;
    else if (hasTime) this.#sink.note("times that are no whole nanoseconds were left out");
  }

  #passFault(operation: ForeignOperation): void {
    const reading = this.#faults.read(operation, this.#timeNs);
    const at = { line: operation.line };
    if (reading === "unknown") this.#sink.skip(at, `nemesis ${shown(operation.f)}`);
    else if (reading !== "told") this.#emit(reading, operation, {});
  }

  /** Processes with names get numbers that no other has. */
  #numberOf(process: number | string): number {
    if (typeof process === "number") return process;
    const known = this.#names.get(process);
    if (known !== undefined) return known;
    const number = PROCESS_NUMBER_MAX + this.#names.size;
    this.#names.set(process, number);
    this.#sink.processName(number, process);
    return number;
  }

  #passInvocation(operation: ForeignOperation, process: number): void {
    const { f, line } = operation;
    const { key, value } = this.#keys.splitRequest(operation);
    const request: ModelRequest = {
      kind: "model",
      f,
      ...this.#keyOf(key, line),
      value: this.#valueOf(value, f, line),
    };
    refuseShape(request, line);
    this.#open.set(process, request);
    this.#emit({ type: "invoke", process, timeNs: this.#timeNs, request }, operation, request);
  }

  #passCompletion(operation: ForeignOperation, process: number): void {
    const { type, line } = operation;
    if (type === "invoke") return;
    const split = this.#keys.splitAnswer(operation);
    const answer = this.#answerOf(operation, split);
    const key = this.#keyOf(split?.key, line);
    this.#compare(this.#open.get(process), operation, answer);
    this.#open.delete(process);
    const reason = reasonOf(operation);
    const said = answer === undefined ? {} : { answer: { kind: "model" as const, value: answer } };
    const why = reason === undefined || type === "ok" ? {} : { reason };
    this.#emit({ type, process, timeNs: this.#timeNs, ...said, ...why }, operation, key);
  }

  /** What an `ok` said; what a `fail` said too, if it says anything. */
  #answerOf(operation: ForeignOperation, split: KeyedDatum | undefined): Value | undefined {
    const { type, f, line, value } = operation;
    if (type === "info" || (type === "fail" && isOddFailure(value, split))) return undefined;
    if (type === "ok" && value === undefined && ASKING.has(f)) {
      throw new HistoryError({ line }, `an answered ${f} without value`, "the value that it saw");
    }
    return type === "fail"
      ? this.#failedValue(operation, split)
      : this.#valueOf(split?.value ?? null, f, line);
  }

  /** What a failure says matters to nobody but a judge of cas: what is no value there is left out. */
  #failedValue({ f, line }: ForeignOperation, split: KeyedDatum | undefined): Value | undefined {
    try {
      return this.#valueOf(split?.value ?? null, f, line);
    } catch (error) {
      if (error instanceof HistoryError) return undefined;
      throw error;
    }
  }

  /** An end that says it did something else than was asked for is not guessed about. */
  #compare(
    asked: ModelRequest | undefined,
    operation: ForeignOperation,
    answer: Value | undefined,
  ): void {
    const isEcho = operation.type === "ok" && ECHOING.has(operation.f) && operation.f === asked?.f;
    if (!isEcho || answer === undefined || answer === null || equalValues(answer, asked.value)) {
      return;
    }
    const found = `${operation.f} that was answered with another value than it was asked with`;
    throw new HistoryError({ line: operation.line }, found, "the same value, or nil");
  }

  #keyOf(key: Datum | undefined, line: number): { readonly key?: Value } {
    return key === undefined ? {} : { key: this.#values.toValue(key, line) };
  }

  #valueOf(datum: Datum, f: string, line: number): Value {
    const isSet = isGroup(datum) && datum.kind === "set";
    if (isSet && (f !== "read" || this.#name !== "set")) {
      throw new HistoryError(
        { line },
        `a set as value of ${quoted(f)}`,
        "a set only where a set is read",
      );
    }
    return this.#values.toValue(datum, line);
  }

  #emit(
    event: HistoryEvent,
    { line, f, index }: ForeignOperation,
    named: { readonly key?: Value },
  ): void {
    const numbered = index === undefined ? {} : { index };
    const keyed = named.key === undefined ? {} : { key: named.key };
    this.#sink.event(
      event,
      { line },
      event.type === "fault" ? numbered : { f, ...numbered, ...keyed },
    );
  }
}

/** @throws {HistoryError} for a cas that does not name two values */
function refuseShape({ f, value }: ModelRequest, line: number): void {
  if (f !== "cas" || (Array.isArray(value) && value.length === 2)) return;
  throw new HistoryError({ line }, "a cas of something else than two values", "[expected new]");
}

/** Words such as `:timed-out` in the place of a value, or nothing at all. */
function isOddFailure(value: Datum | undefined, split: KeyedDatum | undefined): boolean {
  return value === undefined || split === undefined || isWord(value, "keyword");
}

function reasonOf({ type, error, value }: ForeignOperation): string | undefined {
  if (type === "ok") return undefined;
  if (error !== undefined) return wordsOf(error);
  return value !== undefined && value !== null && isWord(value, "keyword") ? value.text : undefined;
}

/** A reason is text for people: long ones are cut. */
function wordsOf(error: Datum): string {
  if (typeof error === "string") return shown(error);
  return isWord(error, "keyword") ? error.text : shown(printEdn(error));
}
