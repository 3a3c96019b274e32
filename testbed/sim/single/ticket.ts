/** A command on its way to a node and back. */
import type { Rejection } from "../../../node/api.ts";
import type { ClientCommand, ModelOutcome } from "../../model/words.ts";

/** What became of a command. */
export type Answer =
  | { readonly kind: "committed"; readonly outcome: ModelOutcome }
  | { readonly kind: "rejected"; readonly rejection: Rejection };

/** A submission. */
export interface Ticket {
  readonly command: ClientCommand;
  readonly bytes: Uint8Array;
  /** The slot that the host gave it; none when the node is to take its clock's. */
  readonly slot: bigint | undefined;
  /** Counts submissions, over restarts too. */
  readonly order: number;
  readonly sentMs: number;
  /** The last applied lsn when it was sent. */
  readonly sentLsn: number;
  /** What the node has said, perhaps in the turn in which it ended: then nobody has heard it. */
  told: Answer | undefined;
  /** What the client has heard. */
  answer: Answer | undefined;
  /** The entry that it made. */
  lsn: number | undefined;
}

/** How it ended in a word: `ok`, `resource_busy`, `overloaded`, … or `nothing`. */
export function codeOf({ answer }: Ticket): string {
  if (answer === undefined) return "nothing";
  return answer.kind === "committed" ? answer.outcome.code : answer.rejection.code;
}

/** The outcome of a command that must have been committed. */
export function outcomeOf(ticket: Ticket): ModelOutcome {
  const { answer } = ticket;
  if (answer?.kind === "committed") return answer.outcome;
  throw new Error(`Not committed: ${codeOf(ticket)}`);
}
