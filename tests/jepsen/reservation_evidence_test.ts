// What slots, lsns of reads, windows and ticks prove about a history, case by case: kept and broken.
import { assert, assertEquals } from "@std/assert";
import { checkReservations } from "../../testbed/jepsen/analysis/reservation/check.ts";
import type { CheckOptions } from "../../testbed/jepsen/analysis/reservation/verdict.ts";
import type { TickOperation } from "../../testbed/jepsen/history/recording.ts";
import { Script } from "./script.ts";

type Options = Omit<CheckOptions, "stepsMax">;

interface Case {
  readonly script: Script;
  readonly options?: Options;
  /** The rule that is broken; absent for none. */
  readonly breaks?: string;
}

function one(): Script {
  return new Script().create(1n);
}

/** A reserve at slot 5 that nobody answered, tried again at slot 9, from which position 2 tells a deadline. */
function retried(deadline: bigint, retrySpan: readonly [number, number] = [2, 3]): Script {
  return one().reserve(1n, 7n, [0], "ok", { key: 1 }).at(5n)
    .reserve(1n, 7n, retrySpan, 4n, { key: 1, deadline }).at(9n);
}

/** Held by 7 from slot 9 to 19, and asked for by 8. */
function asked(slot: bigint): Script {
  return one().reserve(1n, 7n, [0, 1], 4n, { deadline: 19n })
    .reserve(1n, 8n, [2, 3], 6n, { deadline: slot + 10n }).at(slot);
}

function forgotten(deadline: bigint): Script {
  return one().reserve(1n, 7n, [0, 1], 4n, { key: 1, deadline: 19n })
    .holder("release", 4n, 7n, [2, 3], "ok")
    .reserve(1n, 7n, [4, 5], 9n, { key: 1, deadline });
}

const WINDOW: Options = { bounds: { answers: "may_be_forgotten", retryWindowSlots: 20n } };

const CASES: Record<string, Case> = {
  "the first attempt ran": { script: retried(15n) },
  "the second attempt ran": { script: retried(19n) },
  "a deadline of no attempt": { script: retried(17n), breaks: "reservation/deadline" },
  "a deadline of an attempt that had not begun": {
    script: one().reserve(1n, 7n, [0, 1], 4n, { key: 1, deadline: 19n }).at(5n)
      .reserve(1n, 7n, [2, 3], 4n, { key: 1, deadline: 19n }).at(9n),
    breaks: "reservation/deadline",
  },
  "an overdue hold is taken over at its deadline": { script: asked(19n) },
  "a hold ends a slot too early": { script: asked(18n), breaks: "linearizable" },
  "a slot goes back in time": {
    script: one().reserve(1n, 7n, [0, 1], 4n, { deadline: 19n })
      .holder("confirm", 4n, 7n, [2, 3], "ok").at(12n)
      .holder("release", 4n, 7n, [4, 5], "ok").at(11n),
    breaks: "slot/never-back",
  },
  "a slot goes back in the order of the lsns": {
    script: one().create(2n, "ok@3", [0, 9]).at(12n).create(3n, "ok@4", [1, 8]).at(11n),
    breaks: "slot/never-back",
  },
  "a refusal of a slot before that of what refused it": {
    script: one().reserve(1n, 7n, [0, 9], 4n, { deadline: 19n })
      .reserve(1n, 8n, [1, 8], "resource_busy").at(8n),
    breaks: "linearizable",
  },
  "a hold that nobody was told about has a deadline, too": {
    script: one().reserve(1n, 7n, [0], "ok").at(5n).resource(1n, [1, 2], "reserved", 3n)
      .reserve(1n, 8n, [3, 4], 6n, { deadline: 24n }).at(14n),
    breaks: "linearizable",
  },
  "and ends at it": {
    script: one().reserve(1n, 7n, [0], "ok").at(5n).resource(1n, [1, 2], "reserved", 3n)
      .reserve(1n, 8n, [3, 4], 6n, { deadline: 25n }).at(15n),
  },
  "a read from before its fence": {
    script: one().resource(1n, [0, 1], "available", undefined, { requiredLsn: 4n }).upTo(3n),
    breaks: "read/keeps-fence",
  },
  "a read that began after what it has not seen": {
    script: one().create(2n, "ok@4", [0, 1]).resource(1n, [2, 3], "available").upTo(3n),
    breaks: "read/sees-what-was-answered",
  },
  "a read that saw what had not begun": {
    script: one().resource(1n, [0, 1], "available").upTo(4n).create(2n, "ok@4", [2, 3]),
    breaks: "read/sees-what-was-answered",
  },
  "reads that go back": {
    script: one().resource(1n, [0, 1], "available").upTo(5n)
      .resource(1n, [2, 3], "available").upTo(4n),
    breaks: "read/sees-what-was-answered",
  },
  "reads of one state in any order": {
    script: one().resource(1n, [0, 1], "available").upTo(5n)
      .resource(1n, [2, 3], "available").upTo(5n),
  },
  "a read that shows more than it says, of lsns that are only claimed": {
    script: new Script().create(1n, "ok@4", [0, 9]).resource(1n, [1, 8], "available").upTo(3n),
  },
  "a read that shows more than it says, of lsns that bind": {
    script: new Script().create(1n, "ok@4", [0, 9]).resource(1n, [1, 8], "available").upTo(3n),
    options: { lsns: "binding" },
    breaks: "lsn/explains-answers",
  },
  "a tick at the deadline": {
    script: one().reserve(1n, 7n, [0, 1], 4n, { deadline: 19n }).resource(1n, [6, 7], "available"),
    options: { ticks: [tick({ slot: 19n })] },
  },
  "a tick before the deadline": {
    script: one().reserve(1n, 7n, [0, 1], 4n, { deadline: 19n }),
    options: { ticks: [tick({ slot: 18n })] },
    breaks: "expire/never-early",
  },
  "a tick ends what nobody made": {
    script: one(),
    options: { ticks: [tick({})] },
    breaks: "reservation/has-a-reserve",
  },
  "a tick ends what another holds": {
    script: one().reserve(1n, 8n, [0, 1], 4n, { deadline: 19n }),
    options: { ticks: [tick({})] },
    breaks: "reservation/one-record",
  },
  "a tick ends it elsewhere": {
    script: one().create(2n, "ok", [-4, -3]).reserve(2n, 7n, [0, 1], 4n, { deadline: 19n }),
    options: { ticks: [tick({})] },
    breaks: "expire/frees-what-was-held",
  },
  "two ticks end it": {
    script: one().reserve(1n, 7n, [0, 1], 4n, { deadline: 19n }),
    options: { ticks: [tick({}), tick({ invokedAt: 6, completedAt: 7 })] },
    breaks: "expire/once",
  },
  "a tick is told again": {
    script: one().reserve(1n, 7n, [0, 1], 4n, { deadline: 19n }),
    options: { ticks: [tick({ key: 1n }), tick({ key: 1n, invokedAt: 6, completedAt: 7 })] },
  },
  "a hold goes on after a tick has ended it": {
    script: one().reserve(1n, 7n, [0, 1], 4n, { deadline: 19n })
      .holder("confirm", 4n, 7n, [6, 7], "ok"),
    options: { ticks: [tick({})] },
    breaks: "linearizable",
  },
  "an answer is forgotten once its window is over": { script: forgotten(40n), options: WINDOW },
  "an answer is forgotten within its window": {
    script: forgotten(39n),
    options: WINDOW,
    breaks: "operation/one-answer",
  },
  "a refusal by another name": {
    script: one().reserve(1n, 7n, [0, 1], 4n).operator("revoke", 4n, [2, 3], "stale_epoch"),
    breaks: "answer/possible",
  },
  "a refusal by another name, where names do not count": {
    script: one().reserve(1n, 7n, [0, 1], 4n).operator("revoke", 4n, [2, 3], "stale_epoch"),
    options: { bounds: { refusals: "class" } },
  },
  "a refusal of what would have succeeded, where names do not count": {
    script: one().reserve(1n, 7n, [0, 1], 4n).holder("confirm", 4n, 7n, [2, 3], "ok")
      .holder("release", 4n, 7n, [4, 5], "invalid_state"),
    options: { bounds: { refusals: "class", history: "kept" } },
    breaks: "linearizable",
  },
  "an attempt of which less was recorded": {
    script: one().reserve(1n, 7n, [0, 1], "resource_busy@9", { key: 1 })
      .reserve(1n, 7n, [2, 3], "resource_busy", { key: 1 }).reserve(1n, 8n, [-1], "ok"),
  },
};

for (const [name, { script, options = {}, breaks }] of Object.entries(CASES)) {
  Deno.test(`checkReservations() ${breaks === undefined ? "accepts" : "refuses"}: ${name}`, () => {
    for (const algorithm of ["auto", "configurations", "depth_first"] as const) {
      const verdict = checkReservations(script.history, {
        stepsMax: 10_000,
        algorithm,
        ...options,
        bounds: { reservationIds: "opaque", ...options.bounds },
      });
      const said = verdict.kind === "invalid" ? verdict.violation.rule : verdict.kind;
      assertEquals(said, breaks ?? "valid");
    }
  });
}

Deno.test("checkReservations() reports lsns that explain nothing where they are only claimed", () => {
  const { script } = CASES["a read that shows more than it says, of lsns that are only claimed"]!;
  const { findings } = checkReservations(script.history, { stepsMax: 1_000 });
  assertEquals(findings.map(({ rule }) => rule), ["lsn/explains-answers"]);
});

Deno.test("checkReservations() says how far it came, whichever limit it met", () => {
  const script = one();
  for (let holder = 0n; holder < 30n; holder++) {
    script.reserve(1n, holder, [0], "ok", { ttl: 1n + holder });
  }
  script.resource(1n, [1, 2], "available", undefined, { version: 41n });
  const limits: Record<string, Partial<CheckOptions>> = {
    steps: {},
    configurations: { configurationsMax: 500, stepsMax: 1e9 },
    bytes: { configurationBytesMax: 100_000, stepsMax: 1e9 },
    time: { isOverTime: () => true, stepsMax: 1e9 },
  };
  for (const algorithm of ["auto", "configurations", "depth_first"] as const) {
    for (const [limit, options] of Object.entries(limits)) {
      const verdict = checkReservations(script.history, { stepsMax: 9_000, algorithm, ...options });
      assert(verdict.kind === "unknown", `${algorithm} ${limit}`);
      const { undecided } = verdict;
      assertEquals(undecided?.limit, limit, algorithm);
      assertEquals([undecided!.operations, undecided!.unanswered, undecided!.answers], [32, 30, 2]);
      assertEquals([undecided!.decided, undecided!.at, undecided!.widest], [1, 2, 1]);
      assertEquals(verdict.counts.undecided, 1);
    }
  }
});

Deno.test("checkReservations() asks for the time of each partition by itself", () => {
  const { history } = one().create(2n, "ok", [-4, -3]).create(3n, "ok", [-6, -5]);
  let partitions = 0;
  const verdict = checkReservations(history, {
    stepsMax: 1_000,
    onPartition: () => partitions++,
  });
  assertEquals([verdict.kind, partitions, verdict.counts.partitions], ["valid", 3, 3]);
});

function tick(
  { slot, key, invokedAt = 4, completedAt = 5 }: {
    slot?: bigint;
    key?: bigint;
    invokedAt?: number;
    completedAt?: number;
  },
): TickOperation {
  return {
    process: 99,
    invokedAt,
    completedAt,
    kind: "ok",
    expired: [{ resourceId: 1n, holderId: 7n, reservationId: 4n }],
    ...(slot === undefined ? {} : { slot }),
    ...(key === undefined ? {} : { key: { clientId: 9n, operationId: key } }),
  };
}
