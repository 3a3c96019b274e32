/**
 * A replica that lost its disk, or part of it, may have promised what it no longer knows. It asks where the
 * cluster is, and counts again only when it holds what the primary had when it answered: whatever the replica
 * promised, a majority of the others knows of it. Source: docs/decisions/0010-replication.md#a-lost-disk.
 */
import { greet } from "./lead.ts";
import type { Recovery, RecoveryResponse } from "./messages.ts";
import { broadcast, isLeading, primaryOf, send, type State } from "./state.ts";
import { store } from "./store.ts";

const NONCES = 0x1_0000_0000;

/** Begins to ask. */
export function askAround(s: State): void {
  const nonce = BigInt(Math.floor(s.random() * NONCES)) << 32n |
    BigInt(Math.floor(s.random() * NONCES));
  s.recovery = { nonce, askedMs: s.nowMs, answers: new Map() };
  broadcast(s, { kind: "recovery", nonce });
}

/** Asks again as long as too few have answered, or the primary has not been heard. */
export function tickRecovery(s: State): void {
  const { recovery } = s;
  if (recovery === undefined) return askAround(s);
  const isHeard = s.nowMs - s.primaryHeardMs < s.timing.electionMsMax;
  if (s.adopting !== undefined && isHeard && isAnswered(s)) return;
  if (s.nowMs - recovery.askedMs < s.timing.electionMsMin) return;
  if (isAnswered(s)) return askAround(s); // Whom they named is not heard: things have changed.
  recovery.askedMs = s.nowMs;
  broadcast(s, { kind: "recovery", nonce: recovery.nonce });
}

/** Only a replica in normal operation knows. To who asks, the primary is a stranger, whatever was said before. */
export function onRecovery(s: State, from: bigint, m: Recovery): void {
  if (s.status !== "normal") return;
  if (isLeading(s)) greet(s, s.peers.get(from)!);
  const primaryOp = isLeading(s) ? s.log.tipOp : undefined;
  send(s, from, { kind: "recovery_response", nonce: m.nonce, view: s.view, primaryOp });
}

export function onRecoveryResponse(s: State, from: bigint, m: RecoveryResponse): void {
  const { recovery } = s;
  if (s.status !== "recovering" || recovery === undefined || m.nonce !== recovery.nonce) return;
  recovery.answers.set(from, { view: m.view, primaryOp: m.primaryOp });
  if (m.view > s.view && isAnswered(s)) {
    s.view = latestView(s);
    s.adopting = undefined;
    s.matchedOp = 0n;
    store(s);
  }
}

/** Whether a majority has answered, the primary of the latest view among them. */
export function isAnswered(s: State): boolean {
  const { recovery } = s;
  if (recovery === undefined || recovery.answers.size < s.quorum) return false;
  const view = latestView(s);
  const answer = recovery.answers.get(primaryOf(s, view));
  return answer?.view === view && answer.primaryOp !== undefined;
}

/** What the log must hold before this replica counts, beyond what the view began with. */
export function provenOp(s: State, view: bigint): bigint {
  const answer = s.recovery?.answers.get(primaryOf(s, view));
  return answer?.view === view ? answer.primaryOp ?? 0n : 0n;
}

function latestView(s: State): bigint {
  let view = 0n;
  for (const answer of s.recovery!.answers.values()) if (answer.view > view) view = answer.view;
  return view;
}
