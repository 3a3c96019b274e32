/** Replicas as processes of this machine, through what `allocdb cluster` does: in this process, not by its command line. */
import { resolve } from "@std/path";
import { type Control, controlPorts } from "../../../../cluster/runner/control.ts";
import { observeAll } from "../../../../cluster/runner/observe.ts";
import { crashReplica, pauseReplica } from "../../../../cluster/runner/processes.ts";
import { type Outside, restartReplica, startCluster } from "../../../../cluster/runner/start.ts";
import { changeWeather, type WeatherRequest } from "../../../../cluster/runner/weather.ts";
import { findWorkspace, type Workspace } from "../../../../cluster/runner/workspace.ts";
import { readPidFile } from "../../../../cluster/workspace/pid_file.ts";
import type { DirectoryLock } from "../../../../node/io/lock.ts";
import { CliError } from "../../../../node/errors.ts";
import type { LinkFault } from "../../../../node/peer/line.ts";
import type { ClusterEvidence } from "../../evidence/evidence.ts";
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
} from "../backend.ts";
import { mendCluster, settleCluster } from "../settling.ts";
import { LONG_RUN_BOUNDS } from "./bounds.ts";
import { EvidenceCollector, logsOf } from "./evidence_collector.ts";
import { factsOf } from "./facts.ts";
import type { LocalOptions } from "./options.ts";
import { OwnProcesses } from "./own_processes.ts";
import { programUnderTest, versionOf } from "./program.ts";
import { askCheckpoint, askDigests, statusOf } from "./statuses.ts";
import { sweepWorkspace } from "./sweep.ts";
import { type Before, claimWorkspace, lookBefore } from "./workspace.ts";
import { copyLogs } from "./logs.ts";

/** How long a replica may take to answer, in milliseconds: recovery of a large log is part of it. */
const START_MS_MAX = 60_000;

/** A fault of the runner, without what the backend knows itself. */
type Weather = WeatherRequest extends infer Request
  ? Request extends WeatherRequest ? Omit<Request, "workspace" | "json"> : never
  : never;

/** See the top of this file. */
export class LocalBackend implements Backend {
  readonly name = "local";
  readonly can: ReadonlySet<Ability> = new Set(ABILITIES);
  readonly #options: LocalOptions;
  readonly #path: string;
  readonly #own = new OwnProcesses();
  /** What is under way; nothing is ended before it is through. */
  readonly #underWay = new Set<Promise<unknown>>();
  #outside: Outside | undefined;
  #workspace: Workspace | undefined;
  #before: Before = { isAdopted: false, running: [] };
  #claim: DirectoryLock | undefined;
  #collector: EvidenceCollector | undefined;
  #settled: Settled | undefined;
  #isEnding = false;

  constructor(options: LocalOptions) {
    this.#options = options;
    this.#path = resolve(options.workspace);
  }

  async start(signal?: AbortSignal): Promise<ClusterFacts> {
    const starting = this.#verb(() => this.#start());
    return await orInterrupted(starting, signal);
  }

  async statuses(): Promise<readonly ReplicaStatus[]> {
    const observed = await observeAll(this.#found, this.#control);
    return observed.map(statusOf);
  }

  async kill(id: number): Promise<void> {
    await this.#verb(() => crashReplica(this.#path, BigInt(id), this.#control));
  }

  async restart(id: number): Promise<void> {
    await this.#verb(async () => {
      try {
        await restartReplica(this.#path, BigInt(id), this.#startMs, this.#outside!);
      } finally {
        this.#own.note(this.#found);
      }
    });
  }

  async pause(id: number): Promise<void> {
    await this.#verb(() => pauseReplica(this.#path, BigInt(id), "pause", this.#control));
  }

  async resume(id: number): Promise<void> {
    await this.#verb(() => pauseReplica(this.#path, BigInt(id), "resume", this.#control));
  }

  async wipe(id: number): Promise<void> {
    await this.#verb(async () => {
      const replica = this.#found.layout.replicas.find((one) => one.id === BigInt(id))!;
      if (readPidFile(replica.pidPath).kind === "running") {
        throw new CliError("E_ALREADY_RUNNING", `replica ${id} runs on the data that is to go`);
      }
      await Deno.remove(replica.directory, { recursive: true });
      this.#collector!.startOver(id);
    });
  }

  async isolate(id: number, isolated: boolean): Promise<void> {
    await this.#change({ verb: isolated ? "isolate" : "heal", replicaId: BigInt(id) });
  }

  async partition(groups: readonly (readonly number[])[]): Promise<void> {
    await this.#change({ verb: "partition", groups: groups.map((group) => group.map(BigInt)) });
  }

  async link(from: LinkEnd, to: LinkEnd, fault: LinkFault): Promise<void> {
    await this.#change({ verb: "link", ends: { from: endOf(from), to: endOf(to) }, fault });
  }

  async disk(id: number, trouble: DiskTrouble | undefined): Promise<void> {
    await this.#change({ verb: "disk-fault", replicaId: BigInt(id), fault: trouble });
  }

  async clock(id: number, trouble: ClockTrouble | undefined): Promise<void> {
    const right = { skewMs: 0, rate: 1 };
    await this.#change({ verb: "clock", replicaId: BigInt(id), ...(trouble ?? right) });
  }

  async checkpoint(id: number): Promise<boolean> {
    return await this.#verb(() => askCheckpoint(this.#found.layout, id));
  }

  async heal(): Promise<void> {
    await this.#change({ verb: "heal", replicaId: undefined });
  }

  async mend(signal?: AbortSignal): Promise<Mended> {
    return await mendCluster(this, signal);
  }

  async settle(signal?: AbortSignal): Promise<Settled> {
    const digests = () => askDigests(this.#found.layout);
    this.#settled = undefined;
    this.#collector!.settling();
    this.#settled = await settleCluster(this, digests, signal);
    return this.#settled;
  }

  async evidence(): Promise<ClusterEvidence> {
    await this.#collector!.stop();
    return await this.#collector!.evidence(this.#settled?.digests ?? []);
  }

  async collectLogs(directory: string): Promise<readonly string[]> {
    return await copyLogs(this.#workspace ?? findWorkspace(this.#path), directory);
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.allSettled([...this.#underWay]);
    try {
      await this.#collector?.stop();
    } finally {
      await this.#leave();
    }
  }

  async sweep(): Promise<void> {
    await sweepWorkspace(this.#path);
  }

  async #leave(): Promise<void> {
    try {
      if (this.#before.running.length === 0) await this.#own.end();
      else if (this.#claim !== undefined) await mendCluster(this, undefined);
    } finally {
      this.#claim?.release();
      this.#claim = undefined;
    }
  }

  async #start(): Promise<ClusterFacts> {
    const program = programUnderTest(this.#options);
    const version = await versionOf(program);
    const secretPath = (): string | undefined => findWorkspace(this.#path).layout.secretPath;
    this.#outside = { control: controlPorts(secretPath), program };
    this.#before = await lookBefore(this.#options, this.#control);
    if (this.#before.isAdopted) this.#claim = await claimWorkspace(this.#path);
    try {
      await startCluster(this.#startRequest(), this.#outside);
    } finally {
      this.#noteOwn();
    }
    this.#claim ??= await claimWorkspace(this.#path);
    await mendCluster(this, undefined);
    const { layout } = this.#found;
    this.#collector = new EvidenceCollector(
      layout.config.core,
      logsOf(layout),
      () => this.statuses(),
    );
    this.#collector.start();
    return factsOf(this.#found, version, this.#before);
  }

  /** What was started in a workspace that could not be made is gone with it. */
  #noteOwn(): void {
    try {
      this.#workspace = findWorkspace(this.#path);
    } catch (error) {
      if (error instanceof CliError) return;
      throw error;
    }
    this.#own.note(this.#workspace, this.#before.running);
  }

  #startRequest(): Parameters<typeof startCluster>[0] {
    const { replicas = 3, bounds = [], secretFile } = this.#options;
    const request: Parameters<typeof startCluster>[0] = {
      ...{ verb: "start", workspace: this.#path, json: false, manual: [], bounds: [] },
      ...{ waitForPrimary: false, timeoutMs: this.#startMs },
    };
    if (this.#before.isAdopted) return request;
    return {
      ...request,
      ...{ replicas, profile: "small", bounds: [...LONG_RUN_BOUNDS, ...bounds] },
      ...(secretFile === undefined ? {} : { secretFile }),
    };
  }

  get #startMs(): number {
    return this.#options.startMs ?? START_MS_MAX;
  }

  get #control(): Control {
    return this.#outside!.control;
  }

  /** @throws {CliError} E_NOT_RUNNING before it was started. */
  get #found(): Workspace {
    if (this.#workspace !== undefined) return this.#workspace;
    throw new CliError("E_NOT_RUNNING", `no cluster was started in ${this.#path}`);
  }

  async #change(weather: Weather): Promise<void> {
    const request = { ...weather, workspace: this.#path, json: false } as WeatherRequest;
    const { unaware } = await this.#verb(() => changeWeather(request, this.#control));
    if (unaware.length === 0) return;
    this.#options.notice?.(`replica ${unaware.join(", ")} was slow to notice ${weather.verb}`);
  }

  async #verb<T>(act: () => Promise<T>): Promise<T> {
    const isAllowed = !this.#isEnding || this.#before.running.length > 0;
    if (!isAllowed) throw new CliError("E_INTERRUPTED", "the cluster is being ended");
    const running = act();
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }
}

function endOf(end: LinkEnd): bigint | "client" | "all" {
  return typeof end === "number" ? BigInt(end) : end;
}

/** What is under way goes on; whoever interrupts it ends it then. */
async function orInterrupted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  let stop = (): void => {};
  const interrupted = new Promise<never>((_, reject) => {
    stop = () => reject(new CliError("E_INTERRUPTED", "interrupted while the cluster started"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });
  work.catch(() => {}); // Told by whoever waits for it, if anybody still does.
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    signal.removeEventListener("abort", stop);
    interrupted.catch(() => {});
  }
}
