/**
 * What a nemesis will do, drawn up front from a seed. A plan is data: it can be kept beside a history, read, cut down
 * and carried out again. Each strike has a seed of its own, so that taking one out leaves the others as they were.
 */
import { CliError } from "../../../node/errors.ts";
import { partRandom, partSeed, type SeededRandom } from "../../sim/random.ts";
import type { Ability } from "../backend/backend.ts";
import { type NemesisName, strikeKind, type StrikeName, strikesOf } from "./atlas.ts";
import { shuffled } from "./draw.ts";

/** One strike, before it is carried out. JSON-safe. */
export interface Strike {
  /** From 1; keeps its number when others are taken out. */
  readonly id: number;
  readonly kind: StrikeName;
  /** Of everything that is drawn while it is carried out: whom it hits, how, when within its duration. */
  readonly seed: number;
  /** When it begins at the earliest, in milliseconds since the first fault. */
  readonly atMs: number;
  readonly durationMs: number;
}

/** What a plan is drawn from. */
export interface StrikeRequest {
  readonly nemesis: NemesisName;
  /** 32 bits. */
  readonly seed: number;
  /** Strikes fill this long, in milliseconds. */
  readonly windowMs: number;
  /** How many replicas there are. */
  readonly replicas: number;
  /** What the backend can do; strikes that need more are left out. */
  readonly can: ReadonlySet<Ability>;
}

/** How long strikes last, in milliseconds: most are short, now and then one outlasts every timeout and lease. */
const DURATION_MS_MIN = 300;
const DURATION_MS_SPAN = 4_700;
const LONG_MS_MIN = 8_000;
const LONG_MS_SPAN = 12_000;
const LONG_ONE_IN = 8;
/** No strike takes more of the window than this share: work has to go on in between. */
const WINDOW_SHARE = 0.15;
/** Calm between two strikes, in milliseconds. Now and then the next one comes before anybody has settled. */
const GAP_MS_MIN = 1_000;
const GAP_MS_SPAN = 4_000;
const HASTY_MS_MIN = 200;
const HASTY_MS_SPAN = 500;
const HASTY_ONE_IN = 6;
/** No plan has more. */
export const STRIKES_MAX = 100_000;

/**
 * Draws what a nemesis does. The first strike comes at once, the last ends within the window; each kind comes as often
 * as any other, in a drawn order.
 *
 * @throws {CliError} E_PREFLIGHT when the backend can do none of it.
 */
export function drawStrikes(request: StrikeRequest): readonly Strike[] {
  const { nemesis, seed, windowMs } = request;
  if (nemesis === "none") return [];
  const kinds = kindsFor(request);
  const random = partRandom(seed, "nemesis");
  const strikes: Strike[] = [];
  let bag: StrikeName[] = [];
  let atMs = 0;
  while (strikes.length < STRIKES_MAX) {
    if (bag.length === 0) bag = [...shuffled(kinds, random)];
    const durationMs = drawDuration(random, windowMs);
    if (strikes.length > 0 && atMs + durationMs > windowMs) break;
    const id = strikes.length + 1;
    strikes.push({ id, kind: bag.pop()!, seed: partSeed(seed, "strike", id), atMs, durationMs });
    atMs += durationMs + drawGap(random, windowMs);
  }
  return strikes;
}

function kindsFor({ nemesis, replicas, can }: StrikeRequest): readonly StrikeName[] {
  const able = strikesOf(nemesis).filter((name) =>
    strikeKind(name).needs.every((ability) => can.has(ability))
  );
  if (replicas < 3) {
    throw new CliError(
      "E_PREFLIGHT",
      `a nemesis needs at least 3 replicas, and there are ${replicas}`,
    );
  }
  if (able.length > 0) return able;
  throw new CliError("E_PREFLIGHT", `this backend can do nothing of what ${nemesis} needs`, {
    hint: `it can ${[...can].join(", ") || "do nothing"}`,
  });
}

function drawDuration(random: SeededRandom, windowMs: number): number {
  const isLong = random.oneIn(LONG_ONE_IN);
  const [min, span] = isLong ? [LONG_MS_MIN, LONG_MS_SPAN] : [DURATION_MS_MIN, DURATION_MS_SPAN];
  const drawn = min + random.below(span);
  return Math.max(1, Math.min(drawn, Math.floor(windowMs * WINDOW_SHARE)));
}

/** In a short window the calm is short as well. */
function drawGap(random: SeededRandom, windowMs: number): number {
  const isHasty = random.oneIn(HASTY_ONE_IN);
  const [min, span] = isHasty ? [HASTY_MS_MIN, HASTY_MS_SPAN] : [GAP_MS_MIN, GAP_MS_SPAN];
  const drawn = min + random.below(span);
  return Math.max(1, Math.min(drawn, Math.floor(windowMs * WINDOW_SHARE / 2)));
}
