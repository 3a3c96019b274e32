/**
 * Worse weather between replicas, on purpose: a decorator between a transport and its handler, one for each peer
 * and direction. Time, timers and randomness come from outside, so that a simulation uses the same class.
 */
import { Line, type LinkFault, type LinkPorts } from "./line.ts";
import type { Message } from "../vsr/messages.ts";
import { PEER_MESSAGE_OVERHEAD_BYTES } from "./message_types.ts";

/** What happens between a replica and its peers; looked at once, when it is set. */
export interface LinkFaults {
  /** To what it sends to that peer. */
  toPeer(id: bigint): LinkFault | undefined;
  /** To what comes from that peer. */
  fromPeer(id: bigint): LinkFault | undefined;
}

interface Held {
  readonly message: Message;
  readonly dueMs: number;
  readonly bytes: number;
}

/** One direction of one link. Without a fault it hands messages on at once, as they are. */
export class FaultyLink {
  /** Messages that were lost, be it by chance, in a cut, or because too much was held back. */
  dropped = 0;
  readonly #ports: LinkPorts;
  readonly #deliver: (message: Message) => void;
  readonly #heldBytesMax: number;
  #fault: LinkFault | undefined;
  /** In order of `dueMs`; those that are due at the same time, in the order in which they came. */
  #held: Held[] = [];
  #heldBytes = 0;
  readonly #line: Line;
  #cancelTimer: (() => void) | undefined;

  /**
   * @param ports Time and chance.
   * @param deliver Takes what gets through. Byte strings of a message are valid until it returns.
   * @param heldBytesMax Bytes that may be held back; what comes on top is lost.
   */
  constructor(ports: LinkPorts, deliver: (message: Message) => void, heldBytesMax: number) {
    this.#ports = ports;
    this.#line = new Line(ports);
    this.#deliver = deliver;
    this.#heldBytesMax = heldBytesMax;
  }

  /** Bytes of messages that are on their way. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** From now on this happens. If it is a change, what was held back arrives at once, or is lost in a cut. */
  setFault(fault: LinkFault | undefined): void {
    if (isSameFault(this.#fault, fault)) return;
    this.#fault = fault;
    const held = this.#takeAll();
    this.#line.reset();
    for (const { message } of held) this.#handOver(message);
  }

  /** Loses what is on its way. */
  close(): void {
    this.dropped += this.#takeAll().length;
  }

  /** Sends a message on its way; its bytes are copied unless it arrives before this returns. */
  pass(message: Message): void {
    const fault = this.#fault;
    if (fault === undefined) return this.#deliver(message);
    if (fault.cut === true || this.#line.happens(fault.drop)) {
      this.dropped++;
      return;
    }
    const copies = this.#line.happens(fault.duplicate) ? 2 : 1;
    for (let i = 0; i < copies; i++) this.#send(fault, message);
  }

  #send(fault: LinkFault, message: Message): void {
    const nowMs = this.#ports.nowMs();
    const bytes = messageBytes(message);
    const dueMs = this.#line.dueMs(fault, bytes, nowMs);
    if (dueMs <= nowMs && this.#held.length === 0) return this.#deliver(message);
    if (this.#heldBytes + bytes > this.#heldBytesMax) {
      this.dropped++;
      return;
    }
    this.#hold({ message: ownMessage(message), dueMs, bytes });
  }

  #hold(held: Held): void {
    let at = this.#held.length;
    while (at > 0 && this.#held[at - 1]!.dueMs > held.dueMs) at--;
    this.#held.splice(at, 0, held);
    this.#heldBytes += held.bytes;
    if (at === 0) this.#arm(held.dueMs);
  }

  #arm(dueMs: number): void {
    this.#cancelTimer?.();
    const ms = Math.max(0, dueMs - this.#ports.nowMs());
    this.#cancelTimer = this.#ports.after(ms, () => this.#release());
  }

  #release(): void {
    this.#cancelTimer = undefined;
    const nowMs = this.#ports.nowMs();
    let count = 0;
    while (count < this.#held.length && this.#held[count]!.dueMs <= nowMs) count++;
    const due = this.#held.splice(0, count);
    for (const { bytes } of due) this.#heldBytes -= bytes;
    const next = this.#held[0];
    if (next !== undefined) this.#arm(next.dueMs);
    for (const { message } of due) this.#handOver(message);
  }

  #handOver(message: Message): void {
    if (this.#fault?.cut === true) this.dropped++;
    else this.#deliver(message);
  }

  #takeAll(): readonly Held[] {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }
}

const FIELDS = [
  ...["cut", "drop", "duplicate", "reorder", "delayMs", "jitterMs", "bytesPerSecond"] as const,
];

function isSameFault(a: LinkFault | undefined, b: LinkFault | undefined): boolean {
  return FIELDS.every((field) => a?.[field] === b?.[field]);
}

/** About how many bytes a message takes on the wire. */
export function messageBytes(message: Message): number {
  const payload = "frames" in message
    ? message.frames.length
    : message.kind === "snapshot_chunk"
    ? message.bytes.length
    : 0;
  return PEER_MESSAGE_OVERHEAD_BYTES + payload;
}

/** A message that is valid for ever. */
export function ownMessage(message: Message): Message {
  if ("frames" in message) return { ...message, frames: message.frames.slice() };
  if (message.kind === "snapshot_chunk") return { ...message, bytes: message.bytes.slice() };
  return message;
}
