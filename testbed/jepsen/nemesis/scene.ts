/**
 * A strike under way: what it may do to the cluster. All that it breaks is recorded, and put right at its end in the
 * opposite order, whatever happened in between.
 */
import type { LinkFault } from "../../../node/peer/line.ts";
import type { SeededRandom } from "../../sim/random.ts";
import type { ClockTrouble, DiskTrouble, LinkEnd } from "../backend/backend.ts";
import { shuffled } from "./draw.ts";
import type { Cast, Stage } from "./stage.ts";

/** Something that is to be broken. */
export interface Fault {
  readonly name: string;
  readonly replicaIds: readonly number[];
  readonly detail: string;
  /** What it takes hold of, where ending one fault also ends others of the same: those begin again then. */
  readonly slot?: string;
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Something that is broken. */
export interface Wound {
  readonly fault: Fault;
  readonly id: number;
}

/** Thrown inside a strike that was told to stop. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** See the top of this file. */
export class Scene {
  readonly random: SeededRandom;
  /** How long the strike is to last, in milliseconds. */
  readonly durationMs: number;
  readonly cast: Cast;
  /** Faults that took hold. */
  readonly inflicted: string[] = [];
  /** What did not work out, in words. */
  readonly problems: string[] = [];
  /** What could not be put right at the time: a problem only if it stays so. */
  readonly setbacks: string[] = [];
  readonly #stage: Stage;
  readonly #wounds: Wound[] = [];
  /** Could not be put right by themselves. */
  readonly #lingering: Wound[] = [];

  constructor(stage: Stage, cast: Cast, random: SeededRandom, durationMs: number) {
    this.#stage = stage;
    this.cast = cast;
    this.random = random;
    this.durationMs = durationMs;
  }

  /** The one that served when the strike began; anybody where nobody did. */
  get primary(): number {
    return this.cast.primary ?? this.cast.members[0]!;
  }

  /** All others, in a drawn order. */
  backups(): readonly number[] {
    return shuffled(this.cast.members.filter((id) => id !== this.primary), this.random);
  }

  /** Everybody, in a drawn order. */
  everybody(): readonly number[] {
    return shuffled(this.cast.members, this.random);
  }

  get wounds(): readonly Wound[] {
    return this.#wounds;
  }

  /**
   * Waits.
   *
   * @param ms How long; the strike's own time unless told.
   * @throws {Interrupted} When the run is told to stop.
   */
  async hold(ms: number = this.durationMs): Promise<void> {
    await this.#stage.wait(ms, this.#stage.signal);
    if (this.#stage.signal.aborted) throw new Interrupted();
  }

  /** Whoever serves now; waits for nobody. */
  async servingNow(): Promise<number | undefined> {
    const statuses = await this.#stage.backend.statuses();
    return statuses.find(({ serves }) => serves)?.id;
  }

  async kill(id: number): Promise<Wound> {
    const { backend } = this.#stage;
    return await this.inflict({
      ...{ name: "kill", replicaIds: [id], detail: `killed ${this.#called(id)}` },
      begin: () => backend.kill(id),
      end: () => backend.restart(id),
    });
  }

  async pause(id: number): Promise<Wound> {
    const { backend } = this.#stage;
    return await this.inflict({
      ...{ name: "pause", replicaIds: [id], detail: `paused ${this.#called(id)}` },
      begin: () => backend.pause(id),
      end: () => backend.resume(id),
    });
  }

  async isolate(id: number): Promise<Wound> {
    const { backend } = this.#stage;
    return await this.inflict({
      ...{
        name: "isolate",
        replicaIds: [id],
        detail: `cut off ${this.#called(id)} from everybody`,
      },
      begin: () => backend.isolate(id, true),
      end: () => backend.isolate(id, false),
    });
  }

  async partition(groups: readonly (readonly number[])[]): Promise<Wound> {
    const { backend } = this.#stage;
    const detail = `groups ${groups.map((group) => group.join(",")).join(" / ")}`;
    return await this.inflict({
      ...{ name: "partition", replicaIds: groups.flat(), detail, slot: "partition" },
      begin: () => backend.partition(groups),
      end: () => backend.partition([]),
    });
  }

  async cut(from: LinkEnd, to: LinkEnd): Promise<Wound> {
    return await this.link(from, to, { cut: true });
  }

  async link(from: LinkEnd, to: LinkEnd, fault: LinkFault): Promise<Wound> {
    const { backend } = this.#stage;
    const detail = `${from} to ${to}: ${fault.cut === true ? "cut" : describeLink(fault)}`;
    return await this.inflict({
      ...{ name: fault.cut === true ? "cut" : "bad_link", detail, slot: "link" },
      replicaIds: this.#idsOf(from, to),
      begin: () => backend.link(from, to, fault),
      end: () => backend.link(from, to, {}),
    });
  }

  async disk(id: number, trouble: DiskTrouble): Promise<Wound> {
    const { backend } = this.#stage;
    const after = trouble.after === 0 ? "" : ` after ${trouble.after} operations`;
    return await this.inflict({
      ...{ name: "disk", replicaIds: [id], slot: `disk ${id}` },
      detail: `${trouble.kind} on ${this.#called(id)}${after}`,
      begin: () => backend.disk(id, trouble),
      end: () => backend.disk(id, undefined),
    });
  }

  async clock(id: number, trouble: ClockTrouble): Promise<Wound> {
    const { backend } = this.#stage;
    const detail = `${this.#called(id)} by ${trouble.skewMs} ms at rate ${trouble.rate}`;
    return await this.inflict({
      ...{ name: "clock", replicaIds: [id], detail, slot: `clock ${id}` },
      begin: () => backend.clock(id, trouble),
      end: () => backend.clock(id, undefined),
    });
  }

  /**
   * Kills a replica and takes its data, provided that everybody else still has all of theirs: who loses two has lost
   * what was acknowledged. Else it is only killed.
   */
  async wipe(id: number): Promise<Wound> {
    const { backend } = this.#stage;
    if (!await this.#isWhole()) return await this.kill(id);
    return await this.inflict({
      ...{ name: "wipe", replicaIds: [id], detail: `took all data of ${this.#called(id)}` },
      begin: async () => {
        await backend.kill(id);
        await backend.wipe(id);
      },
      end: () => backend.restart(id),
    });
  }

  /**
   * Breaks something, and writes that down.
   *
   * @throws {Interrupted} When the run is told to stop.
   * @throws {CliError} The backend's, when it did not take hold. What of it did is put right at once.
   */
  async inflict(fault: Fault): Promise<Wound> {
    if (this.#stage.signal.aborted) throw new Interrupted();
    const wound = { fault, id: this.#stage.nextFaultId() };
    const beganNs = this.#stage.sink.nowNs();
    this.#record(wound, "start", fault.detail);
    try {
      await fault.begin();
    } catch (error) {
      this.#wounds.push(wound);
      await this.cure(wound, `was not carried out: ${textOf(error)}`);
      throw error;
    }
    this.#wounds.push(wound);
    this.inflicted.push(fault.name);
    this.#stage.tookHold(beganNs);
    return wound;
  }

  /** Puts one thing right. What goes wrong then is noted: {@linkcode Backend.mend} has the last word. */
  async cure(wound: Wound, detail?: string): Promise<void> {
    const at = this.#wounds.indexOf(wound);
    if (at < 0) return;
    this.#wounds.splice(at, 1);
    try {
      await wound.fault.end();
      await this.#beginAgain(wound.fault.slot);
    } catch (error) {
      this.setbacks.push(`${wound.fault.detail}: not put right: ${textOf(error)}`);
      if (detail === undefined) return void this.#lingering.push(wound);
    }
    this.#record(wound, "stop", detail);
  }

  /** The cluster was mended: what could not be put right before is over now, or nobody knows. */
  closeLingering(): void {
    for (const wound of this.#lingering.splice(0)) this.#record(wound, "stop", undefined);
  }

  /** Puts everything right, the last first. */
  async cureAll(): Promise<void> {
    for (const wound of this.#wounds.slice().reverse()) await this.cure(wound);
  }

  async #beginAgain(slot: string | undefined): Promise<void> {
    if (slot === undefined) return;
    for (const { fault } of this.#wounds) if (fault.slot === slot) await fault.begin();
  }

  async #isWhole(): Promise<boolean> {
    const statuses = await this.#stage.backend.statuses();
    return statuses.every(({ state, role }) =>
      state === "active" && (role === "primary" || role === "backup")
    );
  }

  #called(id: number): string {
    return id === this.cast.primary ? `primary ${id}` : `replica ${id}`;
  }

  #idsOf(from: LinkEnd, to: LinkEnd): readonly number[] {
    if (from === "all" || to === "all") return this.cast.members;
    return [from, to].filter((end) => end !== "client");
  }

  #record({ fault, id }: Wound, phase: "start" | "stop", detail: string | undefined): void {
    const { sink } = this.#stage;
    const { name, replicaIds } = fault;
    sink.fault({
      ...{ type: "fault", timeNs: sink.nowNs(), phase, name, id, replicaIds },
      ...(detail === undefined ? {} : { detail }),
    });
  }
}

/** A fault of a link in words. */
function describeLink(fault: LinkFault): string {
  return Object.entries(fault).map(([name, value]) => `${name}=${value}`).join(" ");
}

/** The message of whatever was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
