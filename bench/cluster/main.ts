// Three replicas of AllocDB beside three members of etcd. See bench/README.md.
import { fromFileUrl, resolve } from "@std/path";
import { openCandidate, runCommand, say, sayResult } from "../peers/command.ts";
import { installPackages } from "../peers/install.ts";
import { describeMachine } from "../peers/machine.ts";
import type { System } from "../peers/measurement.ts";
import { type Candidate, reasonOf, type Row, runRounds } from "../peers/rounds.ts";
import { type Figures, isGap, summarize } from "../peers/summary.ts";
import { allocdb } from "./allocdb.ts";
import { measureCatchUp } from "./catch_up.ts";
import { etcd } from "./etcd.ts";
import { measureFailover } from "./failover.ts";
import { measureIdle } from "./idle.ts";
import { type ClusterOptions, parseOptions, type Part, USAGE } from "./options.ts";
import type { ReplicasOptions } from "./replicas.ts";
import { type ClusterReport, renderClusterReport } from "./report.ts";
import { targets } from "./targets.ts";

const PACKAGES = ["etcd-server", "etcd-client"];
const DEFAULT_DATA = fromFileUrl(new URL("../../dist/bench", import.meta.url));
const DEFAULT_BINARY = fromFileUrl(new URL("../../dist/allocdb", import.meta.url));
/** How many connections clients share that share any. */
const SHARED = 8;

function systemsOf(binary: string | undefined): readonly System[] {
  return [
    etcd("etcd", Infinity),
    etcd("etcd shared", SHARED),
    allocdb("allocdb", binary, Infinity),
    allocdb("allocdb shared", binary, SHARED),
  ];
}

/** The binary to run, or undefined for the sources. */
async function binaryOf({ allocdb, isFromSources }: ClusterOptions): Promise<string | undefined> {
  if (isFromSources) return undefined;
  const path = resolve(allocdb ?? DEFAULT_BINARY);
  const isThere = await Deno.stat(path).then(({ isFile }) => isFile, () => false);
  if (!isThere) throw new Error(`There is no ${path}: ./tools/deno task compile, or --sources`);
  return path;
}

/** One run: where, until when, and what has failed so far. */
class Run {
  readonly failures: string[] = [];
  readonly #options: ClusterOptions;
  readonly #work: string;
  readonly #binary: string | undefined;
  readonly #signal: AbortSignal;

  constructor(
    options: ClusterOptions,
    work: string,
    binary: string | undefined,
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#work = work;
    this.#binary = binary;
    this.#signal = signal;
  }

  /** Opens the systems and lets them take turns. */
  async loads(): Promise<{ candidates: readonly Candidate[]; rows: readonly Row[] }> {
    const { systems, parts } = this.#options;
    if (!parts.includes("load")) return { candidates: [], rows: [] };
    const wanted = systemsOf(this.#binary).filter(({ name }) => systems.includes(name));
    const candidates: Candidate[] = [];
    for (const system of wanted) {
      candidates.push(await openCandidate(system, this.#work, "bench:cluster", this.#signal));
    }
    const plan = { ...this.#options, signal: this.#signal, onResult: sayResult };
    return { candidates, rows: await runRounds(candidates, plan) };
  }

  /** Runs one of the other parts on a cluster of its own; a failure is noted, and the rest goes on. */
  async part<T>(
    name: Part,
    measure: (options: ReplicasOptions) => Promise<T>,
  ): Promise<T | undefined> {
    const { parts, systems } = this.#options;
    if (!parts.includes(name) || !systems.includes("allocdb")) return undefined;
    const directory = await Deno.makeTempDir({ dir: this.#work });
    const workspace = `${directory}/ws`;
    try {
      return await measure({ binary: this.#binary, workspace, signal: this.#signal });
    } catch (error) {
      this.#signal.throwIfAborted();
      this.failures.push(`${name}: ${reasonOf(error)}`);
      say(this.failures.at(-1)!);
      return undefined;
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }
}

async function measureAll(options: ClusterOptions, run: Run, work: string): Promise<ClusterReport> {
  const startedAt = new Date().toISOString();
  const machine = await describeMachine(work);
  if (machine.fileSystem === "tmpfs") {
    say("warning: tmpfs has no disk to sync; choose another --data");
  }
  const { candidates, rows } = await run.loads();
  const failover = await run.part("failover", (at) => measureFailover(at, options.kills, say));
  const bytes = options.catchUpMib * 2 ** 20;
  const catchUp = await run.part("catch-up", (at) => measureCatchUp(at, bytes, say));
  const idle = await run.part("idle", (at) => measureIdle(at, options.idleSeconds));
  const summary = summarize(rows).rows;
  const loads = summary.filter((row): row is Figures & typeof row => !isGap(row));
  return {
    startedAt,
    seconds: options.seconds,
    machine,
    systems: candidates.flatMap(({ name, peer }) =>
      "missing" in peer ? [] : [{ name, version: peer.version, settings: peer.settings }]
    ),
    rows: summary,
    failover,
    catchUp,
    idle,
    targets: targets({ loads, failover, catchUp, idle }),
    failures: run.failures,
  };
}

/** Everything between the command line and the exit code; leaves nothing on the disk. */
async function measure(options: ClusterOptions, signal: AbortSignal): Promise<number> {
  if (options.install) await installPackages(PACKAGES, signal, say);
  const binary = await binaryOf(options);
  const data = resolve(options.data ?? DEFAULT_DATA);
  await Deno.mkdir(data, { recursive: true });
  const work = await Deno.makeTempDir({ dir: data, prefix: "cluster." });
  try {
    const report = await measureAll(options, new Run(options, work, binary, signal), work);
    console.log(options.json ? JSON.stringify(report, null, 2) : renderClusterReport(report));
    return report.rows.some(isGap) || report.failures.length > 0 ? 1 : 0;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

if (import.meta.main) {
  await runCommand("bench:cluster", async (signal) => {
    const options = parseOptions(Deno.args);
    if (!options.help) return await measure(options, signal);
    console.log(USAGE);
    return 0;
  });
}
