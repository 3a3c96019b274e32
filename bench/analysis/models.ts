/**
 * How long the checker of models takes, beside Porcupine on the same histories in the same run, and on histories that were made up.
 *
 *     deno run -A bench/analysis/models.ts [--rounds N] [--go PROGRAM] [DIRECTORY...]
 *
 * Directories are searched for Jepsen's logs (`*.log`, cas-register) and maps of one line each (`*.txt`, kv); default are the
 * histories of the tests. Reading is not timed on either side. Without Go, or without its module, ours is shown alone.
 */
import { parseArgs } from "@std/cli/parse-args";
import process from "node:process";
import { checkModel } from "../../testbed/jepsen/analysis/models/check.ts";
import type { ModelOptions } from "../../testbed/jepsen/analysis/models/verdict.ts";
import { readHistory } from "../../testbed/jepsen/codec/read.ts";
import type { ModelOperation } from "../../testbed/jepsen/history/model.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { hopeless, logOf, memoryStress } from "./model_histories.ts";
import { buildPeer, type Figure, runPeer } from "./porcupine.ts";

interface Task {
  readonly path: string;
  readonly operations: readonly ModelOperation[];
  readonly options: ModelOptions;
}

const HISTORIES = new URL("../../tests/jepsen/histories/", import.meta.url).pathname;
const STEPS_MAX = 100_000_000;

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    string: ["rounds", "go"],
    default: { rounds: "5", go: "go" },
  });
  const rounds = Number(flags.rounds);
  const folders = flags._.length > 0 ? flags._.map(String) : [HISTORIES];
  const made = await Deno.makeTempDir();
  try {
    const peer = await buildPeer(flags.go ?? "go", made);
    if (peer === undefined) console.log("no Go, or not the module of Porcupine: ours alone\n");
    const logs = await tasksIn(folders, ".log");
    const texts = await tasksIn(folders, ".txt");
    const stress = await makeStress(made);
    await compare("logs of etcd", logs, rounds, peer, []);
    await compare("texts, by key", texts, rounds, peer, []);
    const whole = texts.filter(({ path }) => !path.includes("c50"));
    await compare("texts, as one object", whole.map(asOne), rounds, peer, ["-whole"]);
    await compare("100 like memstress", stress, rounds, peer, []);
    showHopeless();
  } finally {
    await Deno.remove(made, { recursive: true });
  }
}

async function tasksIn(folders: readonly string[], ending: string): Promise<Task[]> {
  const tasks: Task[] = [];
  for (const folder of folders) {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
      name.endsWith(ending)
    ).sort();
    const model = ending === ".log" ? "cas-register" : "kv";
    for (const path of names.map((name) => `${folder}/${name}`)) {
      const read = { model, failedOps: "check", nilRead: "value" } as const;
      const { modelOperations } = await readHistory(path, read);
      const options: ModelOptions = { ...read, stepsMax: STEPS_MAX, shrinkRunsMax: 0 };
      tasks.push({ path, operations: modelOperations, options });
    }
  }
  return tasks;
}

/** Written down, so that the peer reads the very same. */
async function makeStress(folder: string): Promise<Task[]> {
  for (let seed = 1; seed <= 100; seed++) {
    const operations = memoryStress(new SeededRandom(seed));
    await Deno.writeTextFile(
      `${folder}/stress_${`${seed}`.padStart(3, "0")}.log`,
      logOf(operations),
    );
  }
  return await tasksIn([folder], ".log");
}

function asOne(task: Task): Task {
  return { ...task, options: { ...task.options, usePartitions: false } };
}

async function compare(
  title: string,
  tasks: readonly Task[],
  rounds: number,
  peer: string | undefined,
  flags: readonly string[],
): Promise<void> {
  if (tasks.length === 0) return;
  const ours = tasks.map((task) => measure(task, rounds));
  console.log(`${title}: ${tasks.length} histories`);
  console.log(`  ours       ${summary(ours)}`);
  if (peer === undefined) return;
  const theirs = await runPeer(peer, tasks.map(({ path }) => path), rounds, flags);
  console.log(`  porcupine  ${summary(theirs)}`);
  const differing = ours.filter(({ verdict }, i) => verdict !== theirs[i]?.verdict);
  console.log(`  ratio      ${ratio(theirs, ours)}; ${differing.length} verdicts differ`);
  for (const { file, verdict } of differing) console.log(`    ${file}: ours ${verdict}`);
}

function measure({ path, operations, options }: Task, rounds: number): Figure {
  const times: number[] = [];
  const cpu: number[] = [];
  let verdict = "";
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    const before = process.cpuUsage();
    verdict = checkModel(operations, options).kind;
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1_000);
    times.push(performance.now() - began);
  }
  return { file: path, verdict, ms: median(times), cpuMs: median(cpu) };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

function summary(figures: readonly Figure[]): string {
  const slowest = figures.reduce((a, b) => a.ms > b.ms ? a : b);
  const name = slowest.file.split("/").at(-1);
  return `sum ${shown(sumOf(figures))} ms (processor ${shown(cpuOf(figures))}), ` +
    `slowest ${shown(slowest.ms)} ms (${name})`;
}

function ratio(theirs: readonly Figure[], ours: readonly Figure[]): string {
  return `${shown(sumOf(theirs) / sumOf(ours))} times ours, ` +
    `${shown(cpuOf(theirs) / cpuOf(ours))} in processor time`;
}

function sumOf(figures: readonly Figure[]): number {
  return figures.reduce((sum, { ms }) => sum + ms, 0);
}

function cpuOf(figures: readonly Figure[]): number {
  return figures.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

/** Nobody else has anything to say about these: they are there to see that limits are kept. */
function showHopeless(): void {
  for (const { name, model, operations } of hopeless()) {
    const began = performance.now();
    const verdict = checkModel(operations, { model, stepsMax: 2_000_000 });
    const why = verdict.kind === "unknown" ? verdict.reason : `${verdict.steps} steps`;
    console.log(
      `hopeless, ${name}: ${verdict.kind} after ${shown(performance.now() - began)} ms; ${why}`,
    );
  }
}

if (import.meta.main) await main();
