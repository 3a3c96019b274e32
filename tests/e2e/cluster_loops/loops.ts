/**
 * Round after round: load, trouble, peace, and then the proof that every answer stands, that all replicas agree
 * and that no strict read was stale.
 */
import { join } from "@std/path";
import type { Program } from "../../../node/process_self.ts";
import { SeededRandom } from "../../../testbed/sim/random.ts";
import { makeTrouble, ROUND_KINDS, type RoundKind, shuffled } from "./faults.ts";
import { History, isAcknowledged, type Write } from "./history.ts";
import { LoopJudge } from "./judge.ts";
import { type Market, Reader, sleep, Writer } from "./load.ts";
import { Lookout } from "./lookout.ts";
import { LoopCluster } from "./loop_cluster.ts";

/** How long and how hard. */
export interface LoopOptions {
  /** Rounds of each kind. */
  readonly rounds: Readonly<Record<RoundKind, number>>;
  readonly seed: number;
  readonly program: Program;
  /** Exists and is empty; keeps the workspace and the history. */
  readonly directory: string;
  readonly writers?: number;
  readonly readers?: number;
  /** Ends the loops after the round under way. */
  readonly signal?: AbortSignal;
  /** Told after each round. */
  readonly onRound?: (line: string) => void;
  /** May spoil what is judged, for a test of this loop. */
  readonly onHistory?: (history: History, round: number) => void;
}

/** What was seen, to know that it was not nothing. */
export interface LoopReport {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Operations whose outcome nobody learned. */
  readonly indefinite: number;
  readonly rejected: number;
  readonly retried: number;
  readonly reads: number;
  readonly readsFailed: number;
  /** From the kill of a primary to the first operation that was begun after it and acknowledged, in milliseconds. */
  readonly failoverMs: readonly number[];
  /** From the end of a round's trouble to one state on all replicas, in milliseconds. */
  readonly settleMs: readonly number[];
  readonly restartsByOperator: number;
  readonly ops: number;
  /** What is wrong; the last round's. */
  readonly violations: readonly string[];
}

const RESOURCES = 48;
/** Operations that are retried were answered in the last so many milliseconds: the cluster remembers them for 60 s. */
const REMEMBERED_MS = 30_000;
/** In one round of so many a replica is asked for a checkpoint; never twice, so that the log of a round is still there. */
const CHECKPOINT_ONE_IN = 4;

/** Runs the loops until they are through, or something is wrong. Leaves no process behind. */
export async function runClusterLoops(options: LoopOptions): Promise<LoopReport> {
  const loops = new ClusterLoops(options);
  try {
    return await loops.run();
  } finally {
    await loops.end();
  }
}

class ClusterLoops {
  readonly #options: LoopOptions;
  readonly #random: SeededRandom;
  readonly #cluster: LoopCluster;
  readonly #turns = new Map<RoundKind, number>();
  readonly #failoverMs: number[] = [];
  readonly #settleMs: number[] = [];
  readonly #writers: Writer[] = [];
  readonly #readers: Reader[] = [];
  #lookouts: readonly Lookout[] = [];
  #lastRound: readonly Write[] = [];
  #counts = { rounds: 0, acknowledged: 0, indefinite: 0, rejected: 0, retried: 0, readsFailed: 0 };

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#cluster = new LoopCluster(options.directory, options.program);
  }

  async run(): Promise<LoopReport> {
    await this.#cluster.start();
    const judge = new LoopJudge(this.#cluster.layout.config.core);
    const market = await this.#open();
    for (const kind of this.#schedule()) {
      if (this.#options.signal?.aborted) break;
      const violations = await this.#round(kind, market, judge);
      if (violations.length > 0) return this.#report(judge, violations);
    }
    return this.#report(judge, []);
  }

  async end(): Promise<void> {
    const clients = [...this.#writers, ...this.#readers].map(({ client }) => client);
    await Promise.all(clients.map((client) => client.close()));
    await this.#cluster.end();
  }

  #schedule(): readonly RoundKind[] {
    const { rounds } = this.#options;
    const all = ROUND_KINDS.flatMap((kind) => new Array<RoundKind>(rounds[kind]).fill(kind));
    return shuffled(all, this.#random);
  }

  async #open(): Promise<Market> {
    const { writers = 8, readers = 4, seed } = this.#options;
    const market: Market = {
      addresses: this.#cluster.addresses,
      resourceIds: Array.from({ length: RESOURCES }, (_, i) => BigInt(i + 1)),
      recent: [],
      history: new History(0),
    };
    // The last writer only measures how long nobody serves.
    for (let i = 0; i <= writers; i++) {
      this.#writers.push(await Writer.connect(market, seed * 1_000 + i));
    }
    for (let i = 0; i < readers; i++) {
      this.#readers.push(await Reader.connect(market, seed * 1_000 + 500 + i));
    }
    this.#lookouts = market.addresses.map((address, i) => new Lookout(address, market, seed + i));
    const [writer] = this.#writers;
    await Promise.all(market.resourceIds.map((id) => writer!.create(id)));
    return market;
  }

  async #round(kind: RoundKind, market: Market, judge: LoopJudge): Promise<readonly string[]> {
    const round = ++this.#counts.rounds;
    const { history } = market;
    let says = "";
    let violations: readonly string[];
    let settleMs = 0;
    try {
      says = await this.#underLoad(kind);
      const since = performance.now();
      await this.#cluster.settle();
      settleMs = performance.now() - since;
      await this.#readers[0]!.readAll();
      await this.#retry(history);
      const states = await this.#cluster.settle();
      this.#options.onHistory?.(history, round);
      violations = judge.judge(history, await this.#cluster.logs(judge.op), states);
    } catch (error) {
      violations = [`round: ${error instanceof Error ? error.stack : String(error)}`];
    }
    this.#settleMs.push(settleMs);
    this.#count(history);
    await this.#keep(history, round);
    const [acknowledged, reads] = [history.acknowledged.length, history.reads.length];
    this.#options.onRound?.(
      `round ${round} ${kind}: ${says}; ${acknowledged} acknowledged, ${reads} reads, ` +
        `op ${judge.op}, settled in ${settleMs.toFixed(0)} ms: ` +
        (violations.length === 0 ? "all is well" : `${violations.length} VIOLATIONS`),
    );
    market.history = new History(history.known().lsn);
    return violations;
  }

  /** Clients go on before, during and after the trouble. */
  async #underLoad(kind: RoundKind): Promise<string> {
    const stop = new AbortController();
    const clients = [...this.#writers.slice(0, -1), ...this.#readers, ...this.#lookouts];
    const running = Promise.all(clients.map((client) => client.run(stop.signal)));
    const probes: Promise<void>[] = [];
    try {
      await sleep(100 + this.#random.below(400));
      for (const id of this.#cluster.members) {
        if (this.#random.oneIn(CHECKPOINT_ONE_IN)) await this.#cluster.checkpoint(id);
      }
      const turn = this.#turns.get(kind) ?? 0;
      this.#turns.set(kind, turn + 1);
      const primaryKilled = () => void probes.push(this.#measure());
      const scene = { cluster: this.#cluster, random: this.#random, turn, primaryKilled };
      const says = await makeTrouble(kind, scene);
      await sleep(100 + this.#random.below(300));
      return says;
    } finally {
      stop.abort();
      await Promise.all([running, ...probes]);
    }
  }

  async #measure(): Promise<void> {
    const killedMs = performance.now();
    const { endedMs } = await this.#writers.at(-1)!.probe();
    if (endedMs !== undefined) this.#failoverMs.push(endedMs - killedMs);
  }

  /** Every operation that was answered in this round or the one before is sent again. */
  async #retry(history: History): Promise<void> {
    const since = performance.now() - REMEMBERED_MS;
    const recent = [...this.#lastRound, ...history.acknowledged]
      .filter(({ endedMs }) => endedMs! > since);
    this.#lastRound = history.acknowledged;
    await Promise.all(this.#writers.map(async ({ client }) => {
      const writes = recent.filter(({ clientId }) => clientId === client.clientId);
      const commands = writes.map(({ command }) => command);
      const results = await client.submitMany(commands, { timeoutMs: REMEMBERED_MS });
      for (const [i, again] of results.entries()) {
        const write = writes[i]!;
        if (again.kind === "committed") history.retries.push({ write, again });
        else history.refusals.push(`retry: ${write.command.kind} ended as ${again.kind}`);
      }
    }));
  }

  #count(history: History): void {
    this.#counts.acknowledged += history.acknowledged.length;
    this.#counts.indefinite += history.writes.filter(({ result }) => result === undefined).length;
    this.#counts.rejected +=
      history.writes.filter((write) => write.result !== undefined && !isAcknowledged(write)).length;
    this.#counts.retried += history.retries.length;
    this.#counts.readsFailed += history.readsFailed;
  }

  async #keep(history: History, round: number): Promise<void> {
    const path = join(this.#options.directory, "history.jsonl");
    await Deno.writeTextFile(path, history.lines(round), { append: true });
  }

  #report(judge: LoopJudge, violations: readonly string[]): LoopReport {
    return {
      ...this.#counts,
      reads: judge.readsChecked,
      failoverMs: this.#failoverMs,
      settleMs: this.#settleMs,
      restartsByOperator: this.#cluster.restartsByOperator,
      ops: judge.op,
      violations,
    };
  }
}
