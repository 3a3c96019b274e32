/**
 * What a replica has promised on its disk, and what it says to others: nothing may be said that a power
 * failure in that very moment would make untrue.
 */
import type { ReplicaMetadata } from "../../../node/metadata/codec.ts";
import type { Message } from "../../../node/vsr/messages.ts";
import type { ClusterMachine } from "../world/machine.ts";

interface Promised {
  /** What its disk says. */
  view: bigint;
  logView: bigint;
  /** What the disk must not say less than: both copies held it, or others have been told. */
  keptView: bigint;
  keptLogView: bigint;
  /** Whom it helped into each view. */
  readonly votes: Map<bigint, bigint>;
  /** The last entry that it said it has, and in which view. */
  acknowledged: Place & { readonly hash: bigint | undefined };
}

/** See the top of this file. */
export class ClusterPromises {
  /** Messages that were held against a disk. */
  judged = 0;
  readonly #members: readonly bigint[];
  readonly #violated: (what: string) => void;
  readonly #committedHash: (op: number) => bigint | undefined;
  readonly #promised = new Map<bigint, Promised>();
  /** The latest view that each replica ever held in full, lost disks or not. */
  readonly #entered = new Map<bigint, bigint>();

  /**
   * @param members All replicas.
   * @param committedHash What is decided at an op, as far as anybody knows.
   * @param violated Told what is broken.
   */
  constructor(
    members: readonly bigint[],
    committedHash: (op: number) => bigint | undefined,
    violated: (what: string) => void,
  ) {
    this.#members = members;
    this.#committedHash = committedHash;
    this.#violated = violated;
    for (const id of members) this.forget(id);
  }

  /** A replica's directory was lost, and with it what it promised. */
  forget(id: bigint): void {
    const none = { view: 0n, logView: 0n, keptView: 0n, keptLogView: 0n };
    this.#promised.set(id, { ...none, votes: new Map(), acknowledged: NOTHING });
  }

  /**
   * Metadata is durable, or was found at a start.
   *
   * @param machine Whose.
   * @param metadata What is remembered.
   * @param isWhole Whether no copy holds anything older, which damage to the other one would bring back.
   */
  remembered({ id }: ClusterMachine, metadata: ReplicaMetadata, isWhole: boolean): void {
    const promised = this.#promised.get(id)!;
    const { view, logView, vote } = metadata;
    const who = `replica ${id}`;
    if (view < promised.keptView) this.#violated(`R11 the view never goes back on disk: ${who}`);
    if (logView < promised.keptLogView) {
      this.#violated(`R11 the log view never goes back on disk: ${who}`);
    }
    if (logView > view) this.#violated(`R11 the log view is not ahead of the view: ${who}`);
    promised.view = view;
    promised.logView = logView;
    if (isWhole) keep(promised, view, logView);
    if (logView > this.enteredView(id)) this.#entered.set(id, logView);
    // It admits that it cannot prove what it said: it starts over, without a vote.
    if (metadata.role === "recovering") promised.acknowledged = NOTHING;
    if (vote === null) return;
    const before = promised.votes.get(vote.view) ?? vote.replica;
    if (before !== vote.replica) this.#violated(`R12 one vote in view ${vote.view}: ${who}`);
    promised.votes.set(vote.view, vote.replica);
  }

  /** The latest view whose log a replica ever remembered to hold in full. */
  enteredView(id: bigint): bigint {
    return this.#entered.get(id) ?? 0n;
  }

  /** A replica says something. */
  said(machine: ClusterMachine, message: Message): void {
    const broken = this.#check(machine, message);
    if (broken !== undefined) this.#violated(`${broken}: replica ${machine.id} ${message.kind}`);
    const promised = this.#promised.get(machine.id)!;
    const saidView = "view" in message ? message.view : 0n;
    keep(
      promised,
      saidView === promised.view ? saidView : 0n,
      saidView === promised.logView ? saidView : 0n,
    );
  }

  #check(machine: ClusterMachine, message: Message): string | undefined {
    const { id, mirror } = machine;
    const promised = this.#promised.get(id)!;
    const { view, logView, acknowledged } = promised;
    this.judged++;
    switch (message.kind) {
      case "prepare":
      case "start_view":
        if (this.#primaryOf(message.view) !== id) return "R1 only the primary of a view leads it";
        return logView < message.view ? "R13 a view is led when it is remembered" : undefined;
      case "prepare_ok":
        if (!holds(machine, message.op)) {
          return "R6 only what is durable is acknowledged";
        }
        if (view > message.view) return "R13 nothing of a view that was left is acknowledged";
        if (message.counts && isLater(message, acknowledged)) {
          const { view, op } = message;
          promised.acknowledged = { view, op, hash: mirror.frames.get(Number(op))?.hash };
        }
        return message.counts && logView !== message.view
          ? "R13 a view's log is remembered before it is acknowledged"
          : undefined;
      case "start_view_change":
        return view < message.view ? "R13 a view is left before it is said" : undefined;
      case "do_view_change": {
        if (view < message.view) return "R13 a view is left before it is said";
        if (message.logView > logView) return "R11 no better log is offered than is remembered";
        const { op, hash } = message;
        // What was never committed may have been cut on the way into a later view.
        const isCommitted = acknowledged.hash !== undefined &&
          acknowledged.hash === this.#committedHash(Number(acknowledged.op));
        if (isCommitted && isLater(acknowledged, { view: message.logView, op })) {
          return `R6 what was acknowledged is offered (op ${acknowledged.op} in view ${acknowledged.view})`;
        }
        if (!holds(machine, op)) return "R6 only what is durable is offered";
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

/** From now on these may not be taken back. */
function keep(promised: Promised, view: bigint, logView: bigint): void {
  if (view > promised.keptView) promised.keptView = view;
  if (logView > promised.keptLogView) promised.keptLogView = logView;
}

const NOTHING = { view: 0n, op: 0n, hash: undefined };

interface Place {
  readonly view: bigint;
  readonly op: bigint;
}

/** Whether a log is better than another: of a later view, or longer. */
function isLater(a: Place, b: Place): boolean {
  return a.view === b.view ? a.op > b.op : a.view > b.view;
}

/** Whether everything up to an op is durable, as entries or in a snapshot. */
function holds({ mirror, subject }: ClusterMachine, op: bigint): boolean {
  if (Number(op) <= mirror.durableTip) return true;
  const heldOp = Math.max(mirror.durableTip, Number(subject?.status().snapshotLsn ?? 0n));
  let at = Number(op);
  while (at > heldOp && mirror.frames.get(at)?.isDurable === true) at--;
  return at <= heldOp;
}
