/** Carries out the strikes of a single node's life. */
import { ACTIVE_SEGMENT } from "../../../node/log/files.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE } from "../../../node/snapshot/store.ts";
import { diskImage } from "../disk/data_directory.ts";
import type { PlannedFault } from "../disk/memory_disk.ts";
import { PAGE_BYTES } from "../disk/sector.ts";
import type { Survival } from "../disk/memory_file.ts";
import { SeededRandom } from "../random.ts";
import { ENGINE_CRASH_POINTS, RECOVERY_CRASH_POINTS } from "./crash_point.ts";
import { corruptLastFrame, lastFrame } from "./damage.ts";
import type { SingleNode } from "./harness.ts";
import type { SingleStrike } from "./plan.ts";

/** What a system still has after a process has ended: everything, or what is left when the power fails. */
export type End = "kill" | "lose" | "keep" | "chance";

const ENDS = ["kill", "kill", "lose", "keep", "chance", "chance"] as const;

/** See the top of this file. */
export class SingleNemesis {
  readonly #single: SingleNode;
  readonly #counts: Record<string, number>;

  /**
   * @param single Whom it is about; it runs when it is struck.
   * @param counts Where strikes are counted.
   */
  constructor(single: SingleNode, counts: Record<string, number>) {
    this.#single = single;
    this.#counts = counts;
  }

  /** What is left of a process and its system when it starts again. */
  drawEnd(random: SeededRandom, end?: End): Survival | "kill" {
    const drawn = end ?? ENDS[random.below(ENDS.length)]!;
    return drawn === "chance" ? new SeededRandom(random.nextU32()) : drawn;
  }

  /** Lets the next start go wrong, mostly. */
  haunt(random: SeededRandom): void {
    const seed = random.nextU32();
    if (random.oneIn(3)) this.#single.armNextRecoveryFault(drawFault(random));
    else if (random.oneIn(2)) this.#single.armNextRecoveryCrash(seed, RECOVERY_CRASH_POINTS);
  }

  /**
   * Strikes.
   *
   * @param strike How.
   * @param submit Lets clients submit something, so that it hits somebody.
   */
  strike(strike: SingleStrike, submit: () => void): void {
    const single = this.#single;
    const random = new SeededRandom(strike.seed);
    this.#count(`strike/${strike.fault}`);
    switch (strike.fault) {
      case "kill":
      case "power_failure":
        if (random.oneIn(2)) submit();
        if (!single.isRunning) return;
        return void single.restart(
          strike.fault === "kill" ? "kill" : new SeededRandom(strike.seed),
        );
      case "engine_crash":
        return void single.armNextEngineCrash(strike.seed, ENGINE_CRASH_POINTS);
      case "recovery_crash":
        single.armNextRecoveryCrash(strike.seed, RECOVERY_CRASH_POINTS);
        return single.end();
      case "disk_crash":
        return single.disk.plan({ nth: 1 + random.below(12), effect: "crash" });
      case "append_failure":
        return single.failNextPersist("before_append");
      case "lost_append":
        return single.failNextPersist("after_append");
      case "sync_failure":
        return single.failNextPersist("sync");
      case "disk_fault":
        return single.disk.plan(drawFault(random));
      case "recovery_fault":
        single.armNextRecoveryFault(drawFault(random));
        return single.end();
      case "corrupt_last_frame":
        return this.#corruptFrame();
      case "torn_tail":
        submit();
        return this.#tear(random);
      case "damaged_snapshot":
        return this.#damageSnapshot(random);
      case "rot":
      case "latent":
        return this.#damageSomewhere(random, strike.fault);
      case "full_disk":
        single.disk.capacityBytes = single.disk.usedBytes + random.below(4) * PAGE_BYTES;
    }
  }

  /** A flipped bit is no torn tail: the node refuses, changes nothing, and starts once the bit is back. */
  #corruptFrame(): void {
    const single = this.#single;
    single.process.relieve();
    single.end();
    if (single.disk.isCrashed || lastFrame(single.disk) === undefined) return;
    corruptLastFrame(single.disk);
    const before = JSON.stringify(diskImage(single.disk));
    const started = single.restart();
    if (started.kind !== "refused") {
      single.violated(`corruption is refused: it is ${started.kind}`);
    }
    if (JSON.stringify(diskImage(single.disk)) !== before) {
      single.violated("corruption is refused: something was changed");
    }
    corruptLastFrame(single.disk);
  }

  /** The last sectors of what nobody was told of are gone. */
  #tear(random: SeededRandom): void {
    const single = this.#single;
    for (let events = random.below(3); events > 0; events--) single.runNext();
    if (single.isRunning) single.end();
    const { mirror, truth } = single.judge;
    if (single.disk.isCrashed || !mirror.frames.has(truth.op + 1)) return;
    if (!single.disk.list().includes(ACTIVE_SEGMENT)) return;
    single.injectStorageFault({ kind: "torn_tail", truncateBytes: 1 + random.below(200) });
  }

  /** A start refuses, or has everything: the judge looks. One thing is damaged at a time, and then it is not any more. */
  #damageSomewhere(random: SeededRandom, fault: "rot" | "latent"): void {
    const single = this.#single;
    single.process.relieve();
    single.end();
    const { disk } = single;
    if (disk.isCrashed) return;
    const names = disk.list().filter((name) => disk.size(name)! > 0).sort();
    const name = names[random.below(names.length)]!;
    const at = drawPlace(random, disk.contents(name));
    if (fault === "rot") disk.rot(name, at, 1 << random.below(8));
    else disk.makeUnreadable(name, at, at + 1 + random.below(4 * PAGE_BYTES));
    const { kind } = single.restart();
    this.#count(`strike/${fault}/${kind}`);
    disk.heal();
    if (kind === "started" && fault === "latent") single.end();
  }

  #count(name: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }

  /** A start falls back on the snapshot before, and the log still has what is behind that. */
  #damageSnapshot(random: SeededRandom): void {
    const single = this.#single;
    single.process.relieve();
    single.end();
    const { disk } = single;
    if (disk.isCrashed) return;
    const names = disk.list();
    if (![SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE].every((name) => names.includes(name))) return;
    const bytes = disk.contents(SNAPSHOT_FILE);
    bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    const started = single.restart();
    if (started.kind === "started") return;
    const why = started.kind === "refused" ? started.error : started.kind;
    single.violated(`damage: no start from the snapshot before: ${why}`);
  }
}

/** Where a file is not all zeros: damage in between is looked for as well, but less often. */
function drawPlace(random: SeededRandom, bytes: Uint8Array): number {
  const used = 1 + bytes.findLastIndex((byte) => byte !== 0);
  return random.below(random.oneIn(8) ? bytes.length : Math.max(used, 1));
}

function drawFault(random: SeededRandom): PlannedFault {
  const nth = 1 + random.below(12);
  const effect = random.oneIn(2) ? "io_error" : "disk_full";
  return { nth, effect, tornBytes: random.below(1_400) };
}
