/** Watches a life and keeps what a picture of it needs: everything slow, and of everything fast what is near. */
import type { Message } from "../../../node/vsr/messages.ts";
import { answerText, askedText } from "../command/transcript.ts";
import { sizeText } from "../command/size.ts";
import type { SimLife } from "../command/sim_life.ts";
import type { Plan } from "../life/plan.ts";
import type { Strike } from "../nemesis/strike.ts";
import type { Operation } from "../workload/client.ts";
import { textOf } from "../world/network.ts";
import type { ProcessChange, ReplicaSight, WorldObserver } from "../world/observer.ts";
import { Around } from "./around.ts";
import type { Asked, Band, Blow, Commit, Pause, Sent, State, Timeline } from "./timeline.ts";

/** What is kept of each, at most. A page of that size has some three megabytes. */
const MESSAGES_MAX = 8_000;
const COMMITS_MAX = 8_000;
const ASKED_MAX = 4_000;
const BANDS_MAX = 8_000;
const BLOWS_MAX = 2_000;
/** Longest text of one thing, in characters. */
const TEXT_CHARS_MAX = 240;

/** What to watch for. */
export interface RecorderOptions {
  readonly plan: Plan;
  /** Around when; the end unless told. */
  readonly atMs: number | undefined;
}

/** See the top of this file. */
export class TimelineRecorder implements WorldObserver {
  readonly #options: RecorderOptions;
  readonly #bands: Around<Band>;
  readonly #pauses: Around<Pause>;
  readonly #commits: Around<Commit>;
  readonly #messages: Around<Sent>;
  readonly #blows: Around<Blow>;
  readonly #asked: Around<Asked>;
  readonly #onTheirWay = new Map<number, Sent>();
  readonly #waiting = new Map<Operation, Asked>();
  /** By replica: the stretch that goes on. */
  readonly #band = new Map<number, Band>();
  readonly #pause = new Map<number, Pause>();
  readonly #commit = new Map<number, bigint>();

  constructor(options: RecorderOptions) {
    const { atMs } = options;
    this.#options = options;
    this.#bands = new Around(BANDS_MAX, atMs);
    this.#pauses = new Around(BANDS_MAX, atMs);
    this.#commits = new Around(COMMITS_MAX, atMs);
    this.#messages = new Around(MESSAGES_MAX, atMs);
    this.#blows = new Around(BLOWS_MAX, atMs);
    this.#asked = new Around(ASKED_MAX, atMs);
  }

  sent(atMs: number, number: number, from: bigint, to: bigint, message: Message): void {
    const sent = sentOf(atMs, from, to, message);
    this.#onTheirWay.set(number, sent);
    this.#messages.add(atMs, sent);
  }

  arrived(atMs: number, number: number): void {
    this.#land(atMs, number, false);
  }

  lost(
    atMs: number,
    number: number | undefined,
    from: bigint,
    to: bigint,
    message: Message | undefined,
  ): void {
    if (number !== undefined) return this.#land(atMs, number, true);
    if (message === undefined) return;
    this.#messages.add(atMs, { ...sentOf(atMs, from, to, message), endMs: atMs, isLost: true });
  }

  replica(atMs: number, id: bigint, { role, view, commitOp }: ReplicaSight): void {
    const replica = Number(id);
    const band = this.#band.get(replica);
    if (band?.state !== role || band.view !== String(view)) {
      this.#turnInto(atMs, replica, role, String(view), "");
    }
    if (this.#commit.get(replica) === commitOp) return;
    this.#commit.set(replica, commitOp);
    this.#commits.add(atMs, { replica, atMs, op: String(commitOp) });
  }

  process(atMs: number, id: bigint, change: ProcessChange, detail: string): void {
    const replica = Number(id);
    if (change === "paused") this.#startPause(atMs, replica);
    else this.#endPause(atMs, replica);
    if (change === "started") this.#turnInto(atMs, replica, "starting", "", detail);
    if (change === "ended") this.#turnInto(atMs, replica, "down", "", detail);
  }

  struck(atMs: number, { fault, forMs }: Strike): void {
    this.#blows.add(atMs, { atMs, forMs, fault });
  }

  asked(atMs: number, operation: Operation): void {
    const client = String(operation.command.clientId);
    const text = askedText(operation).slice(0, TEXT_CHARS_MAX);
    const asked: Asked = { client, atMs, endMs: undefined, text, answer: "no answer yet" };
    this.#waiting.set(operation, asked);
    this.#asked.add(atMs, asked);
  }

  answered(atMs: number, operation: Operation): void {
    const asked = this.#waiting.get(operation);
    if (asked === undefined) return;
    this.#waiting.delete(operation);
    asked.endMs = atMs;
    asked.answer = answerText(operation).slice(0, TEXT_CHARS_MAX);
  }

  /** What was seen, once the life is over. */
  timeline(life: SimLife, violation: string | null): Timeline {
    const { simulatedMs, events, counts, hash, lastWords } = life;
    const { plan, atMs } = this.#options;
    for (const band of this.#band.values()) band.toMs = simulatedMs;
    for (const pause of this.#pause.values()) pause.toMs = simulatedMs;
    return {
      seed: plan.seed,
      profile: plan.profile,
      size: sizeText(plan),
      hash,
      violation: violation ?? undefined,
      endMs: simulatedMs,
      events,
      counts,
      replicas: plan.world.replicas,
      focusMs: Math.min(atMs ?? simulatedMs, simulatedMs),
      bands: this.#bands.items,
      pauses: this.#pauses.items,
      commits: this.#commits.items,
      messages: this.#messages.items,
      messagesWatched: this.#messages.seen,
      blows: this.#blows.items,
      asked: this.#asked.items,
      askedWatched: this.#asked.seen,
      lastWords,
    };
  }

  #land(atMs: number, number: number, isLost: boolean): void {
    const sent = this.#onTheirWay.get(number);
    if (sent === undefined) return;
    this.#onTheirWay.delete(number);
    sent.endMs = atMs;
    sent.isLost = isLost;
  }

  #turnInto(atMs: number, replica: number, state: State, view: string, detail: string): void {
    const before = this.#band.get(replica);
    if (before !== undefined) before.toMs = atMs;
    const band = { replica, fromMs: atMs, toMs: atMs, state, view, detail };
    this.#band.set(replica, band);
    this.#bands.add(atMs, band);
  }

  #startPause(atMs: number, replica: number): void {
    const pause = { replica, fromMs: atMs, toMs: atMs };
    this.#pause.set(replica, pause);
    this.#pauses.add(atMs, pause);
  }

  #endPause(atMs: number, replica: number): void {
    const pause = this.#pause.get(replica);
    if (pause !== undefined) pause.toMs = atMs;
    this.#pause.delete(replica);
  }
}

function sentOf(atMs: number, from: bigint, to: bigint, message: Message): Sent {
  return {
    from: Number(from),
    to: Number(to),
    atMs,
    endMs: undefined,
    isLost: false,
    kind: isHeartbeat(message) ? "heartbeat" : message.kind,
    text: textOf(message).slice(0, TEXT_CHARS_MAX),
  };
}

/** A primary that has nothing to say says so often: a kind of its own in a picture. */
function isHeartbeat(message: Message): boolean {
  return message.kind === "prepare" && message.frames.length === 0;
}
