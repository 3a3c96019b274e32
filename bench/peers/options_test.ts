// Bad input is refused before anything is started, and nothing is read as something else.
import { assertEquals, assertThrows } from "@std/assert";
import { SCENARIOS } from "./measurement.ts";
import { parseOptions, SYSTEM_NAMES, UsageError } from "./options.ts";

Deno.test("parseOptions() measures everything when nothing is asked for", () => {
  assertEquals(parseOptions([]), {
    data: undefined,
    seconds: 5,
    rounds: 3,
    scenarios: SCENARIOS,
    systems: SYSTEM_NAMES,
    allocdb: undefined,
    install: false,
    json: false,
    help: false,
  });
});

Deno.test("parseOptions() takes what is asked for, systems in the order of their turns", () => {
  const options = parseOptions([
    ...["--seconds", "10", "--rounds=1", "--load", "64x64,1x1", "--system", "allocdb,disk"],
    ...["--data", "/mnt/x", "--allocdb", "dist/allocdb", "--json", "--install"],
  ]);
  assertEquals(options, {
    data: "/mnt/x",
    seconds: 10,
    rounds: 1,
    scenarios: [SCENARIOS[3]!, SCENARIOS[0]!],
    systems: ["disk append", "disk overwrite", "allocdb"],
    allocdb: "dist/allocdb",
    install: true,
    json: true,
    help: false,
  });
});

const REFUSED = [
  ["--second", "5"],
  ["extra"],
  ["--seconds", "0"],
  ["--seconds", "31"],
  ["--seconds", "1e1"],
  ["--seconds", "1", "--seconds", "2"],
  ["--rounds", "-1"],
  ["--rounds"],
  ["--load", "2x2"],
  ["--load", ""],
  ["--system", "mysql"],
  ["--data="],
];

for (const args of REFUSED) {
  Deno.test(`parseOptions() refuses ${args.join(" ")}`, () => {
    assertThrows(() => parseOptions(args), UsageError);
  });
}
