/** What must be remembered is durable before anything relies on it. */
import type { ReplicaRole } from "./role.ts";
import type { Offer } from "./events.ts";
import { primaryOf, roleOf, type State } from "./state.ts";

/** Asks for what is to be remembered to be written, unless it is or a write is under way. */
export function store(s: State): void {
  if (s.storing !== undefined || s.status === "faulted") return;
  const role = roleToStore(s);
  const { durable } = s;
  const offer = sameOffer(durable.offer, s.offer) ? undefined : s.offer;
  const isSame = durable.view === s.view && durable.logView === s.logView &&
    durable.role === role && offer === undefined;
  if (isSame) return;
  const { view, logView } = s;
  s.storing = { view, logView, role, offer: offer ?? durable.offer };
  s.effects.push({ kind: "store", view, logView, role, vote: voteOf(s), offer });
}

/** The write has ended well. */
export function stored(s: State): void {
  if (s.storing === undefined) return;
  s.durable = s.storing;
  s.storing = undefined;
  store(s);
}

/** Whether leaving every view before this one is durable. */
export function hasLeftEarlierViews(s: State): boolean {
  return s.durable.view === s.view;
}

/** Whether holding this view's log is durable. */
export function hasEntered(s: State): boolean {
  return s.durable.view === s.view && s.durable.logView === s.view;
}

/** Whether what this replica offers in its view is durable. */
export function isOffered(s: State): boolean {
  return s.offer !== undefined && sameOffer(s.durable.offer, s.offer);
}

/**
 * Whether the log may be cut to an op. A replica that comes back with less than it offered has lost something; so what
 * it offered has to be taken back, durably, before it drops a part of it. That is safe: it only ever cuts what the
 * primary of its view chose to do without.
 */
export function mayCutTo(s: State, op: bigint): boolean {
  const { offer } = s.durable;
  if (offer === undefined || offer.op <= op || offer.logView < s.logView) return true;
  const hash = s.log.hashAt(op);
  if (hash === undefined) return false;
  s.offer = { view: s.view, logView: s.logView, op, hash };
  store(s);
  return false;
}

/** A replica that enters a view is written down as what it will be. */
function roleToStore(s: State): ReplicaRole {
  if (!s.isEntering) return roleOf(s);
  return primaryOf(s, s.view) === s.replicaId ? "primary" : "backup";
}

/** Whom this replica helps into its view; nobody once it is in. */
function voteOf(s: State): { view: bigint; replica: bigint } | null {
  if (s.view === s.logView || s.view === 0n || s.status === "recovering") return null;
  return { view: s.view, replica: primaryOf(s, s.view) };
}

/** Whether nothing new is offered. */
function sameOffer(a: Offer | undefined, b: Offer | undefined): boolean {
  if (a === undefined || b === undefined) return b === undefined;
  return a.view === b.view && a.logView === b.logView && a.op === b.op && a.hash === b.hash;
}
