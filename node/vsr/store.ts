/** What must be remembered is durable before anything relies on it. */
import type { ReplicaRole } from "../metadata/codec.ts";
import type { Offer } from "./events.ts";
import { primaryOf, roleOf, type State } from "./state.ts";

/** Asks for what is to be remembered to be written, unless it is or a write is under way. */
export function store(s: State): void {
  if (s.storing !== undefined || s.status === "faulted") return;
  const role = roleToStore(s);
  const { durable } = s;
  const isSame = durable.view === s.view && durable.logView === s.logView &&
    durable.role === role && sameOffer(durable.offer, s.offer);
  if (isSame) return;
  s.storing = { view: s.view, logView: s.logView, role, offer: s.offer };
  const vote = voteOf(s);
  s.effects.push({ kind: "store", ...s.storing, vote });
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

function sameOffer(a: Offer | undefined, b: Offer | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.view === b.view && a.logView === b.logView && a.op === b.op && a.hash === b.hash;
}
