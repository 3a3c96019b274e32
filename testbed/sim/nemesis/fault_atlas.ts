/**
 * How much may be damaged in one life: drawn up front, so that whatever then does not recover is a bug. Source:
 * docs/simulator.md#fault-budget.
 *
 * A minority are victims: any of their files may be lost or damaged, anywhere. Of the others one is the keeper and
 * loses nothing. The rest may be damaged where a replica can prove what it had: in one of two copies of its metadata, in
 * one of two snapshots, and, while nobody removes entries, inside its log, where the keeper holds the same committed
 * entries. Nobody loses in silence what a reader would have to take for never written: the end of a log, or both copies
 * of the metadata set back.
 */
import { baseOp, decodeSegmentHeader } from "../../../core/log_segment.ts";
import { ACTIVE_SEGMENT, NEXT_SEGMENT } from "../../../node/log/files.ts";
import { METADATA_FILE } from "../../../node/metadata/metadata.ts";
import { INSTALL_FILE } from "../../../node/replica/install.ts";
import { decodeHeader, HEADER_BYTES } from "../../../node/snapshot/format.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE } from "../../../node/snapshot/store.ts";
import type { MemoryDisk } from "../disk/memory_disk.ts";
import { PAGE_BYTES, SECTOR_BYTES } from "../disk/sector.ts";
import type { SeededRandom } from "../random.ts";
import type { ClusterMachine } from "../world/machine.ts";
import type { ClusterWorld } from "../world/world.ts";
import { type LogInside, logInsides } from "./log_places.ts";

/** Whole sectors of one file that may be damaged. */
export interface DamagePlace {
  readonly machine: ClusterMachine;
  readonly name: string;
  /** First byte, at the beginning of a sector. */
  readonly from: number;
  /** One past the last byte. */
  readonly end: number;
  /** What the sectors are for. */
  readonly part: "log" | "metadata" | "snapshot" | "any";
}

/** How much, as it was drawn. */
export interface FaultBudget {
  /** Positions of the victims: a minority, and none in a cluster of one. */
  readonly victims: readonly number[];
  /** Position of the keeper: none of the victims, and among those who are well in the end. */
  readonly keeper: number;
  /** Whether no replica ever makes a checkpoint, so that no entry is removed. */
  readonly keepsLogs: boolean;
}

/** Sectors of the largest damage. */
const SECTORS_MAX = 16;

/** See the top of this file. */
export class FaultAtlas {
  /** Machines that may lose anything. */
  readonly victims: readonly ClusterMachine[];
  /** The machine that loses nothing. */
  readonly keeper: ClusterMachine;
  readonly #others: readonly ClusterMachine[];
  readonly #world: ClusterWorld;
  readonly #keepsLogs: boolean;

  /**
   * @param world Where.
   * @param budget What was drawn.
   */
  constructor(world: ClusterWorld, { victims, keeper, keepsLogs }: FaultBudget) {
    this.#world = world;
    this.#keepsLogs = keepsLogs;
    this.keeper = world.machines[keeper]!;
    this.victims = victims.map((at) => world.machines[at]!);
    this.#others = world.machines.filter((machine) =>
      machine !== this.keeper && !this.victims.includes(machine)
    );
  }

  /** Somewhere that may be damaged now; a victim is to be noted as damaged. */
  drawPlace(random: SeededRandom): DamagePlace | undefined {
    const machines = random.oneIn(2) ? this.victims : this.#others;
    const machine = machines[random.below(machines.length)];
    return machine && this.drawPlaceOf(machine, random);
  }

  /** The same on one machine. */
  drawPlaceOf(machine: ClusterMachine, random: SeededRandom): DamagePlace | undefined {
    if (machine === this.keeper) return undefined;
    if (this.victims.includes(machine)) {
      return random.oneIn(2) ? drawAnywhere(machine, random) : this.drawInsideLog(machine, random);
    }
    const places = [metadataPlace, drawSnapshot, this.drawInsideLog.bind(this)];
    const first = random.below(places.length);
    for (let i = 0; i < places.length; i++) {
      const place = places[(first + i) % places.length]!(machine, random);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  /** Sectors inside a machine's log; those of victims may hold anything, those of others what the keeper has, too. */
  drawInsideLog(machine: ClusterMachine, random: SeededRandom): DamagePlace | undefined {
    const insides = logInsides(machine.disk);
    const inside = insides[random.below(insides.length)];
    if (inside === undefined || !isEndWhole(machine.disk, insides)) return undefined;
    const place = drawSectors(machine, inside.name, inside.from, inside.end, "log", random);
    return this.victims.includes(machine) || this.#isKept(inside, place) ? place : undefined;
  }

  /** Whether what is said to be here is what is committed, and on the keeper's disk. */
  #isKept(inside: LogInside, { from, end }: DamagePlace): boolean {
    const { judges } = this.#world;
    const { mirror } = this.keeper;
    if (!this.#keepsLogs) return false;
    return inside.frames.every((frame) => {
      if (frame.end <= from || frame.from >= end) return true;
      const decided = judges.truth.hashAt(frame.op);
      const isKept = frame.op <= mirror.durableTip &&
        mirror.frames.get(frame.op)?.hash === frame.hash;
      return decided === frame.hash && isKept;
    });
  }
}

/** The copy that is written first: a torn write of the second would leave none if it were the only good one. */
function metadataPlace(machine: ClusterMachine): DamagePlace | undefined {
  if (!isMetadataWhole(machine)) return undefined;
  return { machine, name: METADATA_FILE, from: 0, end: PAGE_BYTES, part: "metadata" };
}

/** Whether both copies are good and the same. */
export function isMetadataWhole({ disk }: ClusterMachine): boolean {
  if (disk.size(METADATA_FILE) !== 2 * PAGE_BYTES) return false;
  if (disk.damagedSectors(METADATA_FILE).length > 0) return false;
  const bytes = disk.contents(METADATA_FILE);
  return bytes.subarray(0, PAGE_BYTES).every((byte, i) => byte === bytes[PAGE_BYTES + i]);
}

/** One of two generations, while the other one is whole, the log goes back to both, and none is being put in place. */
function drawSnapshot(machine: ClusterMachine, random: SeededRandom): DamagePlace | undefined {
  const { disk } = machine;
  const names = [SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE];
  if (disk.size(INSTALL_FILE) !== undefined) return undefined;
  if (names.some((name) => disk.size(name) === undefined)) return undefined;
  if (names.some((name) => disk.damagedSectors(name).length > 0)) return undefined;
  const previous = decodeHeader(
    disk.contents(SNAPSHOT_PREVIOUS_FILE).subarray(0, HEADER_BYTES),
  );
  if (previous.kind !== "decoded" || previous.value.header.op < firstOpOf(disk) - 1n) {
    return undefined;
  }
  const name = names[random.below(2)]!;
  return drawSectors(machine, name, 0, disk.size(name)!, "snapshot", random);
}

/** What proves where the log ends: without it a loss inside could pass for a write that a crash has torn. */
function isEndWhole(disk: MemoryDisk, insides: readonly LogInside[]): boolean {
  const logs = disk.list().filter((name) => name.startsWith(ACTIVE_SEGMENT));
  return logs.every((name) => {
    const inside = insides.find((one) => one.name === name);
    return disk.damagedSectors(name).every((at) =>
      inside !== undefined && at >= inside.from && at < inside.end
    );
  });
}

/** The op with which a log begins: that of its oldest file. */
function firstOpOf(disk: MemoryDisk): bigint {
  const bases = disk.list().filter((name) => name.startsWith(ACTIVE_SEGMENT)).flatMap((name) => {
    const header = decodeSegmentHeader(disk.contents(name));
    return typeof header === "string" || name === NEXT_SEGMENT ? [] : [baseOp(header)];
  });
  return bases.reduce((first, base) => base < first ? base : first);
}

function drawAnywhere(machine: ClusterMachine, random: SeededRandom): DamagePlace | undefined {
  const { disk } = machine;
  const logs = disk.list().filter((name) => name.startsWith(ACTIVE_SEGMENT));
  const isLogDamaged = logs.some((name) => disk.damagedSectors(name).length > 0);
  const names = disk.list()
    .filter((name) => disk.size(name)! > 0 && !(isLogDamaged && logs.includes(name))).sort();
  const name = names[random.below(names.length)];
  return name === undefined
    ? undefined
    : drawSectors(machine, name, 0, disk.size(name)!, "any", random);
}

function drawSectors(
  machine: ClusterMachine,
  name: string,
  from: number,
  end: number,
  part: DamagePlace["part"],
  random: SeededRandom,
): DamagePlace {
  const sectors = Math.ceil((end - from) / SECTOR_BYTES);
  const first = random.below(sectors);
  const count = random.oneIn(2) ? 1 : 1 + random.below(Math.min(sectors - first, SECTORS_MAX));
  const begin = from + first * SECTOR_BYTES;
  return { machine, name, from: begin, end: Math.min(begin + count * SECTOR_BYTES, end), part };
}
