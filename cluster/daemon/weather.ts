/** Carries out what is wrong on purpose with one replica: its disk, clock, links and clients. */
import type { Disk } from "../../node/disk.ts";
import { type FaultTable, FaultyDisk } from "../../node/io/faulty_disk.ts";
import type { LinkFaults } from "../../node/peer/link_faults.ts";
import type { Clock } from "../../node/slot_clock.ts";
import { SkewedClock } from "../workspace/clock.ts";
import type { ClockFault, DiskFault } from "../workspace/faults.ts";
import { diskRules, linkFaults, type ReplicaFaults } from "../workspace/faults_for.ts";
import type { LeveledLog } from "./leveled_log.ts";

/** What listens to link faults once it runs. */
export interface FaultyParts {
  /** Links to and from the peers. */
  setLinks(faults: LinkFaults): void;
  /** Clients cannot reach the replica, or can again. */
  setIsolated(isolated: boolean): void;
  /** What happens to requests and answers on their way. */
  setClientLinks(faults: Pick<ReplicaFaults, "fromClients" | "toClients">): void;
}

/** The decorators of one replica and what they do now. */
export class Weather {
  /** The disk that the replica uses. */
  readonly disk: Disk;
  /** The clock that the replica uses. */
  readonly clock: Clock;
  readonly #table: FaultTable = {};
  readonly #clock: SkewedClock;
  readonly #log: LeveledLog;
  #faults: ReplicaFaults | undefined;
  #parts: FaultyParts | undefined;
  #diskSetAt: number | undefined;
  #clockFault: ClockFault | undefined;

  /**
   * @param disk The real disk.
   * @param clock The real clock.
   * @param log Where changes are told.
   */
  constructor(disk: Disk, clock: Clock, log: LeveledLog) {
    this.disk = new FaultyDisk(disk, this.#table);
    this.#clock = new SkewedClock(clock);
    this.clock = this.#clock;
    this.#log = log;
  }

  /** Whether the replica is cut off from clients and peers. */
  get isIsolated(): boolean {
    return this.#faults?.isolated ?? false;
  }

  /** From now on these parts are told, and are told at once. */
  connect(parts: FaultyParts): void {
    this.#parts = parts;
    if (this.#faults !== undefined) this.#tell(this.#faults);
  }

  /** Makes it so. */
  apply(faults: ReplicaFaults): void {
    if (faults.isolated !== this.isIsolated) {
      const network = faults.isolated ? "isolated" : "healthy";
      this.#log.event("info", "network_changed", { network });
    }
    this.#faults = faults;
    this.#applyDisk(faults.disk);
    this.#applyClock(faults.clock);
    this.#tell(faults);
  }

  #tell(faults: ReplicaFaults): void {
    this.#parts?.setLinks(linkFaults(faults));
    this.#parts?.setIsolated(faults.isolated);
    this.#parts?.setClientLinks(faults);
  }

  /** The decorator counts in its table, so the same fault read again must not start anew. */
  #applyDisk(fault: DiskFault | undefined): void {
    if (fault?.setAtMillis === this.#diskSetAt) return;
    this.#diskSetAt = fault?.setAtMillis;
    for (const action of Object.keys(this.#table) as (keyof FaultTable)[]) {
      delete this.#table[action];
    }
    if (fault !== undefined) Object.assign(this.#table, diskRules(fault));
    const kind = fault?.kind ?? "healthy";
    this.#log.event("info", "disk_changed", { disk: kind, after: fault?.after });
  }

  #applyClock(fault: ClockFault | undefined): void {
    const before = this.#clockFault;
    if (before?.skewMs === fault?.skewMs && before?.rate === fault?.rate) return;
    this.#clockFault = fault;
    this.#clock.set(fault);
    const { skewMs = 0, rate = 1 } = fault ?? {};
    this.#log.event("info", "clock_changed", { skew_ms: skewMs, rate });
  }
}
