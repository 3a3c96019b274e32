// A failure that nobody can read is not found yet: what is left of a life must break the same promise with next to nothing
// going wrong, and shrinking twice must end with the same plan.
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { openReplica } from "../../../node/replica/replica.ts";
import type { OpenSubject } from "../world/subject.ts";
import { drawPlan } from "./draw.ts";
import { type Life, live } from "./life.ts";
import { planText } from "./plan.ts";
import { promiseOf, shrink } from "./shrink.ts";

/** A replica that answers readers without asking the others. */
const hasty: OpenSubject = (options) => {
  const replica = openReplica(options);
  return new Proxy(replica, {
    get(target, name): unknown {
      if (name === "confirmAuthority") {
        return (done: (refusal: undefined) => void) => done(undefined);
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
};

Deno.test("shrink() leaves of a planted defect a life with few strikes that breaks the same promise", () => {
  const life = firstViolation();
  const report: string[] = [];
  const options = { runsMax: 120, life: { open: hasty } };
  const small = shrink(life, { ...options, report: (text) => report.push(text) });
  assertEquals(promiseOf(small.violation!.what), promiseOf(life.violation!.what));
  assertLessOrEqual(small.plan.strikes.length, 3);
  assert(report.length > 0, "steps are told");
  assertEquals(live(small.plan, options.life).transcriptHash, small.transcriptHash);
  assertEquals(planText(shrink(life, options).plan), planText(small.plan));
});

Deno.test("shrink() gives a sound life back", () => {
  const life = live({ ...drawPlan(1, "ci"), strikes: [], troubleMs: 500 });
  assertEquals(shrink(life, { runsMax: 10 }), life);
});

Deno.test("shrink() lives no more lives than it may", () => {
  const life = firstViolation();
  const report: string[] = [];
  const options = {
    runsMax: 1,
    life: { open: hasty },
    report: (text: string) => report.push(text),
  };
  shrink(life, options);
  assertLessOrEqual(report.length, 1);
});

Deno.test("promiseOf() is the same for the same promise, whatever was seen", () => {
  const promises = [
    [
      "R1 one primary in a view: replica 1 life 2 and replica 2 life 1 in view 3",
      "R1 one primary in a view",
    ],
    [
      "R7 operation 45 (reserve) on replica 4 is told of a conflict with lsn 83, which is none",
      "R7",
    ],
    ["no replica throws: replica 2: Error: Invariant violated: wheel/x\n at y", "wheel/x"],
    ["definite means not done: operation 3 happened", "definite means not done"],
  ] as const;
  for (const [what, promise] of promises) assertEquals(promiseOf(what), promise);
});

function firstViolation(): Life {
  for (let seed = 1; seed < 200; seed++) {
    const life = live(drawPlan(seed, "ci"), { open: hasty });
    if (life.violation !== undefined && life.plan.strikes.length > 5) return life;
  }
  throw new Error("No seed finds the planted defect");
}
