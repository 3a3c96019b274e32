/** Replicas with something broken on purpose, for judges to object to. */
import type { ReplicaOptions } from "../../node/replica/options.ts";
import { openReplica } from "../../node/replica/replica.ts";
import type { ResultSink } from "../../node/api.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { OpenSubject, Subject } from "../../testbed/sim/world/subject.ts";

/** A replica of which some methods are others. */
export function wrapped(
  change: (inner: Subject, options: ReplicaOptions) => Partial<Subject>,
): OpenSubject {
  return (options) => {
    const inner = openReplica(options);
    return {
      submit: (...call) => inner.submit(...call),
      confirmAuthority: (done) => inner.confirmAuthority(done),
      getResource: (...call) => inner.getResource(...call),
      getReservation: (...call) => inner.getReservation(...call),
      checkpoint: (done) => inner.checkpoint(done),
      currentSlot: () => inner.currentSlot(),
      receive: (from, message) => inner.receive(from, message),
      linkUp: (peer) => inner.linkUp(peer),
      linkDown: (peer) => inner.linkDown(peer),
      tick: () => inner.tick(),
      status: () => inner.status(),
      glance: () => inner.glance(),
      metrics: (slot) => inner.metrics(slot),
      startViewChange: () => inner.startViewChange(),
      digest: () => inner.digest(),
      ...change(inner, options),
    };
  };
}

/** A replica that tells something else than it has decided. */
export function telling(
  tell: (sink: ResultSink, token: number, outcome: Outcome) => void,
): OpenSubject {
  return wrapped((inner) => ({
    submit: (view, at, end, slot, sink, token) =>
      inner.submit(view, at, end, slot, {
        rejected: (own, rejection) => sink.rejected(own, rejection),
        committed: (own, outcome) => tell(sink, own, outcome),
      }, token),
  }));
}
