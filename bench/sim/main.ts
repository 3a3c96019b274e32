// How fast the simulator is. See bench/README.md.
import process from "node:process";
import { CASES, type SimCase, type Simulated } from "./worlds.ts";

const USAGE = "bench/sim [--rounds 5] [--scale 1] [--case calm,swarm] [--json]";

/** One run of one case. */
interface Round extends Simulated {
  readonly realMs: number;
  /** Milliseconds of the processor, garbage collection and compilation in other threads included. */
  readonly cpuMs: number;
}

/** The medians of a case. */
interface Result {
  readonly name: string;
  readonly about: string;
  readonly rounds: number;
  readonly events: number;
  readonly lives: number;
  readonly eventsPerSecond: number;
  readonly eventsPerCpuSecond: number;
  /** Virtual seconds in a real one. */
  readonly ratio: number;
  readonly ratioCpu: number;
  readonly livesPerSecond: number;
}

if (import.meta.main) main();

function main(): void {
  const rounds = Number(flag("--rounds") ?? 5);
  const scale = Number(flag("--scale") ?? 1);
  const names = flag("--case")?.split(",");
  const cases = CASES.filter(({ name }) => names === undefined || names.includes(name));
  if (!(rounds >= 1 && scale > 0 && cases.length > 0)) throw new Error(USAGE);
  const results = measure(cases, rounds, scale);
  if (Deno.args.includes("--json")) console.log(JSON.stringify(results, undefined, 2));
  else console.log(table(results));
}

function flag(name: string): string | undefined {
  const at = Deno.args.indexOf(name);
  return at < 0 ? undefined : Deno.args[at + 1];
}

/** The cases take turns, so that a busy moment of the machine strikes all of them; the first turn only warms up. */
function measure(cases: readonly SimCase[], rounds: number, scale: number): Result[] {
  const all = cases.map((): Round[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, each] of cases.entries()) {
      const measured = measureOnce(each, scale);
      if (round > 0) all[i]!.push(measured);
    }
  }
  return cases.map((each, i) => summarize(each, all[i]!));
}

function measureOnce(each: SimCase, scale: number): Round {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const simulated = each.run(scale);
  const realMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  return { ...simulated, realMs, cpuMs: (user + system) / 1_000 };
}

function summarize({ name, about }: SimCase, rounds: readonly Round[]): Result {
  const of = (value: (round: Round) => number): number => median(rounds.map(value));
  return {
    name,
    about,
    rounds: rounds.length,
    events: of(({ events }) => events),
    lives: of(({ lives }) => lives),
    eventsPerSecond: of(({ events, realMs }) => events / realMs * 1_000),
    eventsPerCpuSecond: of(({ events, cpuMs }) => events / cpuMs * 1_000),
    ratio: of(({ ms, realMs }) => ms / realMs),
    ratioCpu: of(({ ms, cpuMs }) => ms / cpuMs),
    livesPerSecond: of(({ lives, realMs }) => lives / realMs * 1_000),
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >>> 1]!;
}

function table(results: readonly Result[]): string {
  const head = ["CASE", "EVENTS", "EVENTS/S", "PER CPU S", "RATIO", "BY CPU", "LIVES/S", "WHAT"];
  const rows = results.map((result) => [
    result.name,
    ...[
      result.events,
      result.eventsPerSecond,
      result.eventsPerCpuSecond,
      result.ratio,
      result.ratioCpu,
    ].map((value) => Math.round(value).toLocaleString("en")),
    result.lives === 1 ? "" : result.livesPerSecond.toFixed(1),
    result.about,
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
  return [head, ...rows]
    .map((row) => row.map((cell, i) => pad(cell, widths[i]!, i)).join("  ").trimEnd())
    .join("\n");
}

/** Figures to the right, words to the left. */
function pad(cell: string, width: number, column: number): string {
  return column === 0 || column === 7 ? cell.padEnd(width) : cell.padStart(width);
}
