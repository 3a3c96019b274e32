/** PostgreSQL as a reservation table: a conditional UPDATE, committed with synchronous_commit on. */
import {
  type Measurement,
  NotInstalled,
  type Peer,
  type Scenario,
  type Surroundings,
  type System,
} from "./measurement.ts";
import { benchScript, parseLog, parseSummary } from "./pgbench.ts";
import { freePort, runTool, type ToolOptions } from "./process.ts";
import { Server } from "./server.ts";

const SEATS = 1_000_000;
/** Where Debian puts each major version. */
const VERSIONS = "/usr/lib/postgresql";
const START_MS_MAX = 30_000;
/** Filling the table, and what a run may take beyond the time it was given. */
const SLACK_MS = 120_000;

/** Safe defaults said aloud, then room: connections for the load, memory for the table, no checkpoint. */
const SETTINGS = [
  ...["fsync=on", "synchronous_commit=on", "full_page_writes=on", "wal_sync_method=fdatasync"],
  ...["max_connections=300", "shared_buffers=512MB", "max_wal_size=8GB"],
];

/** The space left in each page lets an UPDATE stay in its page and leave the index alone. */
const SCHEMA = [
  "CREATE EXTENSION pg_prewarm",
  "CREATE TYPE seat_state AS ENUM ('available', 'reserved')",
  "CREATE TABLE seats (id bigint PRIMARY KEY, state seat_state NOT NULL, holder bigint, " +
  "expires_at timestamptz) WITH (fillfactor = 80)",
  `INSERT INTO seats SELECT id, 'available', NULL, NULL FROM generate_series(1, ${SEATS}) AS id`,
];

/**
 * Frees every seat, then touches each page once: the first change to a page after a checkpoint logs
 * the whole page, which a server that has been running for a while has behind it.
 */
const FRESH_SEATS = [
  "UPDATE seats SET state = 'available', holder = NULL WHERE state <> 'available'",
  "VACUUM ANALYZE seats",
  "CHECKPOINT",
  "SELECT pg_prewarm('seats'), pg_prewarm('seats_pkey')",
  "UPDATE seats SET holder = NULL WHERE id % 64 = 0",
];

const COUNT_TAKEN = "SELECT count(*) FROM seats WHERE state = 'reserved'";

/** A directory of databases, served only while something is asked of it. */
class Database {
  readonly #programs: string;
  readonly #directory: string;
  readonly #tools: ToolOptions;
  readonly #asOwner: ToolOptions;

  /**
   * @param programs The directory of PostgreSQL's programs.
   * @param surroundings Where it may work.
   * @param user Who owns the data, when it may not be us.
   */
  constructor(programs: string, surroundings: Surroundings, user: ToolOptions["user"]) {
    const { directory, signal } = surroundings;
    this.#programs = programs;
    this.#directory = directory;
    this.#tools = { signal, timeoutMs: SLACK_MS, cwd: directory, env: { LC_ALL: "C" } };
    this.#asOwner = user === undefined ? this.#tools : { ...this.#tools, user };
  }

  get #data(): string {
    return `${this.#directory}/owned/data`;
  }

  /** Makes the databases and the full table. */
  async create(): Promise<void> {
    const owned = `${this.#directory}/owned`;
    await Deno.mkdir(owned);
    const { user } = this.#asOwner;
    if (user !== undefined) await Deno.chown(owned, user.uid, user.gid);
    await runTool(`${this.#programs}/initdb`, [
      ...["-D", this.#data, "-U", "bench", "--auth=trust", "--encoding=UTF8", "--locale=C"],
      "--no-sync", // The server's orderly stop syncs all of it, before anything is measured.
    ], this.#asOwner);
    await this.#serve((port) => this.#run(port, SCHEMA));
  }

  async #serve<T>(work: (port: number) => Promise<T>): Promise<T> {
    const port = freePort();
    const settings = [...SETTINGS, "listen_addresses=127.0.0.1", "unix_socket_directories="];
    await using server = new Server(`${this.#programs}/postgres`, [
      ...["-D", this.#data, "-p", `${port}`],
      ...settings.flatMap((setting) => ["-c", setting]),
    ], { ...this.#asOwner, timeoutMs: START_MS_MAX, stopSignal: "SIGINT" });
    await server.untilReady(() => this.#isReady(port));
    return await work(port);
  }

  async #isReady(port: number): Promise<true | undefined> {
    const args = ["-q", "-h", "127.0.0.1", "-p", `${port}`];
    try {
      await runTool(`${this.#programs}/pg_isready`, args, this.#tools);
      return true;
    } catch {
      this.#tools.signal.throwIfAborted();
      return undefined;
    }
  }

  async #run(port: number, statements: readonly string[]): Promise<string> {
    return await runTool(`${this.#programs}/psql`, [
      ...["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", `${port}`],
      ...["-U", "bench", "postgres", ...statements.flatMap((statement) => ["-c", statement])],
    ], this.#tools);
  }

  /** One pgbench run against free seats. */
  async measure(scenario: Scenario, seconds: number): Promise<Measurement> {
    const logs = await Deno.makeTempDir({ dir: this.#directory });
    try {
      return await this.#serve(async (port) => {
        await this.#run(port, FRESH_SEATS);
        const load = await this.#load(port, scenario, seconds, logs);
        const taken = Number(await this.#run(port, [COUNT_TAKEN]));
        const commands = load.transactions * scenario.depth;
        return {
          opsPerSecond: load.transactionsPerSecond * scenario.depth,
          latencyUs: parseLog(await readAll(logs)),
          effective: taken / commands,
        };
      });
    } finally {
      await Deno.remove(logs, { recursive: true });
    }
  }

  async #load(
    port: number,
    { clients, depth }: Scenario,
    seconds: number,
    logs: string,
  ): Promise<ReturnType<typeof parseSummary>> {
    const script = `${this.#directory}/take_${depth}.sql`;
    await Deno.writeTextFile(script, benchScript(SEATS, depth));
    const text = await runTool(`${this.#programs}/pgbench`, [
      ...["-h", "127.0.0.1", "-p", `${port}`, "-U", "bench", "-n", "-M", "prepared"],
      ...["-c", `${clients}`, "-j", `${Math.min(clients, navigator.hardwareConcurrency)}`],
      ...["-T", `${seconds}`, "-l", `--log-prefix=${logs}/log`, "-f", script, "postgres"],
    ], { ...this.#tools, timeoutMs: seconds * 1000 + SLACK_MS });
    const summary = parseSummary(text);
    if (summary.failed > 0) throw new Error(`${summary.failed} transactions failed`);
    return summary;
  }
}

async function readAll(directory: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  return await Promise.all(names.map((name) => Deno.readTextFile(`${directory}/${name}`)));
}

/** The newest version's programs. Throws NotInstalled when there is none. */
async function findPrograms(): Promise<string> {
  const versions: number[] = [];
  try {
    for await (const { name } of Deno.readDir(VERSIONS)) {
      if (/^\d+$/.test(name)) versions.push(Number(name));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  for (const version of versions.sort((a, b) => b - a)) {
    const programs = `${VERSIONS}/${version}/bin`;
    const server = await Deno.stat(`${programs}/postgres`).catch(() => undefined);
    if (server !== undefined) return programs;
  }
  throw new NotInstalled("postgresql");
}

/** PostgreSQL refuses to serve as root, so root hands the data to the user that the package made. */
async function findOwner(signal: AbortSignal): Promise<ToolOptions["user"]> {
  if (Deno.uid() !== 0) return undefined;
  const id = async (flag: string): Promise<number> =>
    Number(await runTool("id", [flag, "postgres"], { signal, timeoutMs: START_MS_MAX }));
  return { uid: await id("-u"), gid: await id("-g") };
}

async function open(surroundings: Surroundings): Promise<Peer> {
  const { directory, signal } = surroundings;
  const programs = await findPrograms();
  const version = await runTool(`${programs}/postgres`, ["--version"], {
    signal,
    timeoutMs: START_MS_MAX,
  });
  await Deno.chmod(directory, 0o711); // Its owner passes through to what is its own.
  const database = new Database(programs, surroundings, await findOwner(signal));
  await database.create();
  return {
    version: /\) (\S+)/.exec(version)?.[1] ?? "unknown",
    settings: `${SETTINGS.join(" ")}; pgbench -M prepared; ${benchScript(SEATS, 1).split("\n")[2]}`,
    measure: (scenario, seconds) => database.measure(scenario, seconds),
  };
}

/** PostgreSQL driven by pgbench over loopback. */
export const POSTGRESQL: System = { name: "postgresql", supports: () => true, open };
