/** What strikes are carried out on. */
import type { Backend } from "../backend/backend.ts";
import type { FaultEvent } from "../history/event.ts";

/** Where faults are written down; a recorder of histories is one. */
export interface FaultSink {
  fault(event: FaultEvent): void;
  /** Nanoseconds since the run began. */
  nowNs(): number;
}

/** Resolves after `ms` milliseconds, or as soon as the signal is given. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

/** What all strikes of a run share. */
export interface Stage {
  readonly backend: Backend;
  readonly sink: FaultSink;
  readonly signal: AbortSignal;
  readonly wait: Wait;
  /** A number for each fault, from 1. */
  readonly nextFaultId: () => number;
  /** Told once a fault has taken hold. */
  readonly tookHold: (beganNs: number) => void;
}

/** Who is who when a strike begins. */
export interface Cast {
  /** Whoever serves; nobody may. */
  readonly primary: number | undefined;
  /** Of all, in the order of their ids. */
  readonly members: readonly number[];
}
