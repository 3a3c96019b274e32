/** What shall go wrong with a disk, said beforehand. */
import { DiskFault, type DiskFaultKind } from "../../../node/disk.ts";

/** What a plan can aim at. */
export type DiskAction =
  | "create"
  | "open"
  | "read"
  | "write"
  | "sync"
  | "rename"
  | "remove"
  | "sync_directory";

/** One thing that shall go wrong. */
export interface PlannedFault {
  /** Strikes the n-th matching operation from now on, 1-based. */
  readonly nth: number;
  /** What counts; without it everything that changes the disk: not `open` and `read`. */
  readonly action?: DiskAction;
  /** The power fails in the middle of the operation, or the operation answers a fault. */
  readonly effect: "crash" | DiskFaultKind;
  /** Bytes that a failing write still writes, down to the end of a sector; 0 if not given. */
  readonly tornBytes?: number;
}

/** The process is gone: thrown by the operation the plan struck and by everything after it. */
export class CrashSignal extends Error {
  override readonly name = "CrashSignal";
}

/** A write that is reported and ends up elsewhere, or nowhere: the place it was meant for keeps what it held. */
export interface Diversion {
  /** The file that is written to. */
  readonly file: string;
  /** Only writes that begin at or behind this byte, and before {@linkcode Diversion.to}. */
  readonly from?: number;
  readonly to?: number;
  /** Where it lands: on the same place of another page; nowhere if not given, or if there is no such file. */
  readonly landing?: { readonly file: string; readonly page: number };
}

/** What a planned fault throws. */
export function plannedError(fault: PlannedFault, action: DiskAction, name: string): Error {
  if (fault.effect === "crash") return new CrashSignal();
  return new DiskFault(fault.effect, action, name, "planned by the test");
}
