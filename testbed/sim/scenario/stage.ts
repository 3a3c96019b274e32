/** What a protocol script plays on: a quiet cluster, operations under names, and what there is to say. */
import type { ClientCommand } from "../../model/words.ts";
import { judgeHistory } from "../judge/linearizability.ts";
import type { Request } from "../workload/plain.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { WorldOptions } from "../world/options.ts";
import { ClusterWorld, ELECTION_MS } from "../world/world.ts";
import { type Asked, attempt, newOperation, shortId } from "./asking.ts";
import { HeldMessages } from "./held.ts";
import type { Words } from "./words.ts";

/** The cluster that a script asks for. */
export type StageOptions =
  & Pick<WorldOptions, "seed" | "replicas" | "segmentBytes" | "open" | "isTraced">
  & {
    readonly isManual: boolean;
  };

const CLIENT_ID = 9n;
/** How long an answer to a command is waited for that nothing is in the way of. */
const ANSWER_MS = 20;
const DISK_MS = 0.5;
const MESSAGE_MS = 1;
const RETRIES_MAX = 40;
/** Everything takes the same time, so that stories do not depend on chance where they need not. */
const STEADY = { delayMsMin: MESSAGE_MS, delayMsMax: MESSAGE_MS };
/** Long enough to live that nothing runs out unless the story is about that. */
const CORE = {
  maxTtlSlots: 16_384n,
  reservationHistoryWindowSlots: 10_000n,
  maxOperations: 1_024,
};

/** See the top of this file. */
export class Stage {
  readonly world: ClusterWorld;
  readonly held: HeldMessages;
  readonly isManual: boolean;
  readonly #asked = new Map<string, Asked>();
  readonly #say: (text: string) => void;
  #operationId = 0n;
  #isOver = false;

  /**
   * Makes the cluster and lets its first primary lead.
   *
   * @param options Which cluster.
   * @param say Told what happens.
   */
  constructor(options: StageOptions, say: (text: string) => void) {
    const { isManual, ...rest } = options;
    this.isManual = isManual;
    this.#say = say;
    this.world = new ClusterWorld({
      ...rest,
      clients: 0,
      core: CORE,
      weather: STEADY,
      manualFailover: isManual,
    });
    for (const machine of this.world.machines) machine.diskMs = [DISK_MS, DISK_MS];
    this.held = new HeldMessages(this.world);
    this.world.runToPrimary();
    this.world.run(ELECTION_MS / 2);
  }

  /** Says something. */
  say(text: string): void {
    if (!this.#isOver) this.#say(text);
  }

  /** The replica that a command names. */
  machine(words: Words, at: number | string): ClusterMachine {
    const id = words.replica(at);
    const found = this.world.machines.find((machine) => machine.id === id);
    return found ?? words.fail(`there is no replica ${id}`);
  }

  /** Whom to ask: `to=`, or whoever leads. */
  addressee(words: Words): ClusterMachine {
    if (words.named.has("to")) return this.machine(words, "to");
    return this.world.primary ?? words.fail("nobody leads: say to=");
  }

  /** The operation that a command names. */
  asked(words: Words, name: string): Asked {
    return this.#asked.get(name) ?? words.fail(`there is no operation ${name}`);
  }

  /** The reservation that an operation made. */
  reservation(words: Words, name: string): { readonly id: bigint; readonly epoch: bigint } {
    const reserved = this.asked(words, name).operation.outcome?.reserved;
    if (reserved === undefined) words.fail(`${name} has not reserved anything`);
    return { id: reserved.reservationId, epoch: reserved.epoch };
  }

  /** The name of the operation behind a retry key. */
  nameOf(clientId: bigint, operationId: bigint): string | undefined {
    if (clientId !== CLIENT_ID) return undefined;
    for (const { name, operation, isConflicting } of this.#asked.values()) {
      if (!isConflicting && operation.command.operationId === operationId) return name;
    }
    return undefined;
  }

  /** The name of the operation that made a reservation, or its short id. */
  nameOfReservation(id: bigint): string {
    for (const { name, operation } of this.#asked.values()) {
      if (operation.outcome?.reserved?.reservationId === id) return name;
    }
    return `reservation ${shortId(id)}`;
  }

  /**
   * Submits something new.
   *
   * @param words Names it (`as=`), says whom to ask (`to=`) and whose id to use (`id-of=`).
   * @param request What it is.
   */
  submit(words: Words, request: Request): void {
    const name = words.named.get("as") ?? `op${this.#asked.size + 1}`;
    if (this.#asked.has(name)) words.fail(`there is an operation ${name} already`);
    const machine = this.addressee(words);
    const other = words.named.get("id-of");
    const operationId = other === undefined
      ? ++this.#operationId
      : this.asked(words, other).operation.command.operationId;
    const asked = this.#ask(name, request, operationId, other !== undefined);
    this.#asked.set(name, asked);
    this.attempt(asked, machine);
  }

  /** Submits something whose outcome is of no interest; false when the primary does not answer in time. */
  fill(request: Request): boolean {
    const { primary } = this.world;
    if (primary === undefined) return false;
    const asked = this.#ask("", request, ++this.#operationId, false);
    attempt(this.world, asked, primary, () => {});
    return this.world.runUntil(() => asked.operation.answeredMs !== undefined, ANSWER_MS);
  }

  /** Asks for an operation, once more or for the first time, and waits a moment for the answer. */
  attempt(asked: Asked, machine: ClusterMachine): void {
    const heard = { isOver: false };
    attempt(this.world, asked, machine, (text) => {
      heard.isOver = true;
      this.say(`${asked.name} ${text}`);
    });
    if (this.world.runUntil(() => heard.isOver, ANSWER_MS)) return;
    this.say(`${asked.name} waits`);
  }

  /**
   * Everything is in order again: every operation that was not answered is asked for until it is, and all
   * replicas come to agree. Whatever cannot be is a violation; nothing is said any more.
   */
  settle(): void {
    this.#isOver = true;
    this.world.calm();
    for (let round = 0; round < RETRIES_MAX && this.#open().length > 0; round++) {
      const { primary } = this.world;
      if (primary !== undefined) {
        for (const asked of this.#open()) attempt(this.world, asked, primary, () => {});
      } else if (this.isManual) this.#elect();
      this.world.run(ELECTION_MS);
    }
    this.world.settle();
    this.#judge();
  }

  #ask(name: string, request: Request, operationId: bigint, isConflicting: boolean): Asked {
    const command = { ...request, operationId, clientId: CLIENT_ID } as ClientCommand;
    const operation = newOperation(this.world, command);
    if (!isConflicting) this.world.invoked(operation);
    return { name, operation, isConflicting };
  }

  #open(): Asked[] {
    return [...this.#asked.values()].filter(({ operation, isConflicting }) =>
      !isConflicting && operation.answeredMs === undefined
    );
  }

  #elect(): void {
    const running = this.world.machines.find(({ isRunning }) => isRunning);
    running?.reachSubject((subject) => subject.startViewChange());
  }

  /** Scripts are short: whether their clients saw one history is searched without help. */
  #judge(): void {
    const { world } = this;
    const { attempts } = world.history;
    const { core, queue: { nowMs: elapsedMs }, judges: { judged } } = world;
    const broken = judgeHistory({ attempts, core, elapsedMs, isSearched: true }, judged);
    if (broken !== undefined) world.violated(broken);
  }
}
