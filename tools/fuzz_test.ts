// What the long fuzz task promises, in a few seconds: every target runs and says something, a seed repeats,
// every input that once failed passes, and nothing is lost: not a failure, not a hang, not a silent target.
// That each target notices what it is for: fuzz/planted_test.ts.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  CORPUS,
  corpusFile,
  fromHexLines,
  keepInput,
  readCorpus,
  readInput,
  toHexLines,
} from "./fuzz/corpus.ts";
import { parseOptions, UsageError } from "./fuzz/options.ts";
import { FuzzRandom } from "./fuzz/random.ts";
import { formatFailure, formatTally, replayLine, verdictOf, weaknesses } from "./fuzz/report.ts";
import { inputOf, judge, runTarget, type Tally } from "./fuzz/run.ts";
import { drawChunks, streamOf, writeStream } from "./fuzz/stream.ts";
import { expect, hexOf, type Target } from "./fuzz/target.ts";
import { allTargets } from "./fuzz/targets/all.ts";
import { runInThread } from "./fuzz/thread.ts";

const SEED = 20_260_101;

/** Cases of a target here, and of those that take milliseconds for each. */
const CASES = 500;
const SLOW_CASES = new Map<string, number>([
  ...[["engine", 120], ["snapshot", 250], ["server", 50], ["http", 70], ["client", 60], [
    "plan",
    150,
  ]] as const,
]);

for (const target of allTargets()) {
  const cases = SLOW_CASES.get(target.name) ?? CASES;
  Deno.test(`${cases} cases of ${target.name} break no promise, and some are accepted and some refused`, async () => {
    const tally = await runTarget(target, { seed: SEED, casesMax: cases });
    await target.close?.();
    const { failure } = tally;
    assert(failure === undefined, failure && formatFailure(failure, "nowhere"));
    assertEquals(tally.cases, cases);
    assertEquals(weaknesses(target, tally), []);
  });
}

Deno.test("every input in tests/corpus/fuzz passes", async () => {
  const targets = allTargets();
  const inputs = await readCorpus(CORPUS);
  assert(inputs.length > 0);
  for (const { file, target, bytes } of inputs) {
    const found = targets.find(({ name }) => name === target);
    assert(found !== undefined, `${file} is of no target`);
    const verdict = await judge(found, bytes);
    assertEquals(verdict.kind, "ended", verdict.kind === "failed" ? verdict.message : file);
  }
  for (const target of targets) await target.close?.();
});

Deno.test("a case depends on target, seed and number alone", () => {
  const others = allTargets();
  for (const [i, target] of allTargets().entries()) {
    const inputs = (from: Target, cases: readonly number[]): string[] =>
      cases.map((caseNumber) => hexOf(inputOf(from, 7, caseNumber), Infinity));
    const forwards = inputs(target, [0, 1, 2, 3]);
    assertEquals(inputs(others[i]!, [3, 2, 1, 0]).reverse(), forwards, target.name);
    assert(new Set(forwards).size > 2, target.name);
  }
});

Deno.test("FuzzRandom gives every stream, seed and case its own numbers, and every number its turn", () => {
  const first = (seed: number, stream: string, caseNumber: number): number =>
    new FuzzRandom(seed, stream, caseNumber).u32();
  const drawn = new Set<number>();
  for (let i = 0; i < 1_000; i++) {
    drawn.add(first(i, "a", 0)).add(first(0, "a", i + 1)).add(first(i, "b", 0));
  }
  assertEquals(drawn.size, 3_000);
  assert(first(0, "a", 5) !== first(0, "a", 2 ** 32 + 5));
  const random = new FuzzRandom(1, "buckets", 0);
  const buckets = new Array<number>(16).fill(0);
  for (let i = 0; i < 16_000; i++) buckets[random.below(16)]!++;
  assert(buckets.every((count) => count > 800 && count < 1_200), buckets.join());
});

/** A target of one byte: even ones are fine, 7 is refused, 255 is what nobody has thought of. */
function parityTarget(): Target {
  return {
    name: "parity",
    outcomes: ["ok", "odd", "seven"],
    draw: (random) => random.bytes(1),
    judge: ([byte]) => {
      expect(byte !== 255, "255 is too much");
      return byte === 7 ? "seven" : byte! % 2 === 0 ? "ok" : "odd";
    },
  };
}

Deno.test("runTarget() stops at the first failure and keeps all that repeats it", async () => {
  const tally = await runTarget(parityTarget(), { seed: 3, casesMax: 100_000 });
  const { failure } = tally;
  assert(failure !== undefined);
  assertEquals(tally.cases, failure.caseNumber + 1);
  assertEquals(failure.input, Uint8Array.of(255));
  assertEquals(inputOf(parityTarget(), 3, failure.caseNumber), failure.input);
  const text = formatFailure(failure, "a.hex");
  assert(text.includes("255 is too much"));
  assert(text.includes(`target parity, seed 3, case ${failure.caseNumber}`));
  assert(text.endsWith(replayLine(failure)));
  assertEquals(verdictOf([parityTarget()], [tally]), "failed");
});

Deno.test("judge() takes an outcome that is not listed, and an error of any kind, for a failure", async () => {
  const told = (answer: () => string | Promise<string>): Promise<string> =>
    judge({ ...parityTarget(), judge: answer }, new Uint8Array()).then(({ kind }) => kind);
  assertEquals(await told(() => "odd"), "ended");
  assertEquals(await told(() => "strange"), "failed");
  assertEquals(await told(() => Promise.reject(new RangeError("too long"))), "failed");
});

function tallyOf(cases: number, outcomes: Record<string, number>): Tally {
  const counts = new Map(Object.entries(outcomes));
  return { target: "parity", cases, ms: 10, outcomes: counts, failure: undefined };
}

Deno.test("a target that accepts nothing, refuses nothing or misses an outcome for long is weak", () => {
  const target = parityTarget();
  const reasons = (tally: Tally): readonly string[] => weaknesses(target, tally, 1_000);
  assertEquals(reasons(tallyOf(9, { odd: 9 })), ["nothing was ever accepted"]);
  assertEquals(reasons(tallyOf(9, { ok: 9 })), ["nothing was ever refused"]);
  assertEquals(reasons(tallyOf(999, { ok: 1, odd: 998 })), []);
  assertEquals(reasons(tallyOf(1_000, { ok: 1, odd: 999 })), ["never met: seven"]);
  assertEquals(verdictOf([target], [tallyOf(9, { ok: 9 })]), "weak");
  assertEquals(verdictOf([target], []), "weak");
  assertEquals(verdictOf([target], [tallyOf(9, { ok: 8, odd: 1 })]), "passed");
  assert(formatTally(target, tallyOf(9, { ok: 9 })).includes("WEAK: nothing was ever refused"));
});

Deno.test("runInThread() names the case that never ends, and goes on with the next target", async () => {
  const module = new URL("../tests/support/hanging_worker.ts", import.meta.url);
  const tallies = await threadTallies(module, 500);
  assertEquals(tallies.map(({ target }) => target), ["hello"]);
  const { failure } = tallies[0]!;
  assertEquals([failure?.caseNumber, failure?.message], [7, "no end within 500 ms"]);
});

Deno.test("runInThread() names the case that ends the thread", async () => {
  const module = new URL("../tests/support/crashing_worker.ts", import.meta.url);
  const tallies = await threadTallies(module, 60_000);
  assertEquals(tallies.map(({ target }) => target), ["requests", "hello"]);
  assertEquals(tallies.map(({ failure }) => failure?.caseNumber), [3, 3]);
  assert(tallies[0]!.failure!.message.includes("planted"));
});

Deno.test("runInThread() answers the tally of every target", async () => {
  const tallies = await threadTallies(undefined, 60_000);
  assertEquals(tallies.map(({ cases }) => cases), [40, 40]);
  assert(tallies.every(({ failure, outcomes }) => failure === undefined && outcomes.size > 1));
});

async function threadTallies(module: URL | undefined, hangMs: number): Promise<Tally[]> {
  const targets = allTargets().filter(({ name }) => name === "hello" || name === "requests");
  const tallies: Tally[] = [];
  await runInThread({
    ...{ targets: targets.toReversed(), seed: 5, msMax: Infinity, casesMax: 40, hangMs },
    onTally: (tally) => void tallies.push(tally),
    ...(module === undefined ? {} : { module }),
  });
  return tallies;
}

Deno.test("corpus files are read as they were written, and say their target", async () => {
  const folder = `${await Deno.makeTempDir()}/`;
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i * 37);
  const path = await keepInput(folder, corpusFile("metadata_body", 4, 12), bytes);
  const file = "metadata_body-4-12.hex";
  assertEquals(await readInput(path), { file, target: "metadata_body", bytes });
  assertEquals((await readCorpus(folder)).length, 1);
  assertEquals(fromHexLines(toHexLines(bytes)), bytes);
  for (const text of ["0", "0g", "0x00"]) assertThrows(() => fromHexLines(text), TypeError);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a stream is what it was cut from, whatever the pieces", () => {
  const random = new FuzzRandom(1, "stream", 0);
  for (let i = 0; i < 200; i++) {
    const bytes = random.bytes(random.below(3_000));
    const { choice, chunks } = streamOf(drawChunks(random, i, bytes));
    assertEquals([choice, chunks.flatMap((chunk) => [...chunk])], [i, [...bytes]]);
    assertEquals(streamOf(writeStream(i, chunks)), { choice: i, chunks });
  }
});

Deno.test("parseOptions() reads what --help lists and refuses the rest", () => {
  const read = (...args: string[]) => parseOptions(args, ["log", "http"]);
  assertEquals(read("--", "--seconds", "9", "--seed", "0", "--target", "log,http"), {
    ...{ seconds: 9, seed: 0, targets: ["log", "http"], cases: undefined, caseNumber: undefined },
    ...{ replay: undefined, list: false, help: false },
  });
  assertEquals(read("--seed=4", "--target=log", "--case=77").caseNumber, 77);
  assertEquals(read().seconds, 60);
  const refused = [
    ...[["--seconds", "0"], ["--seconds", "1.5"], ["--seconds", "1", "--seconds", "2"], ["log"]],
    ...[["--seed", "4294967296"], ["--seed", "-1"], ["--target", "nothing"], ["--speed", "9"]],
    ...[["--case", "1"], ["--case", "1", "--seed", "1"], ["--replay"]],
  ];
  for (const args of refused) assertThrows(() => read(...args), UsageError);
});

Deno.test("docs/testing.md says of every target what it eats, and of nothing else", async () => {
  const page = await Deno.readTextFile(new URL("../docs/testing.md", import.meta.url));
  const rows = [...page.matchAll(/^\| `([a-z_]+)` +\|/gm)].map(([, name]) => name);
  assertEquals(rows, allTargets().map(({ name }) => name));
});
