/**
 * Lets go wrong what a plan says, when it says so. One machine alone, the victim, ever loses or damages what was
 * durable: nobody can promise more than that copies of a majority are whole.
 */
import type { DiskFaultKind } from "../../../node/disk.ts";
import { SeededRandom } from "../random.ts";
import type { ClusterMachine } from "../world/machine.ts";
import { CALM_WEATHER } from "../world/network.ts";
import type { ClusterWorld } from "../world/world.ts";
import type { FaultName, Strike } from "./strike.ts";
import { drawWeather } from "./weather.ts";

/** See the top of this file. */
export class ClusterNemesis {
  /** How often each fault struck. */
  readonly struck = new Map<FaultName, number>();
  readonly #world: ClusterWorld;
  #random: SeededRandom;
  readonly #victim: ClusterMachine;
  #isOver = false;

  /**
   * @param world Where.
   * @param strikes What goes wrong.
   */
  constructor(world: ClusterWorld, strikes: readonly Strike[]) {
    this.#world = world;
    this.#random = new SeededRandom(world.seed);
    this.#victim = this.#any();
    for (const strike of strikes) {
      world.queue.after(strike.atMs, () => {
        if (!this.#isOver) this.strike(strike);
      });
    }
  }

  /** Nothing more goes wrong; what already does may go on. */
  end(): void {
    this.#isOver = true;
  }

  /** Lets something go wrong now, and end by itself. */
  strike(strike: Strike): void {
    const { fault, seed } = strike;
    this.#random = new SeededRandom(seed);
    this.struck.set(fault, (this.struck.get(fault) ?? 0) + 1);
    this.#world.note(() => `nemesis: ${fault}`);
    this.#world.observer?.struck(this.#world.queue.nowMs, strike);
    switch (fault) {
      case "crash":
        return this.#crash(this.#any());
      case "kill":
        return this.#kill(this.#any());
      case "crash_primary":
        return this.#crash(this.#world.primary ?? this.#any());
      case "power_failure":
        for (const machine of this.#world.machines) this.#crash(machine);
        return;
      case "crash_midway":
        return this.#plan(this.#any(), "crash", 1 + this.#random.below(30));
      case "disk_fault":
        return this.#plan(this.#any(), "io_error", 1 + this.#random.below(6));
      case "full_disk":
        return this.#fail(this.#any(), this.#random.oneIn(2) ? "disk_full" : "io_error");
      case "pause":
        return this.#pause(this.#any());
      case "pause_primary":
        return this.#pause(this.#world.primary ?? this.#any());
      case "partition":
        return this.#partition(this.#world.members.filter(() => this.#random.oneIn(2)));
      case "isolate_primary":
        return this.#partition([(this.#world.primary ?? this.#any()).id]);
      case "usurp":
        return this.#usurp(this.#world.primary ?? this.#any());
      case "cut_one_way":
        return this.#cutOneWay();
      case "storm":
        return this.#storm();
      case "slow_disk":
        return this.#slow(this.#any());
      case "view_change":
        return this.#any().reachSubject((subject) => subject.startViewChange());
      case "checkpoint":
        return this.#any().reachSubject((subject) => subject.checkpoint(() => {}));
      case "wipe":
        return this.#wipe();
      case "rot":
        return this.#rot();
    }
  }

  #crash(machine: ClusterMachine): void {
    machine.crash(this.#random.oneIn(3) ? "lose" : this.#random);
    this.#restartLater(machine);
  }

  #kill(machine: ClusterMachine): void {
    machine.kill();
    this.#restartLater(machine);
  }

  /** Whatever ends a process meanwhile, it is started again. */
  #restartLater(machine: ClusterMachine): void {
    this.#later(this.#random.below(2_500), () => machine.start());
  }

  #plan(machine: ClusterMachine, effect: "crash" | DiskFaultKind, nth: number): void {
    machine.disk.plan({ nth, effect, tornBytes: this.#random.below(1_500) });
    this.#later(1_500, () => this.#revive(machine));
  }

  #fail(machine: ClusterMachine, kind: DiskFaultKind): void {
    const { disk } = machine;
    disk.failing = kind;
    this.#later(this.#random.below(1_500), () => {
      disk.failing = undefined;
      this.#revive(machine);
    });
  }

  /** As a supervisor does it: what has stopped or given up is started again. */
  #revive(machine: ClusterMachine): void {
    machine.disk.plan(undefined);
    if (machine.subject?.status().state === "faulted") machine.kill();
    machine.start();
  }

  #pause(machine: ClusterMachine): void {
    machine.pause();
    this.#later(this.#random.below(3_000), () => machine.resume());
  }

  #partition(group: readonly bigint[]): void {
    this.#world.network.partition(group);
    this.#later(this.#random.below(4_000), () => this.#world.network.heal());
  }

  /**
   * A primary collects entries that nobody else gets and dies; its successor dies as soon as it has committed
   * something; and the first one comes back with a log that is longer and wrong.
   */
  #usurp(old: ClusterMachine): void {
    const { network } = this.#world;
    network.isolate(old.id);
    this.#later(50 + this.#random.below(200), () => {
      old.crash("keep");
      network.heal();
      this.#awaitCommit(old, this.#world.judges.truth.op, 0);
    });
  }

  #awaitCommit(old: ClusterMachine, op: number, looks: number): void {
    const { primary, judges } = this.#world;
    if (judges.truth.op <= op && looks < 400) {
      return this.#later(5, () => this.#awaitCommit(old, op, looks + 1));
    }
    if (primary !== undefined) this.#crash(primary);
    old.start();
  }

  #cutOneWay(): void {
    const { members, network } = this.#world;
    const from = this.#random.below(members.length);
    const to = (from + 1 + this.#random.below(members.length - 1)) % members.length;
    network.cut(members[from]!, members[to]!);
    this.#later(this.#random.below(4_000), () => network.heal());
  }

  #storm(): void {
    this.#world.network.weather = drawWeather(this.#random);
    this.#later(this.#random.below(3_000), () => this.#world.network.weather = CALM_WEATHER);
  }

  #slow(machine: ClusterMachine): void {
    machine.diskMs = [5, 20 + this.#random.below(400)];
    this.#later(this.#random.below(3_000), () => machine.diskMs = [0.1, 1]);
  }

  #wipe(): void {
    const machine = this.#victim;
    this.#world.replace(machine);
    this.#restartLater(machine);
  }

  /** A few bits of a file of the victim change, while it runs or while it is down. */
  #rot(): void {
    const machine = this.#victim;
    this.#world.damaged.add(machine);
    if (this.#random.oneIn(2)) this.#kill(machine);
    const files = machine.disk.list().filter((name) => machine.disk.contents(name).length > 0);
    const bytes = machine.disk.contents(files[this.#random.below(files.length)]!);
    for (let left = 1 + this.#random.below(3); left > 0; left--) {
      bytes[this.#random.below(bytes.length)]! ^= 1 << this.#random.below(8);
    }
  }

  #any(): ClusterMachine {
    const { machines } = this.#world;
    return machines[this.#random.below(machines.length)]!;
  }

  #later(delayMs: number, task: () => void): void {
    this.#world.queue.after(delayMs, () => {
      if (!this.#isOver) task();
    });
  }
}
