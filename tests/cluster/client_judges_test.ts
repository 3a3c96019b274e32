// Clients notice what they are told wrongly, under swarm conditions: each of these replicas lies to them in one way, and
// within so many seeds a judge must say so, by name.
import { assert } from "@std/assert";
import { createOutcome, type Outcome, OutcomeField, ResultCode } from "../../core/outcome.ts";
import { ReservationState } from "../../core/tables.ts";
import { readU64, writeU64 } from "../../core/words.ts";
import type { ReservationRead } from "../../node/api.ts";
import { openReplica } from "../../node/replica/replica.ts";
import { drawPlan } from "../../testbed/sim/life/draw.ts";
import { live } from "../../testbed/sim/life/life.ts";
import type { OpenSubject } from "../../testbed/sim/world/subject.ts";
import { telling, wrapped } from "../support/broken_replica.ts";

/** A defect, what is said of it, and within how many seeds. */
interface Lie {
  readonly name: string;
  readonly open: OpenSubject;
  readonly seedsMax: number;
  readonly promises: readonly string[];
}

const LIES: readonly Lie[] = [
  {
    name: "whoever believes that it leads answers readers without asking the others",
    open: wrapped((inner) => ({
      confirmAuthority: (done) =>
        inner.glance().role === "primary" ? done(undefined) : inner.confirmAuthority(done),
    })),
    seedsMax: 20,
    promises: ["R8"],
  },
  {
    name: "anybody answers readers",
    open: wrapped(() => ({ confirmAuthority: (done) => done(undefined) })),
    seedsMax: 5,
    promises: ["R8"],
  },
  {
    name: "fences are ignored",
    open: wrapped((inner) => ({
      getResource: (id) => inner.getResource(id),
      getReservation: (id, _lsn, slot) => inner.getReservation(id, 0n, slot),
    })),
    seedsMax: 20,
    promises: ["R8"],
  },
  {
    name: "fences refuse what is there",
    open: wrapped((inner) => ({
      getResource: (id, requiredLsn = 0n) =>
        requiredLsn === 0n ? inner.getResource(id) : {
          kind: "fence_not_applied",
          requiredLsn,
          lastAppliedLsn: requiredLsn,
        },
    })),
    seedsMax: 20,
    promises: ["R8 no fence refuses"],
  },
  {
    name: "a bundle is read without its last member",
    open: reading((view) => ({ ...view, memberResourceIds: view.memberResourceIds.slice(0, 1) })),
    seedsMax: 20,
    promises: ["R8"],
  },
  {
    name: "a hold is read as expired while it lasts",
    open: reading((view) =>
      view.state === ReservationState.reserved ? { ...view, state: ReservationState.expired } : view
    ),
    seedsMax: 10,
    promises: ["R8"],
  },
  {
    name: "what is read is told to be as of another lsn than it is",
    open: reading((view) => ({ ...view, observedLsn: view.observedLsn! + 1n })),
    seedsMax: 5,
    promises: ["R8"],
  },
  {
    name: "another epoch is told than was given",
    open: telling((sink, token, outcome) => {
      const told = copyOf(outcome);
      writeU64(told.words, OutcomeField.epoch, 2n);
      sink.committed(token, told);
    }),
    seedsMax: 5,
    promises: ["R7"],
  },
  {
    name: "an answer is given twice",
    open: telling((sink, token, outcome) => {
      const twice = copyOf(outcome);
      sink.committed(token, outcome);
      sink.committed(token, twice);
    }),
    seedsMax: 5,
    promises: ["client/answered-once"],
  },
  {
    name: "what was done is refused as if it were not",
    open: telling((sink, token, outcome) => {
      const isEach32nd = readU64(outcome.words, OutcomeField.appliedLsn) % 32n === 0n;
      if (!isEach32nd) return sink.committed(token, outcome);
      sink.rejected(token, {
        category: "definite",
        code: "overloaded",
        queueDepth: 1,
        queueCapacity: 1,
      });
    }),
    seedsMax: 5,
    promises: ["definite means not done"],
  },
  {
    name: "a conflict is told of where there is none",
    open: telling((sink, token, outcome) => {
      const told = copyOf(outcome);
      if (told.code === ResultCode.resource_busy) told.code = ResultCode.operation_conflict;
      sink.committed(token, told);
    }),
    seedsMax: 10,
    promises: ["R7"],
  },
  {
    name: "tables hold more than they may",
    open: wrapped((inner) => ({
      metrics: (slot) => {
        const metrics = inner.metrics(slot);
        const reservationTableUsed = metrics.core.reservationTableCapacity + 1;
        return { ...metrics, core: { ...metrics.core, reservationTableUsed } };
      },
    })),
    seedsMax: 3,
    promises: ["bounds are never exceeded"],
  },
  {
    name: "nothing ever expires",
    open: (options) => openReplica({ ...options, manualExpiration: true }),
    seedsMax: 10,
    promises: ["R18 what is due expires in the end"],
  },
];

for (const { name, open, seedsMax, promises } of LIES) {
  Deno.test(`${name}: found within ${seedsMax} seeds`, () => {
    const isNamed = (what: string): boolean => promises.some((promise) => what.startsWith(promise));
    const found = violationsUntil(isNamed, open, seedsMax);
    assert(found.some(isNamed), `none of ${found} is one of ${promises}`);
  });
}

/** What seed after seed ends with: another judge may be the first to see what follows from a lie. */
function violationsUntil(
  isNamed: (what: string) => boolean,
  open: OpenSubject,
  seedsMax: number,
): string[] {
  const found: string[] = [];
  for (let seed = 1; seed <= seedsMax && !found.some(isNamed); seed++) {
    const { violation } = live(drawPlan(seed, "ci"), { open });
    if (violation !== undefined) found.push(violation.what);
  }
  return found;
}

/** A replica that says something else of reservations. */
function reading(
  change: (view: Extract<ReservationRead, { kind: "found" }>) => ReservationRead,
): OpenSubject {
  return wrapped((inner) => ({
    getReservation: (...call) => {
      const read = inner.getReservation(...call);
      return read.kind === "found" ? change(read) : read;
    },
  }));
}

function copyOf({ code, fromRetryCache, hasReservation, words }: Outcome): Outcome {
  const copy = createOutcome();
  copy.code = code;
  copy.fromRetryCache = fromRetryCache;
  copy.hasReservation = hasReservation;
  copy.words.set(words);
  return copy;
}
