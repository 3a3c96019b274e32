/**
 * Carries strikes out on a cluster, one after the other, with calm in between. A strike that does not work out is told
 * and put right, and the next one comes; what each came to is counted, so that a nemesis that did nothing is seen.
 */
import { partRandom, SeededRandom } from "../../sim/random.ts";
import { type Backend, type Mended, primaryOf } from "../backend/backend.ts";
import { pause } from "../backend/pause.ts";
import { strikeKind, type StrikeName } from "./atlas.ts";
import { oneOf } from "./draw.ts";
import type { Strike } from "./plan.ts";
import { Interrupted, Scene, textOf } from "./scene.ts";
import type { FaultSink, Stage, Wait } from "./stage.ts";

/** What a nemesis needs. */
export interface NemesisOptions {
  readonly backend: Backend;
  readonly strikes: readonly Strike[];
  /** How long trouble goes on from the first fault, in milliseconds. */
  readonly windowMs: number;
  /** Faults are written down here. */
  readonly sink: FaultSink;
  /** Ends the trouble; everything is put right all the same. */
  readonly signal: AbortSignal;
  /** Told after each strike. */
  readonly onStrike?: (told: StrikeTold) => void;
  /** How to wait; tests have a clock of their own. */
  readonly wait?: Wait;
}

/** What one strike came to. */
export interface StrikeTold {
  readonly strike: Strike;
  /** `partly`: something of it did not work out. `nothing`: no fault took hold. */
  readonly outcome: "done" | "partly" | "nothing";
  /** Names of the faults that took hold. */
  readonly faults: readonly string[];
  readonly problems: readonly string[];
  readonly operatorRestarts: readonly number[];
  /** From its end until a primary served again and all replicas took part, in milliseconds. */
  readonly recoveredMs: number | undefined;
}

/** What a nemesis came to. */
export interface NemesisReport {
  /** When the first fault began, on the clock of the sink; undefined when there was none. */
  readonly firstFaultNs: number | undefined;
  /** From then until the last strike was over and the window as well, in milliseconds. */
  readonly windowMs: number;
  /** Strikes with at least one fault that took hold, by kind. */
  readonly strikes: Readonly<Partial<Record<StrikeName, number>>>;
  /** Faults that took hold, by name. */
  readonly faults: Readonly<Record<string, number>>;
  /** Strikes that were planned and not reached in time. */
  readonly notReached: number;
  readonly operatorRestarts: number;
  /** Snapshots that replicas wrote because they were asked to, between strikes. */
  readonly checkpoints: number;
  /** What did not work out, in words. */
  readonly problems: readonly string[];
}

/** Shortest calm after a strike that took longer than was planned, in milliseconds. */
const CALM_MS_MIN = 300;
/** Before one strike in so many a replica is asked for a checkpoint. */
const CHECKPOINT_ONE_IN = 3;
/** What is kept of problems. */
const PROBLEMS_MAX = 1_000;

/** Carries everything out and puts everything right. Never throws for what a strike comes to. */
export async function runNemesis(options: NemesisOptions): Promise<NemesisReport> {
  return await new Nemesis(options).run();
}

class Nemesis {
  readonly #options: NemesisOptions;
  readonly #stage: Stage;
  readonly #strikes: Partial<Record<StrikeName, number>> = {};
  readonly #faults: Record<string, number> = {};
  readonly #problems: string[] = [];
  #beganNs = 0;
  #faultId = 0;
  #firstFaultNs: number | undefined;
  #operatorRestarts = 0;
  #notReached = 0;
  #checkpoints = 0;

  constructor(options: NemesisOptions) {
    const { backend, sink, signal, wait = pause } = options;
    this.#options = options;
    this.#stage = {
      ...{ backend, sink, signal, wait, nextFaultId: () => ++this.#faultId },
      tookHold: (beganNs) => this.#firstFaultNs ??= beganNs,
    };
  }

  async run(): Promise<NemesisReport> {
    const { strikes, signal } = this.#options;
    this.#beganNs = this.#stage.sink.nowNs();
    let lastMs = -Infinity;
    for (const [i, strike] of strikes.entries()) {
      const dueMs = Math.max(strike.atMs, lastMs + CALM_MS_MIN);
      const isReached = dueMs < this.#windowEndMs;
      if (isReached) await this.#stage.wait(dueMs - this.#elapsedMs(), signal);
      if (!isReached || signal.aborted) {
        this.#notReached = strikes.length - i;
        break;
      }
      await this.#carryOut(strike);
      lastMs = this.#elapsedMs();
    }
    if (this.#firstFaultNs !== undefined) {
      await this.#stage.wait(this.#windowEndMs - this.#elapsedMs(), signal);
    }
    return this.#report();
  }

  /** Milliseconds since the nemesis began. */
  #elapsedMs(): number {
    return (this.#stage.sink.nowNs() - this.#beganNs) / 1_000_000;
  }

  /** When the window ends, on the same clock: it counts from the first fault, which may have come late. */
  get #windowEndMs(): number {
    const firstMs = ((this.#firstFaultNs ?? this.#beganNs) - this.#beganNs) / 1_000_000;
    return firstMs + this.#options.windowMs;
  }

  /** Snapshots have to be there when trouble comes, as often as not. */
  async #checkpoint({ seed }: Strike, members: readonly number[]): Promise<void> {
    const { backend } = this.#options;
    const random = partRandom(seed, "checkpoint");
    if (!backend.can.has("checkpoint") || !random.oneIn(CHECKPOINT_ONE_IN)) return;
    if (await backend.checkpoint(oneOf(members, random))) this.#checkpoints++;
  }

  async #carryOut(strike: Strike): Promise<void> {
    const { backend } = this.#options;
    const statuses = await backend.statuses();
    const cast = { primary: primaryOf(statuses), members: statuses.map(({ id }) => id) };
    await this.#checkpoint(strike, cast.members);
    const random = new SeededRandom(strike.seed);
    const scene = new Scene(this.#stage, cast, random, strike.durationMs);
    try {
      await strikeKind(strike.kind).act(scene);
    } catch (error) {
      if (!(error instanceof Interrupted)) scene.problems.push(textOf(error));
    }
    await scene.cureAll();
    const mended = await this.#mend(scene);
    scene.closeLingering();
    this.#tell(strike, scene, mended);
  }

  /** The operator looks after the cluster, whatever the strike left of it. */
  async #mend(
    scene: Scene,
  ): Promise<{ readonly mended: Mended | undefined; readonly recoveredMs: number | undefined }> {
    const { backend, sink, signal } = this.#options;
    const sinceNs = sink.nowNs();
    try {
      const mended = await backend.mend(signal);
      const recoveredMs = (sink.nowNs() - sinceNs) / 1_000_000;
      this.#recordOperator(mended, sinceNs);
      return { mended, recoveredMs };
    } catch (error) {
      if (signal.aborted) return { mended: undefined, recoveredMs: undefined };
      scene.problems.push(...scene.setbacks, `after it: ${textOf(error)}`);
      return { mended: undefined, recoveredMs: undefined };
    }
  }

  #recordOperator({ operatorRestarts }: Mended, sinceNs: number): void {
    if (operatorRestarts.length === 0) return;
    const { sink } = this.#options;
    const [id, name] = [++this.#faultId, "operator_restart"];
    const fault = { type: "fault", name, id, replicaIds: operatorRestarts } as const;
    // It is known only afterwards; the order of the events is that of their recording, and times are only for pictures.
    const detail = `replica ${operatorRestarts.join(", ")} stayed faulted and was started again`;
    sink.fault({ ...fault, phase: "start", timeNs: Math.max(sinceNs, 0), detail });
    sink.fault({ ...fault, phase: "stop", timeNs: sink.nowNs() });
  }

  #tell(
    strike: Strike,
    scene: Scene,
    { mended, recoveredMs }: {
      readonly mended: Mended | undefined;
      readonly recoveredMs: number | undefined;
    },
  ): void {
    const { inflicted: faults, problems } = scene;
    const operatorRestarts = mended?.operatorRestarts ?? [];
    for (const name of faults) this.#faults[name] = (this.#faults[name] ?? 0) + 1;
    if (faults.length > 0) this.#strikes[strike.kind] = (this.#strikes[strike.kind] ?? 0) + 1;
    this.#operatorRestarts += operatorRestarts.length;
    for (const problem of problems) {
      if (this.#problems.length < PROBLEMS_MAX) {
        this.#problems.push(`strike ${strike.id} (${strike.kind}): ${problem}`);
      }
    }
    const outcome = faults.length === 0 ? "nothing" : problems.length > 0 ? "partly" : "done";
    this.#options.onStrike?.({ strike, outcome, faults, problems, operatorRestarts, recoveredMs });
  }

  #report(): NemesisReport {
    return {
      firstFaultNs: this.#firstFaultNs,
      windowMs: this.#firstFaultNs === undefined
        ? 0
        : (this.#stage.sink.nowNs() - this.#firstFaultNs) / 1_000_000,
      strikes: this.#strikes,
      faults: this.#faults,
      notReached: this.#notReached,
      operatorRestarts: this.#operatorRestarts,
      checkpoints: this.#checkpoints,
      problems: this.#problems,
    };
  }
}
