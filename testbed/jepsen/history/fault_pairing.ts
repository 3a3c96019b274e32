/** Beginnings and ends of faults become spans. */
import type { FaultEvent } from "./event.ts";
import { HistoryError, quoted, type SourcePlace } from "./history_error.ts";
import type { FaultSpan } from "./recording.ts";

/** See the top of this file. */
export class FaultPairing {
  readonly #spans: FaultSpan[] = [];
  /** By id: where the span that goes on stands. */
  readonly #open = new Map<number, number>();

  get isEmpty(): boolean {
    return this.#spans.length === 0;
  }

  /** @throws {HistoryError} When it stops what did not start, or starts what goes on. */
  add(event: FaultEvent, at: SourcePlace): void {
    const { id, name, phase } = event;
    const index = this.#open.get(id);
    if (phase === "start") {
      if (index !== undefined) {
        throw new HistoryError(at, `fault ${id} once more`, "its stop first, or another id");
      }
      this.#open.set(id, this.#spans.length);
      this.#spans.push(begun(event));
      return;
    }
    if (index === undefined) throw new HistoryError(at, `the stop of fault ${id}`, "its start");
    const span = this.#spans[index]!;
    if (span.name !== name) {
      const expected = `that of its start, ${quoted(span.name)}`;
      throw new HistoryError(at, `fault ${id} with the name ${quoted(name)}`, expected);
    }
    this.#open.delete(id);
    this.#spans[index] = ended(span, event);
  }

  /** In the order of their beginning. */
  finish(): readonly FaultSpan[] {
    return this.#spans;
  }
}

function begun({ name, detail, replicaIds, timeNs }: FaultEvent): FaultSpan {
  return {
    name,
    detail: detail ?? "",
    replicaIds: replicaIds ?? [],
    startNs: timeNs,
    stopNs: undefined,
  };
}

function ended(span: FaultSpan, { detail, timeNs }: FaultEvent): FaultSpan {
  const said = [span.detail, detail ?? ""].filter((text) => text !== "");
  return { ...span, detail: said.join("; "), stopNs: timeNs };
}
