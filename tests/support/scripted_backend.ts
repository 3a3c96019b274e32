/**
 * A cluster that is nothing but the book of what was done to it, and holds whoever does it to the rules: nobody is killed
 * twice, nothing is taken from a replica that runs, and never do two have lost their data. For tests of nemeses.
 */
import type { LinkFault } from "../../node/peer/line.ts";
import { CliError } from "../../node/errors.ts";
import {
  ABILITIES,
  type Ability,
  type Backend,
  type ClockTrouble,
  type ClusterFacts,
  type DiskTrouble,
  type LinkEnd,
  type Mended,
  type ReplicaStatus,
  type Settled,
} from "../../testbed/jepsen/backend/backend.ts";
import { mendCluster } from "../../testbed/jepsen/backend/settling.ts";
import type { ClusterEvidence } from "../../testbed/jepsen/evidence/evidence.ts";

/** How long it takes to recover, in looks at the replica. */
const LOOKS = 4;

type State = "running" | "stopped" | "paused";

/** See the top of this file. */
export class ScriptedBackend implements Backend {
  readonly name = "scripted";
  readonly can: ReadonlySet<Ability> = new Set(ABILITIES);
  /** Everything that was done, in order. */
  readonly book: string[] = [];
  /** Replicas that came up faulted, and stay so until they are started again. */
  readonly faulted = new Set<number>();
  /** Makes a verb fail. */
  fails: (verb: string) => boolean = () => false;
  readonly #states = new Map<number, State>();
  readonly #weather = new Map<string, string>();
  /** Replicas without data, and how many looks after their start they have learned all from the others. */
  readonly #lost = new Map<number, number>();

  constructor(replicas: number = 3) {
    for (let id = 1; id <= replicas; id++) this.#states.set(id, "running");
  }

  /** What is wrong now: states, faults and data. */
  get wrongs(): readonly string[] {
    const states = [...this.#states].filter(([, state]) => state !== "running");
    return [
      ...states.map(([id, state]) => `${id} is ${state}`),
      ...this.#weather.keys(),
      ...[...this.#lost.keys()].map((id) => `${id} has no data`),
    ];
  }

  start(): Promise<ClusterFacts> {
    throw new Error("nobody asks for that here");
  }

  settle(): Promise<Settled> {
    throw new Error("nobody asks for that here");
  }

  evidence(): Promise<ClusterEvidence> {
    throw new Error("nobody asks for that here");
  }

  collectLogs(): Promise<readonly string[]> {
    throw new Error("nobody asks for that here");
  }

  end(): Promise<void> {
    throw new Error("nobody asks for that here");
  }

  sweep(): Promise<void> {
    throw new Error("nobody asks for that here");
  }

  /** The first that runs and is not cut off serves. */
  statuses(): Promise<readonly ReplicaStatus[]> {
    let isServed = false;
    const statuses = [...this.#states].map(([id, state]): ReplicaStatus => {
      if (state !== "running") return { id, state, serves: false };
      if (this.faulted.has(id)) return { id, state: "faulted", role: "faulted", serves: false };
      if (this.#isRecovering(id)) return { id, state: "active", role: "recovering", serves: false };
      const serves = !isServed && !this.#weather.has(`isolate ${id}`);
      isServed ||= serves;
      return { id, state: "active", role: serves ? "primary" : "backup", serves };
    });
    return Promise.resolve(statuses);
  }

  async kill(id: number): Promise<void> {
    await this.#do(`kill ${id}`, () => this.#from(id, ["running", "paused"], "stopped"));
  }

  async restart(id: number): Promise<void> {
    await this.#do(`restart ${id}`, () => {
      this.#from(id, ["stopped"], "running");
      this.faulted.delete(id);
    });
  }

  async pause(id: number): Promise<void> {
    await this.#do(`pause ${id}`, () => this.#from(id, ["running"], "paused"));
  }

  async resume(id: number): Promise<void> {
    await this.#do(`resume ${id}`, () => this.#from(id, ["paused"], "running"));
  }

  async wipe(id: number): Promise<void> {
    await this.#do(`wipe ${id}`, () => {
      if (this.#states.get(id) !== "stopped") throw refused(`${id} runs`);
      if (this.#lost.size > 0) throw new Error(`${[...this.#lost.keys()]} and ${id} lost all`);
      this.#lost.set(id, LOOKS);
    });
  }

  async isolate(id: number, isolated: boolean): Promise<void> {
    await this.#set(`isolate ${id}`, isolated ? "" : undefined);
  }

  async partition(groups: readonly (readonly number[])[]): Promise<void> {
    const all = groups.flat().sort((a, b) => a - b);
    if (groups.length > 0 && `${all}` !== `${[...this.#states.keys()]}`) {
      throw new Error(`not everybody stands in one of ${JSON.stringify(groups)}`);
    }
    await this.#set("partition", groups.length === 0 ? undefined : JSON.stringify(groups));
  }

  async link(from: LinkEnd, to: LinkEnd, fault: LinkFault): Promise<void> {
    if (from === to && from !== "all") throw new Error(`a link from ${from} to itself`);
    const text = Object.keys(fault).length === 0 ? undefined : JSON.stringify(fault);
    for (const one of this.#ends(from)) {
      for (const other of this.#ends(to)) {
        if (one !== other) this.#note(`link ${one} ${other}`, text);
      }
    }
    await this.#do(`link ${from} ${to} ${text}`, () => {});
  }

  async disk(id: number, trouble: DiskTrouble | undefined): Promise<void> {
    await this.#set(`disk ${id}`, trouble && JSON.stringify(trouble));
  }

  async clock(id: number, trouble: ClockTrouble | undefined): Promise<void> {
    await this.#set(`clock ${id}`, trouble && JSON.stringify(trouble));
  }

  checkpoint(id: number): Promise<boolean> {
    const runs = this.#states.get(id) === "running";
    if (runs) this.book.push(`checkpoint ${id}`);
    return Promise.resolve(runs);
  }

  async heal(): Promise<void> {
    await this.#do("heal", () => this.#weather.clear());
  }

  async mend(signal?: AbortSignal): Promise<Mended> {
    const patience = { totalMs: 60_000, faultedMs: 0, unreachableMs: 0, lookMs: 0 };
    return await mendCluster(this, signal, patience);
  }

  #isRecovering(id: number): boolean {
    const left = this.#lost.get(id) ?? 0;
    if (left > 1) this.#lost.set(id, left - 1);
    else this.#lost.delete(id);
    return left > 0;
  }

  #ends(end: LinkEnd): readonly (number | "client")[] {
    return end === "all" ? [...this.#states.keys()] : [end];
  }

  #from(id: number, before: readonly State[], after: State): void {
    const state = this.#states.get(id);
    if (state === undefined) throw new Error(`there is no replica ${id}`);
    if (!before.includes(state)) throw refused(`${id} is ${state}`);
    this.#states.set(id, after);
  }

  async #set(what: string, to: string | undefined): Promise<void> {
    await this.#do(`${what} ${to ?? "good"}`, () => this.#note(what, to));
  }

  #note(what: string, to: string | undefined): void {
    if (to === undefined) this.#weather.delete(what);
    else this.#weather.set(what, to);
  }

  #do(verb: string, act: () => void): Promise<void> {
    if (this.fails(verb)) return Promise.reject(refused(`${verb} fails`));
    try {
      act();
    } catch (error) {
      return Promise.reject(error);
    }
    this.book.push(verb);
    return Promise.resolve();
  }
}

function refused(message: string): CliError {
  return new CliError("E_IO", message);
}
