/** One direction between a replica and its clients in worse weather: calls instead of messages, the same faults. */
import type { LinkFault, LinkPorts } from "../../node/peer/link_faults.ts";

/** A call that is held back is overtaken by what follows within this long, or twice its delay, in milliseconds. */
const REORDER_MS = 20;

/** Lets calls through at once, late, twice or never. */
export class Lane {
  readonly #ports: LinkPorts;
  #fault: LinkFault | undefined;
  /** Nothing that keeps its place goes before this. */
  #lastDueMs = 0;
  #lineFreeMs = 0;

  /** @param ports Time and chance. */
  constructor(ports: LinkPorts) {
    this.#ports = ports;
  }

  /** Whether anything happens to calls. */
  get isFaulty(): boolean {
    return this.#fault !== undefined;
  }

  /** From now on this happens; what is on its way already is not changed. */
  set(fault: LinkFault | undefined): void {
    this.#fault = fault;
  }

  /**
   * Sends a call on its way.
   *
   * @param bytes How many it stands for.
   * @param call Made once, twice or never, perhaps later.
   */
  pass(bytes: number, call: () => void): void {
    const fault = this.#fault;
    if (fault === undefined) return call();
    if (fault.cut === true || this.#happens(fault.drop)) return;
    this.#send(fault, bytes, call);
    if (this.#happens(fault.duplicate)) this.#send(fault, bytes, call);
  }

  #send(fault: LinkFault, bytes: number, call: () => void): void {
    const nowMs = this.#ports.nowMs();
    const dueMs = this.#dueMs(fault, bytes, nowMs);
    if (dueMs <= nowMs) return call();
    this.#ports.after(dueMs - nowMs, call);
  }

  #dueMs(fault: LinkFault, bytes: number, nowMs: number): number {
    const { delayMs = 0, jitterMs = 0, bytesPerSecond = 0 } = fault;
    let sentMs = nowMs;
    if (bytesPerSecond > 0) {
      sentMs = Math.max(nowMs, this.#lineFreeMs) + bytes * 1_000 / bytesPerSecond;
      this.#lineFreeMs = sentMs;
    }
    const jitter = jitterMs > 0 ? jitterMs * (2 * this.#ports.random() - 1) : 0;
    const dueMs = sentMs + Math.max(0, delayMs + jitter);
    if (this.#happens(fault.reorder)) return dueMs + Math.max(REORDER_MS, 2 * delayMs);
    this.#lastDueMs = Math.max(this.#lastDueMs, dueMs);
    return this.#lastDueMs;
  }

  #happens(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && this.#ports.random() < probability;
  }
}
