import { WireWriter } from "../wire/writer.ts";

/** A buffer above this is let go once it has been sent, unless told otherwise. */
const KEEP_BYTES = 0x1_0000;

/** Counts what went out; one may serve many writers. */
export interface SendMeter {
  bytesSent: number;
}

/**
 * Sends frames: what is written while a send is under way leaves together with the next one, so a burst of
 * small frames costs one system call. Two buffers, swapped and used again.
 */
export class SocketWriter {
  /** Where frames are written; call {@linkcode SocketWriter.flush} in the same turn. */
  out: WireWriter = new WireWriter();
  /** When the system last took bytes of the send under way, by `performance.now()`; 0 when there is none. */
  sendingSinceMs = 0;
  readonly #conn: Deno.Conn;
  readonly #meter: SendMeter;
  readonly #onSent: () => void;
  readonly #onBroken: () => void;
  readonly #keepBytes: number;
  #spare = new WireWriter();
  #isSending = false;
  #isBroken = false;

  /**
   * @param conn The socket.
   * @param meter Counts what the system has taken.
   * @param onSent Called each time everything has been sent.
   * @param onBroken Called at the end of a send that failed: the socket takes nothing any more.
   * @param keepBytes A buffer above this is let go once it has been sent.
   */
  constructor(
    conn: Deno.Conn,
    meter: SendMeter,
    onSent: () => void,
    onBroken: () => void,
    keepBytes: number = KEEP_BYTES,
  ) {
    this.#conn = conn;
    this.#meter = meter;
    this.#onSent = onSent;
    this.#onBroken = onBroken;
    this.#keepBytes = keepBytes;
  }

  /** Bytes that wait for the system to take them. */
  get unsentBytes(): number {
    return this.out.end + (this.#isSending ? this.#spare.end : 0);
  }

  /** Whether the system has not yet taken what it was last given. */
  get isSending(): boolean {
    return this.#isSending;
  }

  /**
   * Forgets what has not been given to the system. What has been cannot be taken back: Deno keeps a closed
   * socket until a write under way ends, be it that the peer reads, resets, or is given up by the system.
   */
  abandon(): void {
    this.#isBroken = true;
    this.out = new WireWriter();
  }

  /** Starts sending what was written, unless a send is under way: then that one goes on with it. */
  flush(): void {
    if (this.#isSending || this.#isBroken || this.out.end === 0) return;
    void this.#send();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    try {
      while (this.out.end > 0 && !this.#isBroken) {
        const sending = this.out;
        this.out = this.#spare;
        this.#spare = sending;
        for (let at = 0; at < sending.end;) {
          this.sendingSinceMs = performance.now();
          at += await this.#conn.write(sending.bytes.subarray(at, sending.end));
        }
        this.#meter.bytesSent += sending.end;
        sending.clear(this.#keepBytes);
      }
    } catch {
      return this.#breakOff();
    } finally {
      this.#isSending = false;
      this.sendingSinceMs = 0;
    }
    this.#onSent();
  }

  /** The socket is gone: what is still written goes nowhere. */
  #breakOff(): void {
    this.#isBroken = true;
    this.#onBroken();
  }
}
