// Sums are what users believe: what happened, what never did, and what nobody could tell.
import { assertEquals } from "@std/assert";
import type { Outcome } from "./outcome.ts";
import { formatOutcome, LINE_CHARS_MAX, parseOutcome } from "./outcome.ts";
import { progressLine } from "./progress.ts";
import { Schedule } from "./schedule.ts";
import { Totals } from "./totals.ts";
import { spanText } from "./words.ts";

const OUTCOME: Outcome = {
  seed: 3,
  violation: null,
  hash: "00112233445566ff",
  isCutShort: false,
  events: 1_000,
  simulatedMs: 2_000,
  realMs: 50,
  counts: { decided: 4, expirations: 0, unknown: 1, "strike/crash": 2 },
};

Deno.test("Totals adds lives up, and names what never happened and what nobody could tell", () => {
  const totals = new Totals();
  totals.add(OUTCOME);
  totals.add({
    ...OUTCOME,
    seed: 9,
    realMs: 70,
    violation: "R1 x",
    counts: { "strike/kill": 1, decided: 1 },
  });
  totals.add({ ...OUTCOME, seed: 4, violation: "R2 y", isCutShort: true });
  assertEquals([totals.lives, totals.events, totals.simulatedMs, totals.cutShort], [
    3,
    3_000,
    6_000,
    1,
  ]);
  assertEquals(totals.failed.map(({ seed }) => seed), [4, 9]);
  assertEquals(totals.struck, { crash: 4, kill: 1 });
  assertEquals(totals.judged, { decided: 9, expirations: 0 });
  assertEquals([totals.undecided, totals.undecidedSeeds], [2, [3, 4]]);
  assertEquals([totals.sawNothing, totals.slowest?.seed], [false, 9]);
  assertEquals(totals.neverExercised(["crash", "wipe"]), ["wipe", "expirations"]);
});

Deno.test("Totals.sawNothing tells whole lives without a decision from lives that were stopped", () => {
  const nothing = { ...OUTCOME, counts: { decided: 0 } };
  const [whole, stopped] = [new Totals(), new Totals()];
  assertEquals(whole.sawNothing, false);
  whole.add(nothing);
  stopped.add({ ...nothing, isCutShort: true });
  assertEquals([whole.sawNothing, stopped.sawNothing], [true, false]);
});

Deno.test("parseOutcome() reads what formatOutcome() writes, and believes nothing else", () => {
  for (const outcome of [OUTCOME, { ...OUTCOME, violation: "R1 …\u2028", isCutShort: true }]) {
    assertEquals(parseOutcome(formatOutcome(outcome)), outcome);
  }
  const text = formatOutcome(OUTCOME);
  for (
    const bad of [
      ...[
        "",
        "null",
        "{}",
        text.slice(0, -1),
        text.replace("1000", "-1"),
        text.replace("1000", "1.5"),
      ],
      ...[
        text.replace("ff", "fg"),
        text.replace("{", '{"x":1,'),
        " ".repeat(LINE_CHARS_MAX) + text,
      ],
    ]
  ) assertEquals(parseOutcome(bad), undefined, bad.slice(0, 80));
});

Deno.test("Schedule hands every seed out once, up to the last, and knows where to go on", () => {
  const schedule = new Schedule({ from: 5, count: 3, isOver: () => false });
  assertEquals([schedule.next(), schedule.next(), schedule.next(), schedule.next()], [
    5,
    6,
    7,
    undefined,
  ]);
  schedule.done(6);
  assertEquals(schedule.resumeAt, 5);
  schedule.done(5);
  assertEquals(schedule.resumeAt, 7);
  schedule.done(7);
  assertEquals(schedule.resumeAt, 8);
  const last = new Schedule({ from: 0xffff_ffff, count: undefined, isOver: () => false });
  assertEquals([last.next(), last.next()], [0xffff_ffff, undefined]);
  assertEquals(new Schedule({ from: 1, count: 9, isOver: () => true }).next(), undefined);
});

Deno.test("progressLine() says how far it is, how fast, and how long it may still take", () => {
  const totals = new Totals();
  for (let i = 0; i < 10; i++) totals.add(OUTCOME);
  assertEquals(
    progressLine(totals, 4_000, { count: 1_010, forMs: undefined }),
    "10 of 1,010 lives, 2.5/s, 2,500 events/s, 5 × real time, 0 failed, 7 min left",
  );
  assertEquals(
    progressLine(totals, 4_000, { count: undefined, forMs: 9_000 }),
    "10 lives, 2.5/s, 2,500 events/s, 5 × real time, 0 failed, 5.0 s left",
  );
  assertEquals(
    progressLine(new Totals(), 0, { count: undefined, forMs: undefined }),
    "0 lives, 0.0/s, 0 events/s, 0 × real time, 0 failed",
  );
  assertEquals([0, 9_949, 60_000, 600_000, 9e6].map(spanText), [
    "0.0 s",
    "9.9 s",
    "60 s",
    "10 min",
    "2.5 h",
  ]);
});
