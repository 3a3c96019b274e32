import type { SeededRandom } from "../random.ts";
import type { NetworkWeather } from "../world/network.ts";

/** Some weather, bad in some ways. */
export function drawWeather(random: SeededRandom): NetworkWeather {
  const chance = (): number => random.oneIn(2) ? 0 : 2 + random.below(60);
  return {
    delayMsMin: 0.1,
    delayMsMax: 1 + random.below(40),
    dropOneIn: chance(),
    duplicateOneIn: chance(),
    reorderOneIn: chance(),
    spikeOneIn: chance(),
    spikeMs: 1 + random.below(500),
  };
}
