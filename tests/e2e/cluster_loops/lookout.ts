/**
 * Strict reads from one replica and no other, whatever that replica is at the time: where a client would have gone
 * elsewhere long ago, this one still waits for what a primary will say that has lost its view and does not know.
 */
import { sleep } from "../../../cluster/runner/waiting.ts";
import { parseAddress } from "../../../node/client/address.ts";
import { ClientConnection } from "../../../node/client/connection.ts";
import { TransportError } from "../../../node/client/types.ts";
import { WireReader } from "../../../node/wire/reader.ts";
import { readResourceReply } from "../../../node/wire/replies.ts";
import { writeRequest } from "../../../node/wire/requests.ts";
import { SeededRandom } from "../../../testbed/sim/random.ts";
import type { History, Known } from "./history.ts";
import type { Market } from "./load.ts";

/** Between two reads, in milliseconds. */
const ASK_MS = 12;
/** Reads without an answer, at most: as many as a replica that sleeps for seconds leaves. */
const OPEN_MAX = 400;
const CONNECT_MS_MAX = 1_000;

interface Asked {
  readonly id: bigint;
  readonly invokedMs: number;
  readonly known: Known;
  /** Of the round in which it was asked. */
  readonly history: History;
}

/** See the top of this file. */
export class Lookout {
  readonly #address: string;
  readonly #market: Market;
  readonly #random: SeededRandom;
  readonly #reader = new WireReader();
  readonly #asked = new Map<bigint, Asked>();
  #nextRequest = 1n;

  /**
   * @param address Of the replica.
   */
  constructor(address: string, market: Market, seed: number) {
    this.#address = address;
    this.#market = market;
    this.#random = new SeededRandom(seed);
  }

  /** Goes on until told to stop; connects again when a connection ends. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#watch(signal);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        await sleep(50);
      }
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const hello = { version: 1, clusterId: undefined, clientName: "lookout" };
    const greeting = { hello, key: undefined, tlsAuthorities: undefined };
    const address = parseAddress(this.#address);
    const connection = await ClientConnection.open(address, greeting, CONNECT_MS_MAX, signal);
    let hasEnded = false;
    this.#asked.clear();
    const running = connection.run({
      received: (view, at, end) => this.#received(view, at, end),
      ended: () => hasEnded = true,
    });
    while (!signal.aborted && !hasEnded) {
      if (this.#asked.size < OPEN_MAX) this.#ask(connection);
      await sleep(ASK_MS);
    }
    connection.close(new TransportError("closed", "the round is over"));
    await running;
  }

  #ask({ writer }: ClientConnection): void {
    const { resourceIds, history } = this.#market;
    const resourceId = resourceIds[this.#random.below(resourceIds.length)]!;
    const requestId = this.#nextRequest++;
    const invokedMs = performance.now();
    this.#asked.set(requestId, { id: resourceId, invokedMs, known: history.known(), history });
    writeRequest(writer.out, requestId, {
      kind: "get_resource",
      resourceId,
      requiredLsn: undefined,
    });
    writer.flush();
  }

  #received(view: DataView, at: number, end: number): boolean {
    const reader = this.#reader;
    reader.open(view, at, end);
    const elements = reader.arrayHead();
    reader.small(0xff);
    const requestId = reader.u64();
    const read = readResourceReply(reader, elements);
    const asked = this.#asked.get(requestId);
    if (read === undefined || asked === undefined || !reader.finish()) return false;
    this.#asked.delete(requestId);
    const { history, ...facts } = asked;
    const value = read.kind === "found" || read.kind === "not_found" ? read : undefined;
    if (value === undefined || history !== this.#market.history) return true;
    const answer = {
      subject: "resource",
      value: value.kind === "found" ? value : value.kind,
    } as const;
    history.reads.push({ ...facts, answer, endedMs: performance.now() });
    return true;
  }
}
