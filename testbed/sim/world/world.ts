/**
 * A whole cluster in one process and in virtual time: real replicas over disks in memory, a network that
 * delays, loses, repeats and cuts, clients that never give up, and judges that look after every turn. One
 * seed decides everything; the same seed takes the same course.
 */
import type { CoreConfig, EngineConfig } from "../../../core/config.ts";
import type { ReplicaMetadata } from "../../../node/metadata/codec.ts";
import type { StoredMetadata } from "../../../node/metadata/metadata.ts";
import type { ReplicaOptions } from "../../../node/replica/options.ts";
import { openReplica } from "../../../node/replica/replica.ts";
import type { Rejection } from "../../../node/api.ts";
import type { Message } from "../../../node/vsr/messages.ts";
import { DEFAULT_TIMING } from "../../../node/vsr/timing.ts";
import {
  type ClientHost,
  ClusterClient,
  type Operation,
  type ReadAnswer,
} from "../workload/client.ts";
import { ClockLedger } from "./clocks.ts";
import { makeReplicaDirectory } from "./directory.ts";
import { isLetIn } from "./greeting.ts";
import { exceededBound } from "../judge/bounds.ts";
import { ClusterJudges } from "../judge/judges.ts";
import { judgeHistory } from "../judge/linearizability.ts";
import type { MirrorFrame } from "../judge/log_mirror.ts";
import { ClusterNetwork, textOf } from "./network.ts";
import { ClusterMachine } from "./machine.ts";
import { takeMessage } from "./message.ts";
import { ClusterPromises } from "../judge/promises.ts";
import type { WorldObserver } from "./observer.ts";
import { workloadOf, WORLD_CORE, WORLD_ENGINE, type WorldOptions } from "./options.ts";
import { EventQueue } from "./queue.ts";
import { calm, comeToRest, ELECTIONS_MAX } from "./rest.ts";
import { Sights } from "./sights.ts";
import type { OpenSubject, Subject } from "./subject.ts";
import { Transcript } from "./transcript.ts";
import { ClusterViolation } from "./violation.ts";
import { WorkloadCommands } from "../workload/commands.ts";
import { ClientHistory } from "../workload/history.ts";
import type { PlanWorkload } from "../workload/plan.ts";
import type { ModelOutcome } from "../../model/words.ts";
import { partRandom, partSeed, SeededRandom } from "../random.ts";

/** The longest election timeout in milliseconds unless told. */
export const ELECTION_MS: number = DEFAULT_TIMING.electionMsMax;

const TRANSCRIPT_LINES = 4_000;
/** Events between two looks at all of what replicas hold. */
const LOOK_EVERY = 2_000;
/** A digest reads every row: a large state is looked at as much less often as it is larger. */
const DIGEST_EVENTS_PER_ROW = 2;

/** See the top of this file. */
export class ClusterWorld implements ClientHost {
  readonly seed: number;
  readonly core: CoreConfig;
  readonly engine: EngineConfig;
  readonly transcriptHash = new Transcript();
  readonly queue = new EventQueue(this.transcriptHash);
  readonly clocks: ClockLedger = new ClockLedger(() => this.queue.nowMs);
  /** For scenarios; what goes on by itself has generators of its own. */
  readonly random: SeededRandom;
  readonly members: readonly bigint[];
  readonly machines: readonly ClusterMachine[];
  readonly network: ClusterNetwork;
  readonly judges: ClusterJudges;
  readonly promises: ClusterPromises;
  readonly clients: readonly ClusterClient[];
  readonly workload: PlanWorkload;
  readonly commands: WorkloadCommands;
  /** What clients see, attempt by attempt. */
  readonly history = new ClientHistory();
  /** Commands that somebody waits for. */
  readonly operations = new Set<Operation>();
  readonly transcript: string[] = [];
  /** Replicas whose files were damaged: they alone may need an operator. */
  readonly damaged = new Set<ClusterMachine>();
  readonly observer: WorldObserver | undefined;
  /** Whether clients begin new operations. */
  isBusy = true;
  /** The highest lsn that any client has learned. */
  learnedLsn = 0;
  readonly #options: WorldOptions;
  readonly #open: OpenSubject;
  readonly #eventsMax: number;
  readonly #sights: Sights | undefined;
  #scripted = 0;
  #digestAt = 0;

  /**
   * Makes the world and lets its replicas start.
   *
   * @param options What it is to be.
   */
  constructor(options: WorldOptions) {
    this.#options = options;
    this.#open = options.open ?? openReplica;
    this.observer = options.observer;
    this.#sights = this.observer && new Sights(this.observer, () => this.queue.nowMs);
    this.queue.profile = options.profile;
    this.#eventsMax = options.eventsMax ?? Infinity;
    this.seed = options.seed;
    this.core = { ...WORLD_CORE, ...options.core };
    this.engine = { ...WORLD_ENGINE, ...options.engine };
    this.random = new SeededRandom(options.seed);
    const count = options.replicas ?? 3;
    this.members = Array.from({ length: count }, (_, i) => BigInt(i + 1));
    this.machines = this.members.map((id, index) =>
      new ClusterMachine(id, index, partSeed(this.seed, "disk", index), this.#machineHost())
    );
    this.network = new ClusterNetwork(
      this.queue,
      partRandom(this.seed, "network"),
      this.#ends(),
      this.members,
    );
    this.network.observer = options.observer;
    this.network.transcript = this.transcriptHash;
    this.network.weather = { ...this.network.weather, ...options.weather };
    this.judges = new ClusterJudges(this.core, this.machines, this.#judgesHost());
    this.promises = new ClusterPromises(
      this.members,
      (op) => this.judges.truth.hashAt(op),
      (what) => this.violated(what),
    );
    this.workload = workloadOf(options);
    this.commands = new WorkloadCommands(
      partRandom(this.seed, "commands"),
      this.workload,
      this.core,
    );
    this.clients = Array.from({ length: this.workload.clients }, () => this.newClient());
    const watchers = Array.from({ length: this.workload.pinnedReaders }, () => this.newClient());
    for (const machine of this.machines) {
      this.#setClock(machine);
      machine.isDiskParallel = options.parallelDisks === true;
      this.makeDirectory(machine, "backup");
      this.queue.after(0, () => machine.start());
    }
    for (const client of this.clients) client.live();
    for (const [i, watcher] of watchers.entries()) watcher.watch(this.machines[i % count]!);
  }

  /** A client that does nothing by itself. */
  newClient(): ClusterClient {
    const number = ++this.#scripted;
    return new ClusterClient(number, this, partRandom(this.seed, "client", number));
  }

  /** The replica with an id. */
  machine(id: bigint): ClusterMachine {
    const found = this.machines.find((machine) => machine.id === id);
    if (found === undefined) throw new Error(`No replica ${id}`);
    return found;
  }

  /** The replica that leads, in the highest view if several believe that they do. */
  get primary(): ClusterMachine | undefined {
    let found: { readonly machine: ClusterMachine; readonly view: bigint } | undefined;
    for (const machine of this.machines) {
      const glance = machine.isPaused ? undefined : machine.subject?.glance();
      if (glance?.role !== "primary") continue;
      if (found === undefined || glance.view > found.view) found = { machine, view: glance.view };
    }
    return found?.machine;
  }

  /** Whether as many events have happened as there may be. */
  get isCutShort(): boolean {
    return this.queue.happened >= this.#eventsMax;
  }

  /** The longest election timeout in milliseconds of the world, by the slowest clock there was. */
  get electionMs(): number {
    const longestMs = this.#options.timing?.electionMsMax ?? DEFAULT_TIMING.electionMsMax;
    return longestMs / this.clocks.rateMin;
  }

  /** Whether views change only when an operator wants it. */
  get isManual(): boolean {
    return this.#options.manualFailover === true;
  }

  /** Whether primaries read under leases. */
  get hasLeases(): boolean {
    return (this.#options.timing?.leaseMs ?? DEFAULT_TIMING.leaseMs) > 0;
  }

  /** Whether what is due expires by itself. */
  get isExpiring(): boolean {
    return this.#options.manualExpiration !== true;
  }

  /** Lets time pass. */
  run(ms: number): void {
    const untilMs = this.queue.nowMs + ms;
    while (!this.isCutShort && this.queue.step(untilMs)) this.#sometimes();
  }

  /** Lets time pass until something holds; false when it does not within `ms`. */
  runUntil(holds: () => boolean, ms: number): boolean {
    const untilMs = this.queue.nowMs + ms;
    while (!holds()) {
      if (this.isCutShort || !this.queue.step(untilMs)) return holds();
      this.#sometimes();
    }
    return true;
  }

  /** Lets time pass until a replica accepts writes, which it must in time. */
  runToPrimary(electionTimeouts = ELECTIONS_MAX): ClusterMachine {
    const ms = electionTimeouts * this.electionMs;
    if (!this.runUntil(() => this.primary !== undefined, ms)) {
      this.violated(`R18 a majority elects a primary within ${electionTimeouts} election timeouts`);
    }
    return this.primary!;
  }

  /** Makes a directory: of a founder (`backup`), or of one that lost its own (`recovering`). */
  makeDirectory(machine: ClusterMachine, role: "backup" | "recovering"): void {
    makeReplicaDirectory(machine.disk, {
      replicaId: machine.id,
      core: this.core,
      role,
      segmentBytes: this.segmentBytes,
    });
  }

  /** A machine loses its disk and gets an empty one with the directory of a replacement. */
  replace(machine: ClusterMachine): void {
    machine.kill();
    machine.disk = machine.newDisk();
    machine.mirror.forget();
    this.promises.forget(machine.id);
    this.makeDirectory(machine, "recovering");
    this.note(() => `${machine.id} lost its disk and has a new one`);
  }

  /** Length of a new log segment in bytes. */
  get segmentBytes(): number {
    return this.#options.segmentBytes ?? 64 * 1024;
  }

  /** Faults end, replicas run again but for some, and clients begin nothing new. */
  calm(except: readonly ClusterMachine[] = []): void {
    calm(this, this.machines.filter((machine) => !except.includes(machine)));
    this.network.heal();
    for (const machine of except) machine.resume();
  }

  /**
   * Calms the world and lets it come to rest, which it must in time; then compares everything with everything.
   *
   * @param except Replicas that stay down: a minority.
   */
  settle(except: readonly ClusterMachine[] = []): void {
    this.calm(except);
    comeToRest(this, this.machines.filter((machine) => !except.includes(machine)));
  }

  /** No replica holds more than it was configured for. */
  judgeBounds({ id, subject }: ClusterMachine): void {
    const exceeded = subject && exceededBound(subject.metrics(), this);
    if (exceeded !== undefined) {
      this.violated(`bounds are never exceeded: replica ${id}, ${exceeded}`);
    }
  }

  /** What clients saw until now is linearizable. In one life of eight it is also searched for without any lsn. */
  judgeHistory(): void {
    const broken = judgeHistory({
      attempts: this.history.attempts,
      core: this.core,
      elapsedMs: this.clocks.elapsedMsMax(0, this.queue.nowMs),
      isSearched: this.seed % 8 === 0,
    }, this.judges.judged);
    if (broken !== undefined) this.violated(broken);
  }

  /** Ends everything with a violation. */
  violated(what: string): never {
    throw new ClusterViolation(what, this);
  }

  /** Keeps a line of the transcript, if there is one. */
  note(text: () => string): void {
    if (this.#options.isTraced !== true) return;
    this.transcript.push(`${this.queue.nowMs.toFixed(1)} ${text()}`);
    if (this.transcript.length > TRANSCRIPT_LINES) this.transcript.splice(0, TRANSCRIPT_LINES / 2);
  }

  /** What a replica says of itself, in one line. */
  describe(machine: ClusterMachine): string {
    const { id, refusal } = machine;
    const status = machine.subject?.status();
    if (status === undefined) return `${id}: down ${refusal ?? ""}`;
    const { role, view, logView, commitOp, tipOp, syncedOp, faultReason } = status;
    const paused = machine.isPaused ? " paused" : "";
    const why = faultReason === undefined ? "" : ` because ${faultReason}`;
    return `${id}: ${role}${paused} view=${view} log_view=${logView} applied=${status.appliedOp} commit=${commitOp} ` +
      `tip=${tipOp} synced=${syncedOp} accepting=${status.acceptingWrites}${why}`;
  }

  /** A client asks for something. */
  invoked(operation: Operation): void {
    this.operations.add(operation);
    this.judges.invoked(operation, this.learnedLsn);
    this.observer?.asked(this.queue.nowMs, operation);
    this.note(() => `asked ${operation.command.operationId} ${operation.command.kind}`);
  }

  /** A replica tells how a command ended. */
  published(machine: ClusterMachine, operation: Operation, outcome: ModelOutcome): void {
    this.note(() =>
      `${machine.id} publishes ${operation.command.operationId} ${outcome.code} at ${outcome.appliedLsn}`
    );
    this.transcriptHash.mixWord(machine.index, outcome.code);
    this.transcriptHash.mix(operation.attempts, Number(outcome.appliedLsn));
    this.judges.published(machine, operation, outcome);
  }

  /** The bytes of a command have reached a replica. */
  submitted(_machine: ClusterMachine, operation: Operation): void {
    this.judges.refusals.submitted(operation);
  }

  /** A replica refuses a command. */
  refused(machine: ClusterMachine, operation: Operation, rejection: Rejection): void {
    this.note(() => `${machine.id} refuses ${operation.command.operationId}: ${rejection.code}`);
    this.judges.refusals.refused(operation, rejection);
  }

  /** A replica answers a read. */
  read(answer: ReadAnswer): void {
    this.note(() => {
      const { machine, resourceId, reservationId, result } = answer;
      return `${machine.id} reads ${resourceId ?? reservationId} ${
        Object.entries(result).join(" ")
      }`;
    });
    this.transcriptHash.mixWord(answer.machine.index, answer.result.kind);
    this.judges.read(answer);
  }

  /** A client knows, or has given up. */
  answered(operation: Operation): void {
    const { outcome, failure, command, wish } = operation;
    this.operations.delete(operation);
    this.observer?.answered(this.queue.nowMs, operation);
    if (outcome !== undefined) this.#learn(Number(outcome.appliedLsn));
    if (failure !== undefined && wish.refusals?.includes(failure.code) !== true) {
      this.violated(`no client is refused for good: ${command.kind} ${failure.code}`);
    }
  }

  #setClock(machine: ClusterMachine): void {
    const clock = this.#options.clocks?.[machine.index];
    if (clock === undefined) return;
    machine.clockRate = clock.rate;
    machine.clockOffsetMs = clock.offsetMs;
    this.clocks.paced(clock.rate);
  }

  #sometimes(): void {
    const { happened, profile } = this.queue;
    if (happened % LOOK_EVERY !== 0) return;
    for (const machine of this.machines) this.judgeBounds(machine);
    if (happened < this.#digestAt) return;
    this.#digestAt = happened + DIGEST_EVENTS_PER_ROW * this.judges.truth.rows;
    if (profile === undefined) this.#judgeDigests();
    else profile.measure("digests", () => this.#judgeDigests());
  }

  #judgeDigests(): void {
    for (const machine of this.machines) this.judges.judgeDigest(machine);
  }

  #openSubject(machine: ClusterMachine, stored: StoredMetadata): Subject {
    const { checkpoints, manualFailover, manualExpiration, timing } = this.#options;
    const { incarnation } = machine;
    const random = new SeededRandom(machine.random.nextU32());
    const options: ReplicaOptions = {
      disk: machine.disk,
      stored,
      members: this.members,
      core: this.core,
      engine: this.engine,
      clock: machine.clock,
      later: (task) => machine.after(0, task),
      atEndOfTurn: (task) => machine.after(0, task),
      log: {
        info: (text) => this.note(() => `${machine.id} info ${text}`),
        warn: (text) => this.note(() => `${machine.id} warn ${text}`),
        error: (text) => this.note(() => `${machine.id} error ${text}`),
      },
      hashSeed: machine.random.nextU32(),
      random: () => random.nextU32() / 0x1_0000_0000,
      send: (to, message) => {
        if (machine.incarnation === incarnation) this.#send(machine, to, message);
      },
      segmentBytes: this.segmentBytes,
      checkpoints,
      ...(timing === undefined ? {} : { timing }),
      ...(manualFailover === undefined ? {} : { manualFailover }),
      ...(manualExpiration === undefined ? {} : { manualExpiration }),
    };
    return this.#open(options);
  }

  #send(machine: ClusterMachine, to: bigint, message: Message): void {
    if (to === machine.id) this.violated(`no replica writes to itself: ${to} ${textOf(message)}`);
    this.promises.said(machine, message);
    this.network.send(machine.id, to, message);
  }

  #machineHost(): ConstructorParameters<typeof ClusterMachine>[3] {
    return {
      queue: this.queue,
      open: (machine, stored) => this.#openSubject(machine, stored),
      started: (machine) => {
        this.note(() => `${machine.id} starts, life ${machine.incarnation}`);
        this.#sights?.process(machine, "started", `life ${machine.incarnation}`);
        this.network.machineUp(machine.id);
      },
      turned: (machine) => {
        this.#sights?.replica(machine);
        const { profile } = this.queue;
        if (profile === undefined) this.judges.turned(machine);
        else profile.measure("judges", () => this.judges.turned(machine));
      },
      changed: (machine, change) => this.#sights?.process(machine, change, ""),
      ended: (machine, how) => {
        this.note(() => `${machine.id} ends: ${how}`);
        this.#sights?.process(machine, "ended", how);
        this.network.machineDown(machine.id);
      },
      durable: (machine, frame: MirrorFrame) => this.judges.durable(machine, frame),
      remembered: (machine, metadata: ReplicaMetadata, isWhole) =>
        this.promises.remembered(machine, metadata, isWhole),
      bug: (machine, error) => this.#bug(machine, error),
    };
  }

  #bug(machine: ClusterMachine, error: unknown): never {
    if (error instanceof ClusterViolation) throw error;
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    this.violated(`no replica throws: replica ${machine.id}: ${text}`);
  }

  #ends(): ConstructorParameters<typeof ClusterNetwork>[2] {
    return {
      isRunning: (id) => this.machine(id).isRunning,
      isLetIn: (id, peer) => isLetIn(this, this.machine(id), this.machine(peer)),
      linkUp: (id, peer) => this.#linked(id, peer, true),
      linkDown: (id, peer) => this.#linked(id, peer, false),
      receive: (id, from, message) => {
        const machine = this.machine(id);
        machine.reach(() =>
          takeMessage(message, (taken) => {
            this.note(() => `${from}>${id} ${textOf(taken)}`);
            this.queue.profile?.name(`message ${taken.kind}`);
            machine.subject?.receive(from, taken);
          })
        );
      },
      note: (text) => this.note(text),
    };
  }

  #linked(id: bigint, peer: bigint, isUp: boolean): void {
    const machine = this.machine(id);
    this.note(() => `${id}>${peer} ${isUp ? "up" : "down"}`);
    machine.reach(() => isUp ? machine.subject?.linkUp(peer) : machine.subject?.linkDown(peer));
  }

  #judgesHost(): ConstructorParameters<typeof ClusterJudges>[2] {
    return {
      nowMs: () => this.queue.nowMs,
      elapsedMsMax: (fromMs, toMs) => this.clocks.elapsedMsMax(fromMs, toMs),
      enteredView: (id) => this.promises.enteredView(id),
      // The reader is told a moment later; who asks meanwhile may still see what was before.
      learned: (lsn) => this.queue.after(2, () => this.#learn(lsn)),
      violated: (what) => this.violated(what),
    };
  }

  #learn(lsn: number): void {
    this.learnedLsn = Math.max(this.learnedLsn, lsn);
  }
}
