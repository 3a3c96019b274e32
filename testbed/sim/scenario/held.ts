/**
 * Messages that a script keeps back, loses or copies on their way, each under a label that says what it is:
 * `prepare-1>3` is the first prepare that replica 1 sent to replica 3 since the script looks, `prepare-1>3-2`
 * the second that says something else.
 */
import { frameAt, lastOpOf } from "../../../node/vsr/frames.ts";
import type { Message } from "../../../node/vsr/messages.ts";
import type { ClusterWorld } from "../world/world.ts";

/** Every kind of message, as scripts call it: a prepare without entries is a heartbeat. */
export const MESSAGE_KINDS = [
  "prepare",
  "heartbeat",
  "prepare_ok",
  "prepare_reject",
  "probe_view",
  "probe_view_ok",
  "start_view_change",
  "do_view_change",
  "start_view",
  "get_log_range",
  "log_range",
  "recovery",
  "recovery_response",
  "snapshot_offer",
  "get_snapshot_chunk",
  "snapshot_chunk",
] as const;

/** One of {@linkcode MESSAGE_KINDS}. */
export type MessageKind = typeof MESSAGE_KINDS[number];

/** Which messages are meant; what is not given does not matter. */
export interface MessageFilter {
  readonly kinds: readonly MessageKind[] | undefined;
  readonly from: readonly bigint[] | undefined;
  readonly to: readonly bigint[] | undefined;
}

/** A message that is kept. */
export interface HeldMessage {
  readonly label: string;
  readonly kind: MessageKind;
  readonly from: bigint;
  readonly to: bigint;
  /** What it says, without what only time decides. */
  readonly text: string;
  readonly message: Message;
}

/** What becomes of messages. */
export type MessageFate = "hold" | "lose" | "copy";

interface Rule {
  readonly fate: MessageFate;
  readonly filter: MessageFilter;
}

/** See the top of this file. */
export class HeldMessages {
  /** In the order in which they were sent. */
  readonly messages: HeldMessage[] = [];
  readonly #world: ClusterWorld;
  readonly #rules: Rule[] = [];
  /** How many that differ were kept, by kind and way. */
  readonly #counts = new Map<string, number>();

  constructor(world: ClusterWorld) {
    this.#world = world;
    world.network.tamper = (from, to, message) => this.#take(from, to, message);
  }

  /** From now on messages like these are held, lost, or copied. */
  rule(fate: MessageFate, filter: MessageFilter): void {
    this.#rules.push({ fate, filter });
  }

  /** From now on everything passes. What is held stays so. */
  endRules(): void {
    this.#rules.length = 0;
  }

  /** Takes what is meant out of what is held. */
  takeOut(isMeant: (held: HeldMessage) => boolean): HeldMessage[] {
    const meant = this.messages.filter(isMeant);
    for (const held of meant) this.messages.splice(this.messages.indexOf(held), 1);
    return meant;
  }

  /** Why a message cannot arrive now. */
  obstacle({ from, to }: HeldMessage): string | undefined {
    if (!this.#world.machine(to).isRunning) return `${to} is down`;
    return this.#world.network.isCut(from, to) ? `${from}>${to} is cut` : undefined;
  }

  /** Lets a message arrive now. */
  deliver({ from, to, message }: HeldMessage): void {
    this.#world.network.inject(from, to, message);
  }

  #take(from: bigint, to: bigint, message: Message): Message | undefined {
    const kind = kindOf(message);
    const rule = this.#rules.find(({ filter }) => isMeant(filter, kind, from, to));
    if (rule === undefined || this.#world.network.isCut(from, to)) return message;
    if (rule.fate !== "lose") this.#keep(kind, from, to, message);
    return rule.fate === "copy" ? message : undefined;
  }

  /** What is said again, in the same words, is held once. */
  #keep(kind: MessageKind, from: bigint, to: bigint, message: Message): void {
    const text = messageText(message);
    const way = `${kind}-${from}>${to}`;
    const isKnown = this.messages.some((held) =>
      held.kind === kind && held.from === from && held.to === to && held.text === text
    );
    if (isKnown) return;
    const count = (this.#counts.get(way) ?? 0) + 1;
    this.#counts.set(way, count);
    const label = count === 1 ? way : `${way}-${count}`;
    this.messages.push({ label, kind, from, to, text, message: copyOf(message) });
  }
}

/** Whether a filter means a message. */
export function isMeant(
  { kinds, from, to }: MessageFilter,
  kind: MessageKind,
  sender: bigint,
  receiver: bigint,
): boolean {
  return (kinds?.includes(kind) ?? true) && (from?.includes(sender) ?? true) &&
    (to?.includes(receiver) ?? true);
}

function kindOf(message: Message): MessageKind {
  const isHeartbeat = message.kind === "prepare" && message.frames.length === 0;
  return isHeartbeat ? "heartbeat" : message.kind;
}

/** Byte strings are only lent to whoever sends them. */
function copyOf(message: Message): Message {
  if ("frames" in message) return { ...message, frames: message.frames.slice() };
  return message.kind === "snapshot_chunk" ? { ...message, bytes: message.bytes.slice() } : message;
}

/** What a message says, without slots, rounds, hashes and the like. */
function messageText(message: Message): string {
  const words: string[] = [];
  if ("view" in message) words.push(`view=${message.view}`);
  if ("logView" in message) words.push(`log_view=${message.logView}`);
  if ("op" in message) words.push(`op=${message.op}`);
  if ("toOp" in message) words.push(`after=${message.prevOp} to=${message.toOp}`);
  if ("frames" in message && message.frames.length > 0) words.push(entriesText(message.frames));
  if (message.kind === "log_range" && message.frames.length === 0) {
    words.push(message.refusal ?? "no entries");
  }
  if ("commitOp" in message) words.push(`commit=${message.commitOp}`);
  if (message.kind === "prepare_ok" && !message.counts) words.push("uncounted");
  return words.join(" ");
}

function entriesText(frames: Uint8Array): string {
  const first = frameAt(frames, 0)!.op;
  const last = lastOpOf(frames, first - 1n);
  return first === last ? `entry=${first}` : `entries=${first}..${last}`;
}
