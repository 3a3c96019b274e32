// Judges that never object are no judges: each of these worlds has something broken on purpose, and the judge
// that it is about must say so, by name.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { loadMetadata, METADATA_FILE } from "../../node/metadata/metadata.ts";
import type { ReplicaOptions } from "../../node/replica/options.ts";
import { openReplica } from "../../node/replica/replica.ts";
import { createOutcome, type Outcome, OutcomeField, ResultCode } from "../../core/outcome.ts";
import { writeU64 } from "../../core/words.ts";
import type { ResultSink } from "../../node/api.ts";
import {
  ask,
  backupsOf,
  quietWorld,
  readAt,
  runToSuccessor,
  submit,
} from "../../testbed/sim/world/script.ts";
import { ClusterPromises } from "../../testbed/sim/judge/promises.ts";
import type { Subject } from "../../testbed/sim/world/subject.ts";
import { wrapped } from "../support/broken_replica.ts";
import { ClusterViolation } from "../../testbed/sim/world/violation.ts";
import { ClusterWorld } from "../../testbed/sim/world/world.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";

Deno.test("a primary that counts acknowledgements nobody gave: commit needs a majority", () => {
  expectViolation("R3 a commit needs a majority", () => {
    const world = quietWorld();
    world.network.tamper = (from, to, message) => {
      if (message.kind !== "prepare" || message.frames.length === 0) return message;
      world.queue.after(5, () => forgeAcknowledgement(world, from, to, message.view));
      return undefined;
    };
    ask(world, create(1n));
  });
});

Deno.test("a new primary that believes the longest log, not the latest: committed never changes", () => {
  expectViolation("R2 what is committed never changes", () => {
    const world = quietWorld();
    const first = world.primary!;
    world.network.isolate(first.id);
    for (let id = 1n; id <= 5n; id++) submit(world, create(id), first);
    world.run(60);
    first.crash("keep");
    world.network.tamper = (_from, _to, message) => {
      // Nobody hears what is committed, and every log says that it is of the latest view.
      if (message.kind === "prepare") return { ...message, commitOp: 0n };
      return message.kind === "do_view_change"
        ? { ...message, logView: message.view - 1n }
        : message;
    };
    const successor = runToSuccessor(world, first);
    ask(world, create(6n));
    world.network.heal();
    successor.crash("lose");
    first.start();
    world.runToPrimary();
    ask(world, create(7n));
    world.settle();
  }, ["R6 published after commit", "no replica throws"]);
});

Deno.test("a replica that answers readers without asking the others: stale read", () => {
  expectViolation("R8 no stale read", () => {
    const world = quietWorld({
      open: wrapped(() => ({ confirmAuthority: (done) => done(undefined) })),
    });
    ask(world, create(1n));
    const old = world.primary!;
    world.network.isolate(old.id);
    runToSuccessor(world, old);
    ask(world, reserve(1n, 200n));
    readAt(world, old, 1n);
  });
});

Deno.test("a replica that gives one client another's answer: waiters", () => {
  expectViolation("waiters", () => {
    const world = quietWorld({ open: crossing });
    submit(world, create(1n));
    submit(world, create(2n));
    world.run(1_000);
  });
});

Deno.test("a replica whose slots run at twice the pace: never early", () => {
  expectViolation("R9 never early", () => {
    const world = quietWorld({
      open: (options) =>
        openReplica({ ...options, clock: { nowMs: () => 2 * options.clock.nowMs() } }),
    });
    ask(world, create(1n));
    ask(world, reserve(1n, 100n));
    world.run(3_000);
  });
});

Deno.test("a replica whose state is another one: same prefix, same state", () => {
  expectViolation("R4 same prefix, same state", () => {
    const world = quietWorld({
      open: wrapped((inner, { stored }) => ({
        digest: () => {
          const state = inner.digest();
          const isBroken = state !== undefined && stored.metadata.replicaId === 2n;
          return isBroken ? { ...state, digest: state.digest ^ 1n } : state;
        },
      })),
    });
    ask(world, create(1n));
    world.settle();
  });
});

Deno.test("disks that say they have synced and have not: what was answered is gone", () => {
  expectViolation("", () => {
    const world = quietWorld();
    for (const { disk } of world.machines) disk.isLying = true;
    for (let id = 1n; id <= 5n; id++) ask(world, create(id));
    for (const machine of world.machines) machine.crash("lose");
    for (const machine of world.machines) machine.start();
    world.runToPrimary();
    ask(world, create(6n));
    world.settle();
  });
});

Deno.test("a replica whose metadata is set back behind its back: views never go back", () => {
  expectViolation("R11 the view never goes back on disk", () => {
    const world = quietWorld();
    const [backup] = backupsOf(world);
    const before = backup!.disk.contents(METADATA_FILE).slice();
    const old = world.primary!;
    old.kill();
    runToSuccessor(world, old);
    backup!.kill();
    backup!.disk.install(METADATA_FILE, before);
    backup!.start();
    world.run(1_000);
  });
});

Deno.test("a replica that acknowledges a view before it remembers it: promises", () => {
  expectViolation("R13", () => {
    const world = quietWorld({ open: hasty });
    world.machines[0]!.reachSubject((subject) => subject.startViewChange());
    world.run(2_000);
  });
});

Deno.test("a cluster whose new primaries never hear of any log: a majority goes on", () => {
  expectViolation("R18", () => {
    const world = quietWorld();
    world.network.tamper = (_from, _to, message) =>
      message.kind === "do_view_change" ? undefined : message;
    const old = world.primary!;
    old.crash("lose");
    runToSuccessor(world, old);
  });
});

Deno.test("a replica that answers before anybody else has it: published after commit", () => {
  expectViolation("R6 published after commit", () => {
    const world = quietWorld({
      open: wrapped((inner) => ({
        submit: (_view, _at, _end, _slot, sink, token) => {
          const outcome = createOutcome();
          writeU64(outcome.words, OutcomeField.appliedLsn, inner.status().commitOp + 1n);
          sink.committed(token, outcome);
        },
      })),
    });
    submit(world, create(1n));
    world.run(1_000);
  });
});

Deno.test("a replica that tells another outcome than was decided: once, and the same", () => {
  expectViolation("R7", () => {
    const world = quietWorld({
      open: wrapped((inner) => ({
        submit: (view, at, end, slot, sink, token) =>
          inner.submit(view, at, end, slot, {
            rejected: (_token, rejection) => sink.rejected(token, rejection),
            committed: (_token, outcome) =>
              sink.committed(token, { ...outcome, code: ResultCode.resource_busy }),
          }, token),
      })),
    });
    ask(world, create(1n));
  });
});

Deno.test("an answer from before its question: in the order of time", () => {
  expectViolation("R7 in the order of time", () => {
    const world = quietWorld();
    ask(world, create(1n));
    world.learnedLsn = 5; // As if somebody had been told of an entry that came later.
    ask(world, create(2n));
  });
});

Deno.test("a replica that believes it leads too: one primary in a view", () => {
  expectViolation("R1 one primary in a view", () => {
    const world = quietWorld({
      open: wrapped((inner) => ({ glance: () => ({ ...inner.glance(), role: "primary" }) })),
    });
    world.run(1_000);
  });
});

Deno.test("a replica that applies what is not committed: only committed entries", () => {
  expectViolation("R14 only committed entries are applied", () => {
    const world = quietWorld({
      open: wrapped((inner) => ({
        glance: () => {
          const glance = inner.glance();
          return { ...glance, appliedOp: glance.commitOp + 1n };
        },
      })),
    });
    world.run(1_000);
  });
});

Deno.test("a replica that does not start although nothing damaged it: by itself", () => {
  expectViolation("R16 a sound replica starts by itself", () => {
    const world = quietWorld();
    const [backup] = backupsOf(world);
    backup!.kill();
    const bytes = backup!.disk.contents(METADATA_FILE);
    bytes[100]! ^= 1;
    bytes[4_096 + 100]! ^= 1;
    world.settle();
  });
});

Deno.test("a replica that remembers two votes in one view: one vote", () => {
  const violations: string[] = [];
  const world = quietWorld();
  const [machine] = backupsOf(world);
  const load = loadMetadata(machine!.disk);
  assert(load.kind === "loaded", "there is metadata");
  const { metadata } = load.stored;
  const promises = new ClusterPromises(
    world.members,
    () => undefined,
    (what) => void violations.push(what),
  );
  for (const replica of [1n, 2n]) {
    promises.remembered(machine!, { ...metadata, view: 7n, vote: { view: 7n, replica } }, true);
  }
  assertEquals(violations, [`R12 one vote in view 7: replica ${machine!.id}`]);
});

Deno.test("a replica that throws: named, with the end of the transcript", () => {
  const violation = expectViolation("no replica throws", () => {
    const world = new ClusterWorld({
      seed: 1,
      isTraced: true,
      open: wrapped(() => ({
        linkUp: () => {
          throw new Error("planted");
        },
      })),
    });
    world.run(1_000);
  });
  assertStringIncludes(violation.message, "planted");
  assertStringIncludes(violation.message, "seed 1");
  assert(violation.tail.length > 0, "the transcript says what came before");
});

/** Answers every second command with what the one before it was to be told, and that one with its own. */
function crossing(options: ReplicaOptions): Subject {
  let waiting: { readonly sink: ResultSink; readonly outcome: Outcome } | undefined;
  const crossed = (sink: ResultSink): ResultSink => ({
    rejected: (token, rejection) => sink.rejected(token, rejection),
    committed: (token, reused) => {
      const outcome = { ...reused, words: reused.words.slice() };
      if (waiting === undefined) return void (waiting = { sink, outcome });
      waiting.sink.committed(token, outcome);
      sink.committed(token, waiting.outcome);
      waiting = undefined;
    },
  });
  return wrapped((inner) => ({
    submit: (view, at, end, slot, sink, token) =>
      inner.submit(view, at, end, slot, crossed(sink), token),
  }))(options);
}

/** Says that it has left views that it has not. */
function hasty(options: ReplicaOptions): Subject {
  return openReplica({
    ...options,
    send: (to, message) =>
      options.send(
        to,
        message.kind === "start_view_change" ? { ...message, view: message.view + 3n } : message,
      ),
  });
}

/** Tells a primary that a backup has all that it has. */
function forgeAcknowledgement(world: ClusterWorld, to: bigint, from: bigint, view: bigint): void {
  const op = world.machine(to).subject!.status().syncedOp;
  world.network.inject(from, to, { kind: "prepare_ok", view, op, round: 0n, counts: true });
}

/** Runs something that must end with a violation, this one or another that the same defect may show first. */
function expectViolation(
  what: string,
  work: () => void,
  others: readonly string[] = [],
): ClusterViolation {
  const violation = assertThrows(work, ClusterViolation);
  const isExpected = [what, ...others].some((prefix) => violation.what.startsWith(prefix));
  assert(isExpected, `${violation.what} is not ${what}`);
  return violation;
}
