/** One direction between a replica and its clients in worse weather: calls instead of messages, the same faults. */
import { Line, type LinkFault, type LinkPorts } from "../../node/peer/line.ts";

/** Lets calls through at once, late, twice or never. */
export class Lane {
  readonly #ports: LinkPorts;
  #fault: LinkFault | undefined;
  readonly #line: Line;

  /** @param ports Time and chance. */
  constructor(ports: LinkPorts) {
    this.#ports = ports;
    this.#line = new Line(ports);
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
    if (fault.cut === true || this.#line.happens(fault.drop)) return;
    this.#send(fault, bytes, call);
    if (this.#line.happens(fault.duplicate)) this.#send(fault, bytes, call);
  }

  #send(fault: LinkFault, bytes: number, call: () => void): void {
    const nowMs = this.#ports.nowMs();
    const dueMs = this.#line.dueMs(fault, bytes, nowMs);
    if (dueMs <= nowMs) return call();
    this.#ports.after(dueMs - nowMs, call);
  }
}
