// What was typed for sim either says what is to be lived, or is refused with a way out: a flag that would have no
// effect is a mistake.
import { assertEquals, assertThrows } from "@std/assert";
import { CliError } from "../errors.ts";
import type { Style } from "./output.ts";
import { parseSeed, type SimFlags, simOptions } from "./read_sim_options.ts";
import type { SimLives, SimOptions } from "./sim_options.ts";

const STYLE: Style = { format: "kv", quiet: false, ids: "decimal" };

const PLAIN: SimOptions = {
  lives: { kind: "seeds", from: 1, count: 100 },
  profile: "swarm",
  jobs: 1,
  untilFailure: false,
  twice: false,
  out: ".",
  shrinks: true,
  style: STYLE,
};

Deno.test("simOptions() means a hundred lives of the swarm when nothing was typed", () => {
  assertEquals(simOptions({}, STYLE), PLAIN);
});

Deno.test("simOptions() hands over what was typed, with nothing left to check", () => {
  const many = {
    seeds: "7",
    from: "20",
    jobs: "2",
    untilFailure: true,
    minutes: "3",
    steps: "900",
  };
  assertEquals(simOptions({ ...many, profile: "lite", out: "d", shrink: false }, STYLE), {
    ...PLAIN,
    lives: { kind: "seeds", from: 20, count: 7 },
    profile: "lite",
    jobs: 2,
    untilFailure: true,
    forMs: 180_000,
    stepsMax: 900,
    out: "d",
    shrinks: false,
  });
  const one = { seed: "5", trace: "t", html: "h", at: "30", twice: true, cost: true } as const;
  assertEquals(simOptions(one, STYLE), {
    ...PLAIN,
    lives: { kind: "seed", seed: 5 },
    trace: { file: "t" },
    html: "h",
    atMs: 30,
    twice: true,
    cost: "output",
  });
});

Deno.test("simOptions() tells which lives are meant", () => {
  const cases: readonly (readonly [SimFlags, SimLives])[] = [
    [{ seed: "0" }, { kind: "seed", seed: 0 }],
    [{ seed: "9", seeds: "4" }, { kind: "seeds", from: 9, count: 4 }],
    [{ from: "9" }, { kind: "seeds", from: 9, count: 100 }],
    [{ from: "4294967290" }, { kind: "seeds", from: 4_294_967_290, count: 6 }],
    [{ untilFailure: true }, { kind: "seeds", from: 1, count: undefined }],
    [{ minutes: "1", from: "3" }, { kind: "seeds", from: 3, count: undefined }],
    [{ untilFailure: true, seeds: "8" }, { kind: "seeds", from: 1, count: 8 }],
    [{ replay: "p.json" }, { kind: "plan", file: "p.json" }],
    [{ script: "s.txt" }, { kind: "script", file: "s.txt", updates: false }],
    [{ script: "s.txt", update: true }, { kind: "script", file: "s.txt", updates: true }],
    [{ worker: true }, { kind: "worker" }],
  ];
  for (const [flags, lives] of cases) assertEquals(simOptions(flags, STYLE).lives, lives);
});

Deno.test("parseSeed() reads numbers of 32 bits, and of a commit the first 32 bits", () => {
  assertEquals(parseSeed("4294967295"), 0xffff_ffff);
  assertEquals(parseSeed("deadbeef".padEnd(40, "0")), 0xdead_beef);
  assertEquals(parseSeed("DEADBEEF".padEnd(40, "7")), 0xdead_beef);
  for (const text of ["", "-1", "1.5", "4294967296", "deadbeef", "f".repeat(41), "0x10"]) {
    assertThrows(() => parseSeed(text), CliError);
  }
});

Deno.test("simOptions() refuses flags that contradict each other or would have no effect", () => {
  const cases: readonly (readonly [SimFlags, string])[] = [
    [{ seed: "1", replay: "p" }, "--replay and --seed contradict each other"],
    [{ seed: "1", from: "2" }, "--seed and --from contradict each other"],
    [{ seed: "1", jobs: "2" }, "--jobs is about many lives"],
    [{ seed: "1", untilFailure: true }, "--until-failure is about many lives"],
    [{ replay: "p", minutes: "2" }, "--minutes is about many lives"],
    [{ replay: "p", profile: "lite" }, "--profile is about seeds, and a plan is whole"],
    [{ replay: "p", seeds: "2" }, "--seeds is about seeds, and a plan is whole"],
    [{ seeds: "3", trace: true }, "--trace is about one life"],
    [{ html: "h" }, "--html is about one life"],
    [{ twice: true, from: "1" }, "--twice is about one life"],
    [{ seed: "1", at: "5" }, "--at goes with --html"],
    [{ jobs: "2", cost: true }, "--cost looks at one process"],
    [{ seed: "1", profile: "single", html: "h" }, "--steps and --html are about clusters"],
    [{ profile: "single", steps: "9" }, "--steps and --html are about clusters"],
    [{ update: true }, "--update goes with --script"],
    [{ script: "s", seeds: "3" }, "--seeds is about lives, and a script is none"],
    [{ script: "s", html: "h" }, "--html is about one life"],
    [{ replay: "" }, "--replay '' is no path"],
    [{ seed: "1", html: "a\0b" }, "--html 'a\\u{0}b' is no path"],
  ];
  for (const [flags, message] of cases) {
    const error = assertThrows(() => simOptions(flags, STYLE), CliError);
    assertEquals([error.code, error.message], ["E_USAGE", message]);
  }
  const json = { ...STYLE, format: "json" } as const;
  assertThrows(() => simOptions({ seed: "1", trace: true }, json), CliError, "needs a file");
});

Deno.test("simOptions() refuses numbers out of range", () => {
  const cases: readonly SimFlags[] = [
    ...[{ seeds: "0" }, { seeds: "-1" }, { seeds: "4294967296" }, { from: "4294967296" }],
    ...[{ from: "4294967290", seeds: "7" }, { jobs: "0" }, { jobs: "257" }, { minutes: "0" }],
    ...[{ steps: "0" }, { steps: "1e3" }, { seed: "1", html: "h", at: "86400001" }],
  ];
  for (const flags of cases) {
    const error = assertThrows(() => simOptions(flags, STYLE), CliError);
    assertEquals(error.code, "E_BAD_NUMBER", JSON.stringify(flags));
  }
});
