// CPU time is read out of a line that holds the name of a program, which may be anything.
import { assertEquals } from "@std/assert";
import { cpuSeconds, parseCpuSeconds } from "./load_flags.ts";

Deno.test("parseCpuSeconds() adds user and system time, whatever the program is called", () => {
  const rest = "S 1 2 3 4 -1 5 6 7 8 9 150 25 0 0 20 0";
  assertEquals(parseCpuSeconds(`12 (plain) ${rest}`), 1.75);
  assertEquals(parseCpuSeconds(`12 (a) b (c d) ${rest}`), 1.75);
});

Deno.test("cpuSeconds() adds processes up and passes over those that are gone", () => {
  assertEquals(cpuSeconds("0,999999999"), 0);
  assertEquals(cpuSeconds(`999999999,${Deno.pid},0`) > 0, true);
});
