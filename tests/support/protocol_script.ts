/** One replica's protocol by itself: told what happens, it says in words what it wants done. */
import type { Effect, Event } from "../../node/vsr/events.ts";
import type { Message } from "../../node/vsr/messages.ts";
import { createState, type ProtocolOptions, step } from "../../node/vsr/protocol.ts";
import { roleOf, type State } from "../../node/vsr/state.ts";
import { DEFAULT_TIMING } from "../../node/vsr/timing.ts";
import { PaperLog } from "./paper_log.ts";

/** What a test wants to be different; replica 2 of three, in view 1, unless told. */
export type ScriptOptions = Partial<Omit<ProtocolOptions, "log" | "slot">>;

/** See the top of this file. */
export class ProtocolScript {
  readonly log = new PaperLog();
  readonly state: State;
  nowMs = 0;

  constructor(options: ScriptOptions = {}, prepare: (log: PaperLog) => void = () => {}) {
    prepare(this.log);
    this.state = createState({
      replicaId: 2n,
      members: [1n, 2n, 3n],
      timing: DEFAULT_TIMING,
      random: () => 0.5,
      view: 1n,
      logView: 1n,
      offer: undefined,
      commitOp: 0n,
      standing: "member",
      isManual: false,
      ...options,
      log: this.log,
      slot: () => 5n,
    });
  }

  /** A primary of a new cluster, with two backups that have answered. */
  static primary(options: ScriptOptions = {}): ProtocolScript {
    const script = new ProtocolScript({
      replicaId: 1n,
      standing: "founder",
      view: 0n,
      logView: 0n,
      ...options,
    });
    script.tell({ kind: "start" });
    script.stored();
    for (const peer of [2n, 3n]) {
      script.tell({ kind: "link", peer, isUp: true });
      script.hear(peer, { kind: "prepare_ok", view: 1n, op: 0n, round: 0n, counts: true });
    }
    return script;
  }

  /** A backup that follows replica 1 in view 1. */
  static backup(prepare?: (log: PaperLog) => void, options: ScriptOptions = {}): ProtocolScript {
    const script = new ProtocolScript(options, prepare);
    script.tell({ kind: "start" });
    script.stored();
    return script;
  }

  get role(): string {
    return `${roleOf(this.state)} ${this.state.view}`;
  }

  /** Something happens; what follows, in words. */
  tell(event: Event): string[] {
    return step(this.state, event, this.nowMs).map(inWords);
  }

  /** A message arrives. */
  hear(from: bigint, message: Message): string[] {
    return this.tell({ kind: "message", from, message });
  }

  /** Time passes, in ticks of 20 milliseconds; what follows in all. */
  pass(ms: number): string[] {
    const all: string[] = [];
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs += 20;
      all.push(...this.tell({ kind: "tick" }));
    }
    return all;
  }

  /** Whatever is being remembered is durable now. */
  stored(): string[] {
    const all: string[] = [];
    for (let i = 0; i < 5 && this.state.storing !== undefined; i++) {
      all.push(...this.tell({ kind: "stored" }));
    }
    return all;
  }

  /** The own log is durable to its end. */
  synced(): string[] {
    this.log.sync();
    return this.tell({ kind: "log_changed" });
  }
}

/** `>2 prepare_ok 1 op=3`: enough to see what is meant. */
export function inWords(effect: Effect): string {
  switch (effect.kind) {
    case "send":
      return `>${effect.to} ${messageInWords(effect.message)}`;
    case "store":
      return `store view=${effect.view} log_view=${effect.logView} ${effect.role}` +
        (effect.offer === undefined ? "" : ` offer=${effect.offer.op}`);
    case "commit":
      return `commit ${effect.op}`;
    case "role":
      return `${effect.role} ${effect.view}`;
    case "authority":
      return `authority ${effect.round}`;
    case "slot":
      return `slot ${effect.slot}`;
    case "fetch_snapshot":
      return `fetch_snapshot ${effect.op} from ${effect.from}`;
    case "unreadable":
      return `unreadable ${effect.op}`;
    case "fault":
      return `fault: ${effect.reason}`;
  }
}

function messageInWords(m: Message): string {
  switch (m.kind) {
    case "prepare":
      return `prepare ${m.view} after=${m.prevOp} ${
        m.frames.length > 0 ? "entries" : "nothing"
      } commit=${m.commitOp}`;
    case "prepare_ok":
      return `prepare_ok ${m.view} op=${m.op}${m.counts ? "" : " uncounted"}`;
    case "prepare_reject":
      return `prepare_reject ${m.view} op=${m.op}`;
    case "do_view_change":
      return `do_view_change ${m.view} log_view=${m.logView} op=${m.op}`;
    case "start_view":
      return `start_view ${m.view} op=${m.op} commit=${m.commitOp}`;
    case "get_log_range":
      return `get_log_range after=${m.prevOp} to=${m.toOp}`;
    case "snapshot_offer":
      return `snapshot_offer ${m.view} op=${m.op}`;
    default:
      return "view" in m ? `${m.kind} ${m.view}` : m.kind;
  }
}
