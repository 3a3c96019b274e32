/** One replica's process: its data, its replica, its listeners and its timer, from the start to the end. */
import { AssertionFailure } from "../../core/assert.ts";
import { controlGuards } from "../../node/auth/control_auth.ts";
import { DEFAULT_CHECKPOINT_POLICY } from "../../node/checkpoint.ts";
import type { ReplicaRunOptions } from "../../node/cli/options.ts";
import { parseAddress } from "../../node/client/address.ts";
import { configFingerprint } from "../../node/config/text.ts";
import type { ControlStatus } from "../../node/control/messages.ts";
import {
  type ControlServer,
  type ControlServerOptions,
  startControlServer,
} from "../../node/control/server.ts";
import type { HttpGateway } from "../../node/http/server.ts";
import type { LinkPorts } from "../../node/peer/line.ts";
import type { PeerEvent } from "../../node/peer/options.ts";
import { type PeerTransport, startPeerTransport } from "../../node/peer/transport.ts";
import type { ReplicaOptions } from "../../node/replica/options.ts";
import { VERSION } from "../../node/version.ts";
import type { Message } from "../../node/vsr/messages.ts";
import type { ClusterLayout, ReplicaLayout } from "../workspace/layout.ts";
import { removeOwnPidFile, writePidFile } from "../workspace/pid_file.ts";
import { processMark } from "../workspace/processes.ts";
import { ClientFace } from "./client_face.ts";
import { ClientPort } from "./client_port.ts";
import { controlHandler } from "./control.ts";
import { openReplicaData, type ReplicaData } from "./data.ts";
import { FaultWatch } from "./fault_watch.ts";
import { FaultedHost } from "./faulted_host.ts";
import { GapMeter } from "./gap_meter.ts";
import type { ReplicaHost } from "./host.ts";
import type { LeveledLog } from "./leveled_log.ts";
import { listening } from "./listening.ts";
import { markerLine, peerEvent, summary } from "./log_events.ts";
import { ProgressLog } from "./progress_log.ts";
import { loadSecurity, type Security } from "./security.ts";
import { controlStatus } from "./status.ts";
import { Weather } from "./weather.ts";

/** How often everything that happens with time is looked at while there is something to do, in milliseconds. */
const TICK_MS = 20;
/** And while there is not: every turn of an idle event loop costs a tenth of a millisecond. */
const IDLE_TICK_MS = 100;
/** Ticks without work after which a replica is idle. */
const IDLE_TICKS = 25;
/** How often the faults file is looked at, in milliseconds. */
const FAULTS_EVERY_MS = 250;
/** How often progress is looked at, in milliseconds. */
const PROGRESS_EVERY_MS = 1_000;
/** An event loop that stood still for longer is worth a line: the others may have taken this replica for gone. */
const GAP_MS_MAX = 300;

/** How long what was taken may take to finish once the clients are gone, in milliseconds. */
const FINISH_MS_MAX = 2_000;

/** What a process is started with. */
export interface ProcessOptions {
  readonly run: ReplicaRunOptions;
  readonly layout: ClusterLayout;
  readonly replica: ReplicaLayout;
  readonly log: LeveledLog;
  /** Opens the replica over its data. */
  readonly open: (options: ReplicaOptions) => ReplicaHost;
  /** Called when an operator wants it to stop, with how long clients may take. */
  readonly onStop: (drainMs: number) => void;
  /** Called with an error that nothing can go on after. */
  readonly onFatal: (error: unknown) => void;
}

const CLOCK = { nowMs: (): number => performance.now() };

const PORTS: LinkPorts = {
  nowMs: () => performance.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** A replica that runs. */
export class ReplicaProcess {
  readonly #options: ProcessOptions;
  readonly #security: Security;
  readonly #data: ReplicaData;
  readonly #weather: Weather;
  readonly #faults: FaultWatch;
  readonly #host: ReplicaHost;
  readonly #face: ClientFace;
  readonly #gaps = new GapMeter();
  readonly #progress: ProgressLog;
  readonly #startedMs = performance.now();
  #transport: PeerTransport | undefined;
  #clients: ClientPort | undefined;
  #http: HttpGateway | undefined;
  #control: ControlServer | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Work that was there when it was last looked at. */
  #work = 0;
  /** Messages between replicas that are more than a sign of life. */
  #messages = 0;
  #idleTicks = 0;
  #faultsMs = 0;
  #progressMs = 0;
  #isFatal = false;
  #isClosed = false;

  /**
   * Starts a replica.
   *
   * @param options Which one, and who is told what.
   * @returns The process, ready: its ports are open and its timer runs.
   * @throws {CliError} When it cannot start; nothing is left open then.
   */
  static async start(options: ProcessOptions): Promise<ReplicaProcess> {
    const { layout, replica, log, run } = options;
    const security = loadSecurity(layout, replica, run);
    log.info(markerLine(replica.id, "startup=begin", {
      workspace: replica.directory,
      control: replica.controlAddr,
      client: replica.clientAddr,
      protocol: replica.protocolAddr,
    }));
    const data = await openReplicaData(layout, replica);
    const started = new ReplicaProcess(options, security, data);
    try {
      await started.#listen();
    } catch (error) {
      await started.#closeAll(0);
      throw error;
    }
    return started;
  }

  private constructor(options: ProcessOptions, security: Security, data: ReplicaData) {
    const { layout, replica, log } = options;
    this.#options = options;
    this.#security = security;
    this.#data = data;
    this.#progress = new ProgressLog(log);
    this.#weather = new Weather(data.disk, CLOCK, log);
    const apply = this.#weather.apply.bind(this.#weather);
    this.#faults = new FaultWatch({ layout, replicaId: replica.id, log, apply });
    this.#faults.look(Date.now());
    if (data.isNew) {
      log.event("warning", "data_made", { directory: replica.directory, role: "recovering" });
    }
    this.#host = this.#open();
    this.#face = new ClientFace(this.#host, log, PORTS);
    log.event("info", "startup_recovered", summary(this.status()));
  }

  /** What `replica status` shows. */
  status(): ControlStatus {
    const { layout, replica } = this.#options;
    return controlStatus(this.#host.status(), {
      layout,
      replica,
      uptimeMs: performance.now() - this.#startedMs,
      isIsolated: this.#weather.isIsolated,
      gapMs: this.#gaps.latestMs,
      gapMsMax: this.#gaps.longestMs,
    });
  }

  /**
   * Stops in order: clients get their answers, what was taken is finished, peers and operators go last.
   *
   * @param drainMs How long clients may take.
   */
  async stop(drainMs: number): Promise<void> {
    await this.#closeAll(drainMs);
    const { log, replica } = this.#options;
    log.info(markerLine(replica.id, this.#isFatal ? "shutdown=error" : "shutdown=clean"));
  }

  /** Gives up where it stands: after a broken invariant nothing that the replica holds may be used again. */
  abandon(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const { log, replica } = this.#options;
    removeOwnPidFile(replica.pidPath);
    log.error(markerLine(replica.id, "shutdown=error"));
  }

  #open(): ReplicaHost {
    const { layout, replica, open } = this.#options;
    const { stored } = this.#data;
    const { core, engine } = layout.config;
    if (stored !== undefined) return open(this.#replicaOptions(stored));
    const { clusterId, members } = layout;
    const identity = { clusterId, replicaId: replica.id, core, engine };
    const reason = this.#data.damage ?? "its metadata is damaged";
    this.#options.log.error(`replica enters faulted state: reason=${reason}`);
    return new FaultedHost(identity, members, reason);
  }

  #replicaOptions(stored: ReplicaOptions["stored"]): ReplicaOptions {
    const { layout, replica, log, run } = this.#options;
    return {
      disk: this.#weather.disk,
      directory: replica.directory,
      stored,
      members: layout.members,
      core: layout.config.core,
      engine: layout.config.engine,
      clock: this.#weather.clock,
      later: (task) => void setTimeout(() => this.#guarded(task), 0),
      atEndOfTurn: (task) => queueMicrotask(() => this.#guarded(task)),
      log,
      hashSeed: crypto.getRandomValues(new Uint32Array(1))[0]! | 0,
      random: Math.random,
      send: (to: bigint, message: Message) => this.#transport?.send(to, message),
      sendNow: () => this.#transport?.sendNow(),
      manualFailover: run.manualFailover,
      manualExpiration: run.manualExpiration,
      checkpoints: run.manualCheckpoint ? undefined : DEFAULT_CHECKPOINT_POLICY,
    };
  }

  /** The control port opens last: whoever gets an answer there may use the others. */
  async #listen(): Promise<void> {
    const { replica, log, run } = this.#options;
    const mark = processMark(Deno.pid);
    if (mark !== undefined) {
      Deno.mkdirSync(dirnameOf(replica.pidPath), { recursive: true });
      writePidFile(replica.pidPath, mark);
    }
    this.#transport = listening("peers", replica.protocolAddr, (at) => this.#startTransport(at));
    this.#clients = listening("clients", replica.clientAddr, (at) => this.#startClients(at));
    if (run.http !== undefined) this.#http = await this.#startHttp(run.http);
    const handler = controlHandler({
      host: this.#host,
      status: () => this.status(),
      stop: (drainMs) => this.#options.onStop(drainMs),
      faultLines: () => this.#lookAtFaults(),
      setLogLevel: (level) => void (log.level = level),
    });
    this.#control = listening("control", replica.controlAddr, (at) => {
      return startControlServer(handler, { ...at, ...this.#controlGuard() });
    });
    this.#weather.connect({
      setLinks: (faults) => this.#transport?.setFaults(faults),
      setIsolated: (isolated) => this.#clients?.setIsolated(isolated),
      setClientLinks: ({ fromClients, toClients }) => this.#face.setFaults(fromClients, toClients),
    });
    this.#tickLater();
    log.info(
      markerLine(replica.id, "startup=ready", {
        state: this.status().state,
        ...summary(this.status()),
      }),
    );
  }

  #controlGuard(): Pick<ControlServerOptions, "guard"> {
    const { layout, log } = this.#options;
    const { secrets } = this.#security;
    if (secrets === undefined) return {};
    const deny = (message: string) => log.event("warning", "control_denied", { message });
    return { guard: controlGuards(secrets, layout.clusterId, deny) };
  }

  /** Whoever asks what is in force gets to hear what is in the file now, once it is so. */
  async #lookAtFaults(): Promise<readonly string[]> {
    this.#faults.look(Date.now());
    await this.#clients?.settled();
    return this.#faults.lines;
  }

  #startTransport(listen: { readonly hostname: string; readonly port: number }): PeerTransport {
    const { layout, replica } = this.#options;
    const members = layout.replicas.map(({ id, protocolAddr }) => {
      const { hostname, port } = parseAddress(protocolAddr);
      return { id, hostname, port };
    });
    const { core } = layout.config;
    return startPeerTransport({
      replicaId: replica.id,
      members,
      listen,
      clusterId: layout.clusterId,
      fingerprint: configFingerprint(core),
      shardId: core.shardId,
      version: VERSION,
      auth: this.#security.peerAuth,
      tls: this.#security.peerTls,
      onMessage: (from, message) => {
        if (!isSignOfLife(message)) this.#messages++;
        this.#guarded(() => this.#host.receive(from, message));
      },
      onLinkUp: (peer) => this.#guarded(() => this.#host.linkUp(peer)),
      onLinkDown: (peer) => this.#guarded(() => this.#host.linkDown(peer)),
      onEvent: (event) => this.#tellPeerEvent(event),
    });
  }

  #startClients(at: { readonly hostname: string; readonly port: number }): ClientPort {
    const { log, layout } = this.#options;
    const members = layout.replicas.map(({ id, clientAddr }) => (
      { replicaId: id, address: clientAddr }
    ));
    return new ClientPort(this.#face, {
      ...at,
      version: VERSION,
      members: () => members,
      secrets: this.#security.secrets,
      tls: this.#security.tls,
      onEvent: ({ kind, ...fields }) => log.event("warning", `client_${kind}`, fields),
    });
  }

  /** Loaded only here: the gateway's libraries are half of what a replica would otherwise hold. */
  async #startHttp(address: string): Promise<HttpGateway> {
    const { startHttp } = await import("../../node/http/server.ts");
    const refusals = () => this.#clients?.refusals() ?? { unauthenticated: 0, forbidden: 0 };
    const options = { version: VERSION, refusals };
    return listening("HTTP", address, (at) => startHttp(this.#face, { ...at, ...options }));
  }

  #tellPeerEvent(event: PeerEvent): void {
    const { name, fields, isWarning } = peerEvent(event);
    this.#options.log.event(isWarning ? "warning" : "info", name, fields);
  }

  #tickLater(): void {
    const work = this.#messages + this.#face.submits;
    this.#idleTicks = work === this.#work ? this.#idleTicks + 1 : 0;
    this.#work = work;
    const pauseMs = this.#idleTicks > IDLE_TICKS ? IDLE_TICK_MS : TICK_MS;
    this.#gaps.expect(performance.now() + pauseMs);
    this.#timer = setTimeout(() => {
      this.#guarded(() => this.#tick());
      if (!this.#isClosed) this.#tickLater();
    }, pauseMs);
  }

  #tick(): void {
    const nowMs = performance.now();
    const gapMs = this.#gaps.beat(nowMs);
    if (gapMs > GAP_MS_MAX) {
      this.#options.log.event("warning", "event_loop_gap", { ms: Math.round(gapMs) });
    }
    if (nowMs - this.#faultsMs >= FAULTS_EVERY_MS) {
      this.#faultsMs = nowMs;
      this.#faults.look(Date.now());
    }
    this.#host.tick();
    if (nowMs - this.#progressMs < PROGRESS_EVERY_MS) return;
    this.#progressMs = nowMs;
    this.#progress.look(this.#host.status(), nowMs);
  }

  /** A broken invariant in the replica must end the process, not one connection. */
  #guarded(call: () => void): void {
    if (this.#isFatal) return;
    try {
      call();
    } catch (error) {
      this.#isFatal = true;
      const text = error instanceof AssertionFailure ? error.fact : String(error);
      this.#options.log.error(`bug: ${text}`);
      this.#options.onFatal(error);
    }
  }

  async #closeAll(drainMs: number): Promise<void> {
    await Promise.all([this.#clients?.drain(drainMs), this.#http?.drain(drainMs)]);
    // Without a majority what was taken may never be finished; whoever asked for it has been told so by now.
    await within(FINISH_MS_MAX, this.#host.drain());
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#transport?.close();
    this.#host.close();
    await this.#control?.close();
    removeOwnPidFile(this.#options.replica.pidPath);
    this.#data.lock.release();
  }
}

/** Waits for something, but no longer than `ms` milliseconds. */
async function within(ms: number, event: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([event, late]);
  clearTimeout(timer);
}

/** What replicas say to each other when nothing happens. */
function isSignOfLife(message: Message): boolean {
  return message.kind === "prepare_ok" ||
    (message.kind === "prepare" && message.frames.length === 0);
}

function dirnameOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0)) || "/";
}
