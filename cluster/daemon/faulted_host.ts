/** What stands in for a replica whose metadata is damaged: it answers that it cannot, and why. */
import type {
  CheckpointResult,
  Metrics,
  NodeIdentity,
  ReadRefusal,
  ReplicationView,
  ReservationRead,
  ResourceRead,
  ResultSink,
} from "../../node/api.ts";
import type { TickOutcome } from "../../node/expiration.ts";
import { emptyMetrics } from "../../node/replica/empty_metrics.ts";
import type { HostStatus, ReplicaHost } from "./host.ts";

const NOT_PRIMARY = { code: "not_primary", view: 0n, primary: undefined } as const;

/** A replica that takes part in nothing. */
export class FaultedHost implements ReplicaHost {
  readonly identity: NodeIdentity;
  readonly #members: readonly bigint[];
  readonly #reason: string;

  /**
   * @param identity Who it should be.
   * @param members All replica ids.
   * @param reason Why it cannot.
   */
  constructor(identity: NodeIdentity, members: readonly bigint[], reason: string) {
    this.identity = identity;
    this.#members = members;
    this.#reason = reason;
  }

  receive(): void {}
  linkUp(): void {}
  linkDown(): void {}
  tick(): void {}
  startViewChange(): void {}
  close(): void {}

  digest(): undefined {
    return undefined;
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  status(): HostStatus {
    return {
      replicaId: this.identity.replicaId,
      members: this.#members,
      ...{ state: "faulted", role: "faulted", view: 0n, logView: 0n, primary: undefined },
      ...{ commitOp: 0n, appliedOp: 0n, tipOp: 0n, tipHash: 0n, syncedOp: 0n },
      ...{ commitLsn: undefined, snapshotLsn: undefined, acceptingWrites: undefined },
      ...{ startup: undefined, lastNormalView: 0n, durableVote: null, peers: [], counters: {} },
      faultReason: this.#reason,
    };
  }

  replication(): ReplicationView {
    const { role, view, primary, commitOp, appliedOp, tipOp } = this.status();
    return { role, view, primary, commitOp, appliedOp, tipOp, peers: [] };
  }

  submit(
    _view: DataView,
    _at: number,
    _end: number,
    _slot: bigint | undefined,
    sink: ResultSink,
    token: number,
  ): void {
    sink.rejected(token, { category: "definite", ...NOT_PRIMARY });
  }

  confirmAuthority(done: (refusal: ReadRefusal | undefined) => void): void {
    done({ kind: "not_primary", view: 0n, primary: undefined });
  }

  getResource(): ResourceRead {
    return { kind: "engine_halted" };
  }

  getReservation(): ReservationRead {
    return { kind: "engine_halted" };
  }

  metrics(): Metrics {
    return emptyMetrics(this.identity, this.#reason);
  }

  tickExpirations(_slot: bigint | undefined, done: (outcome: TickOutcome) => void): void {
    done({ kind: "rejected", rejection: { category: "definite", ...NOT_PRIMARY } });
  }

  checkpoint(done: (result: CheckpointResult) => void): void {
    done({ kind: "engine_halted" });
  }

  currentSlot(): bigint {
    return 0n;
  }
}
