/** What scenario engine says of its figures. */
import { ENGINE_SCENARIO, type EngineRun, type EngineSizes } from "./engine_mix.ts";
import { count, rounded, size } from "./format.ts";
import type { Figures, ScenarioReport } from "./scenario.ts";

/**
 * The report of the scenario.
 *
 * @param sizes How much, all resources being wanted.
 * @param spread What came out of that.
 * @param hotSizes The same with few of them wanted.
 * @param hot What came out of that.
 */
export function engineReport(
  sizes: EngineSizes,
  spread: EngineRun,
  hotSizes: EngineSizes,
  hot: EngineRun,
): ScenarioReport {
  return {
    scenario: ENGINE_SCENARIO,
    durable: false,
    says: "Reserve, confirm and release in turn, from encoded bytes, applied by the engine alone " +
      `in one thread. There are ${count(sizes.resources)} resources. No disk, no network.`,
    table: [
      ["", "COMMANDS/S", "NS/COMMAND", "COMMANDS", "HEAP GROWTH PER MILLION"],
      [`all of them wanted, ${count(sizes.held)} held`, ...cells(spread)],
      [`${count(hotSizes.wanted)} of them wanted, ${count(hotSizes.held)} held`, ...cells(hot)],
    ],
    notes: [
      `Steady state: ${count(spread.operationsRemembered)} operations are remembered, as at ` +
      `${count(sizes.commandsPerSlot * 100)} commands/s, and for each new one an old one is ` +
      `forgotten. All tables: ${size(spread.tableBytes)}, allocated once; what the heap grows by ` +
      "is left by looking at the clock.",
      "When all are wanted, nearly every command has to wait for memory that no cache holds.",
    ],
    data: {
      scenario: ENGINE_SCENARIO,
      durable: false,
      resources: sizes.resources,
      ...runKeys(sizes, spread),
      table_bytes: spread.tableBytes,
      few_wanted: runKeys(hotSizes, hot),
    },
  };
}

function cells(run: EngineRun): string[] {
  return [
    count(perSecond(run)),
    count(nsPerCommand(run)),
    count(run.commands),
    bytes(growthPerMillion(run)),
  ];
}

function runKeys(sizes: EngineSizes, run: EngineRun): Figures {
  return {
    resources_wanted: sizes.wanted,
    reservations_held: sizes.held,
    elapsed_ms: rounded(run.elapsedMs),
    total_operations: run.commands,
    throughput_ops_per_sec: Math.round(perSecond(run)),
    ns_per_command: rounded(nsPerCommand(run), 1),
    heap_growth_bytes: run.heapGrowthBytes,
    heap_growth_bytes_per_million_commands: growthPerMillion(run),
    operations_remembered: run.operationsRemembered,
  };
}

function perSecond({ commands, elapsedMs }: EngineRun): number {
  return commands / elapsedMs * 1_000;
}

function nsPerCommand({ commands, elapsedMs }: EngineRun): number {
  return elapsedMs * 1e6 / commands;
}

function growthPerMillion({ commands, heapGrowthBytes }: EngineRun): number {
  return Math.round(heapGrowthBytes / commands * 1e6);
}

/** The heap may shrink, too. */
function bytes(growth: number): string {
  return growth < 0 ? `-${size(-growth)}` : size(growth);
}
