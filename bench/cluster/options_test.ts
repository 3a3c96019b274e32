// A mistyped flag must not become a long run of something else.
import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../peers/flags.ts";
import { CLUSTER_SCENARIOS, parseOptions, PARTS, SYSTEM_NAMES } from "./options.ts";

Deno.test("parseOptions() measures everything unless told", () => {
  const { systems, parts, scenarios, kills, catchUpMib, idleSeconds } = parseOptions([]);
  assertEquals([systems, parts, scenarios], [SYSTEM_NAMES, PARTS, CLUSTER_SCENARIOS]);
  assertEquals([kills, catchUpMib, idleSeconds], [20, 1_024, 60]);
});

Deno.test("parseOptions() chooses parts, systems with both their rows, and loads", () => {
  const options = parseOptions([
    ...["--part", "idle,load", "--system", "etcd", "--load", "1000x1,1x1", "--kills", "3"],
    ...["--sources", "--json"],
  ]);
  assertEquals(options.parts, ["load", "idle"]);
  assertEquals(options.systems, ["etcd", "etcd shared"]);
  assertEquals(options.scenarios.map(({ clients }) => clients), [1_000, 1]);
  assertEquals([options.kills, options.isFromSources, options.json], [3, true, true]);
});

Deno.test("parseOptions() refuses what makes no sense and says what it was", () => {
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [["--part", "loads"], "loads"],
    [["--system", "etcd shared"], "etcd shared"],
    [["--load", "7x7"], "7x7"],
    [["--kills", "0"], "--kills"],
    [["--idle-seconds", "1.5"], "--idle-seconds"],
    [["--data="], "--data"],
    [["--sources", "--allocdb", "x"], "--sources"],
    [["--verbose"], "--verbose"],
    [["extra"], "extra"],
  ];
  for (const [args, says] of wrong) assertThrows(() => parseOptions(args), UsageError, says);
});
