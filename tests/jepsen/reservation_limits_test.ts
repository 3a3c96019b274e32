// Histories of a right system that only a lucky search decides: many unanswered operations at once, and many resources that bundles
// hold together. Steps are counted, not seconds.
import { assertEquals } from "@std/assert";
import { checkReservations } from "../../testbed/jepsen/analysis/reservation/check.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { generate, type GeneratorOptions, ROOMY } from "./generate.ts";

const SEEDS = 12;
const BASE: GeneratorOptions = {
  attempts: 300,
  processes: 16,
  resources: 1,
  bounds: ROOMY,
  lostOneIn: 10,
  conflictOneIn: 0,
  bundleOneIn: 0,
  showsVersions: false,
  isPrepared: true,
};

Deno.test("checkReservations() decides histories with many unanswered operations at a time", () => {
  decideAll(BASE, 40_000);
});

Deno.test("checkReservations() decides histories of many resources held together by bundles", () => {
  decideAll({ ...BASE, attempts: 1_000, resources: 50, bundleOneIn: 4, lostOneIn: 100 }, 40_000);
});

function decideAll(options: GeneratorOptions, stepsMax: number): void {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const history = generate(new SeededRandom(seed), options);
    const ids = Array.from({ length: options.resources }, (_, i) => BigInt(i + 1));
    for (const useWitness of [true, false]) {
      const { kind } = checkReservations(history, {
        stepsMax,
        useWitness,
        initialResourceIds: ids,
      });
      assertEquals(kind, "valid", `seed ${seed}, ${useWitness ? "lsns" : "plain"}`);
    }
  }
}
