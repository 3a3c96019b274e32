import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CliError } from "../../../node/errors.ts";
import { ABILITIES, type Ability } from "../backend/backend.ts";
import { NEMESIS_NAMES, STRIKE_NAMES, strikeKind, type StrikeName, strikesOf } from "./atlas.ts";
import { drawStrikes, type StrikeRequest } from "./plan.ts";

const CAN: ReadonlySet<Ability> = new Set(ABILITIES);
const HOUR_MS = 3_600_000;

const requests: fc.Arbitrary<StrikeRequest> = fc.record({
  nemesis: fc.constantFrom(...NEMESIS_NAMES),
  seed: fc.integer({ min: 0, max: 0xffff_ffff }),
  windowMs: fc.integer({ min: 1, max: HOUR_MS }),
  replicas: fc.constantFrom(3, 5),
  can: fc.constant(CAN),
});

function check(property: fc.IPropertyWithHooks<[StrikeRequest]>): void {
  fc.assert(property, { seed: 5, numRuns: 200 });
}

Deno.test("drawStrikes draws the same from the same seed, and what it draws survives JSON", () => {
  check(fc.property(requests, (request) => {
    const strikes = drawStrikes(request);
    assertEquals(drawStrikes(request), strikes);
    assertEquals(JSON.parse(JSON.stringify(strikes)), strikes);
  }));
});

Deno.test("drawStrikes draws something else from another seed", () => {
  const request = { nemesis: "storm", windowMs: HOUR_MS, replicas: 3, can: CAN } as const;
  const drawn = new Set(
    Array.from({ length: 50 }, (_, seed) => JSON.stringify(drawStrikes({ ...request, seed }))),
  );
  assertEquals(drawn.size, 50);
});

Deno.test("drawStrikes leaves calm between strikes and ends within the window", () => {
  check(fc.property(requests, (request) => {
    const strikes = drawStrikes(request);
    assertEquals(strikes.length === 0, request.nemesis === "none");
    let calmFromMs = -1;
    for (const { atMs, durationMs } of strikes) {
      assertGreater(atMs, calmFromMs);
      assertGreater(durationMs, 0);
      calmFromMs = atMs + durationMs;
    }
    assert(strikes.length <= 1 || calmFromMs <= request.windowMs);
    assertEquals(strikes[0]?.atMs ?? 0, 0);
  }));
});

Deno.test("drawStrikes leaves most of the time of a long window calm enough for work", () => {
  for (const nemesis of NEMESIS_NAMES) {
    const request = { nemesis, windowMs: HOUR_MS, replicas: 3, can: CAN };
    const troubledMs = drawStrikes({ ...request, seed: 9 })
      .reduce((sum, { durationMs }) => sum + durationMs, 0);
    assertGreater(HOUR_MS * 0.65, troubledMs);
    if (nemesis !== "none") assertGreater(troubledMs, HOUR_MS * 0.3);
  }
});

Deno.test("drawStrikes deals every kind of a nemesis in a window of ten minutes, whatever the seed", () => {
  for (const nemesis of NEMESIS_NAMES.filter((name) => name !== "storm")) {
    for (let seed = 0; seed < 40; seed++) {
      const request = { nemesis, seed, windowMs: 600_000, replicas: 3, can: CAN };
      assertEquals(kindsOf(drawStrikes(request)), new Set(strikesOf(nemesis)));
    }
  }
});

Deno.test("drawStrikes deals every kind that there is in a storm of an hour", () => {
  const request = { nemesis: "storm", seed: 1, windowMs: HOUR_MS, replicas: 3, can: CAN } as const;
  assertEquals(kindsOf(drawStrikes(request)), new Set(STRIKE_NAMES));
});

Deno.test("drawStrikes gives each strike a seed of its own", () => {
  const request = { nemesis: "storm", seed: 3, windowMs: HOUR_MS, replicas: 3, can: CAN } as const;
  const strikes = drawStrikes(request);
  assertEquals(new Set(strikes.map(({ seed }) => seed)).size, strikes.length);
  assertEquals(strikes.map(({ id }) => id), strikes.map((_, i) => i + 1));
});

Deno.test("drawStrikes leaves out what the backend cannot do", () => {
  check(fc.property(
    requests.chain((request) =>
      fc.subarray([...ABILITIES]).map((can) => ({ ...request, can: new Set(can) }))
    ),
    (request) => {
      const strikes = drawnIfAny(request);
      for (const { kind } of strikes) {
        assert(strikeKind(kind).needs.every((ability) => request.can.has(ability)), kind);
      }
    },
  ));
});

Deno.test("drawStrikes refuses a nemesis of which the backend can do nothing, and a cluster of one", () => {
  const request = { nemesis: "clock", seed: 1, windowMs: 1_000, replicas: 3, can: CAN } as const;
  const unable = assertThrows(() => drawStrikes({ ...request, can: new Set(["kill"]) }), CliError);
  assertEquals(unable.code, "E_PREFLIGHT");
  const alone = assertThrows(() => drawStrikes({ ...request, replicas: 1 }), CliError);
  assertEquals(alone.code, "E_PREFLIGHT");
});

function drawnIfAny(request: StrikeRequest): ReturnType<typeof drawStrikes> {
  try {
    return drawStrikes(request);
  } catch (error) {
    if (error instanceof CliError && error.code === "E_PREFLIGHT") return [];
    throw error;
  }
}

function kindsOf(strikes: ReturnType<typeof drawStrikes>): ReadonlySet<StrikeName> {
  return new Set(strikes.map(({ kind }) => kind));
}
