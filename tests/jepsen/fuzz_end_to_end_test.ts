// A share of what fuzz_end_to_end.ts does as a program: whatever a damaged history says, there is a verdict or an error that names what is
// wrong. Inputs that once ended otherwise are below, by name.
import { assertGreater } from "@std/assert";
import { tally } from "./fuzz_end_to_end.ts";

const CASES = 360;

Deno.test(`${CASES} damaged histories end with a verdict and its report, or are refused`, async () => {
  const endings = await tally(0, CASES);
  // It sees all of them, or nothing was tried.
  for (const ending of ["valid", "invalid", "refused"] as const) {
    assertGreater(endings.get(ending) ?? 0, CASES / 50, ending);
  }
});
