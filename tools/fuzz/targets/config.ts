/** Configuration as text: one spelling for each value, every bound checked, nothing taken for something else. */
import { checkCoreConfig, checkEngineConfig, type CoreConfig } from "../../../core/config.ts";
import { PROFILES } from "../../../node/config/profiles.ts";
import {
  applyBounds,
  formatCoreConfig,
  formatNodeConfig,
  type NodeConfig,
  PARAMETER_NAMES,
  parseCoreConfig,
} from "../../../node/config/text.ts";
import type { FuzzRandom } from "../random.ts";
import { expect, expectEqual, type Target } from "../target.ts";
import { bytesOfText, mutateText, textOf } from "../text.ts";

/** The functions under test. */
export interface ConfigParsers {
  readonly parseCoreConfig: typeof parseCoreConfig;
  readonly applyBounds: typeof applyBounds;
}

const BASES: readonly NodeConfig[] = Object.values(PROFILES);

const REFUSALS = [
  ...["not_an_assignment", "unknown_parameter", "repeated_parameter", "missing_parameter"],
  ...["malformed_number", "number_too_large", "zero_capacity", "bundle_size_too_large"],
  ...["history_window_too_large", "operation_window_too_large", "bucket_capacity_too_large"],
  ...["table_too_large", "wheel_too_large", "slot_duration_out_of_range", "out_of_range"],
];

/** Makes the target: a whole core configuration, or overrides of a profile. */
export function configTarget(parsers: ConfigParsers = { parseCoreConfig, applyBounds }): Target {
  return {
    name: "config",
    outcomes: ["ok core", "ok bounds", ...REFUSALS],
    draw: (random) => {
      const text = random.oneIn(2) ? drawCore(random) : drawBounds(random);
      const changed = random.oneIn(4) ? text : mutateText(random, text, WORDS);
      return bytesOfText(changed);
    },
    judge: (input) => judgeConfig(parsers, textOf(input)),
  };
}

const VALUES = [
  ...["0", "1", "2", "16", "256", "1024", "65535", "65536", "1000000", "67108863", "67108864"],
  ...["134217728", "134217729", "3600000", "4294967296", "9007199254740993"],
  ...["18446744073709551615", "18446744073709551616", "99999999999999999999999"],
];
const WORDS = [...PARAMETER_NAMES, ...VALUES, "=", "\n", "core.", "max_resources", "bounds\n"];

/** All lines, in order or not. */
function drawCore(random: FuzzRandom): string {
  const lines = formatCoreConfig(random.pick(BASES).core).trimEnd().split("\n");
  if (random.oneIn(2)) lines.sort(() => random.oneIn(2) ? 1 : -1);
  for (let left = random.below(3); left > 0; left--) {
    const i = random.below(lines.length);
    lines[i] = `${lines[i]!.split("=")[0]}=${random.pick(VALUES)}`;
  }
  return lines.join("\n") + (random.oneIn(2) ? "\n" : "");
}

/** A line that says which profile, then overrides. */
function drawBounds(random: FuzzRandom): string {
  const overrides = Array.from({ length: random.below(4) }, () => {
    return `${random.pick(PARAMETER_NAMES)}=${random.pick(VALUES)}`;
  });
  return [`bounds ${random.below(BASES.length)}`, ...overrides].join("\n");
}

function judgeConfig(parsers: ConfigParsers, text: string): string {
  const bounds = /^bounds ([0-2])(?:\n|$)/.exec(text);
  if (bounds === null) return judgeCore(parsers, text);
  const rest = text.slice(bounds[0].length);
  const overrides = rest === "" ? [] : rest.split("\n");
  return judgeBounds(parsers, BASES[Number(bounds[1])]!, overrides);
}

function judgeCore(parsers: ConfigParsers, text: string): string {
  const result = parsers.parseCoreConfig(text);
  if (result.kind === "refused") return refusalOf(result.error);
  expect(checkCoreConfig(result.config) === undefined, "a core that cannot run was accepted");
  const canonical = formatCoreConfig(result.config);
  const given = text.endsWith("\n") ? text.slice(0, -1) : text;
  expectEqual(sorted(given), sorted(canonical.slice(0, -1)), "lines");
  const again = parsers.parseCoreConfig(canonical);
  expect(again.kind === "parsed" && sameCore(again.config, result.config), "read back");
  return "ok core";
}

function sorted(lines: string): string {
  return lines.split("\n").sort().join("\n");
}

function sameCore(a: CoreConfig, b: CoreConfig): boolean {
  return formatCoreConfig(a) === formatCoreConfig(b);
}

function judgeBounds(
  parsers: ConfigParsers,
  base: NodeConfig,
  overrides: readonly string[],
): string {
  const before = formatNodeConfig(base);
  const result = parsers.applyBounds(base, overrides);
  expectEqual(formatNodeConfig(base), before, "the profile afterwards");
  if (result.kind === "refused") return refusalOf(result.error);
  const { core, engine } = result.config;
  expect(checkCoreConfig(core) === undefined, "a core that cannot run was accepted");
  expect(checkEngineConfig(engine) === undefined, "bounds that cannot run were accepted");
  const expected = before.split("\n").map((line) => {
    const name = line.slice(0, line.indexOf("=") + 1);
    return overrides.find((override) => name !== "" && override.startsWith(name)) ?? line;
  });
  expectEqual(formatNodeConfig(result.config), expected.join("\n"), "bounds");
  return "ok bounds";
}

/** A refusal names what is wrong in one line that fits a terminal. */
function refusalOf(
  { kind, parameter, message }: {
    readonly kind: string;
    readonly parameter: string;
    readonly message: string;
  },
): string {
  expect(!message.includes("\n") && message.length < 400, `the message is ${message}`);
  expect(parameter.length <= 80, `the parameter is ${parameter}`);
  return kind;
}
