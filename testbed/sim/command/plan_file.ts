/**
 * Plans from outside. A plan decides how much memory a life takes and how long it lasts, so every number has its
 * bounds here, and a name that nobody knows is refused: it would be a wish that is not heard.
 */
import * as v from "valibot";
import { checkCoreConfig, U64_MAX } from "../../../core/config.ts";
import { printable } from "../../../node/cli/text.ts";
import { CliError } from "../../../node/errors.ts";
import { checkTiming } from "../../../node/vsr/timing.ts";
import { coreOfPlan, type Plan, PROFILES } from "../life/plan.ts";
import { FATES } from "../nemesis/fates.ts";
import { FAULTS } from "../nemesis/strike.ts";
import { SINGLE_FAULTS, type SinglePlan } from "../single/plan.ts";
import { ACTIONS } from "../workload/plan.ts";
import type { SimPlan } from "./sim_life.ts";

/** Longest plan, in bytes. */
export const PLAN_BYTES_MAX = 1024 * 1024;

/** A day of virtual time. */
const MS_MAX = 86_400_000;
const REPLICAS_MAX = 9;
const STRIKES_MAX = 10_000;
/** Rows of a table: a world has a table of each kind for every replica. */
const ROWS_MAX = 100_000;
const BYTES_MAX = 64 * 1024 * 1024;

function whole(min: number, max: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
}

function real(min: number, max: number) {
  return v.pipe(v.number(), v.finite(), v.minValue(min), v.maxValue(max));
}

const U32 = whole(0, 0xffff_ffff);
const OneIn = whole(0, 1_000_000);
const U64Text = v.pipe(
  v.string(),
  v.regex(/^(0|[1-9][0-9]{0,18})$/, "a whole number of at most 19 digits, as text"),
);

const SegmentBytes = v.pipe(
  whole(1_024, BYTES_MAX),
  v.multipleOf(512, "a multiple of 512 is needed"),
);

const Core = v.strictObject({
  shardId: U64Text,
  maxResources: whole(1, ROWS_MAX),
  maxReservations: whole(1, ROWS_MAX),
  maxOperations: whole(1, ROWS_MAX),
  maxBundleSize: whole(1, 0xffff),
  maxTtlSlots: U64Text,
  maxExpirationBucketLen: whole(1, ROWS_MAX),
  reservationHistoryWindowSlots: U64Text,
  maxClientRetryWindowSlots: U64Text,
  slotDurationMs: whole(1, 60_000),
});

const Engine = v.strictObject({
  maxSubmissionQueue: whole(1, ROWS_MAX),
  maxCommandBytes: whole(1, 1024 * 1024),
  maxExpirationsPerTick: whole(1, ROWS_MAX),
});

const Timing = v.strictObject({
  heartbeatMs: real(1, MS_MAX),
  electionMsMin: real(1, MS_MAX),
  electionMsMax: real(1, MS_MAX),
  leaseMs: real(0, MS_MAX),
  messageBytesMax: whole(1, BYTES_MAX),
  windowBytes: whole(1, BYTES_MAX),
  catchUpMessageBytesMax: whole(1, BYTES_MAX),
  catchUpWindowBytes: whole(1, BYTES_MAX),
});

const Weather = v.strictObject({
  delayMsMin: real(0, MS_MAX),
  delayMsMax: real(0, MS_MAX),
  dropOneIn: OneIn,
  duplicateOneIn: OneIn,
  reorderOneIn: OneIn,
  spikeOneIn: OneIn,
  spikeMs: whole(0, MS_MAX),
});

const World = v.strictObject({
  replicas: whole(1, REPLICAS_MAX),
  core: Core,
  engine: Engine,
  timing: Timing,
  weather: Weather,
  clocks: v.pipe(
    v.array(v.strictObject({ rate: real(0.1, 10), offsetMs: real(0, 1e12) })),
    v.maxLength(REPLICAS_MAX),
  ),
  checkpoints: v.nullable(v.strictObject({
    bytes: whole(1, Number.MAX_SAFE_INTEGER),
    frames: whole(1, Number.MAX_SAFE_INTEGER),
    ageMs: whole(1, Number.MAX_SAFE_INTEGER),
  })),
  segmentBytes: SegmentBytes,
  manualFailover: v.boolean(),
  parallelDisks: v.optional(v.boolean(), false),
});

const Workload = v.strictObject({
  clients: whole(0, 1_000),
  pinnedReaders: whole(0, 1_000),
  inFlightMax: whole(1, 1_000),
  batchMax: whole(1, 1_000),
  thinkMs: whole(1, MS_MAX),
  weights: v.strictObject(v.entriesFromList(ACTIONS, whole(0, 1_000_000))),
  resources: whole(1, ROWS_MAX),
  skew: real(0, 100),
  holders: whole(1, ROWS_MAX),
  impostorOneIn: OneIn,
  heldMax: whole(1, ROWS_MAX),
  ttlSlotsMin: whole(1, ROWS_MAX),
  ttlSlotsMax: whole(1, ROWS_MAX),
  bundleMax: whole(1, 0xffff),
  timeoutMs: whole(1, MS_MAX),
  backoffMs: whole(1, MS_MAX),
  attemptsMax: whole(0, 1_000_000),
  strayOneIn: OneIn,
  fenceOneIn: OneIn,
  fenceTooHighOneIn: OneIn,
});

const StrikeSchema = v.strictObject({
  atMs: real(0, MS_MAX),
  fault: v.picklist(FAULTS),
  seed: U32,
  forMs: real(0, MS_MAX),
});

const Positions = v.pipe(v.array(whole(0, REPLICAS_MAX - 1)), v.maxLength(REPLICAS_MAX));

const FateSchema = v.strictObject({
  replica: whole(0, REPLICAS_MAX - 1),
  fate: v.picklist(FATES),
  seed: U32,
});

const PlanSchema = v.strictObject({
  seed: U32,
  profile: v.picklist(PROFILES),
  world: World,
  workload: Workload,
  troubleMs: real(0, MS_MAX),
  victims: Positions,
  ending: v.strictObject({
    core: Positions,
    fates: v.pipe(v.array(FateSchema), v.maxLength(REPLICAS_MAX)),
  }),
  strikes: v.pipe(v.array(StrikeSchema), v.maxLength(STRIKES_MAX)),
});

const SingleSchema = v.strictObject({
  seed: U32,
  profile: v.literal("single"),
  core: Core,
  engine: Engine,
  segmentBytes: SegmentBytes,
  slot: v.pipe(
    v.string(),
    v.regex(/^(0|[1-9][0-9]{0,19})$/),
    v.check(isU64, "does not fit 64 bits"),
  ),
  isClocked: v.boolean(),
  ownSlots: v.optional(v.boolean(), false),
  diskMs: v.strictTuple([real(0, MS_MAX), real(0, MS_MAX)]),
  steps: whole(0, 100_000),
  strikes: v.pipe(
    v.array(v.strictObject({
      atStep: whole(0, 100_000),
      fault: v.picklist(SINGLE_FAULTS),
      seed: U32,
    })),
    v.maxLength(STRIKES_MAX),
  ),
});

function isU64(text: string): boolean {
  return BigInt(text) <= U64_MAX;
}

/** Told apart by their profile. */
const AnySchema = v.variant("profile", [SingleSchema, PlanSchema]);

/**
 * Reads a plan.
 *
 * @param text As a failure leaves it behind.
 * @param where For the message: which file.
 * @returns A plan that can be lived.
 * @throws {CliError} E_BAD_PLAN with the place and what is wrong there.
 */
export function parsePlan(text: string, where: string): SimPlan {
  const result = v.safeParse(AnySchema, parseJson(text, where), { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const place = v.getDotPath(issue) ?? "the whole";
    throw bad(where, `${place}: ${issue.message}`);
  }
  const plan: SimPlan = result.output;
  const problem = plan.profile === "single" ? contradictionInSingle(plan) : contradictionIn(plan);
  if (problem !== undefined) throw bad(where, problem);
  return plan;
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw bad(where, error instanceof Error ? error.message : String(error));
  }
}

/** What no single number shows. */
function contradictionIn({ world, workload, strikes, victims, ending }: Plan): string | undefined {
  const { replicas, clocks, weather } = world;
  if (replicas % 2 === 0) return "world.replicas: an odd number is needed";
  if (clocks.length > 0 && clocks.length !== replicas) {
    return "world.clocks: one for each replica, or none";
  }
  if (weather.delayMsMax < weather.delayMsMin) return "world.weather.delayMsMax: below delayMsMin";
  if (workload.ttlSlotsMax < workload.ttlSlotsMin) return "workload.ttlSlotsMax: below ttlSlotsMin";
  if (strikes.some(({ atMs }, i) => atMs < (strikes[i - 1]?.atMs ?? 0))) {
    return "strikes: not in order";
  }
  if (2 * ending.core.length <= replicas) return "ending.core: no majority";
  const timing = checkTiming(world.timing);
  if (timing !== undefined) return `world.timing: ${timing}`;
  return positionProblem("ending.core", ending.core, replicas) ??
    positionProblem("victims", victims, replicas) ??
    positionProblem("ending.fates", ending.fates.map(({ replica }) => replica), replicas) ??
    checkCoreConfig(coreOfPlan(world.core))?.message;
}

function contradictionInSingle({ core, diskMs, steps, strikes }: SinglePlan): string | undefined {
  if (diskMs[1] < diskMs[0]) return "diskMs: the most is below the least";
  if (strikes.some(({ atStep }, i) => atStep < (strikes[i - 1]?.atStep ?? 0))) {
    return "strikes: not in order";
  }
  if (strikes.some(({ atStep }) => atStep >= steps)) return "strikes: no such step";
  return checkCoreConfig(coreOfPlan(core))?.message;
}

function positionProblem(
  where: string,
  positions: readonly number[],
  replicas: number,
): string | undefined {
  if (new Set(positions).size < positions.length) return `${where}: a replica stands there twice`;
  if (positions.some((index) => index >= replicas)) return `${where}: no such replica`;
  return undefined;
}

function bad(where: string, problem: string): CliError {
  return new CliError("E_BAD_PLAN", `${where} is no plan: ${printable(problem).slice(0, 300)}`);
}
