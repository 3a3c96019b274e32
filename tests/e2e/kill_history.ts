/**
 * What clients were told during a kill loop, and whether a server's data agrees with it. Nothing here knows
 * the engine: the rules are those that anybody may expect of reservations.
 */
import type { AllocDbClient } from "../../node/client/client.ts";
import type { ClientCommand, Committed } from "../../node/client/types.ts";

/** A command with the answer that its client got. */
export interface Acknowledged {
  readonly client: AllocDbClient;
  readonly command: ClientCommand;
  readonly result: Committed;
}

/** One claim, as its client saw it. */
interface Claim {
  readonly reservationId: bigint;
  readonly resourceIds: readonly bigint[];
  /** Successful commands on it, in the order of the log, the reserve first. */
  readonly steps: { readonly kind: ClientCommand["kind"]; readonly lsn: bigint }[];
  /** Whether its record was found right after its end: it need not be read again. */
  isSettled: boolean;
}

/** What ended a claim for good. */
const ENDINGS: readonly string[] = ["release", "reclaim"];

/** Everything acknowledged so far. */
export class KillHistory {
  readonly all: Acknowledged[] = [];
  readonly #claims = new Map<bigint, Claim>();
  readonly #lsns = new Map<bigint, ClientCommand>();
  readonly #operations = new Map<string, Committed>();

  /** Claims that were acknowledged. */
  get claims(): number {
    return this.#claims.size;
  }

  /** Takes an answer in. Throws when it contradicts an earlier one. */
  add(acknowledged: Acknowledged): void {
    const { client, command, result } = acknowledged;
    this.all.push(acknowledged);
    const key = `${client.clientId} ${result.operationId}`;
    this.#checkOneOutcome(key, result);
    if (result.code === "operation_table_full") throw new Error("The loop outran the retry window");
    const other = this.#lsns.get(result.appliedLsn);
    if (other !== undefined && other !== command) {
      throw new Error(`Two commands were told the position ${result.appliedLsn}`);
    }
    this.#lsns.set(result.appliedLsn, command);
    if (result.ok && !result.fromRetryCache) this.#note(command, result);
    else if (result.ok && !this.#knows(command, result)) this.#note(command, result);
  }

  /** Compares with what the server has: every claim once, every version explained. */
  async check(client: AllocDbClient, resourceIds: readonly bigint[]): Promise<void> {
    const versions = new Map<bigint, bigint>(resourceIds.map((id) => [id, 0n]));
    const holders = await this.#readHolders(client, resourceIds);
    for (const claim of this.#claims.values()) {
      let isOver = true;
      // Each for itself: a bundle may expire between the reads of two of its resources.
      for (const id of claim.resourceIds) {
        const isHeld = holders.get(id)!.holder === claim.reservationId;
        versions.set(id, versions.get(id)! + BigInt(changesOf(claim, isHeld)));
        isOver &&= !isHeld;
      }
      if (!claim.isSettled) await checkRecord(client, claim);
      claim.isSettled = isOver;
    }
    for (const [id, version] of versions) {
      const found = holders.get(id)!.version;
      if (found === version) continue;
      throw new Error(`Resource ${id} changed ${found} times, ${version} changes are known`);
    }
    this.#checkExclusive();
  }

  /** Sends recent commands again under their own ids: each must be told what it was told before. */
  async checkRetries(last: number): Promise<void> {
    for (const { client, command, result } of this.all.slice(-last)) {
      const { operationId } = result;
      const [again] = await client.submitMany([{ ...command, operationId }]);
      if (again?.kind !== "committed") throw new Error(`A retry ended as ${again?.kind}`);
      this.#checkOneOutcome(`${client.clientId} ${operationId}`, again);
      if (!again.fromRetryCache) throw new Error(`Operation ${operationId} ran a second time`);
    }
  }

  #checkOneOutcome(key: string, result: Committed): void {
    const before = this.#operations.get(key);
    this.#operations.set(key, before ?? result);
    if (before === undefined) return;
    const same = before.code === result.code && before.appliedLsn === result.appliedLsn &&
      before.reservationId === result.reservationId;
    if (!same) throw new Error(`Operation ${key} was told ${before.code} and then ${result.code}`);
  }

  #knows(command: ClientCommand, { appliedLsn, reservationId }: Committed): boolean {
    if (reservationId !== undefined) return this.#claims.has(reservationId);
    if (!("reservationId" in command)) return true;
    const claim = this.#claims.get(command.reservationId);
    return claim?.steps.some(({ lsn }) => lsn === appliedLsn) ?? false;
  }

  #note(command: ClientCommand, { appliedLsn: lsn, reservationId }: Committed): void {
    const { kind } = command;
    if (reservationId !== undefined) {
      if (this.#claims.has(reservationId)) throw new Error(`Claim ${reservationId} was made twice`);
      const resourceIds = "resourceIds" in command
        ? command.resourceIds
        : "resourceId" in command
        ? [command.resourceId]
        : [];
      const steps = [{ kind, lsn }];
      this.#claims.set(reservationId, { reservationId, resourceIds, steps, isSettled: false });
      return;
    }
    if (!("reservationId" in command)) return;
    const claim = this.#claims.get(command.reservationId);
    if (claim === undefined) throw new Error(`${kind} of a claim that nobody made`);
    claim.steps.push({ kind, lsn });
  }

  async #readHolders(
    client: AllocDbClient,
    resourceIds: readonly bigint[],
  ): Promise<Map<bigint, { holder: bigint | undefined; version: bigint }>> {
    const found = new Map<bigint, { holder: bigint | undefined; version: bigint }>();
    for (const id of resourceIds) {
      const read = await client.getResource(id);
      if (read.kind !== "found") throw new Error(`Resource ${id} reads as ${read.kind}`);
      found.set(id, { holder: read.currentReservationId, version: read.version });
    }
    return found;
  }

  /** In the order of the log no resource goes to the next claim before it could have been free. */
  #checkExclusive(): void {
    const held = new Map<bigint, Claim>();
    const claims = [...this.#claims.values()].sort(bySequence);
    for (const claim of claims) {
      const start = claim.steps[0]!.lsn;
      for (const id of claim.resourceIds) {
        const before = held.get(id);
        if (before !== undefined && !couldBeFreeAt(before, start)) {
          throw new Error(
            `Resource ${id}: claim ${claim.reservationId} was given what ` +
              `${before.reservationId} held`,
          );
        }
        held.set(id, claim);
      }
    }
  }
}

function bySequence(a: Claim, b: Claim): number {
  return a.steps[0]!.lsn < b.steps[0]!.lsn ? -1 : 1;
}

/** Ended by its client before then, or never confirmed and so perhaps expired; nothing came later. */
function couldBeFreeAt(claim: Claim, lsn: bigint): boolean {
  if (claim.steps.some((step) => step.lsn > lsn)) return false;
  const last = claim.steps[claim.steps.length - 1]!;
  return ENDINGS.includes(last.kind) || claim.steps.length === 1;
}

/** How often the claim has changed each of its resources. */
function changesOf({ steps, reservationId }: Claim, isHeld: boolean): number {
  const last = steps[steps.length - 1]!.kind;
  if (isHeld === ENDINGS.includes(last)) {
    if (isHeld) throw new Error(`Claim ${reservationId} has ended and is still there`);
    if (steps.length > 1) throw new Error(`Claim ${reservationId} was confirmed and is lost`);
    return 2; // Reserved, and expired.
  }
  return steps.length;
}

async function checkRecord(client: AllocDbClient, claim: Claim): Promise<void> {
  const read = await client.getReservation(claim.reservationId);
  if (read.kind === "not_found") throw new Error(`Claim ${claim.reservationId} is not there`);
  if (read.kind !== "found") return;
  if (String(read.memberResourceIds) !== String(claim.resourceIds)) {
    throw new Error(`Claim ${claim.reservationId} has other members than were asked for`);
  }
  if (read.createdLsn !== claim.steps[0]!.lsn) throw new Error("A claim has moved in the log");
}
