/**
 * What a nemesis says becomes faults. Jepsen writes two events for each thing that a nemesis does, when it begins and when it
 * is done, both as `info` and right after one another; the first of them counts.
 */
import type { FaultEvent } from "../../history/event.ts";
import { shown } from "../../history/history_error.ts";
import { printEdn } from "./edn_print.ts";
import type { ForeignOperation } from "./operation.ts";

/** What ends what, where the names do not say so. */
const ENDS = new Map([["start", "kill"], ["restart", "kill"], ["resume", "pause"], [
  "heal",
  "partition",
]]);
const BEGINS: ReadonlySet<string> = new Set(["kill", "pause", "partition"]);

/** A fault, nothing (the second half of one that was told), or that it is not known what this does. */
export type FaultReading = FaultEvent | "told" | "unknown";

/** See the top of this file. */
export class FaultReader {
  readonly #open = new Map<string, number>();
  #count = 0;
  /** What the nemesis has begun to do and is not yet done with. */
  #underWay: string | undefined;

  read(operation: ForeignOperation, timeNs: number): FaultReading {
    if (this.#underWay === operation.f) {
      this.#underWay = undefined;
      return "told";
    }
    this.#underWay = operation.f;
    return this.#readFirst(operation, timeNs);
  }

  #readFirst(operation: ForeignOperation, timeNs: number): FaultReading {
    const { f } = operation;
    const ended = this.#endedBy(f);
    if (ended !== undefined) return this.#stop(ended, timeNs, detailOf(operation));
    const begun = begunBy(f);
    if (begun === undefined) return "unknown";
    return this.#open.has(begun) ? "told" : this.#start(begun, timeNs, detailOf(operation));
  }

  #endedBy(f: string): string | undefined {
    const name = ENDS.get(f) ?? afterPrefix(f, "stop");
    return name !== undefined && this.#open.has(name) ? name : undefined;
  }

  #start(name: string, timeNs: number, detail: Detail): FaultEvent {
    const id = ++this.#count;
    this.#open.set(name, id);
    return { type: "fault", timeNs, phase: "start", name, id, ...detail };
  }

  #stop(name: string, timeNs: number, detail: Detail): FaultEvent {
    const id = this.#open.get(name)!;
    this.#open.delete(name);
    return { type: "fault", timeNs, phase: "stop", name, id, ...detail };
  }
}

type Detail = { readonly detail?: string };

function begunBy(f: string): string | undefined {
  return BEGINS.has(f) ? f : afterPrefix(f, "start");
}

/** `start-partition` is a partition; a mere `start` is a fault without a name. */
function afterPrefix(f: string, prefix: string): string | undefined {
  if (f === prefix) return "fault";
  return f.startsWith(`${prefix}-`) && f.length > prefix.length + 1
    ? f.slice(prefix.length + 1)
    : undefined;
}

function detailOf({ value }: ForeignOperation): Detail {
  if (value === undefined || value === null) return {};
  return { detail: shown(typeof value === "string" ? value : printEdn(value)) };
}
