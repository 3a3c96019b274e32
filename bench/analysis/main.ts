/**
 * What the checker of reservations takes, in milliseconds and megabytes, beside what it is meant to take; each scenario in
 * a process of its own. And how many small lies it sees through.
 *
 *     deno run -A bench/analysis/main.ts [--rounds N] [--only NAME] [--survivors]
 */
import process from "node:process";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { makeHistory } from "./history.ts";
import { mutate, type MutationCount } from "./mutate.ts";
import { SCENARIOS } from "./scenarios.ts";

interface Sample {
  readonly said: string;
  readonly ms: number;
  readonly cpuMs: number;
}

async function main(args: readonly string[]): Promise<void> {
  const only = optionOf(args, "--only");
  const rounds = Number(optionOf(args, "--rounds") ?? 3);
  if (only === "mutations") return reportMutations(args.includes("--survivors"));
  const scenario = SCENARIOS.find(({ name }) => name === only);
  if (scenario !== undefined) {
    const samples = Array.from({ length: rounds }, (_, i) => measure(scenario.prepare(i + 1)));
    const [ms, cpuMs] = [median(samples.map((it) => it.ms)), median(samples.map((it) => it.cpuMs))];
    console.log(
      `${scenario.name}: ${ms} ms (of ${scenario.targetMs}), ${cpuMs} ms of processor time, ` +
        `${peakMegabytes()} MB with the history; ${samples[0]!.said}`,
    );
    return;
  }
  for (const name of [...SCENARIOS.map((it) => it.name), "mutations"]) await runAlone(name, rounds);
}

async function runAlone(name: string, rounds: number): Promise<void> {
  const self = new URL(import.meta.url).pathname;
  const args = ["run", "-A", self, "--only", name, "--rounds", `${rounds}`];
  const { code } = await new Deno.Command(Deno.execPath(), { args }).spawn().status;
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
}

function measure(run: () => string): Sample {
  const started = performance.now();
  const before = process.cpuUsage();
  const said = run();
  const { user, system } = process.cpuUsage(before);
  return { said, ms: performance.now() - started, cpuMs: (user + system) / 1_000 };
}

/** What the process took at most, as the system counts it. */
function peakMegabytes(): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_000);
}

/** Every answer of some histories, changed in every way. */
function reportMutations(showsSurvivors: boolean): void {
  const totals = new Map<string, MutationCount>();
  for (const isDetailed of [true, false]) {
    const size = { operations: 400, resources: 4, clients: 6, lostOneIn: 40, isDetailed };
    const history = makeHistory(size, new SeededRandom(1));
    const { counts, survivors } = mutate(history, [1n, 2n, 3n, 4n]);
    for (const [name, { changed, found }] of counts) {
      totals.set(`${name}${isDetailed ? ", lsns and versions" : ""}`, { changed, found });
    }
    if (showsSurvivors) { for (const survivor of survivors) console.log(survivor); }
  }
  for (const [name, { changed, found }] of totals) {
    console.log(`${name}: ${found} of ${changed} found`);
  }
}

function optionOf(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[values.length >> 1]!);
}

if (import.meta.main) await main(Deno.args);
