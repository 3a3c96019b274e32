/**
 * kill -9 under load, again and again: after every restart each acknowledged command must be there once, and
 * every retry must learn what its first attempt did.
 *
 *     deno run --allow-all tests/e2e/kill_loop.ts [rounds] [seed]
 *
 * ALLOCDB_BIN=dist/allocdb kills that program instead of the sources.
 */
import { digest } from "../../core/digest.ts";
import { firstViolation } from "../../core/invariants.ts";
import { AllocDbClient } from "../../node/client/client.ts";
import { TransportError } from "../../node/client/types.ts";
import { loadMetadata } from "../../node/metadata/metadata.ts";
import { DenoDisk } from "../../node/io/deno_disk.ts";
import { logSizes } from "../../node/open_node.ts";
import { recover } from "../../node/recover.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { KillHistory } from "./kill_history.ts";
import { Contender } from "./kill_load.ts";
import {
  type RunningServer,
  startServer,
  TemporaryDirectory,
  TestProcess,
} from "./server_process.ts";

/** How long and how hard. */
export interface KillLoopOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Told after each round. */
  readonly onRound?: (line: string) => void;
  /** Called with the data directory between a kill and the restart, for a test of this loop. */
  readonly onKilled?: (data: string, round: number) => void;
}

/** What was seen, to know that it was not nothing. */
export interface KillLoopReport {
  readonly rounds: number;
  readonly acknowledged: number;
  readonly claims: number;
  /** Answers that an attempt before a kill had brought about. */
  readonly answeredFromMemory: number;
  /** Start-up kinds of the restarts. */
  readonly startupKinds: ReadonlyMap<string, number>;
  /** The state at the end, by digest, as two starts in a row found it. */
  readonly digests: readonly [bigint, bigint];
}

const CLIENTS = 12;
const RESOURCES = 96;
const RETRIES_CHECKED = 50;

/** Retries are recognised for 20 s, so a round must not take longer. */
const FLAGS = [
  ["--bound", "core.max_resources=1000"],
  ["--bound", "core.max_bundle_size=4"],
  ["--bound", "core.max_reservations=200000"],
  ["--bound", "core.max_expiration_bucket_len=200000"],
  ["--bound", "core.max_operations=400000"],
  ["--bound", "core.max_ttl_slots=200"],
  ["--bound", "core.reservation_history_window_slots=200"],
  ["--bound", "core.max_client_retry_window_slots=1800"],
].flat();

/** Runs the loop. Throws as soon as something is lost or there twice. */
export async function runKillLoop(options: KillLoopOptions): Promise<KillLoopReport> {
  using directory = new TemporaryDirectory();
  const loop = new KillLoop(directory.path, options);
  try {
    return await loop.run();
  } finally {
    await loop.end();
  }
}

class KillLoop {
  readonly #data: string;
  readonly #options: KillLoopOptions;
  readonly #random: SeededRandom;
  readonly #history = new KillHistory();
  readonly #resourceIds = Array.from({ length: RESOURCES }, (_, i) => BigInt(i + 1));
  readonly #clients: AllocDbClient[] = [];
  readonly #kinds = new Map<string, number>();
  #server: RunningServer | undefined;
  #address = "127.0.0.1:0";

  constructor(data: string, options: KillLoopOptions) {
    this.#data = data;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  async run(): Promise<KillLoopReport> {
    await this.#start();
    await this.#connect();
    for (let round = 1; round <= this.#options.rounds; round++) await this.#round(round);
    return await this.#report();
  }

  /** Leaves no process and no connection behind. */
  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.#server?.process.kill();
  }

  async #start(...flags: string[]): Promise<void> {
    const listen = ["--data", this.#data, "--listen", this.#address];
    this.#server = await startServer([...listen, ...FLAGS, ...flags]);
    this.#address = this.#server.address;
    const kind = this.#server.serving["startup_kind"]!;
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }

  async #connect(): Promise<void> {
    for (let i = 0; i < CLIENTS; i++) {
      const options = { requestTimeoutMs: 30_000, reconnectBackoffMsMax: 50 };
      this.#clients.push(await AllocDbClient.connect({ address: this.#address, ...options }));
    }
    for (const resourceId of this.#resourceIds) {
      const created = await this.#clients[0]!.createResource({ resourceId });
      if (created.kind !== "committed" || !created.ok) throw new Error("No resource was made");
    }
  }

  async #round(round: number): Promise<void> {
    const before = this.#history.all.length;
    const contenders = this.#clients.map((client, i) =>
      new Contender(client, this.#history, this.#resourceIds, round * CLIENTS + i)
    );
    const running = Promise.all(contenders.map((contender) => contender.run()));
    await this.#killInTheMiddle(round, running);
    for (const contender of contenders) contender.stop();
    await running;
    await this.#history.check(this.#clients[0]!, this.#resourceIds);
    await this.#history.checkRetries(RETRIES_CHECKED);
    const acknowledged = this.#history.all.length - before;
    this.#options.onRound?.(`round ${round}: ${acknowledged} acknowledged, nothing lost`);
  }

  /** Some load, a kill, a restart (now and then killed too, before it is ready), and load again. */
  async #killInTheMiddle(round: number, running: Promise<unknown>): Promise<void> {
    const load = async (): Promise<void> => {
      await pause(20 + this.#random.below(150), running);
      this.#checkpoint();
      await pause(this.#random.below(80), running);
    };
    await load();
    await this.#server!.process.kill();
    this.#options.onKilled?.(this.#data, round);
    if (this.#random.oneIn(4)) await this.#killWhileStarting();
    await this.#start();
    await load();
  }

  /** Begins one, which the kill may cut short. */
  #checkpoint(): void {
    this.#clients[0]!.checkpoint().catch((error) => {
      if (!(error instanceof TransportError)) throw error;
    });
  }

  /** At whatever point of the start, recovery included. */
  async #killWhileStarting(): Promise<void> {
    const flags = ["--data", this.#data, "--listen", this.#address, ...FLAGS];
    await using process = TestProcess.spawn(["serve", ...flags]);
    await pause(this.#random.below(200));
    await process.kill();
  }

  async #report(): Promise<KillLoopReport> {
    await this.#server!.process.kill();
    const first = digestOf(this.#data);
    await this.#start("--manual-expiration");
    await this.#server!.process.kill();
    const { all, claims } = this.#history;
    return {
      rounds: this.#options.rounds,
      acknowledged: all.length,
      claims,
      answeredFromMemory: all.filter(({ result }) => result.fromRetryCache).length,
      startupKinds: this.#kinds,
      digests: [first, digestOf(this.#data)],
    };
  }
}

/** Digest of the state in a data directory that nobody has open. */
export function digestOf(data: string): bigint {
  const disk = new DenoDisk(data);
  const metadata = loadMetadata(disk);
  if (metadata.kind !== "loaded") throw new Error(`The metadata is ${metadata.kind}`);
  const { clusterId, core } = metadata.stored.metadata;
  const recovered = recover({
    disk,
    clusterId,
    core,
    hashSeed: 1,
    logOptions: logSizes(),
    expectFresh: false,
  });
  if (recovered.kind === "refused") throw new Error(`Refused: ${recovered.error}`);
  recovered.writer.close();
  const violation = firstViolation(recovered.engine);
  if (violation !== undefined) throw new Error(`The state is unsound: ${violation}`);
  return digest(recovered.engine);
}

/** Waits, unless what goes on meanwhile ends badly. */
async function pause(ms: number, meanwhile?: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  try {
    await Promise.race(meanwhile === undefined ? [promise] : [promise, meanwhile]);
  } finally {
    clearTimeout(timer);
  }
}

if (import.meta.main) {
  const [rounds = 100, seed = 1] = Deno.args.map(Number);
  const report = await runKillLoop({ rounds, seed, onRound: (line) => console.log(line) });
  const kinds = [...report.startupKinds].map(([kind, count]) => `${kind} ${count}`).join(", ");
  console.log(
    `${report.rounds} kills, ${report.acknowledged} commands acknowledged, ${report.claims} claims, ` +
      `${report.answeredFromMemory} answered from memory, starts: ${kinds}`,
  );
  if (report.digests[0] !== report.digests[1]) throw new Error("A restart changed the state");
}
