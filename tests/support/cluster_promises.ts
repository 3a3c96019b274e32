/**
 * What a replica has promised on its disk, and what it says to others: nothing may be said that a power
 * failure in that very moment would make untrue.
 */
import type { ReplicaMetadata } from "../../node/metadata/codec.ts";
import type { Message } from "../../node/vsr/messages.ts";
import type { ClusterMachine } from "./cluster_machine.ts";

interface Promised {
  view: bigint;
  logView: bigint;
  /** Whom it helped into each view. */
  readonly votes: Map<bigint, bigint>;
}

/** See the top of this file. */
export class ClusterPromises {
  /** Messages that were held against a disk. */
  judged = 0;
  readonly #members: readonly bigint[];
  readonly #violated: (what: string) => void;
  readonly #promised = new Map<bigint, Promised>();

  constructor(members: readonly bigint[], violated: (what: string) => void) {
    this.#members = members;
    this.#violated = violated;
    for (const id of members) this.forget(id);
  }

  /** A replica's directory was lost, and with it what it promised. */
  forget(id: bigint): void {
    this.#promised.set(id, { view: 0n, logView: 0n, votes: new Map() });
  }

  /** Metadata is durable, or was found at a start. */
  remembered({ id }: ClusterMachine, metadata: ReplicaMetadata): void {
    const promised = this.#promised.get(id)!;
    const { view, logView, vote } = metadata;
    const who = `replica ${id}`;
    if (view < promised.view) this.#violated(`R11 the view never goes back on disk: ${who}`);
    if (logView < promised.logView) {
      this.#violated(`R11 the log view never goes back on disk: ${who}`);
    }
    if (logView > view) this.#violated(`R11 the log view is not ahead of the view: ${who}`);
    promised.view = view;
    promised.logView = logView;
    if (vote === null) return;
    const before = promised.votes.get(vote.view) ?? vote.replica;
    if (before !== vote.replica) this.#violated(`R12 one vote in view ${vote.view}: ${who}`);
    promised.votes.set(vote.view, vote.replica);
  }

  /** A replica says something. */
  said(machine: ClusterMachine, message: Message): void {
    const broken = this.#check(machine, message);
    if (broken !== undefined) this.#violated(`${broken}: replica ${machine.id} ${message.kind}`);
  }

  #check({ id, mirror }: ClusterMachine, message: Message): string | undefined {
    const { view, logView } = this.#promised.get(id)!;
    this.judged++;
    switch (message.kind) {
      case "prepare":
      case "start_view":
        if (this.#primaryOf(message.view) !== id) return "R1 only the primary of a view leads it";
        return logView < message.view ? "R13 a view is led when it is remembered" : undefined;
      case "prepare_ok":
        if (message.op > BigInt(mirror.durableTip)) {
          return "R6 only what is durable is acknowledged";
        }
        if (view > message.view) return "R13 nothing of a view that was left is acknowledged";
        return message.counts && logView !== message.view
          ? "R13 a view's log is remembered before it is acknowledged"
          : undefined;
      case "start_view_change":
        return view < message.view ? "R13 a view is left before it is said" : undefined;
      case "do_view_change": {
        if (view < message.view) return "R13 a view is left before it is said";
        if (message.logView > logView) return "R11 no better log is offered than is remembered";
        const { op, hash } = message;
        if (op > BigInt(mirror.durableTip)) return "R6 only what is durable is offered";
        const frame = mirror.frames.get(Number(op));
        return frame !== undefined && frame.hash !== hash
          ? "R2 what is offered is held"
          : undefined;
      }
      default:
        return undefined;
    }
  }

  #primaryOf(view: bigint): bigint | undefined {
    return this.#members[Number((view - 1n) % BigInt(this.#members.length))];
  }
}
