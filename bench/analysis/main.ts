/**
 * How long the checker of histories takes, in steps and in milliseconds, beside what it is meant to take.
 *
 *     deno run bench/analysis/main.ts [--rounds N]
 */
import process from "node:process";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { checkReservations } from "../../testbed/jepsen/analysis/reservation/check.ts";
import { type HistorySize, makeHistory } from "./history.ts";

interface Scenario extends HistorySize {
  readonly name: string;
  readonly targetMs: number;
}

const WIDE = { operations: 100_000, resources: 2_000, clients: 64, lostOneIn: 200 };
const HOT = { operations: 4_000, resources: 1, clients: 16, lostOneIn: 200 };
const SCENARIOS: readonly Scenario[] = [
  { ...WIDE, name: "100,000 on 2,000 resources, lsns", isDetailed: true, targetMs: 2_500 },
  { ...WIDE, name: "100,000 on 2,000 resources, plain", isDetailed: false, targetMs: 4_000 },
  { ...HOT, name: "4,000 on one resource, lsns", isDetailed: true, targetMs: 5_000 },
  { ...HOT, name: "4,000 on one resource, plain", isDetailed: false, targetMs: 5_000 },
  {
    ...HOT,
    operations: 1_000_000,
    resources: 20_000,
    name: "1,000,000 on 20,000 resources, lsns",
    isDetailed: true,
    targetMs: 30_000,
  },
];

function measure(scenario: Scenario, rounds: number): string {
  const resourceIds = Array.from({ length: scenario.resources }, (_, i) => BigInt(i + 1));
  const times: number[] = [];
  const cpu: number[] = [];
  let said = "";
  for (let seed = 1; seed <= rounds; seed++) {
    const history = makeHistory(scenario, new SeededRandom(seed));
    const started = performance.now();
    const cpuBefore = process.cpuUsage();
    const { kind, counts } = checkReservations(history, {
      stepsMax: 100_000_000,
      initialResourceIds: resourceIds,
    });
    times.push(performance.now() - started);
    const { user, system } = process.cpuUsage(cpuBefore);
    cpu.push((user + system) / 1_000);
    said = `${kind}, ${counts.partitions} partitions, ${counts.unanswered} unanswered, ` +
      `${counts.steps} steps`;
  }
  const megabytes = Math.round(Deno.memoryUsage().rss / 1e6);
  return `${scenario.name}: ${median(times)} ms (of ${scenario.targetMs}), ` +
    `${median(cpu)} ms of processor time, ${megabytes} MB; ${said}`;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return Math.round(values[values.length >> 1]!);
}

if (import.meta.main) {
  const at = Deno.args.indexOf("--rounds");
  const rounds = at < 0 ? 3 : Number(Deno.args[at + 1]);
  for (const scenario of SCENARIOS) console.log(measure(scenario, rounds));
}
