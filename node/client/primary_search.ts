/** Which server to turn to next, by what servers said of themselves and of each other. Time is an argument. */
import type { NotPrimary } from "../api.ts";
import type { ClusterHello } from "../wire/cluster.ts";
import { type Address, parseAddress } from "./address.ts";
import type { ServerInfo } from "./types.ts";

/** Shortest pause while no server is of use. */
const PAUSE_MS_MIN = 20;
/** A pause is this part of the time that the search has taken: finding what has come back takes an eighth longer. */
const PAUSE_SHARE = 8;

/** See the top of the file. */
export class PrimarySearch {
  readonly #seeds: readonly Address[];
  readonly #pauseMsMax: number;
  /** Where replicas have answered. */
  readonly #reached = new Map<bigint, Address>();
  /** Where replicas take clients, as one of them has listed them. */
  #listed = new Map<bigint, Address>();
  #candidates: readonly Address[];
  /** Which candidate the next round begins with. */
  #next = 0;
  /** The latest that was heard of a primary. */
  #hint: NotPrimary | undefined;
  /** The view whose hint was followed last, and from when on it may be followed once more. */
  #followed = { view: -1n, againMs: 0 };
  /** Since when nothing has been of use, by `performance.now()`. */
  #sinceMs: number | undefined;

  /**
   * @param seeds Where to begin.
   * @param pauseMsMax Longest pause.
   */
  constructor(seeds: readonly Address[], pauseMsMax: number) {
    this.#seeds = seeds;
    this.#candidates = seeds;
    this.#pauseMsMax = pauseMsMax;
  }

  /** Whether there is anywhere else to go. */
  get hasChoice(): boolean {
    return this.#candidates.length > 1;
  }

  /** Takes in what a server said when a connection opened. */
  greeted({ address: text, cluster }: Pick<ServerInfo, "address" | "cluster">): void {
    this.#forget(text);
    const address = this.#candidates.find((candidate) => candidate.text === text);
    if (cluster !== undefined) {
      if (address !== undefined) this.#reached.set(cluster.replicaId, address);
      this.#listed = this.#readMembers(cluster);
      this.heard(cluster);
    }
    this.#candidates = this.#merged();
    this.#next = this.#candidates.findIndex((candidate) => candidate.text === text) + 1;
  }

  /** Takes in whom a replica follows. What is older than what is known is no news. */
  heard(hint: NotPrimary): void {
    const known = this.#hint;
    if (known !== undefined && hint.view < known.view) return;
    if (known?.view === hint.view && known.primary !== undefined) return;
    this.#hint = hint;
  }

  /** A server could not be reached, or has left: hints that lead to it wait for a pause. */
  failed(address: string, nowMs: number): void {
    this.#sinceMs ??= nowMs;
    if (this.#hint !== undefined && this.#hinted()?.text === address) {
      this.#follow(this.#hint, nowMs);
    }
    this.#forget(address);
    this.#candidates = this.#merged();
  }

  /** A server was of no use. */
  disappointed(nowMs: number): void {
    this.#sinceMs ??= nowMs;
  }

  /** A server was of use. */
  settled(): void {
    this.#sinceMs = undefined;
  }

  /**
   * Where a replica that is not primary sends on.
   *
   * @param own Who sends; nobody is sent to where he is.
   * @returns Nothing when nobody knows, or when the same was tried just now.
   */
  target(own: bigint | undefined, nowMs: number): Address | undefined {
    const hint = this.#hint;
    if (hint?.primary === undefined || hint.primary === own) return undefined;
    const { view, againMs } = this.#followed;
    return hint.view > view || nowMs >= againMs ? this.#hinted() : undefined;
  }

  /** The servers to try, in this order: the primary, if one is known, and then the others in turn. */
  round(nowMs: number): readonly Address[] {
    const all = this.#candidates;
    const target = this.target(undefined, nowMs);
    const turned = all.map((_, i) => all[(this.#next + i) % all.length]!);
    this.#next++;
    if (target === undefined || this.#hint === undefined) return turned;
    this.#follow(this.#hint, nowMs);
    return [target, ...turned.filter((address) => address !== target)];
  }

  /** The next server in turn that is not this one, if there is another. */
  other(text: string | undefined): Address | undefined {
    const all = this.#candidates;
    const turned = all.map((_, i) => all[(this.#next + i) % all.length]!);
    this.#next++;
    return turned.find((address) => address.text !== text);
  }

  /** How long to wait before the next attempt, in milliseconds. */
  pauseMs(nowMs: number): number {
    const shareMs = (nowMs - (this.#sinceMs ?? nowMs)) / PAUSE_SHARE;
    return jittered(Math.min(this.#pauseMsMax, Math.max(PAUSE_MS_MIN, shareMs)));
  }

  /** A view's hint is followed at once, and again only after a pause: servers may be wrong about each other. */
  #follow({ view }: NotPrimary, nowMs: number): void {
    this.#followed = { view, againMs: nowMs + this.pauseMs(nowMs) };
  }

  #hinted(): Address | undefined {
    const primary = this.#hint?.primary;
    if (primary === undefined) return undefined;
    return this.#reached.get(primary) ?? this.#listed.get(primary);
  }

  #forget(address: string): void {
    for (const [replicaId, reached] of this.#reached) {
      if (reached.text === address) this.#reached.delete(replicaId);
    }
  }

  /** Seeds, and the replicas of which it is not known that they are one of those. */
  #merged(): readonly Address[] {
    const others = [...this.#listed].filter(([replicaId]) => !this.#reached.has(replicaId));
    const addresses = others.map(([, address]) => address);
    return [...new Set([...this.#seeds, ...this.#reached.values(), ...addresses])];
  }

  /** Replicas by id. One whose address is none is left out: the others can still be reached. */
  #readMembers({ members }: ClusterHello): Map<bigint, Address> {
    const listed = new Map<bigint, Address>();
    for (const { replicaId, address: text } of members) {
      try {
        // The same record for the same address, whoever named it.
        const known = this.#candidates.find((candidate) => candidate.text === text);
        listed.set(replicaId, known ?? parseAddress(text));
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    }
    return listed;
  }
}

/** Between half of it and all of it, so that clients that failed together do not come back together. */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
