// Bounds decide what replay decides, so their text must have one reading: a fixed form, one fingerprint for
// one configuration, and an error rather than a guess for everything else.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { checkCoreConfig, type CoreConfig, DEFAULT_CORE_CONFIG } from "../../core/config.ts";
import { PROFILES } from "./profiles.ts";
import {
  applyBounds,
  configFingerprint,
  type ConfigResult,
  describeDifferences,
  diffConfig,
  formatCoreConfig,
  formatNodeConfig,
  PARAMETER_NAMES,
  parseCoreConfig,
} from "./text.ts";

const LOCAL_TEXT = `core.shard_id=0
core.max_resources=1024
core.max_reservations=1024
core.max_operations=4096
core.max_bundle_size=4
core.max_ttl_slots=256
core.max_expiration_bucket_len=1024
core.reservation_history_window_slots=64
core.max_client_retry_window_slots=128
core.slot_duration_ms=10
engine.max_submission_queue=64
engine.max_command_bytes=4096
engine.max_expirations_per_tick=64
`;

/** Configurations that can run, reaching into the corners of every range. */
const configs: fc.Arbitrary<CoreConfig> = fc.record({
  shardId: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  maxResources: fc.integer({ min: 8, max: 1 << 20 }),
  maxReservations: fc.integer({ min: 1, max: 1 << 20 }),
  maxOperations: fc.integer({ min: 1, max: 1 << 20 }),
  maxBundleSize: fc.integer({ min: 1, max: 8 }),
  maxTtlSlots: fc.bigInt({ min: 1n, max: 360_000n }),
  maxExpirationBucketLen: fc.constant(1),
  reservationHistoryWindowSlots: fc.bigInt({ min: 0n, max: 1n }),
  maxClientRetryWindowSlots: fc.bigInt({ min: 0n, max: 1n << 63n }),
  slotDurationMs: fc.integer({ min: 1, max: 10 }),
});

Deno.test("formatNodeConfig() writes the canonical lines", () => {
  assertEquals(formatNodeConfig(PROFILES.local), LOCAL_TEXT);
  assertEquals(LOCAL_TEXT.trim().split("\n").map((line) => line.split("=")[0]), [
    ...PARAMETER_NAMES,
  ]);
});

Deno.test("parseCoreConfig() reads back what formatCoreConfig() wrote, in any order of lines", () => {
  fc.assert(
    fc.property(configs, fc.infiniteStream(fc.nat()), (config, draws) => {
      assertEquals(checkCoreConfig(config), undefined);
      const text = formatCoreConfig(config);
      assertEquals(parseCoreConfig(text), { kind: "parsed", config });
      const lines = text.trim().split("\n").map((line) => ({ line, draw: draws.next().value }));
      const shuffled = lines.sort((a, b) => a.draw - b.draw).map(({ line }) => line).join("\n");
      assertEquals(parseCoreConfig(shuffled), { kind: "parsed", config });
    }),
    { seed: 1 },
  );
});

Deno.test("parseCoreConfig() refuses every text with a line too few, too many or altered", () => {
  const text = formatCoreConfig(DEFAULT_CORE_CONFIG);
  const lines = text.trim().split("\n");
  for (const [i, line] of lines.entries()) {
    const name = line.split("=")[0]!;
    const rest = lines.filter((_, j) => j !== i);
    assertRefused(parseCoreConfig(rest.join("\n")), "missing_parameter", name);
    assertRefused(parseCoreConfig(`${text}${line}\n`), "repeated_parameter", name);
    const values = { "": "malformed_number", "-1": "malformed_number", "01": "malformed_number" };
    for (const [value, kind] of Object.entries(values)) {
      assertRefused(parseCoreConfig([...rest, `${name}=${value}`].join("\n")), kind, name);
    }
  }
  assertRefused(parseCoreConfig(""), "not_an_assignment", "");
  assertRefused(parseCoreConfig(`${text}\n`), "not_an_assignment", "");
  assertRefused(parseCoreConfig(`${text}engine.max_command_bytes=1`), "unknown_parameter");
  assertRefused(
    parseCoreConfig(text.replace("max_bundle_size=16", "max_bundle_size=0")),
    "zero_capacity",
    "core.max_bundle_size",
  );
});

Deno.test("parseCoreConfig() and applyBounds() answer any text with a typed result", () => {
  const name = fc.constantFrom(...PARAMETER_NAMES);
  const value = fc.oneof(fc.bigInt().map(String), fc.string(), fc.double().map(String));
  const line = fc.oneof(fc.string(), fc.tuple(name, value).map(([n, x]) => `${n}=${x}`));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const texts = [parseCoreConfig(lines.join("\n")), applyBounds(PROFILES.small, lines)];
      for (const result of texts) {
        if (result.kind === "parsed") continue;
        assert(result.error.message.length > 0 && result.error.message.length < 250);
      }
    }),
    { seed: 2, numRuns: 500 },
  );
});

Deno.test("applyBounds() overrides what is named and keeps the rest", () => {
  const bounds = [
    "core.max_resources=2048",
    "core.max_ttl_slots=300",
    "engine.max_command_bytes=99",
  ];
  assertEquals(applyBounds(PROFILES.local, bounds), {
    kind: "parsed",
    config: {
      core: { ...PROFILES.local.core, maxResources: 2048, maxTtlSlots: 300n },
      engine: { ...PROFILES.local.engine, maxCommandBytes: 99 },
    },
  });
  assertEquals(applyBounds(PROFILES.local, []), { kind: "parsed", config: PROFILES.local });
});

Deno.test("applyBounds() refuses with the parameter's name and, for a near miss, the right one", () => {
  const cases: readonly (readonly [readonly string[], string, string, string])[] = [
    [["core.max_resource=1"], "unknown_parameter", "core.max_resource", "core.max_resources?"],
    [["max_resources=1"], "unknown_parameter", "max_resources", "core.max_resources?"],
    [["colour=1"], "unknown_parameter", "colour", "not a parameter"],
    [["core.max_resources"], "not_an_assignment", "core.max_resources", "name=value"],
    [["=5"], "not_an_assignment", "=5", "name=value"],
    [["core.max_resources=1k"], "malformed_number", "core.max_resources", '"1k"'],
    [["core.max_resources=1.0"], "malformed_number", "core.max_resources", "decimal"],
    [["core.max_resources=0x10"], "malformed_number", "core.max_resources", "decimal"],
    [["core.max_resources= 1"], "malformed_number", "core.max_resources", "decimal"],
    [["core.shard_id=1", "core.shard_id=1"], "repeated_parameter", "core.shard_id", "once"],
    [["core.shard_id=18446744073709551616"], "number_too_large", "core.shard_id", "64 bits"],
    [[`core.shard_id=${"9".repeat(10_000)}`], "number_too_large", "core.shard_id", "64 bits"],
    [["core.max_resources=9007199254740993"], "out_of_range", "core.max_resources", "up to"],
    [["core.max_bundle_size=1025"], "bundle_size_too_large", "core.max_bundle_size", "exceed"],
    [["engine.max_command_bytes=0"], "zero_capacity", "engine.max_command_bytes", "above 0"],
  ];
  for (const [bounds, kind, parameter, words] of cases) {
    const result = applyBounds(PROFILES.local, bounds);
    assertRefused(result, kind, parameter);
    assert(result.kind === "refused" && result.error.message.includes(words), words);
  }
});

Deno.test("configFingerprint() is the start of the platform's SHA-256 of the canonical lines", async () => {
  for (const { core } of Object.values(PROFILES)) {
    const text = new TextEncoder().encode(formatCoreConfig(core));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
    assertEquals(configFingerprint(core), digest.slice(0, 16));
  }
});

Deno.test("configFingerprint() and diffConfig() notice every single parameter", () => {
  const recorded = PROFILES.local.core;
  assertEquals(diffConfig(recorded, { ...recorded }), []);
  const names = PARAMETER_NAMES.filter((name) => name.startsWith("core."));
  const keys = Object.keys(recorded) as (keyof CoreConfig)[];
  assertEquals(keys.length, names.length);
  for (const [i, key] of keys.entries()) {
    const value = recorded[key];
    const more = typeof value === "bigint" ? value + 1n : value + 1;
    const requested = { ...recorded, [key]: more };
    assertNotEquals(configFingerprint(requested), configFingerprint(recorded));
    assertEquals(diffConfig(recorded, requested), [
      { parameter: names[i]!, recorded: String(value), requested: String(more) },
    ]);
  }
});

Deno.test("describeDifferences() names both values of each parameter", () => {
  const requested = { ...PROFILES.local.core, maxResources: 9, maxTtlSlots: 7n };
  assertEquals(
    describeDifferences(diffConfig(PROFILES.local.core, requested)),
    "core.max_resources is 1024 in the data directory but 9 was asked for; " +
      "core.max_ttl_slots is 256 in the data directory but 7 was asked for",
  );
});

function assertRefused(result: ConfigResult<unknown>, kind: string, parameter?: string): void {
  assert(result.kind === "refused", `${kind} ${parameter}`);
  assertEquals(result.error.kind, kind);
  if (parameter !== undefined) assertEquals(result.error.parameter, parameter);
}
