/**
 * Definite means not done: what is decided was asked for by somebody who was not definitely refused. Remembers the
 * latest operations only, so that a long life costs no more than a short one.
 */
import type { Rejection } from "../../../node/api.ts";
import type { ModelCommand } from "../../model/words.ts";
import type { Operation } from "../workload/operation.ts";

const KEYS_MAX = 4_096;

/** See the top of this file. */
export class RefusalJudge {
  /** Definite refusals so far. */
  refusals = 0;
  /** Attempts that may have been taken, by operation. */
  readonly #possible = new Map<string, number>();
  readonly #violated: (what: string) => void;

  /** @param violated Told what is broken. */
  constructor(violated: (what: string) => void) {
    this.#violated = violated;
  }

  /** The bytes of a command have reached a replica. */
  submitted({ command, wish }: Operation): void {
    if (wish.malformed === undefined) this.#count(keyOf(command), 1);
  }

  /** The replica has refused them. */
  refused({ command, wish }: Operation, { category }: Rejection): void {
    if (category !== "definite") return;
    this.refusals++;
    if (wish.malformed === undefined) this.#count(keyOf(command), -1);
  }

  /** A command is decided. */
  decided(command: ModelCommand | undefined): void {
    if (command === undefined || command.kind === "expire") return;
    const possible = this.#possible.get(keyOf(command));
    if (possible === undefined || possible > 0) return;
    this.#violated(`definite means not done: operation ${command.operationId} happened`);
  }

  #count(key: string, change: 1 | -1): void {
    const before = this.#possible.get(key);
    if (before === undefined && change < 0) return;
    this.#possible.set(key, (before ?? 0) + change);
    if (this.#possible.size <= KEYS_MAX) return;
    for (const oldest of this.#possible.keys()) return void this.#possible.delete(oldest);
  }
}

function keyOf({ clientId, operationId }: Exclude<ModelCommand, { kind: "expire" }>): string {
  return `${clientId} ${operationId}`;
}
