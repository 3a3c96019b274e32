/**
 * Servers that look like the replicas of one cluster to a client: one model behind all of them, and a test that
 * says who is primary, who believes what, and who is there at all.
 */
import type {
  CheckpointResult,
  Metrics,
  NodeApi,
  NodeIdentity,
  NotPrimary,
  ReadRefusal,
  Rejection,
  ReplicationView,
  ReservationRead,
  ResourceRead,
  ResultSink,
  TickResult,
} from "../../node/api.ts";
import { type Server, startServer } from "../../node/server/server.ts";
import { WireNode } from "./wire_node.ts";

/** A write that was taken in and waits for a majority. */
interface Held {
  readonly commit: () => void;
  readonly reject: (rejection: Rejection) => void;
}

/** One replica as clients see it. */
export class FakeReplica implements NodeApi {
  readonly identity: NodeIdentity;
  /** Whom it believes to be primary, and in which view. */
  belief: NotPrimary = { view: 1n, primary: undefined };
  /** When set, what it answers to writes and reads instead of anything else. */
  illness: Extract<Rejection, { readonly category: "indefinite" }> | undefined;
  /** When true, what it takes in as primary waits. */
  holds = false;
  /** Writes that clients sent here, taken in or not. */
  submitted = 0;
  /** Strict reads that clients sent here. */
  asked = 0;
  #held: Held[] = [];
  #server: Server | undefined;
  #port = 0;
  readonly #cluster: FakeCluster;

  /** Starts listening. */
  constructor(cluster: FakeCluster, replicaId: bigint) {
    this.#cluster = cluster;
    this.identity = { ...cluster.model.identity, replicaId };
    this.start();
  }

  get replicaId(): bigint {
    return this.identity.replicaId;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get server(): Server {
    return this.#server!;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  /** Listens, at the same address as before. */
  start(): void {
    const members = (): { replicaId: bigint; address: string }[] =>
      this.#cluster.replicas.map(({ replicaId, address }) => ({ replicaId, address }));
    this.#server = startServer(this, { version: "test", port: this.#port, members });
    this.#port = this.#server.addr.port;
  }

  /** Goes away without a word; what it holds is lost. */
  async kill(): Promise<void> {
    this.#held = [];
    await this.#server!.drain(0);
  }

  /** What it holds has a majority. */
  commitHeld(): void {
    for (const { commit } of this.#held.splice(0)) commit();
  }

  /** It has lost its view; nobody can tell what becomes of what it holds. */
  loseView(): void {
    const changed = { category: "indefinite", code: "view_changed" } as const;
    for (const { reject } of this.#held.splice(0)) reject(changed);
  }

  get #refusal(): Rejection | undefined {
    if (this.illness !== undefined) return this.illness;
    if (this.#cluster.primary === this.replicaId) return undefined;
    return { category: "definite", code: "not_primary", ...this.belief };
  }

  submit(
    view: DataView,
    at: number,
    end: number,
    slot: bigint | undefined,
    sink: ResultSink,
    token: number,
  ): void {
    this.submitted++;
    const refusal = this.#refusal;
    if (refusal !== undefined) return sink.rejected(token, refusal);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, end - at).slice();
    const commit = (): void => {
      const copy = new DataView(bytes.buffer);
      this.#cluster.model.submit(copy, 0, bytes.length, slot, sink, token);
    };
    if (!this.holds) commit();
    else this.#held.push({ commit, reject: (rejection) => sink.rejected(token, rejection) });
  }

  confirmAuthority(done: (refusal: ReadRefusal | undefined) => void): void {
    this.asked++;
    if (this.illness !== undefined) return done({ kind: "engine_halted" });
    const isPrimary = this.#cluster.primary === this.replicaId;
    done(isPrimary ? undefined : { kind: "not_primary", ...this.belief });
  }

  getResource(resourceId: bigint): ResourceRead {
    return this.#cluster.model.getResource(resourceId);
  }

  getReservation(reservationId: bigint, requiredLsn?: bigint): ReservationRead {
    return this.#cluster.model.getReservation(reservationId, requiredLsn);
  }

  metrics(): Metrics {
    return this.#cluster.model.metrics();
  }

  tickExpirations(
    _slot: bigint | undefined,
    done: (result: TickResult | { kind: "rejected"; rejection: Rejection }) => void,
  ): void {
    const rejection = this.#refusal;
    if (rejection !== undefined) return done({ kind: "rejected", rejection });
    done({ kind: "applied", processedCount: Number(this.replicaId), lastAppliedLsn: undefined });
  }

  checkpoint(done: (result: CheckpointResult) => void): void {
    this.#cluster.model.checkpoint(done);
  }

  currentSlot(): bigint {
    return this.#cluster.model.currentSlot();
  }

  replication(): ReplicationView {
    const isPrimary = this.#cluster.primary === this.replicaId;
    return {
      role: isPrimary ? "primary" : "backup",
      ...this.belief,
      ...{ commitOp: 0n, appliedOp: 0n, tipOp: 0n, peers: [] },
    };
  }
}

/** See the top of the file. */
export class FakeCluster implements AsyncDisposable {
  /** What all replicas would have in their logs; decides commands and remembers them. */
  readonly model: WireNode = new WireNode();
  readonly replicas: readonly FakeReplica[];
  /** Who is primary, whatever anybody believes. */
  primary: bigint | undefined = undefined;
  #view = 1n;

  /** Starts that many replicas, none of which is primary. */
  constructor(count = 3) {
    const replicas: FakeReplica[] = [];
    this.replicas = replicas;
    for (let i = 1; i <= count; i++) replicas.push(new FakeReplica(this, BigInt(i)));
  }

  /** The replica with that id. */
  at(replicaId: bigint): FakeReplica {
    return this.replicas[Number(replicaId) - 1]!;
  }

  /** All addresses. */
  get addresses(): string[] {
    return this.replicas.map(({ address }) => address);
  }

  /** Makes a replica primary of a new view; only some hear of it. */
  elect(
    primary: bigint,
    audience: readonly bigint[] = this.replicas.map((r) => r.replicaId),
  ): void {
    this.primary = primary;
    this.#view++;
    for (const id of audience) this.at(id).belief = { view: this.#view, primary };
  }

  /** Nobody is primary any more; the one that was has lost its view. */
  depose(): void {
    const last = this.primary;
    this.primary = undefined;
    this.#view++;
    for (const replica of this.replicas) {
      replica.belief = { view: this.#view, primary: undefined };
    }
    if (last !== undefined) this.at(last).loseView();
  }

  /** Ends every server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.replicas.map(({ server }) => server.drain(0)));
  }
}
