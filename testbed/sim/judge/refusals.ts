/**
 * Definite means not done: what is decided was asked for by somebody who was not definitely refused, neither before
 * nor later. Remembers the latest operations only, so that a long life costs no more than a short one.
 */
import type { Rejection } from "../../../node/api.ts";
import type { ClientCommand, ModelCommand } from "../../model/words.ts";
import type { Operation } from "../workload/operation.ts";

/** What became of an operation. */
interface Fate {
  /** Attempts that may have been taken. */
  possible: number;
  isDecided: boolean;
}

const KEYS_MAX = 4_096;

/** See the top of this file. */
export class RefusalJudge {
  /** Definite refusals so far. */
  refusals = 0;
  readonly #fates = new Map<string, Fate>();
  readonly #violated: (what: string) => void;

  /** @param violated Told what is broken. */
  constructor(violated: (what: string) => void) {
    this.#violated = violated;
  }

  /** The bytes of a command have reached a replica. */
  submitted({ command, wish }: Operation): void {
    if (wish.malformed !== undefined) return;
    const key = keyOf(command);
    const fate = this.#fates.get(key);
    if (fate !== undefined) fate.possible++;
    else this.#keep(key);
  }

  /** The replica has refused them. */
  refused({ command, wish }: Operation, { category }: Rejection): void {
    if (category !== "definite") return;
    this.refusals++;
    const fate = wish.malformed === undefined ? this.#fates.get(keyOf(command)) : undefined;
    if (fate === undefined) return;
    fate.possible--;
    this.#judge(fate, command);
  }

  /** A command is decided. */
  decided(command: ModelCommand | undefined): void {
    if (command === undefined || command.kind === "expire") return;
    const fate = this.#fates.get(keyOf(command));
    if (fate === undefined) return;
    fate.isDecided = true;
    this.#judge(fate, command);
  }

  #judge({ possible, isDecided }: Fate, { operationId, kind }: ClientCommand): void {
    if (possible > 0 || !isDecided) return;
    this.#violated(`definite means not done: operation ${operationId} (${kind}) happened`);
  }

  #keep(key: string): void {
    this.#fates.set(key, { possible: 1, isDecided: false });
    if (this.#fates.size <= KEYS_MAX) return;
    for (const oldest of this.#fates.keys()) return void this.#fates.delete(oldest);
  }
}

function keyOf({ clientId, operationId }: ClientCommand): string {
  return `${clientId} ${operationId}`;
}
