/** Histories of any size, of a system that is right: clients that reserve, confirm, release, read, and sometimes get no answer. */
import type {
  HistoryAnswer,
  HistoryOperation,
  HistoryRequest,
} from "../../testbed/jepsen/history/operation.ts";
import type { SeededRandom } from "../../testbed/sim/random.ts";

/** What a history is like. */
export interface HistorySize {
  readonly operations: number;
  readonly resources: number;
  readonly clients: number;
  /** One in so many answers is lost; 0 for none. */
  readonly lostOneIn: number;
  /** Whether answers carry lsns, and reads versions. */
  readonly isDetailed: boolean;
}

interface Held {
  readonly id: bigint;
  readonly resourceId: bigint;
  readonly holderId: bigint;
  readonly deadline: bigint;
  isConfirmed: boolean;
}

interface Open {
  readonly request: HistoryRequest;
  readonly invokedAt: number;
  readonly operationId: bigint;
  answer: HistoryAnswer | undefined;
}

interface Client {
  process: number;
  open: Open | undefined;
  held: Held | undefined;
}

const TTL_SLOTS = 50n;

/** Makes one; resources 1 to `resources` are there from the beginning. */
export function makeHistory(size: HistorySize, random: SeededRandom): HistoryOperation[] {
  return new Maker(size, random).run();
}

class Maker {
  readonly #size: HistorySize;
  readonly #random: SeededRandom;
  readonly #history: HistoryOperation[] = [];
  readonly #held = new Map<bigint, Held>();
  readonly #versions = new Map<bigint, bigint>();
  #position = 0;
  #lsn = 0n;
  #slot = 0n;

  constructor(size: HistorySize, random: SeededRandom) {
    this.#size = size;
    this.#random = random;
  }

  run(): HistoryOperation[] {
    const { operations, clients } = this.#size;
    const all: Client[] = Array.from({ length: clients }, (_, process) => (
      { process, open: undefined, held: undefined }
    ));
    let begun = 0;
    while (this.#history.length < operations) {
      const client = this.#pick(all);
      if (client.open === undefined) {
        if (begun++ < operations) client.open = this.#begin(client);
        else begun = operations;
      } else if (client.open.answer === undefined) this.#execute(client, client.open);
      else this.#end(client, client.open, clients);
    }
    return this.#history;
  }

  /** Rather one that holds something, so that holds do not last. */
  #pick(all: readonly Client[]): Client {
    let client = all[this.#random.below(all.length)]!;
    for (let tries = 0; tries < 4 && client.held === undefined; tries++) {
      client = all[this.#random.below(all.length)]!;
    }
    return client;
  }

  #begin(client: Client): Open {
    const request = this.#draw(client);
    const operationId = BigInt(this.#position);
    return { request, invokedAt: this.#position++, operationId, answer: undefined };
  }

  #draw({ held, process }: Client): HistoryRequest {
    const random = this.#random;
    const resourceId = BigInt(1 + random.below(this.#size.resources));
    if (random.oneIn(5)) return { kind: "get_resource", resourceId };
    const holderId = BigInt(process + 1);
    if (held === undefined) {
      return { kind: "reserve", resourceId, holderId, ttlSlots: TTL_SLOTS };
    }
    const kind = !held.isConfirmed && random.oneIn(2) ? "confirm" : "release";
    return { kind, reservationId: held.id, holderId: held.holderId, epoch: 1n };
  }

  #execute(client: Client, open: Open): void {
    if (this.#random.oneIn(10)) this.#slot++;
    const { request } = open;
    if (request.kind === "get_resource") {
      open.answer = this.#read(request.resourceId);
      return;
    }
    if (request.kind === "reserve") open.answer = this.#reserve(client, request);
    else if ("reservationId" in request) open.answer = this.#move(client, request);
  }

  #read(resourceId: bigint): HistoryAnswer {
    const held = this.#held.get(resourceId);
    const state = held === undefined ? "available" : held.isConfirmed ? "confirmed" : "reserved";
    const seen = { kind: "resource", state, reservationId: held?.id } as const;
    if (!this.#size.isDetailed) return seen;
    return { ...seen, version: this.#versions.get(resourceId) ?? 0n };
  }

  #reserve(
    client: Client,
    { resourceId, holderId }: Extract<HistoryRequest, { kind: "reserve" }>,
  ): HistoryAnswer {
    const holder = this.#held.get(resourceId);
    if (holder !== undefined && !holder.isConfirmed && holder.deadline <= this.#slot) {
      this.#lsn++;
      this.#free(holder);
    }
    if (this.#held.has(resourceId)) return this.#applied("resource_busy");
    const answer = this.#applied("ok");
    const id = this.#lsn;
    const deadline = this.#slot + TTL_SLOTS;
    client.held = { id, resourceId, holderId, deadline, isConfirmed: false };
    this.#held.set(resourceId, client.held);
    this.#changed(resourceId);
    return { ...answer, reserved: { reservationId: id, epoch: 1n, deadlineSlot: deadline } };
  }

  #move(client: Client, request: HistoryRequest): HistoryAnswer {
    const { held } = client;
    if (held === undefined || this.#held.get(held.resourceId) !== held) {
      client.held = undefined;
      return this.#applied("stale_epoch");
    }
    if (request.kind === "confirm") {
      held.isConfirmed = true;
      this.#changed(held.resourceId);
    } else {
      this.#free(held);
      client.held = undefined;
    }
    return this.#applied("ok");
  }

  #free({ resourceId }: Held): void {
    this.#held.delete(resourceId);
    this.#changed(resourceId);
  }

  #changed(resourceId: bigint): void {
    this.#versions.set(resourceId, (this.#versions.get(resourceId) ?? 0n) + 1n);
  }

  #applied(code: string): Extract<HistoryAnswer, { kind: "applied" }> {
    this.#lsn++;
    return this.#size.isDetailed
      ? { kind: "applied", code, lsn: this.#lsn }
      : { kind: "applied", code };
  }

  #end(client: Client, open: Open, clients: number): void {
    const { lostOneIn } = this.#size;
    const isLost = lostOneIn > 0 && this.#random.oneIn(lostOneIn);
    const { request, invokedAt, operationId, answer } = open;
    const isRead = request.kind === "get_resource";
    const attempt = {
      process: client.process,
      request,
      invokedAt,
      completedAt: isLost ? undefined : this.#position++,
      outcome: isLost ? { kind: "info" } as const : { kind: "ok", answer: answer! } as const,
    };
    this.#history.push(isRead ? attempt : { ...attempt, key: { clientId: 1n, operationId } });
    client.open = undefined;
    if (!isLost) return;
    client.process += clients;
    // What it holds it knows from an earlier answer; a hold that it was never told about expires.
    if (request.kind === "reserve") client.held = undefined;
  }
}
