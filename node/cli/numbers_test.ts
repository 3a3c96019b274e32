// Numbers and addresses: a value outside its range is refused by name, never cut or rounded.
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CliError } from "../errors.ts";
import { parseAddress, parseCount, parseU64 } from "./numbers.ts";

function codeOf(parse: () => unknown): string {
  return assertThrows(parse, CliError).code;
}

Deno.test("parseU64() reads exactly 0 to 2^64 - 1", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 1n << 66n }), (value) => {
      if (value < 1n << 64n) assertEquals(parseU64(`${value}`, "--epoch"), value);
      else assertEquals(codeOf(() => parseU64(`${value}`, "--epoch")), "E_BAD_NUMBER");
    }),
    { seed: 23, numRuns: 300 },
  );
  for (
    const text of ["", " 1", "-1", "+1", "1.0", "1e3", "0x1", "1_0", "\u0661", "9".repeat(10_000)]
  ) {
    assertEquals(codeOf(() => parseU64(text, "--epoch")), "E_BAD_NUMBER");
  }
});

Deno.test("parseCount() keeps to its range, both ends included", () => {
  assertEquals(parseCount("2", "--n", 2, 5), 2);
  assertEquals(parseCount("5", "--n", 2, 5), 5);
  for (const text of ["1", "6", "18446744073709551615", "x"]) {
    assertEquals(codeOf(() => parseCount(text, "--n", 2, 5)), "E_BAD_NUMBER");
  }
});

Deno.test("parseAddress() takes HOST:PORT and IPv6 in brackets", () => {
  for (
    const text of [
      "127.0.0.1:7100",
      "localhost:1",
      "[::1]:7100",
      "[fe80::1]:65535",
      "a-b.c:80",
    ]
  ) {
    assertEquals(parseAddress(text, "--server", 1), text);
  }
  assertEquals(parseAddress("127.0.0.1:0", "--listen", 0), "127.0.0.1:0");
});

Deno.test("parseAddress() refuses everything else", () => {
  for (
    const text of [
      ...["", ":7100", "7100", "localhost", "localhost:", "localhost:0", "localhost:65536"],
      ...[
        "[fe80::1%eth0]:1",
        "::1:7100",
        "[::1]",
        "http://localhost:80",
        "a b:1",
        "user@host:1",
        "h:99999999",
      ],
    ]
  ) assertEquals(codeOf(() => parseAddress(text, "--server", 1)), "E_BAD_ADDRESS");
});
