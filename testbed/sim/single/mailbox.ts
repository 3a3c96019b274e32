/** What goes into a node and what comes out: answers leave at the end of their turn, and not if the process ends in it. */
import type { Outcome } from "../../../core/outcome.ts";
import type { Rejection, ResultSink } from "../../../node/api.ts";
import type { Node } from "../../../node/node.ts";
import type { ClientCommand } from "../../model/words.ts";
import { encodePlain, plainOutcome, type Request } from "../workload/plain.ts";
import type { Answer, Ticket } from "./ticket.ts";

/** Who follows what becomes of commands. */
export interface MailboxHost {
  nowMs(): number;
  /** The last applied lsn. */
  lsn(): number;
  sent(ticket: Ticket): void;
  /** Somebody hears how his command ended. */
  published(ticket: Ticket, answer: Answer): void;
  violated(what: string): never;
}

/** Where ids that nobody chose begin. */
const FRESH_OPERATION_IDS = 1n << 100n;

/** See the top of this file. */
export class Mailbox implements ResultSink {
  readonly #host: MailboxHost;
  #tickets: Ticket[] = [];
  #submissions = 0;
  #leaving: (() => void)[] = [];

  constructor(host: MailboxHost) {
    this.#host = host;
  }

  /** A ticket for a command under its own or a fresh operation id. */
  ticket(request: Request | ClientCommand, slot: bigint | undefined): Ticket {
    const order = this.#submissions++;
    const key = { operationId: FRESH_OPERATION_IDS + BigInt(order), clientId: 1n };
    const command = { ...key, ...request } as ClientCommand;
    return {
      command,
      bytes: encodePlain(command),
      slot,
      order,
      sentMs: this.#host.nowMs(),
      sentLsn: this.#host.lsn(),
      told: undefined,
      answer: undefined,
      lsn: undefined,
    };
  }

  /** Gives a command to a node. */
  submit(node: Node, ticket: Ticket): void {
    const { bytes: { buffer, byteOffset, length }, slot } = ticket;
    this.#host.sent(ticket);
    const token = this.#tickets.push(ticket) - 1;
    node.submit(new DataView(buffer, byteOffset, length), 0, length, slot, this, token);
  }

  committed(token: number, outcome: Outcome): void {
    this.#tell(token, { kind: "committed", outcome: plainOutcome(outcome) });
  }

  rejected(token: number, rejection: Rejection): void {
    this.#tell(token, { kind: "rejected", rejection });
  }

  /** Lets something out at the end of this turn. */
  atEndOfTurn(leave: () => void): void {
    this.#leaving.push(leave);
  }

  /** The turn is over. */
  endTurn(): void {
    for (const leave of this.#leaving.splice(0)) leave();
  }

  /** The process has ended: nothing comes out any more. */
  forget(): void {
    this.#leaving = [];
    this.#tickets = [];
  }

  #tell(token: number, answer: Answer): void {
    const ticket = this.#tickets[token]!;
    if (ticket.told !== undefined) this.#host.violated("waiters: answered twice");
    ticket.told = answer;
    this.atEndOfTurn(() => {
      ticket.answer = answer;
      this.#host.published(ticket, answer);
    });
  }
}
