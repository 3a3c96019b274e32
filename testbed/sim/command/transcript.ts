/** Everything that happens in a life, in words, a line for each: the same plan, the same bytes. */
import { printable } from "../../../node/cli/text.ts";
import type { Message } from "../../../node/vsr/messages.ts";
import type { Strike } from "../nemesis/strike.ts";
import type { Operation } from "../workload/client.ts";
import { textOf } from "../world/network.ts";
import type { ProcessChange, ReplicaSight, WorldObserver } from "../world/observer.ts";

/** Columns of a time. */
const TIME_WIDTH = 12;
/** Longest line, in characters. */
const LINE_CHARS_MAX = 400;

/** Writes lines to whatever takes them. */
export class TranscriptObserver implements WorldObserver {
  readonly #write: (line: string) => void;
  /** Messages on their way: what arrives is told by its number alone. */
  readonly #messages = new Map<number, string>();

  /** @param write Takes a line without its end. */
  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  sent(_atMs: number, number: number, from: bigint, to: bigint, message: Message): void {
    this.#messages.set(number, `${from} → ${to}  ${textOf(message)}`);
  }

  arrived(atMs: number, number: number): void {
    this.#say(atMs, this.#take(number));
  }

  lost(
    atMs: number,
    number: number | undefined,
    from: bigint,
    to: bigint,
    message: Message | undefined,
  ): void {
    const what = message === undefined ? "" : `${from} → ${to}  ${textOf(message)}`;
    this.#say(atMs, `lost: ${number === undefined ? what : this.#take(number)}`);
  }

  replica(atMs: number, id: bigint, { role, view, commitOp }: ReplicaSight): void {
    this.#say(atMs, `replica ${id}: ${role}, view ${view}, commit ${commitOp}`);
  }

  process(atMs: number, id: bigint, change: ProcessChange, detail: string): void {
    this.#say(atMs, `replica ${id} ${change}${detail === "" ? "" : `: ${detail}`}`);
  }

  struck(atMs: number, { fault, forMs }: Strike): void {
    this.#say(atMs, `fault: ${fault}, for ${forMs} ms at most`);
  }

  asked(atMs: number, operation: Operation): void {
    this.#say(atMs, `${askedText(operation)}?`);
  }

  answered(atMs: number, operation: Operation): void {
    this.#say(atMs, `${askedText(operation)}: ${answerText(operation)}`);
  }

  #take(number: number): string {
    const text = this.#messages.get(number) ?? `message ${number}`;
    this.#messages.delete(number);
    return text;
  }

  #say(atMs: number, text: string): void {
    const line = `${atMs.toFixed(3).padStart(TIME_WIDTH)}  ${printable(text)}`;
    this.#write(line.length > LINE_CHARS_MAX ? `${line.slice(0, LINE_CHARS_MAX)}…` : line);
  }
}

/** Who asked for what. */
export function askedText({ command }: Operation): string {
  return `client ${command.clientId} asks ${command.kind}, operation ${command.operationId}`;
}

/** What a client was told. */
export function answerText({ outcome, failure, attempts }: Operation): string {
  const tries = attempts > 1 ? `, attempt ${attempts}` : "";
  if (outcome !== undefined) return `${outcome.code} at ${outcome.appliedLsn}${tries}`;
  return `${failure === undefined ? "gave up" : failure.code}${tries}`;
}
