/** Events in one total order become attempts. Positions are event numbers: the invocation of the first is 0. */
import type { HistoryEvent, HistoryHeader } from "./event.ts";
import type { SourcePlace } from "./history_error.ts";
import type { Recording } from "./recording.ts";

/** See the top of this file. */
export class Pairing {
  constructor(_header: HistoryHeader, _hasInvocations = true) {}

  /** Takes the next event. */
  add(_event: HistoryEvent, _at: SourcePlace): void {}

  /** Nothing comes any more: who still waits will never know. */
  finish(): Recording {
    throw new Error("not written yet");
  }
}
