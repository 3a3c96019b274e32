/**
 * What replicas say to each other on its way: as bytes, over one connection in each direction, first in first
 * out unless the weather says otherwise. A connection that ends loses what is on it.
 */
import type { Message } from "../../../node/vsr/messages.ts";
import { dropMessage, type EncodedMessage, encodeMessage } from "./message.ts";
import type { WorldObserver } from "./observer.ts";
import type { EventQueue } from "./queue.ts";
import type { Transcript } from "./transcript.ts";
import type { SeededRandom } from "../random.ts";

/** How messages fare. A `…OneIn` of 0 is never. */
export interface NetworkWeather {
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  readonly dropOneIn: number;
  readonly duplicateOneIn: number;
  readonly reorderOneIn: number;
  readonly spikeOneIn: number;
  readonly spikeMs: number;
}

/** A machine room. */
export const CALM_WEATHER: NetworkWeather = {
  delayMsMin: 0.2,
  delayMsMax: 2,
  dropOneIn: 0,
  duplicateOneIn: 0,
  reorderOneIn: 0,
  spikeOneIn: 0,
  spikeMs: 0,
};

/** What a narrow link has to carry for longer than this is dropped: nobody keeps it all. */
const BACKLOG_MS_MAX = 3_000;

/** What the network needs of the world. */
export interface NetworkEnds {
  /** Whether a process is there to accept a connection. */
  isRunning(id: bigint): boolean;
  /** Whether the one that is dialled lets the other one in. */
  isLetIn(id: bigint, peer: bigint): boolean;
  linkUp(id: bigint, peer: bigint): void;
  linkDown(id: bigint, peer: bigint): void;
  /** Hands a message on, and its memory back once it was taken. */
  receive(id: bigint, from: bigint, message: EncodedMessage): void;
  note(text: () => string): void;
}

/** A connection over which `from` sends to `to`. */
interface Link {
  readonly from: bigint;
  readonly to: bigint;
  isUp: boolean;
  isCut: boolean;
  /** Whether a dial is under way. */
  isDialing: boolean;
  /** Counts connections: what was sent on an earlier one is lost. */
  generation: number;
  /** When the last message arrives that was sent on this connection. */
  lastArrivalMs: number;
  /** Whether messages that arrive wait. */
  isStuck: boolean;
  /** What waits, in order. */
  waiting: (() => void)[];
  /** Milliseconds that each message takes longer. */
  slowMs: number;
  /** Milliseconds that a byte takes on a narrow link, which carries one message after the other. */
  msPerByte: number;
  /** When a narrow link has carried what it was given. */
  freeMs: number;
}

/** See the top of this file. */
export class ClusterNetwork {
  weather: NetworkWeather = CALM_WEATHER;
  /** Changes messages on their way, or loses them: for judging the judges, and for scenarios. */
  tamper: ((from: bigint, to: bigint, message: Message) => Message | undefined) | undefined;
  sent = 0;
  observer: WorldObserver | undefined;
  /** Mixes what arrives. */
  transcript: Transcript | undefined;
  #number = 0;
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  readonly #ends: NetworkEnds;
  /** By sender, each with the links to its receivers. */
  readonly #links = new Map<bigint, Map<bigint, Link>>();
  readonly #ids: readonly bigint[];

  constructor(
    queue: EventQueue,
    random: SeededRandom,
    ends: NetworkEnds,
    ids: readonly bigint[],
  ) {
    this.#queue = queue;
    this.#random = random;
    this.#ends = ends;
    this.#ids = ids;
    const state = {
      isUp: false,
      isCut: false,
      isDialing: false,
      generation: 0,
      lastArrivalMs: 0,
      isStuck: false,
      slowMs: 0,
      msPerByte: 0,
      freeMs: 0,
    };
    for (const from of ids) {
      const links = this.#others(from)
        .map((to): [bigint, Link] => [to, { from, to, ...state, waiting: [] }]);
      this.#links.set(from, new Map(links));
    }
  }

  /** A process has started: it dials, and is dialled. */
  machineUp(id: bigint): void {
    for (const peer of this.#others(id)) {
      this.#dialSoon(this.#link(id, peer));
      this.#dialSoon(this.#link(peer, id));
    }
  }

  /** A process has ended: the others notice soon. */
  machineDown(id: bigint): void {
    for (const peer of this.#others(id)) {
      this.#end(this.#link(id, peer), false);
      this.#end(this.#link(peer, id), true);
    }
  }

  /** Takes a message over; it is copied before this returns. */
  send(from: bigint, to: bigint, original: Message): void {
    const link = this.#link(from, to);
    const message = this.tamper === undefined ? original : this.tamper(from, to, original);
    if (message === undefined || !link.isUp || link.isCut || this.#chance(this.weather.dropOneIn)) {
      this.observer?.lost(this.#queue.nowMs, undefined, from, to, message ?? original);
      return this.#ends.note(() => `${from}>${to} loses ${textOf(message ?? original)}`);
    }
    this.sent++;
    const encoded = encodeMessage(message);
    this.#carry(link, encoded, message);
    if (!this.#chance(this.weather.duplicateOneIn)) return;
    this.#carry(link, encodeMessage(message), message);
  }

  /** Hands a message over at once, whoever sent it and whenever. */
  inject(from: bigint, to: bigint, message: Message): void {
    this.#ends.receive(to, from, encodeMessage(message));
  }

  /** Nothing passes from one replica to another until {@linkcode ClusterNetwork.heal}. */
  cut(from: bigint, to: bigint): void {
    const link = this.#link(from, to);
    if (link.isCut) return;
    link.isCut = true;
    if (this.#random.oneIn(2)) return;
    this.#queue.after(300 + this.#random.below(1_500), () => {
      if (link.isCut) this.#end(link, true);
    }, "dial");
  }

  /** Cuts both directions between two replicas. */
  cutBoth(a: bigint, b: bigint): void {
    this.cut(a, b);
    this.cut(b, a);
  }

  /** Cuts a replica off from all others. */
  isolate(id: bigint): void {
    for (const peer of this.#others(id)) this.cutBoth(id, peer);
  }

  /** Cuts everything between two groups. */
  partition(group: readonly bigint[]): void {
    for (const a of group) {
      for (const b of this.#ids) if (!group.includes(b)) this.cutBoth(a, b);
    }
  }

  /** Everything passes again, and as fast as ever. */
  heal(): void {
    this.healAmong(this.#ids);
  }

  /** The same between the members of a group; what they say to others, and hear of them, fares as before. */
  healAmong(group: readonly bigint[]): void {
    for (const link of this.#ids.flatMap((id) => [...this.#links.get(id)!.values()])) {
      if (!group.includes(link.from) || !group.includes(link.to)) continue;
      link.slowMs = 0;
      link.msPerByte = 0;
      this.release(link.from, link.to);
      this.restore(link.from, link.to);
    }
  }

  /** Undoes {@linkcode ClusterNetwork.cut}. */
  restore(from: bigint, to: bigint): void {
    const link = this.#link(from, to);
    link.isCut = false;
    if (!link.isUp) this.#dialSoon(link);
  }

  /** What arrives waits until {@linkcode ClusterNetwork.release}, as behind a switch that stands still. */
  hold(from: bigint, to: bigint): void {
    this.#link(from, to).isStuck = true;
  }

  /** What waited arrives now, in order. */
  release(from: bigint, to: bigint): void {
    const link = this.#link(from, to);
    link.isStuck = false;
    for (const arrive of link.waiting.splice(0)) arrive();
  }

  /** Makes a link slow and narrow; both 0 for one that is neither. */
  clog(from: bigint, to: bigint, slowMs: number, msPerByte: number): void {
    Object.assign(this.#link(from, to), { slowMs, msPerByte });
  }

  /** Whether nothing passes from one to the other. */
  isCut(from: bigint, to: bigint): boolean {
    return this.#link(from, to).isCut;
  }

  #carry(link: Link, encoded: EncodedMessage, sent: Message): void {
    const { generation } = link;
    const number = ++this.#number;
    this.observer?.sent(this.#queue.nowMs, number, link.from, link.to, sent);
    const { nowMs } = this.#queue;
    let arrivalMs = nowMs + this.#drawDelay() + link.slowMs;
    if (link.msPerByte > 0) {
      if (link.freeMs - nowMs > BACKLOG_MS_MAX) return dropMessage(encoded);
      link.freeMs = Math.max(link.freeMs, nowMs) + encoded.length * link.msPerByte;
      arrivalMs = Math.max(arrivalMs, link.freeMs);
    }
    if (!this.#chance(this.weather.reorderOneIn)) {
      arrivalMs = Math.max(arrivalMs, link.lastArrivalMs);
      link.lastArrivalMs = arrivalMs;
    }
    const arrive = (): void => {
      if (link.generation !== generation || link.isCut) {
        this.observer?.lost(this.#queue.nowMs, number, link.from, link.to, undefined);
        return dropMessage(encoded);
      }
      this.observer?.arrived(this.#queue.nowMs, number);
      this.transcript?.mixBytes(encoded.view, encoded.length);
      this.#ends.receive(link.to, link.from, encoded);
    };
    this.#queue.after(arrivalMs - nowMs, () => {
      if (link.isStuck) link.waiting.push(arrive);
      else arrive();
    }, "message");
  }

  #drawDelay(): number {
    const { delayMsMin, delayMsMax, spikeOneIn, spikeMs } = this.weather;
    const delay = delayMsMin + this.#random.below(1_000) / 1_000 * (delayMsMax - delayMsMin);
    return this.#chance(spikeOneIn) ? delay + this.#random.below(spikeMs) : delay;
  }

  #dialSoon(link: Link, delayMs = 5 + this.#random.below(80)): void {
    if (link.isDialing) return;
    link.isDialing = true;
    this.#queue.after(delayMs, () => {
      link.isDialing = false;
      this.#dial(link);
    }, "dial");
  }

  /** As long as its machine runs a replica dials on. */
  #dial(link: Link): void {
    const { from, to } = link;
    if (link.isUp || !this.#ends.isRunning(from)) return;
    if (!this.#ends.isRunning(to) || link.isCut || this.#link(to, from).isCut) {
      return this.#dialSoon(link, 50 + this.#random.below(150));
    }
    if (!this.#ends.isLetIn(to, from)) return this.#dialSoon(link, 50 + this.#random.below(150));
    link.isUp = true;
    link.lastArrivalMs = this.#queue.nowMs;
    this.#ends.linkUp(from, to);
  }

  #end(link: Link, isNoticed: boolean): void {
    link.generation++;
    if (!link.isUp) return;
    link.isUp = false;
    if (!isNoticed) return;
    this.#ends.linkDown(link.from, link.to);
    this.#dialSoon(link, 50 + this.#random.below(150));
  }

  #link(from: bigint, to: bigint): Link {
    const link = this.#links.get(from)?.get(to);
    if (link === undefined) throw new Error(`No link from ${from} to ${to}`);
    return link;
  }

  #others(id: bigint): bigint[] {
    return this.#ids.filter((other) => other !== id);
  }

  #chance(oneIn: number): boolean {
    return oneIn > 0 && this.#random.oneIn(oneIn);
  }
}

/** A message in one line; of bytes their number. */
export function textOf(message: Message): string {
  const fields = Object.entries(message).filter(([name]) => name !== "kind").map(([name, value]) =>
    value instanceof Uint8Array ? `${name}=${value.length}B` : `${name}=${value}`
  );
  return `${message.kind} ${fields.join(" ")}`;
}
