/**
 * A run to draw: clients that reserve, confirm and release on a made-up cluster which loses its primary now and then.
 * Small and of its own, so that a report can be looked at without a run; the same for the same options, byte for byte.
 */
import type { CheckResult, Judgement, Violation } from "../../testbed/jepsen/analysis/judgement.ts";
import type { ReplicaSample } from "../../testbed/jepsen/history/event.ts";
import type {
  HistoryOperation,
  HistoryOutcome,
  WriteRequest,
} from "../../testbed/jepsen/history/operation.ts";
import type { FaultSpan, Recording } from "../../testbed/jepsen/history/recording.ts";
import type { LogLine, ReportInput } from "../../testbed/jepsen/report/input.ts";

/** What to make up. */
export interface SampleOptions {
  readonly operations: number;
  readonly clients?: number;
  readonly resources?: number;
  readonly seconds?: number;
  /** Whether one reserve succeeds that must not. */
  readonly isBroken?: boolean;
}

const SLOT_NS = 10e6;
const REPLICAS = [1, 2, 3];

/** Numbers that look random and are not: the generator of Park and Miller. */
class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  share(): number {
    this.#state = this.#state * 48_271 % 2_147_483_647;
    return this.#state / 2_147_483_647;
  }

  below(limit: number): number {
    return Math.floor(this.share() * limit);
  }

  /** Many short ones, a few long ones. */
  latencyNs(): number {
    return 900e3 * Math.exp(this.share() * 1.1 + (this.share() < 0.03 ? 2.5 * this.share() : 0));
  }
}

interface Held {
  reservationId: bigint;
  holderId: bigint;
  deadlineSlot: bigint;
  isConfirmed: boolean;
  /** Somebody asked for its end and was not told. */
  isDoubtful?: boolean;
}

type Building = { -readonly [Key in keyof HistoryOperation]: HistoryOperation[Key] };

/** Something that happens at a moment. */
interface Happening {
  readonly atNs: number;
  readonly process: number;
  readonly act: "invoke" | "execute" | "complete";
}

/** Makes up a run. */
class SampleRun {
  readonly #draw = new Draw(4_711);
  readonly #options: Required<SampleOptions>;
  readonly #endNs: number;
  readonly #queue: Happening[] = [];
  readonly #held = new Map<bigint, Held>();
  readonly #open = new Map<number, Building>();
  readonly #operations: Building[] = [];
  readonly #mine = new Map<number, { resourceId: bigint; held: Held }>();
  #position = 0;
  #lsn = 0n;
  #reservations = 0n;
  #keys = 0n;
  #processes: number;
  lie: { earlier: HistoryOperation; later: HistoryOperation; resourceId: bigint } | undefined;

  constructor(options: SampleOptions) {
    this.#options = { clients: 8, resources: 12, seconds: 60, isBroken: false, ...options };
    this.#endNs = this.#options.seconds * 1e9;
    this.#processes = this.#options.clients;
  }

  faults(): FaultSpan[] {
    const at = (share: number): number => Math.round(share * this.#endNs);
    const fault = (name: string, from: number, to: number, replicaId: number): FaultSpan => ({
      name,
      detail: `${name} of replica ${replicaId}`,
      replicaIds: [replicaId],
      startNs: at(from),
      stopNs: at(to),
    });
    return [
      fault("kill", 0.12, 0.18, 1),
      fault("partition", 0.36, 0.44, 2),
      fault("pause", 0.62, 0.66, 3),
      fault("kill", 0.83, 0.88, 3),
    ];
  }

  recording(): Recording {
    for (let process = 0; process < this.#options.clients; process++) {
      this.#push({ atNs: this.#draw.below(5e6), process, act: "invoke" });
    }
    while (this.#queue.length > 0) this.#happen(this.#pop());
    return {
      header: {
        model: "reservation",
        runId: "run-7",
        workload: "contended_reserves",
        nemesis: "mixed_failover",
        backend: "local",
        seed: 4_711,
        program: "allocdb 0.1.0 (1a2b3c4d5e6f)",
        startedAtMillis: 1_790_000_000_000,
        slotDurationMs: 10,
        minimumFaultWindowSecs: 1_800,
        isWindowOverridden: true,
        bounds: { maxBundleSize: 16, maxTtlSlots: 360_000n },
      },
      operations: this.#operations,
      modelOperations: [],
      ticks: [],
      faults: this.faults(),
      samples: this.#samples(),
      processNames: new Map(),
      events: this.#position,
      skippedLines: 0,
      notes: [],
      hasInvocations: true,
      endNs: this.#endNs,
    };
  }

  #happen({ atNs, process, act }: Happening): void {
    if (act === "invoke") return this.#invoke(atNs, process);
    const operation = this.#open.get(process)!;
    if (act === "execute") operation.outcome = this.#execute(operation, atNs);
    else this.#complete(operation, atNs, process);
  }

  #invoke(atNs: number, process: number): void {
    if (this.#operations.length >= this.#options.operations || atNs > this.#endNs * 0.99) return;
    const isRead = this.#draw.share() < 0.25;
    const resourceId = BigInt(1 + this.#draw.below(this.#options.resources));
    const request = isRead
      ? { kind: "get_resource" as const, resourceId }
      : this.#write(process, resourceId);
    const operation: Building = {
      process,
      request,
      invokedAt: this.#position++,
      completedAt: undefined,
      outcome: { kind: "info" },
      invokedNs: Math.round(atNs),
    };
    if (!isRead) {
      operation.key = {
        clientId: BigInt(1_000 + process % this.#options.clients),
        operationId: ++this.#keys,
      };
    }
    this.#operations.push(operation);
    this.#open.set(process, operation);
    const isOut = this.faults().some(({ startNs, stopNs }) =>
      atNs > startNs && atNs < startNs + Math.min(2.2e9, stopNs! - startNs)
    );
    const latency = this.#draw.latencyNs();
    const fate = this.#draw.share();
    if (isOut && fate < 0.5) {
      operation.outcome = { kind: "info", reason: "no answer in time" };
      const mine = this.#mine.get(process);
      if (mine !== undefined && request.kind === "release") mine.held.isDoubtful = true;
      this.#push({ atNs: atNs + 500e6 + latency, process, act: "complete" });
    } else if (isOut && fate < 0.9) {
      operation.outcome = { kind: "fail", reason: "not primary" };
      this.#push({ atNs: atNs + latency / 2 + 150e6, process, act: "complete" });
    } else {
      this.#push({ atNs: atNs + latency / 2, process, act: "execute" });
      this.#push({ atNs: atNs + latency, process, act: "complete" });
    }
  }

  #write(process: number, resourceId: bigint): WriteRequest {
    const mine = this.#mine.get(process);
    if (mine === undefined || this.#draw.share() < 0.1) {
      const ttlSlots = BigInt(20 + this.#draw.below(200));
      return {
        kind: "reserve",
        resourceId,
        holderId: BigInt(50 + process % this.#options.clients),
        ttlSlots,
      };
    }
    const { reservationId, holderId, isConfirmed } = mine.held;
    const kind = !isConfirmed && this.#draw.share() < 0.5 ? "confirm" : "release";
    return { kind, reservationId, holderId, epoch: 1n };
  }

  #execute(operation: Building, atNs: number): HistoryOutcome {
    const { request, process } = operation;
    const slot = BigInt(Math.floor(atNs / SLOT_NS)) + 1_000n;
    for (const [id, held] of this.#held) {
      if (!held.isConfirmed && held.deadlineSlot <= slot) this.#held.delete(id);
    }
    operation.servedBy = {
      replicaId: this.#primaryAt(atNs),
      role: "primary",
      view: BigInt(this.#viewAt(atNs)),
    };
    if (request.kind === "get_resource") {
      const held = this.#held.get(request.resourceId);
      const state = held === undefined ? "available" : held.isConfirmed ? "confirmed" : "reserved";
      return {
        kind: "ok",
        answer: { kind: "resource", state, reservationId: held?.reservationId },
      };
    }
    const lsn = ++this.#lsn;
    const told = (code: string): HistoryOutcome => ({
      kind: "ok",
      answer: { kind: "applied", code, lsn },
    });
    if (request.kind === "reserve") return this.#reserve(operation, { slot, lsn, atNs });
    if (!("reservationId" in request)) return told("ok");
    const found = [...this.#held].find(([, { reservationId }]) =>
      reservationId === request.reservationId
    );
    if (request.kind === "release") this.#mine.delete(process);
    if (found === undefined) {
      this.#mine.delete(process);
      return told("reservation_retired");
    }
    if (request.kind === "confirm") found[1].isConfirmed = true;
    else this.#held.delete(found[0]);
    return told("ok");
  }

  #reserve(operation: Building, at: { slot: bigint; lsn: bigint; atNs: number }): HistoryOutcome {
    const { slot, lsn, atNs } = at;
    const { request, process } = operation;
    if (request.kind !== "reserve") throw new Error("not a reserve");
    const { resourceId, holderId, ttlSlots } = request;
    const held = this.#held.get(resourceId);
    const isLying = this.#options.isBroken && this.lie === undefined && atNs > 0.45 * this.#endNs &&
      held?.isConfirmed === true && held.isDoubtful !== true;
    if (held !== undefined && !isLying) {
      return { kind: "ok", answer: { kind: "applied", code: "resource_busy", lsn } };
    }
    if (isLying) {
      const earlier = this.#operations.find(({ outcome }) =>
        outcome.kind === "ok" && outcome.answer.kind === "applied" &&
        outcome.answer.reserved?.reservationId === held!.reservationId
      )!;
      this.lie = { earlier, later: operation, resourceId };
    }
    const reservationId = ++this.#reservations;
    const deadlineSlot = slot + ttlSlots;
    const mine = { reservationId, holderId, deadlineSlot, isConfirmed: false };
    this.#held.set(resourceId, mine);
    this.#mine.set(process, { resourceId, held: mine });
    return {
      kind: "ok",
      answer: {
        kind: "applied",
        code: "ok",
        lsn,
        reserved: { reservationId, epoch: 1n, deadlineSlot },
      },
    };
  }

  #complete(operation: Building, atNs: number, process: number): void {
    operation.completedAt = this.#position++;
    operation.completedNs = Math.round(atNs);
    this.#open.delete(process);
    const { operations, clients } = this.#options;
    const pause = this.#endNs / (operations / clients) * (0.4 + this.#draw.share());
    const next = operation.outcome.kind === "info" ? this.#processes++ : process;
    this.#push({ atNs: atNs + Math.max(1e3, pause - 2e6), process: next, act: "invoke" });
  }

  #viewAt(atNs: number): number {
    return 1 +
      this.faults().filter(({ startNs, stopNs }) =>
        atNs > startNs + Math.min(2.2e9, stopNs! - startNs)
      ).length;
  }

  #primaryAt(atNs: number): number {
    return (this.#viewAt(atNs) - 1) % 3 + 1;
  }

  #samples(): ReplicaSample[] {
    const samples: ReplicaSample[] = [];
    const step = Math.max(100e6, this.#endNs / 600);
    for (let timeNs = 0; timeNs < this.#endNs; timeNs += step) {
      const most = Number(this.#lsn) * timeNs / this.#endNs;
      const view = this.#viewAt(timeNs);
      for (const replicaId of REPLICAS) {
        const fault = this.faults().find(({ startNs, stopNs, replicaIds }) =>
          timeNs >= startNs && timeNs < stopNs! + 1e9 && replicaIds.includes(replicaId)
        );
        const about = { type: "replica" as const, timeNs: Math.round(timeNs), replicaId };
        if (fault?.name === "kill" && timeNs < fault.stopNs!) {
          samples.push({ ...about, state: "down", detail: "no answer" });
          continue;
        }
        const role = fault !== undefined && timeNs > fault.stopNs!
          ? "recovering"
          : replicaId === this.#primaryAt(timeNs)
          ? "primary"
          : "backup";
        const lag = fault === undefined
          ? this.#draw.below(3)
          : Math.min(most, (timeNs - fault.startNs) / this.#endNs * Number(this.#lsn));
        samples.push({
          ...about,
          state: "ready",
          role,
          view: BigInt(view),
          commitLsn: BigInt(Math.round(most - lag)),
        });
      }
    }
    return samples;
  }

  #push(happening: Happening): void {
    let at = this.#queue.push(happening) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.#queue[above]!.atNs <= happening.atNs) break;
      this.#queue[at] = this.#queue[above]!;
      at = above;
    }
    this.#queue[at] = happening;
  }

  #pop(): Happening {
    const first = this.#queue[0]!;
    const last = this.#queue.pop()!;
    const size = this.#queue.length;
    let at = 0;
    while (size > 0) {
      let below = 2 * at + 1;
      if (below >= size) break;
      if (below + 1 < size && this.#queue[below + 1]!.atNs < this.#queue[below]!.atNs) below++;
      if (this.#queue[below]!.atNs >= last.atNs) break;
      this.#queue[at] = this.#queue[below]!;
      at = below;
    }
    if (size > 0) this.#queue[at] = last;
    return first;
  }
}

/** Makes up everything that a report is made of. */
export function sampleRun(options: SampleOptions): ReportInput {
  const run = new SampleRun(options);
  const recording = run.recording();
  const { lie } = run;
  const violation = lie && violationOf(recording, lie);
  return {
    title: "run-7",
    recording,
    judgement: judgementOf(recording, violation),
    judgedBy: "allocdb 0.1.0 (1a2b3c4d5e6f)",
    files: [
      {
        path: "history.cbor",
        bytes: 1_204_332,
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      },
      {
        path: "logs/replica-1.log",
        bytes: 88_120,
        sha256: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
      },
    ],
    settings: {
      clients: "8",
      "rate per second": "250",
      "ttl slots": "20 to 219",
      "steps at most": "50,000,000",
    },
    versions: { deno: "2.4.2", kernel: "6.8.0" },
    logs: logsOf(recording),
    reproduce:
      "allocdb jepsen run --workload contended_reserves --nemesis mixed_failover --seed 4711",
  };
}

type Lie = NonNullable<SampleRun["lie"]>;

function violationOf({ operations }: Recording, { earlier, later, resourceId }: Lie): Violation {
  const idOf = ({ outcome }: HistoryOperation): bigint =>
    outcome.kind === "ok" && outcome.answer.kind === "applied"
      ? outcome.answer.reserved!.reservationId
      : 0n;
  const confirm = operations.find(({ request, outcome }) =>
    request.kind === "confirm" && request.reservationId === idOf(earlier) && outcome.kind === "ok"
  )!;
  return {
    line: `blocker=double_allocation resource_id=${resourceId} reservation_ids=${idOf(earlier)},${
      idOf(later)
    }`,
    sentence: `Resource ${resourceId} was given to two holders at once: reservation ${
      idOf(earlier)
    } was confirmed and nobody had released it when reservation ${idOf(later)} was granted.`,
    resourceIds: [resourceId],
    operations: [earlier, confirm, later],
    modelOperations: [],
    first: later,
    isMinimal: true,
    before: [
      `resource ${resourceId}: confirmed, reservation ${idOf(earlier)}, epoch 1`,
      "open: nothing that could end it",
    ],
  };
}

function judgementOf(
  { operations, events }: Recording,
  violation: Violation | undefined,
): Judgement {
  const violations = violation === undefined ? [] : [violation];
  const keys = new Set(operations.map(({ key }) => key?.operationId));
  const unanswered = operations.filter(({ outcome }) => outcome.kind === "info").length;
  const reads = operations.filter(({ key }) => key === undefined).length;
  const check = (name: string, rest: Partial<CheckResult>): CheckResult => ({
    ...{ name, isReleaseBlocking: true, verdict: "pass", examined: operations.length },
    ...{ unit: "attempts", sentence: "Nothing speaks against it.", violations: [], ...rest },
  });
  const broken: Partial<CheckResult> = violation === undefined
    ? {}
    : { verdict: "fail", sentence: violation.sentence, violations };
  const blind: Partial<CheckResult> = {
    verdict: "inconclusive",
    examined: 0,
    unit: "fenced reads",
    sentence: "No read was fenced with an lsn, so nothing was there to be looked at.",
    isReleaseBlocking: false,
  };
  return {
    verdict: violation === undefined ? "valid" : "invalid",
    model: "reservation",
    checks: [
      check("linearizability", {
        ...broken,
        sentence: violation === undefined
          ? "There is an order in which one machine would have given every answer."
          : "No order explains what clients were told about one resource.",
        violations: [],
      }),
      check("double_allocation", {
        unit: "grants",
        examined: Number(keys.size),
        sentence: "No resource had two holders.",
        ...broken,
      }),
      check("duplicate_committed_execution", {
        sentence: "Every operation id was executed once at most.",
      }),
      check("stale_reads", {
        examined: reads,
        unit: "successful reads",
        sentence: "No read was older than a write that was answered before it began.",
      }),
      check("early_expiry", {
        examined: 812,
        unit: "deadlines",
        sentence: "Nothing expired before its deadline.",
      }),
      check("fenced_reads", blind),
    ],
    counts: {
      events,
      operations: keys.size + reads,
      attempts: operations.length,
      unanswered,
      partitions: 12,
    },
    coverage: [
      {
        name: "contended_reserves",
        count: 431,
        meaning: "reserves that met another one of the same resource under way",
      },
      {
        name: "retries_after_execution",
        count: 0,
        meaning: "retries that came when the first attempt had been executed",
      },
    ],
    findings: ["2 view changes fell into the window of one operation."],
  };
}

function logsOf({ faults, endNs }: Recording): LogLine[] {
  const lines: LogLine[] = [];
  for (const { name, startNs, stopNs, replicaIds } of faults) {
    lines.push({
      timeNs: startNs,
      source: "nemesis",
      level: "info",
      text: `start ${name} of replica ${replicaIds[0]}`,
    });
    lines.push({ timeNs: stopNs!, source: "nemesis", level: "info", text: `stop ${name}` });
    lines.push({
      timeNs: startNs + 40e6,
      source: "replica 2",
      level: "warning",
      text: "primary has been silent for 40 ms",
    });
    lines.push({
      timeNs: startNs + 900e6,
      source: "replica 3",
      level: "error",
      text: "peer connection lost: reset by peer",
    });
  }
  for (const replica of REPLICAS) {
    for (let i = 0; i < 40; i++) {
      lines.push({
        timeNs: Math.round(endNs * i / 40),
        source: `replica ${replica}`,
        level: "info",
        text: `checkpoint at lsn ${i * 120}`,
      });
    }
  }
  return lines;
}
