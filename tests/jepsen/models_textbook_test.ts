// What everybody knows about linearizability, by name, for each model: one history a case, one line an operation. Every search has
// to agree, and whatever is wrong has to be shown by the operations that make it so.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { checkModel } from "../../testbed/jepsen/analysis/models/check.ts";
import { ModelError, type ModelOptions } from "../../testbed/jepsen/analysis/models/verdict.ts";
import type { ModelName, ModelOperation, Value } from "../../testbed/jepsen/history/model.ts";

/** `[process, from, to, f, value, answer]`; `to` is undefined for one that was never answered, answer `FAIL` for a failed one. */
type Line = readonly [number, number, number | undefined, string, Value, (Value | typeof FAIL)?];

interface Case {
  readonly model: ModelName;
  readonly name: string;
  readonly verdict: "valid" | "invalid";
  readonly lines: readonly Line[];
  readonly options?: Partial<ModelOptions>;
  /** Beginnings of the operations that have to be left as a counterexample. */
  readonly shown?: readonly number[];
}

const FAIL = Symbol("fail");

const CASES: readonly Case[] = [
  {
    model: "register",
    name: "a read during a write may see either value",
    verdict: "valid",
    lines: [[0, 0, 9, "write", 1n], [1, 1, 2, "read", null, null], [1, 3, 4, "read", null, 1n]],
  },
  {
    model: "register",
    name: "a stale read: the old value after the write was answered",
    verdict: "invalid",
    lines: [[0, 0, 1, "write", 1n], [0, 2, 3, "write", 2n], [1, 4, 5, "read", null, 1n]],
    shown: [0, 2, 4],
  },
  {
    model: "register",
    name: "new then old: two reads during one write see it go back",
    verdict: "invalid",
    lines: [[0, 0, 9, "write", 1n], [1, 1, 2, "read", null, 1n], [1, 3, 4, "read", null, null]],
    shown: [0, 1, 3],
  },
  {
    model: "register",
    name: "a value out of thin air",
    verdict: "invalid",
    lines: [[0, 0, 1, "write", 1n], [1, 2, 3, "read", null, 7n]],
    shown: [2],
  },
  {
    model: "register",
    name: "an unanswered write is seen, and stays",
    verdict: "valid",
    lines: [[0, 0, undefined, "write", 1n], [1, 5, 6, "read", null, 1n], [
      1,
      7,
      8,
      "read",
      null,
      1n,
    ]],
  },
  {
    model: "register",
    name: "an unanswered write is seen late",
    verdict: "valid",
    lines: [[0, 0, undefined, "write", 1n], [1, 5, 6, "read", null, null], [
      1,
      7,
      8,
      "read",
      null,
      1n,
    ]],
  },
  {
    model: "register",
    name: "an unanswered write is seen, then unseen",
    verdict: "invalid",
    lines: [[0, 0, undefined, "write", 1n], [1, 5, 6, "read", null, 1n], [
      1,
      7,
      8,
      "read",
      null,
      null,
    ]],
    shown: [0, 5, 7],
  },
  {
    model: "register",
    name: "a failed write is not seen",
    verdict: "invalid",
    lines: [[0, 0, 1, "write", 1n, FAIL], [1, 2, 3, "read", null, 1n]],
    shown: [2],
  },
  {
    model: "register",
    name: "the first value is what it is said to be",
    verdict: "valid",
    lines: [[0, 0, 1, "read", null, 5n]],
    options: { init: 5n },
  },
  {
    model: "register",
    name: "a read of nil that nobody knows the meaning of",
    verdict: "valid",
    lines: [[0, 0, 1, "write", 1n], [1, 2, 3, "read", null, null]],
    options: { nilRead: "unknown" },
  },
  {
    model: "register",
    name: "a read of nil that is an observation",
    verdict: "invalid",
    lines: [[0, 0, 1, "write", 1n], [1, 2, 3, "read", null, null]],
    shown: [0, 2],
  },
  {
    model: "cas-register",
    name: "a lost update: two cas from the same value both succeed",
    verdict: "invalid",
    lines: [[0, 0, 1, "write", 0n], [0, 2, 9, "cas", [0n, 1n]], [1, 3, 8, "cas", [0n, 2n]]],
    shown: [0, 2, 3],
  },
  {
    model: "cas-register",
    name: "a cas on the wrong value succeeds",
    verdict: "invalid",
    lines: [[0, 0, 1, "write", 1n], [0, 2, 3, "write", 2n], [1, 4, 5, "cas", [1n, 3n]]],
    shown: [0, 2, 4],
  },
  {
    model: "cas-register",
    name: "two cas in the order that neither was called in",
    verdict: "valid",
    lines: [[0, 0, 1, "write", 0n], [0, 2, 9, "cas", [1n, 2n]], [1, 3, 8, "cas", [0n, 1n]]],
  },
  {
    model: "cas-register",
    name: "a failed cas that should have succeeded, not looked at",
    verdict: "valid",
    lines: [[0, 0, 1, "write", 1n], [1, 2, 3, "cas", [1n, 3n], FAIL]],
  },
  {
    model: "cas-register",
    name: "a failed cas that should have succeeded, looked at",
    verdict: "invalid",
    lines: [[0, 0, 1, "write", 1n], [1, 2, 3, "cas", [1n, 3n], FAIL]],
    options: { failedOps: "check" },
    shown: [0, 2],
  },
  {
    model: "cas-register",
    name: "an unanswered cas explains one value, and not two",
    verdict: "invalid",
    lines: [
      [0, 0, 1, "write", 0n],
      [1, 2, undefined, "cas", [0n, 1n]],
      [
        0,
        3,
        4,
        "read",
        null,
        1n,
      ],
      [0, 5, 6, "write", 0n],
      [2, 7, 8, "read", null, 1n],
    ],
  },
  {
    model: "multi-register",
    name: "a transaction is seen whole",
    verdict: "valid",
    lines: [
      [0, 0, 9, "txn", [["w", "x", 1n], ["w", "y", 1n]]],
      [1, 1, 2, "txn", [["r", "x", null], ["r", "y", null]], [["r", "x", 1n], ["r", "y", 1n]]],
    ],
  },
  {
    model: "multi-register",
    name: "a transaction is torn",
    verdict: "invalid",
    lines: [
      [0, 0, 9, "txn", [["w", "x", 1n], ["w", "y", 1n]]],
      [1, 1, 2, "txn", [["r", "x", null], ["r", "y", null]], [["r", "x", 1n], ["r", "y", 0n]]],
    ],
    options: { init: 0n },
    shown: [0, 1],
  },
  {
    model: "multi-register",
    name: "two registers are seen in opposite orders",
    verdict: "invalid",
    lines: [
      [0, 0, 20, "txn", [["write", "x", 1n]]],
      [1, 1, 21, "txn", [["write", "y", 1n]]],
      [2, 2, 3, "txn", [["read", "x", null], ["read", "y", null]], [["read", "x", 1n], [
        "read",
        "y",
        0n,
      ]]],
      [3, 4, 5, "txn", [["read", "x", null], ["read", "y", null]], [["read", "x", 0n], [
        "read",
        "y",
        1n,
      ]]],
    ],
    options: { init: 0n },
  },
  {
    model: "mutex",
    name: "a double acquire",
    verdict: "invalid",
    lines: [[0, 0, 1, "acquire", null], [1, 2, 3, "acquire", null]],
    shown: [0, 2],
  },
  {
    model: "mutex",
    name: "an unanswered release lets the next one in",
    verdict: "valid",
    lines: [[0, 0, 1, "acquire", null], [0, 2, undefined, "release", null], [
      1,
      3,
      4,
      "acquire",
      null,
    ]],
  },
  {
    model: "mutex",
    name: "somebody else releases it",
    verdict: "valid",
    lines: [[0, 0, 1, "acquire", null], [1, 2, 3, "release", null], [2, 4, 5, "acquire", null]],
  },
  {
    model: "mutex",
    name: "what is free is released",
    verdict: "invalid",
    lines: [[0, 0, 1, "release", null]],
    shown: [0],
  },
  {
    model: "lock",
    name: "somebody else releases it",
    verdict: "invalid",
    lines: [[0, 0, 1, "acquire", null, 1n], [1, 2, 3, "release", null]],
  },
  {
    model: "lock",
    name: "a token goes back",
    verdict: "invalid",
    lines: [[0, 0, 1, "acquire", null, 7n], [0, 2, 3, "release", null], [
      1,
      4,
      5,
      "acquire",
      null,
      6n,
    ]],
    shown: [0, 2, 4],
  },
  {
    model: "lock",
    name: "a token is given out twice",
    verdict: "invalid",
    lines: [[0, 0, 1, "acquire", null, 7n], [0, 2, 3, "release", 7n], [
      1,
      4,
      5,
      "acquire",
      null,
      7n,
    ]],
  },
  {
    model: "lock",
    name: "the same process acquires it again",
    verdict: "invalid",
    lines: [[0, 0, 1, "acquire", null, 1n], [0, 2, 3, "acquire", null, 2n]],
  },
  {
    model: "lock",
    name: "tokens may leave some out",
    verdict: "valid",
    lines: [[0, 0, 1, "acquire", null, 2n ** 100n], [0, 2, 3, "release", 2n ** 100n], [
      1,
      4,
      5,
      "acquire",
      null,
      2n ** 100n + 2n,
    ]],
  },
  {
    model: "lock",
    name: "a release names another token",
    verdict: "invalid",
    lines: [[0, 0, 1, "acquire", null, 2n], [0, 2, 3, "release", 1n]],
  },
  {
    model: "kv",
    name: "two appends in the order that a get saw",
    verdict: "valid",
    lines: [[0, 0, 5, "append", "a"], [1, 1, 6, "append", "b"], [2, 7, 8, "get", null, "ba"]],
  },
  {
    model: "kv",
    name: "an append is lost",
    verdict: "invalid",
    lines: [[0, 0, 1, "append", "a"], [1, 2, 3, "append", "b"], [2, 7, 8, "get", null, "b"]],
    shown: [0, 2, 7],
  },
  {
    model: "kv",
    name: "an append happens twice",
    verdict: "invalid",
    lines: [[0, 0, 1, "append", "a"], [2, 7, 8, "get", null, "aa"]],
    shown: [0, 7],
  },
  {
    model: "kv",
    name: "gets see appends in two orders",
    verdict: "invalid",
    lines: [[0, 0, 1, "put", "x"], [0, 2, 20, "append", "a"], [1, 3, 21, "append", "b"], [
      2,
      4,
      5,
      "get",
      null,
      "xa",
    ], [3, 6, 7, "get", null, "xba"]],
  },
  {
    model: "set",
    name: "an element is lost",
    verdict: "invalid",
    lines: [[0, 0, 1, "add", 1n], [0, 2, 3, "add", 2n], [1, 4, 5, "read", null, [2n]]],
    shown: [0, 2, 4],
  },
  {
    model: "set",
    name: "an unanswered element comes late, in any order",
    verdict: "valid",
    lines: [[0, 0, undefined, "add", 1n], [1, 2, 3, "add", 2n], [1, 4, 5, "read", null, [2n]], [
      1,
      6,
      7,
      "read",
      null,
      [2n, 1n],
    ]],
  },
  {
    model: "set",
    name: "an element comes and goes",
    verdict: "invalid",
    lines: [[0, 0, undefined, "add", 1n], [1, 4, 5, "read", null, [1n]], [
      1,
      6,
      7,
      "read",
      null,
      [],
    ]],
    shown: [0, 4, 6],
  },
  {
    model: "set",
    name: "an element nobody added",
    verdict: "invalid",
    lines: [[0, 0, 1, "add", 1n], [1, 4, 5, "read", null, [1n, 2n]]],
    shown: [4],
  },
];

for (const { model, name, verdict, lines, options, shown } of CASES) {
  Deno.test(`checkModel() of a ${model}: ${name}: ${verdict}`, () => {
    const operations = lines.map(operationOf);
    for (const algorithm of ["auto", "wgl", "configurations"] as const) {
      const found = checkModel(operations, { model, stepsMax: 100_000, algorithm, ...options });
      assertEquals(found.kind, verdict, algorithm);
      if (found.kind !== "invalid") continue;
      const { violation } = found;
      assert(violation.isMinimal);
      if (shown !== undefined) {
        assertEquals(violation.counterexample.map(({ invokedAt }) => invokedAt), shown);
      }
    }
  });
}

Deno.test("checkModel() leaves out rounds of a mutex that make no difference", () => {
  const rounds = Array.from({ length: 100 }, (_, i): Line[] => [
    [i % 3, 4 * i, 4 * i + 1, "acquire", null],
    [i % 3, 4 * i + 2, 4 * i + 3, "release", null],
  ]);
  const twice: Line[] = [[0, 900, 901, "acquire", null], [1, 902, 903, "acquire", null]];
  const operations = [...rounds.flat(), ...twice].map(operationOf);
  const verdict = checkModel(operations, { model: "mutex", stepsMax: 100_000 });
  assert(verdict.kind === "invalid" && verdict.violation.isMinimal);
  assertEquals(verdict.violation.counterexample.map(({ invokedAt }) => invokedAt), [900, 902]);
});

Deno.test("checkModel() judges keys apart, and names the one that is wrong", () => {
  const right = { ...operationOf([0, 0, 1, "write", 1n]), key: "a" };
  const wrong = { ...operationOf([1, 2, 3, "read", null, 2n]), key: "b" };
  const verdict = checkModel([right, wrong], { model: "register", stepsMax: 1_000 });
  assert(verdict.kind === "invalid");
  assertEquals(verdict.violation.partition, 'key "b"');
  assertStringIncludes(verdict.violation.sentence, 'read of 2 on key "b" by process 1');
});

Deno.test("checkModel() says unknown, where it got to and which limit it met", () => {
  const lines = Array.from({ length: 12 }, (_, i): Line => [i, i, 100 + i, "append", `${i}`]);
  const operations = [...lines, [99, 200, 201, "get", null, "?"] as Line].map(operationOf);
  for (
    const [limit, options] of [
      ["no steps were left", { stepsMax: 10_000 }],
      ["too many configurations", { stepsMax: 1e9, configurationsMax: 1_000 }],
      ["the time was over", { stepsMax: 1e9, isOverTime: () => true }],
    ] as const
  ) {
    const blind = operations.filter(({ f }) => f !== "get");
    const verdict = checkModel([...blind, ...lines.map(overwritten)], { model: "kv", ...options });
    assert(verdict.kind === "unknown", limit);
    assertStringIncludes(verdict.reason, limit);
    assertStringIncludes(verdict.reason, "operations open at a time at most");
  }
});

/** A put after everything, so that nothing that is read later rules out an order; and a read that no order explains. */
function overwritten([client]: Line): ModelOperation {
  const at = 300 + client * 4;
  return client < 11
    ? operationOf([client, at, at + 1, "put", "x"])
    : operationOf([client, at, at + 1, "get", null, "x0"]);
}

Deno.test("checkModel() does not lose itself in a history that was made to be hopeless", () => {
  for (const f of ["write", "cas"]) {
    const lost = Array.from({ length: 30 }, (_, i): Line => [
      i,
      i,
      undefined,
      f,
      f === "cas" ? [BigInt(i), BigInt(i + 1)] : BigInt(i),
    ]);
    const operations = [...lost, [99, 50, 51, "read", null, 77n] as Line].map(operationOf);
    const options = { model: "cas-register", init: 0n, stepsMax: 1_000_000 } as const;
    const verdict = checkModel(operations, options);
    assert(verdict.kind === "invalid", f);
    assertEquals(verdict.violation.counterexample.length, 1);
  }
});

Deno.test("checkModel() refuses what a model does not have, and says what it has", () => {
  const options = { model: "register", stepsMax: 1_000 } as const;
  const cas = [operationOf([0, 0, 1, "cas", [1n, 2n]])];
  const error = assertThrows(() => checkModel(cas, options), ModelError);
  assertEquals(error.message, 'found operation "cas", expected read or write');
  const short = [operationOf([0, 0, 1, "cas", [1n]])];
  assertThrows(() => checkModel(short, { ...options, model: "cas-register" }), ModelError, "[1]");
  assertEquals(checkModel([], options).kind, "valid");
});

Deno.test("checkModel() tells whole numbers apart that a float would not", () => {
  const big = 2n ** 53n;
  const lines = [[0, 0, 1, "write", big], [0, 2, 3, "read", null, big + 1n]] as const;
  const verdict = checkModel(lines.map(operationOf), { model: "register", stepsMax: 1_000 });
  assertEquals(verdict.kind, "invalid");
});

function operationOf([process, invokedAt, completedAt, f, value, answer]: Line): ModelOperation {
  const outcome = completedAt === undefined
    ? { kind: "info" } as const
    : answer === FAIL
    ? { kind: "fail" } as const
    : { kind: "ok", value: answer === undefined ? value : answer as Value } as const;
  return { process, f, value, invokedAt, completedAt, outcome };
}
