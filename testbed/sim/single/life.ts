/** One life of a single node from its plan: commands, time, checkpoints and misfortunes; then rest, in which all must be well. */
import { U64_MAX } from "../../../core/config.ts";
import { coreOfPlan } from "../life/plan.ts";
import type { PlannedFault } from "../disk/memory_disk.ts";
import { SeededRandom } from "../random.ts";
import { SingleCommands } from "./commands.ts";
import { SingleNode } from "./harness.ts";
import type { SinglePlan } from "./plan.ts";
import { type End, SingleNemesis } from "./nemesis.ts";
import type { Started } from "./process.ts";
import type { SingleOptions } from "./settings.ts";
import type { Ticket } from "./ticket.ts";
import { SingleViolation } from "./violation.ts";

/** What is around a life. */
export interface SingleLifeOptions {
  /** Makes the node; the shipping one unless something is to be broken in it. */
  readonly open?: NonNullable<SingleOptions["open"]>;
  readonly isTraced?: boolean;
  /** Ends the process at this moment of its disk's work, or after this event; both counted from 1. */
  readonly crashAt?: { readonly moment: number } | { readonly event: number };
  /** An operation of the disk that goes wrong, counted from the making of the directory. */
  readonly diskFault?: PlannedFault;
  /** What the system has after the process has ended; chance unless told. */
  readonly ends?: End;
}

/** Places at which a life can be interrupted. */
export interface Places {
  /** Before and after each operation of the disk. */
  readonly moments: number;
  /** After each event. */
  readonly events: number;
  /** Operations that change the disk. */
  readonly operations: number;
}

/** How a life went. */
export interface SingleLife {
  readonly plan: SinglePlan;
  readonly violation: SingleViolation | undefined;
  /** 16 hexadecimal digits: the same plan has the same hash, traced or not. */
  readonly transcriptHash: string;
  readonly events: number;
  readonly simulatedMs: number;
  /** How often each judge had something to judge and, as `strike/…`, how often each fault struck. */
  readonly counts: Readonly<Record<string, number>>;
  /** What there was until all was left in peace. */
  readonly places: Places;
  readonly single: SingleNode;
}

/** Starts that may be struck, one after the other. */
const STARTS_MAX = 12;

/**
 * Lives a plan to its end, or to the first broken promise.
 *
 * @param plan What goes on.
 * @param options What is around it.
 */
export function liveSingle(plan: SinglePlan, options: SingleLifeOptions = {}): SingleLife {
  const life = new Life(plan, options);
  const violation = life.run();
  const { single, counts, places } = life;
  return {
    plan,
    violation,
    transcriptHash: single.transcript.text,
    events: single.queue.happened,
    simulatedMs: single.queue.nowMs,
    counts: { ...single.judge.judged, ...counts },
    places,
    single,
  };
}

/** The same life again in words. */
export function explainSingle(plan: SinglePlan): string {
  const { violation, single } = liveSingle(plan, { isTraced: true });
  const faults = plan.strikes.map(({ atStep, fault }) => `${fault} before step ${atStep}`);
  return `seed ${plan.seed}: ${faults.join(", ")}\n` +
    (violation?.message ?? `${single.words.join("\n")}\nnothing is wrong`);
}

class Life {
  readonly single: SingleNode;
  readonly counts: Record<string, number> = {};
  places: Places = { moments: 0, events: 0, operations: 0 };
  readonly #plan: SinglePlan;
  readonly #options: SingleLifeOptions;
  readonly #commands: SingleCommands;
  readonly #nemesis: SingleNemesis;
  #isResting = false;
  /** Whose end is not known yet. */
  #sent: Ticket[] = [];

  constructor(plan: SinglePlan, options: SingleLifeOptions) {
    this.#plan = plan;
    this.#options = options;
    const core = coreOfPlan(plan.core);
    const { seed, engine, segmentBytes, isClocked, diskMs } = plan;
    const { open, isTraced } = options;
    this.single = new SingleNode({
      seed,
      core,
      engine,
      segmentBytes,
      isClocked,
      diskMs,
      slot: BigInt(plan.slot),
      ...(open === undefined ? {} : { open }),
      ...(isTraced === undefined ? {} : { isTraced }),
    });
    this.#commands = new SingleCommands(core);
    this.#nemesis = new SingleNemesis(this.single, this.counts);
  }

  run(): SingleViolation | undefined {
    try {
      this.#trouble();
      this.#rest();
      return undefined;
    } catch (error) {
      if (error instanceof SingleViolation) return error;
      const words = error instanceof Error ? error.stack ?? error.message : `${error}`;
      return new SingleViolation(`bug: ${words}`, `seed ${this.#plan.seed}`, this.single.words);
    }
  }

  #trouble(): void {
    const { single } = this;
    const { crashAt, diskFault } = this.#options;
    if (crashAt !== undefined && "moment" in crashAt) single.process.crashAtMoment = crashAt.moment;
    if (crashAt !== undefined && "event" in crashAt) single.process.crashAfterEvent = crashAt.event;
    single.disk.plan(diskFault);
    this.#start(new SeededRandom(this.#plan.seed));
    const strikes = [...this.#plan.strikes];
    for (let step = 0; step < this.#plan.steps; step++) {
      const random = new SeededRandom(Math.imul(this.#plan.seed, 0x9e3779b1) + step);
      while (strikes[0]?.atStep === step) this.#strike(strikes.shift()!);
      if (!this.#isWell()) this.#start(random);
      this.#step(random);
    }
  }

  #strike(strike: Parameters<SingleNemesis["strike"]>[0]): void {
    if (!this.single.isRunning) this.#start(new SeededRandom(strike.seed));
    const random = new SeededRandom(strike.seed);
    this.#nemesis.strike(strike, () => this.#submitSome(random));
  }

  /** A halted node goes on saying so for a while. */
  #isWell(): boolean {
    const { single } = this;
    if (!single.isRunning) return false;
    const { haltReason } = single.node.executor;
    if (haltReason === undefined) return true;
    const [refused] = single.sendAll([this.#commands.draw(new SeededRandom(1), [])]);
    const { answer } = refused!;
    if (answer?.kind !== "rejected" || answer.rejection.code !== "engine_halted") {
      single.violated("fail closed: a halted node takes a command");
    }
    const told = single.beginCheckpoint();
    if (told()?.kind !== "engine_halted") {
      single.violated("fail closed: a halted node makes a checkpoint");
    }
    if (single.node.getResource(1n).kind !== "engine_halted") {
      single.violated("fail closed: a halted node answers a read");
    }
    return false;
  }

  #step(random: SeededRandom): void {
    const { single } = this;
    switch (random.below(12)) {
      case 0:
      case 1:
        this.#passTime(random);
        if (random.oneIn(2)) this.#expire(random);
        return;
      case 2:
        return this.#expire(random);
      case 3:
        return this.#checkpoint(random);
      case 4:
        if (single.node.executor.haltReason === undefined) single.judge.compareReads(single.node);
        return;
      case 5:
        return this.#pause(random);
      default:
        this.#submitSome(random);
        if (random.oneIn(2) && single.isRunning) single.settle();
    }
  }

  #passTime(random: SeededRandom): void {
    const { core } = this.single;
    const beyond = Number(core.maxTtlSlots + core.maxClientRetryWindowSlots) + 1;
    this.#advance(1 + random.below(random.oneIn(10) ? beyond : Number(core.maxTtlSlots) + 2));
  }

  #advance(slots: number): void {
    const to = this.single.slot + BigInt(slots);
    this.single.advanceTo(to > U64_MAX ? U64_MAX : to);
  }

  /** By a host's wish to its end, or by the background worker while other things go on. */
  #expire(random: SeededRandom): void {
    const { single } = this;
    if (!single.isRunning || single.node.executor.haltReason !== undefined) return;
    if (random.oneIn(2)) single.tick();
    else single.expireDue();
  }

  /** Commands go on while the snapshot is written. */
  #checkpoint(random: SeededRandom): void {
    this.single.beginCheckpoint();
    if (this.single.isRunning) this.#submitSome(random);
    if (random.oneIn(2)) this.single.settle();
  }

  /** A few events, and not all that there are. */
  #pause(random: SeededRandom): void {
    for (let left = 1 + random.below(4); left > 0; left--) this.single.runNext();
  }

  #submitSome(random: SeededRandom): void {
    const { single } = this;
    const known = single.judge.known;
    const count = 1 + random.below(random.oneIn(4) ? 12 : 4);
    const commands = Array.from({ length: count }, () => this.#commands.draw(random, known));
    const batches = random.oneIn(2) ? [commands] : commands.map((command) => [command]);
    for (const batch of batches) {
      if (!single.isRunning) return;
      this.#sent.push(...single.sendAll(batch, this.#drawSlot(random)));
      if (random.oneIn(3)) single.runNext();
    }
  }

  /** Mostly none; else around now, and at times further ahead than the node lets anybody be. */
  #drawSlot(random: SeededRandom): bigint | undefined {
    if (!this.#plan.ownSlots || !random.oneIn(6)) return undefined;
    const now = this.single.node.currentSlot();
    const ahead = BigInt(random.below(random.oneIn(4) ? 200 : 12)) - 4n;
    return now + ahead < 0n ? 0n : now + ahead;
  }

  /** From whatever was left to a node that runs; what was never answered is sent again. */
  #start(random: SeededRandom): void {
    const { single } = this;
    for (let starts = 0; starts < STARTS_MAX; starts++) {
      if (starts < 2 && this.#isInterrupted) this.#nemesis.haunt(random);
      const started = single.restart(this.#nemesis.drawEnd(random, this.#options.ends));
      if (started.kind === "started") return this.#retry();
      this.#judgeRefusal(started);
      if (starts > 2) single.process.relieve();
    }
    single.violated("liveness: it does not start although its disk is well");
  }

  /** Starts after an interruption are interrupted, too. */
  get #isInterrupted(): boolean {
    if (this.#isResting) return false;
    return this.#options.ends !== undefined || this.#options.diskFault !== undefined;
  }

  /** Nothing but its disk may keep a node from starting; what was damaged on purpose is not left so. */
  #judgeRefusal(started: Started): void {
    if (started.kind !== "refused" || started.isFault) return;
    this.single.violated(`durability: a start is refused: ${started.error}`);
  }

  #retry(): void {
    const open = this.#sent.filter(({ answer }) =>
      answer === undefined ||
      answer.kind === "rejected" && answer.rejection.category === "indefinite"
    );
    this.#sent = [];
    this.counts.retried = (this.counts.retried ?? 0) + open.length;
    for (const { command } of open) {
      if (this.single.isRunning) this.#sent.push(this.single.submit(command));
    }
  }

  /** Nothing goes wrong any more. */
  #rest(): void {
    const { single } = this;
    const { moments } = single.process;
    this.#isResting = true;
    this.places = {
      moments,
      events: single.queue.happened,
      operations: single.disk.operations,
    };
    single.process.crashAtMoment = single.process.crashAfterEvent = 0;
    single.process.relieve();
    single.settle();
    if (!this.#isWell()) this.#start(new SeededRandom(this.#plan.seed));
    single.settle();
    this.#expireAll();
    for (const how of ["lose", "keep"] as const) {
      const started = single.restart(how);
      if (started.kind !== "started") this.#judgeRefusal(started);
      const draw = new SeededRandom(this.#plan.seed);
      const ticket = single.submit(this.#commands.draw(draw, single.judge.known));
      if (ticket.answer !== undefined && single.isRunning) continue;
      single.violated("liveness: a command is not answered");
    }
  }

  /**
   * By a clock a deadline is over when its slot is, and a clock that was behind a slot that somebody gave has to catch up first.
   */
  #passDeadlines(): void {
    const { single } = this;
    const { maxTtlSlots } = single.core;
    const lastSlot = single.metrics().core.lastRequestSlot ?? 0n;
    let slots = Number(maxTtlSlots) + 3;
    this.#advance(slots);
    if (!this.#plan.isClocked) return;
    for (; single.node.currentSlot() <= lastSlot + maxTtlSlots + 1n; slots *= 2) {
      this.#advance(slots);
    }
  }

  /** Whatever is due goes in as many ticks as it takes, and not in one. */
  #expireAll(): void {
    const { single } = this;
    this.#passDeadlines();
    for (let ticks = 0; ticks <= single.core.maxReservations; ticks++) {
      const { outcome } = single.tick();
      if (outcome?.kind === "rejected" && outcome.rejection.code === "slot_overflow") return;
      if (outcome?.kind !== "applied") {
        return single.violated(`liveness: a tick is not carried out`);
      }
      if (outcome.processedCount > single.engine.maxExpirationsPerTick) {
        single.violated(`bounds: ${outcome.processedCount} expire in one tick`);
      }
      if (outcome.processedCount === 0) break;
    }
    const { expirationBacklog } = single.node.metrics().core;
    if (expirationBacklog === 0) return;
    single.violated(`liveness: ${expirationBacklog} never expire`);
  }
}
