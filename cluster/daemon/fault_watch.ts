/** Follows the faults file of a workspace for one replica. */
import { CliError } from "../../node/errors.ts";
import { type Faults, NO_FAULTS } from "../workspace/faults.ts";
import { faultsFor, hasEnded, type ReplicaFaults } from "../workspace/faults_for.ts";
import { formatFaults } from "../workspace/faults_text.ts";
import type { ClusterLayout } from "../workspace/layout.ts";
import { faultsPath, readFaults } from "../workspace/workspace_files.ts";
import type { LeveledLog } from "./leveled_log.ts";

/** What a watch needs. */
export interface FaultWatchParts {
  readonly layout: ClusterLayout;
  readonly replicaId: bigint;
  readonly log: LeveledLog;
  /** Told at the first look and whenever something that concerns this replica may have changed. */
  readonly apply: (faults: ReplicaFaults) => void;
}

/** Looks at the file when told to, and reads it when it is another one. */
export class FaultWatch {
  readonly #parts: FaultWatchParts;
  #faults: Faults = NO_FAULTS;
  #seen: string | undefined;
  #diskEnds = false;

  /** @param parts What to watch, and who is told. */
  constructor(parts: FaultWatchParts) {
    this.#parts = parts;
  }

  /** What is in force for the whole workspace, as lines of the file. */
  get lines(): readonly string[] {
    const { members } = this.#parts.layout;
    const lines = formatFaults(this.#faults, members).split("\n");
    return lines.filter((line) => line !== "" && !line.startsWith("version="));
  }

  /** Takes note of changes. A file that cannot be read or understood changes nothing, and is told about once. */
  look(nowMillis: number): void {
    const { layout, log } = this.#parts;
    const mark = markOf(faultsPath(layout));
    if (mark === this.#seen) return this.#endDisk(nowMillis);
    this.#seen = mark;
    try {
      this.#faults = readFaults(layout) ?? NO_FAULTS;
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      return log.event("warning", "faults_unreadable", { error: error.message });
    }
    this.#apply(nowMillis);
  }

  /** A disk fault that was to last for a while ends without anybody touching the file. */
  #endDisk(nowMillis: number): void {
    const fault = this.#faults.disks.get(this.#parts.replicaId);
    if (this.#diskEnds && fault !== undefined && hasEnded(fault, nowMillis)) this.#apply(nowMillis);
  }

  #apply(nowMillis: number): void {
    const { layout, replicaId, apply } = this.#parts;
    const faults = faultsFor(replicaId, this.#faults, layout.members);
    const isOver = faults.disk !== undefined && hasEnded(faults.disk, nowMillis);
    this.#diskEnds = faults.disk !== undefined && !isOver;
    apply(isOver ? { ...faults, disk: undefined } : faults);
  }
}

/** Tells a file from the one that had its name before. */
function markOf(path: string): string {
  try {
    const { mtime, size, ino } = Deno.statSync(path);
    return `${mtime?.getTime()} ${size} ${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "missing";
    return `unreadable: ${error instanceof Error ? error.message : String(error)}`;
  }
}
