// A duration read as another unit frees a seat early. Parsing is checked against its own inverse and against
// exact arithmetic, and every spelling without a clear meaning is refused.
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CliError } from "../errors.ts";
import { formatMilliseconds, parseDuration, parseMilliseconds } from "./durations.ts";

const RUNS = { seed: 22, numRuns: 300 };
const UNITS = { ms: 1n, s: 1_000n, m: 60_000n, h: 3_600_000n } as const;

function refused(parse: () => unknown): CliError {
  const error = assertThrows(parse, CliError);
  assertEquals([error.code, error.exitCode], ["E_BAD_DURATION", 2]);
  return error;
}

Deno.test("parseMilliseconds() reads back what formatMilliseconds() wrote", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 3_155_760_000_000n }), (ms) => {
      assertEquals(parseMilliseconds(formatMilliseconds(ms), "--ttl"), ms);
    }),
    RUNS,
  );
});

Deno.test("parseMilliseconds() is exact for fractions, or refuses them", () => {
  const unit = fc.constantFrom(...Object.keys(UNITS) as (keyof typeof UNITS)[]);
  fc.assert(
    fc.property(fc.nat(999), fc.nat(999_999), unit, (whole, millionths, name) => {
      const text = `${whole}.${String(millionths).padStart(6, "0")}${name}`;
      const exact = (BigInt(whole) * 1_000_000n + BigInt(millionths)) * UNITS[name];
      if (exact % 1_000_000n === 0n && exact > 0n) {
        assertEquals(parseMilliseconds(text, "--ttl"), exact / 1_000_000n);
      } else refused(() => parseMilliseconds(text, "--ttl"));
    }),
    RUNS,
  );
});

Deno.test("parseMilliseconds() knows the documented spellings", () => {
  for (
    const [text, ms] of [
      ...[["250ms", 250n], ["90s", 90_000n], ["10m", 600_000n], ["1h", 3_600_000n]] as const,
      ...[["1.5h", 5_400_000n], ["1h30m", 5_400_000n], ["0.25s", 250n]] as const,
      ...[["1h0m1ms", 3_600_001n], ["876600h", 3_155_760_000_000n]] as const,
    ]
  ) assertEquals(parseMilliseconds(text, "--ttl"), ms);
});

Deno.test("parseMilliseconds() refuses what has no clear meaning", () => {
  for (
    const text of [
      ...["", "30", "1.5", "m", "10M", "10 m", "-5s", "+5s", "1.s", ".5s", "5sec", "1d", "1e3s"],
      ...["30m1h", "1m1m", "1s ", " 1s", "1h-1m", "0s", "0.000ms", "1.5ms", "0.0001s", "876601h"],
      ...["5slots", "\u0665s", `${"9".repeat(400)}h`],
    ]
  ) refused(() => parseMilliseconds(text, "--ttl"));
});

Deno.test("parseMilliseconds() offers the three units to a bare number", () => {
  const { hint, message } = refused(() => parseMilliseconds("30", "--ttl"));
  assertEquals(message, "--ttl '30' has no unit");
  assertEquals(hint, "write 30s for seconds, 30ms for milliseconds, 30m for minutes");
});

Deno.test("parseDuration() tells slots from real time", () => {
  assertEquals(parseDuration("500slots", "--ttl"), { unit: "slots", slots: 500n });
  assertEquals(parseDuration("1slot", "--ttl"), { unit: "slots", slots: 1n });
  assertEquals(parseDuration("18446744073709551615slots", "--ttl"), {
    unit: "slots",
    slots: (1n << 64n) - 1n,
  });
  assertEquals(parseDuration("10m", "--ttl"), { unit: "ms", ms: 600_000n });
  for (const text of ["0slots", "18446744073709551616slots", "1.5slots", "slots", "5 slots"]) {
    refused(() => parseDuration(text, "--ttl"));
  }
});
