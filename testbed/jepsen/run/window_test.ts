// The window is what makes a run evidence: it begins with the first fault, and nobody shortens it unseen.
import { assertEquals, assertThrows } from "@std/assert";
import { CliError } from "../../../node/errors.ts";
import { Counts } from "../workload/counts.ts";
import { ineligibilities, type RunFacts } from "./eligibility.ts";
import { faultWindow, isWindowReached, parseWindowOverride } from "./window.ts";

Deno.test("parseWindowOverride() takes positive whole seconds and refuses everything else", () => {
  assertEquals(parseWindowOverride(undefined), undefined);
  assertEquals(parseWindowOverride("45"), 45);
  assertEquals(parseWindowOverride(" 45\n"), 45);
  for (const text of ["", "0", "-1", "1.5", "1e3", "0x10", "45s", "99999999", "nan"]) {
    const error = assertThrows(() => parseWindowOverride(text), CliError);
    assertEquals(error.exitCode, 2);
  }
});

Deno.test("faultWindow() goes by the override in runs with faults, and never in others", () => {
  assertEquals(faultWindow(1800, undefined).secs, 1800);
  assertEquals(faultWindow(1800, 20), { plannedSecs: 1800, secs: 20, overrideSecs: 20 });
  assertEquals(faultWindow(undefined, 20), {
    plannedSecs: undefined,
    secs: undefined,
    overrideSecs: undefined,
  });
});

Deno.test("isWindowReached() counts from the first fault, to the nanosecond", () => {
  const window = faultWindow(10, undefined);
  assertEquals(isWindowReached(window, 5e9, 15e9), true);
  assertEquals(isWindowReached(window, 5e9, 15e9 - 1), false);
  assertEquals(isWindowReached(window, undefined, 1e15), false);
  assertEquals(isWindowReached(faultWindow(undefined, undefined), undefined, 0), true);
});

/** A run with nothing wrong. */
function facts(): RunFacts {
  const counts = new Counts();
  for (const kind of ["reserve", "reserve_bundle", "confirm", "release", "get_resource"]) {
    for (let i = 0; i < 30; i++) counts.note(kind, "ok", undefined);
  }
  return {
    ...{ window: faultWindow(10, undefined), isWindowReached: true, faults: 3, loadSecs: 30 },
    minimumSecs: 10,
    ...{ isShippedProgram: true, isInMatrix: true, missingCoverage: [], counts: counts.total(0) },
  };
}

Deno.test("ineligibilities() finds nothing in a whole run, and each single lack in others", () => {
  const whole = facts();
  assertEquals(ineligibilities(whole), []);
  const none = new Counts().total(0);
  const lacks: readonly (readonly [Partial<RunFacts>, string])[] = [
    [{ isInMatrix: false }, "the run is none of the release matrix"],
    [{ isShippedProgram: false }, "the program under test is not the compiled one that judged"],
    [{ window: faultWindow(10, 4) }, "the fault window was set to 4 s by hand"],
    [{ minimumSecs: 11 }, "the fault window of 10 s is shorter than the 11 s of the matrix"],
    [{ faults: 0 }, "the nemesis did nothing"],
    [{ isWindowReached: false }, "the fault window was not reached"],
    [{ loadSecs: 1_000 }, "150 operations were answered, fewer than 5000"],
    [{ counts: { ...whole.counts, unresolved: 2 } }, "2 outcomes are unknown"],
    [
      { counts: { ...whole.counts, byKind: none.byKind } },
      "nothing was answered to reserve, reserve_bundle, confirm, release, get_resource",
    ],
    [{ missingCoverage: ["faults is 0, below 1"] }, "faults is 0, below 1"],
  ];
  for (const [lack, reason] of lacks) {
    assertEquals(ineligibilities({ ...whole, ...lack }), [reason]);
  }
});

Deno.test("ineligibilities() asks no faults of a run without a window", () => {
  const control = { ...facts(), window: faultWindow(undefined, undefined), faults: 0 };
  assertEquals(ineligibilities(control), []);
  assertEquals(ineligibilities({ ...control, loadSecs: 29.9 }), [
    "load went on for 29 s, less than 30 s",
  ]);
});
