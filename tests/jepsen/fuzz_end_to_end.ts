/**
 * The whole way of a history that was damaged: read, judged, reported. It ends with a verdict or with an error that names what is
 * wrong, never otherwise, and in bounded steps. As a program it tries as many as asked:
 *
 *     deno run -A --v8-flags=--max-old-space-size=1024 tests/jepsen/fuzz_end_to_end.ts [cases] [first]
 */
import { judge } from "../../testbed/jepsen/analysis/judge.ts";
import { convert } from "../../testbed/jepsen/codec/convert.ts";
import { type FormatName, READ_DEFAULTS } from "../../testbed/jepsen/codec/format.ts";
import { readHistory } from "../../testbed/jepsen/codec/read.ts";
import { HistoryError } from "../../testbed/jepsen/history/history_error.ts";
import { renderReport } from "../../testbed/jepsen/report/report.ts";
import { partRandom } from "../../testbed/sim/random.ts";
import { damaged, damagedBelowChecksums } from "./fuzz_damage.ts";

/** Enough for every one of these histories as it was; what damage makes of it may be beyond. */
const STEPS_MAX = 200_000;
const SHRINK_RUNS_MAX = 40;
const BARS_MAX = 500;
const SEED = 20_261_120;

/** How a case ended. */
export type Ending = "valid" | "invalid" | "unknown" | "refused";

/** A file to be damaged. */
export interface Sound {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const HISTORIES = new URL("./histories/", import.meta.url).pathname;
/** Of a run of ours; the others are of other systems. */
const OURS = "mixed_failover.txt";
const OURS_AS: readonly FormatName[] = ["text", "jsonl", "cbor", "runbook"];

/**
 * All that there is to be damaged: everything in histories/, and a run of ours in each of our formats.
 *
 * @param directory Where to work; empty.
 */
export async function soundFiles(directory: string): Promise<readonly Sound[]> {
  const names = [...Deno.readDirSync(HISTORIES)].map(({ name }) => name).sort();
  const foreign = names.filter((name) => name !== OURS && name !== "README.md");
  const sound = foreign.map((name) => ({ name, bytes: Deno.readFileSync(HISTORIES + name) }));
  for (const format of OURS_AS) {
    const path = `${directory}/${OURS}.${format}`;
    await convert(HISTORIES + OURS, path, format, READ_DEFAULTS);
    sound.push({ name: `${OURS} as ${format}`, bytes: await Deno.readFile(path) });
  }
  return sound;
}

/** The input of a case. */
export function inputOf(sound: readonly Sound[], number: number): Sound {
  const random = partRandom(SEED, "end to end", number);
  const { name, bytes } = sound[number % sound.length]!;
  const isMeant = name.endsWith("cbor") && random.oneIn(2);
  return { name, bytes: isMeant ? damagedBelowChecksums(random, bytes) : damaged(random, bytes) };
}

/**
 * Reads, judges and reports.
 *
 * @throws {Error} Anything, if there is a defect.
 */
export async function endingOf(bytes: Uint8Array, directory: string): Promise<Ending> {
  const path = `${directory}/damaged`;
  await Deno.writeFile(path, bytes);
  try {
    const recording = await readHistory(path, READ_DEFAULTS);
    const judgement = judge(recording, { stepsMax: STEPS_MAX, shrinkRunsMax: SHRINK_RUNS_MAX });
    const report = renderReport({ title: "damaged", recording, judgement, barsMax: BARS_MAX });
    JSON.parse(report.json);
    return judgement.verdict;
  } catch (error) {
    if (error instanceof HistoryError) return "refused";
    throw error;
  }
}

/** Carries cases out. Answers how many ended how; an error says which case it was. */
export async function tally(
  first: number,
  count: number,
  told: (number: number, ms: number) => void = () => {},
): Promise<ReadonlyMap<Ending, number>> {
  const directory = await Deno.makeTempDir();
  try {
    const sound = await soundFiles(directory);
    const endings = new Map<Ending, number>();
    for (let number = first; number < first + count; number++) {
      const { name, bytes } = inputOf(sound, number);
      const begin = performance.now();
      try {
        const ending = await endingOf(bytes, directory);
        endings.set(ending, (endings.get(ending) ?? 0) + 1);
      } catch (error) {
        throw new Error(`case ${number}, ${name}`, { cause: error });
      }
      told(number, performance.now() - begin);
    }
    return endings;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

if (import.meta.main) {
  const [count = "10000", first = "0"] = Deno.args;
  let slowest = { number: -1, ms: 0 };
  let residentMax = 0;
  const endings = await tally(Number(first), Number(count), (number, ms) => {
    if (ms > slowest.ms) slowest = { number, ms };
    residentMax = Math.max(residentMax, Deno.memoryUsage().rss);
    if (number % 500 === 0) console.error(`case ${number}`);
  });
  console.log(Object.fromEntries(endings));
  console.log(`slowest: case ${slowest.number}, ${Math.round(slowest.ms)} ms`);
  console.log(`resident: ${Math.round(residentMax / 1_048_576)} MiB`);
}
