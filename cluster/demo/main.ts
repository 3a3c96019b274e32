/** `allocdb demo`: a ticket sale on three real replicas, everything that goes wrong with them, and a proof at the end. */
import picocolors from "picocolors";
import { type CliIo, processIo } from "../../node/cli/io.ts";
import { transportFailure } from "../../node/cli/failures.ts";
import type { DemoOptions } from "../../node/cli/options.ts";
import type { AllocDbClient } from "../../node/client/client.ts";
import { TransportError } from "../../node/client/types.ts";
import { Audience } from "../../node/demo/audience.ts";
import { Crowd, makeSeats } from "../../node/demo/crowd.ts";
import {
  type Copy,
  drawEnding,
  type Ending,
  endingDocument,
  holds,
} from "../../node/demo/ending.ts";
import { type Finding, prove } from "../../node/demo/proof.ts";
import { askAgain } from "../../node/demo/retries.ts";
import { type Stage, stageFor } from "../../node/demo/stage.ts";
import { type Plight, Story } from "../../node/demo/story.ts";
import { unlessAborted } from "../../node/demo/waiting.ts";
import { CliError } from "../../node/errors.ts";
import { type Program, selfProgram } from "../../node/process_self.ts";
import type { Observed } from "../runner/observe.ts";
import { compareCopies } from "./copies.ts";
import { OutageMeter, Pulse } from "./outage.ts";
import { playOut } from "./plot.ts";
import { DemoReplicas, endReplicas } from "./replicas.ts";
import { FAST, SLOW } from "./tempo.ts";

/**
 * Runs the demo. Its directory and its replicas are gone afterwards, however it ends.
 *
 * @param options Checked flags.
 * @param io The outside.
 * @param program What to start as a replica.
 * @throws {CliError} E_CHECK_FAILED when the proof does not hold, E_INTERRUPTED on Ctrl-C.
 * @throws {OutputClosed} When nobody reads what it prints any more.
 */
export async function runDemo(
  options: DemoOptions,
  io: CliIo = processIo(),
  program: Program = selfProgram(),
): Promise<void> {
  using audience = new Audience(io);
  const workspace = makeDirectory();
  try {
    const ending = await perform(options, audience, program, workspace);
    show(ending, audience);
    if (!holds(ending.findings)) throw disproved(options.seed);
  } catch (error) {
    if (audience.hasLeft.aborted) throw audience.hasLeft.reason;
    throw error instanceof TransportError ? transportFailure(error, "asked") : error;
  } finally {
    // A demo that failed is worth a look, one that was interrupted is not.
    const isKept = options.keep && !audience.hasLeft.aborted;
    if (!isKept) Deno.removeSync(workspace, { recursive: true });
  }
}

async function perform(
  options: DemoOptions,
  audience: Audience,
  program: Program,
  workspace: string,
): Promise<Ending> {
  const stage: Stage = stageFor(options, audience);
  const story = new Story(options.seats, audience.nowMs, (scene) => stage.scene(scene));
  const { hasLeft } = audience;
  try {
    for (const id of [1n, 2n, 3n]) story.replicas.set(id, "starting");
    stage.open(story);
    story.tell(`three replicas start in ${workspace}`);
    const note = (all: readonly Observed[]): void => notePlights(all, story);
    const replicas = await DemoReplicas.start(workspace, program, hasLeft, note);
    const proof = await play(replicas, story, options, hasLeft);
    return { story, ...proof, options, keptWorkspace: options.keep ? workspace : undefined };
  } finally {
    try {
      await endReplicas(workspace);
      for (const id of story.replicas.keys()) story.replicas.set(id, "stopped");
    } finally {
      stage.close();
    }
  }
}

/** What came out. */
interface Proof {
  readonly findings: readonly Finding[];
  readonly copies: readonly Copy[];
}

/** From the first seat to the proof. */
async function play(
  replicas: DemoReplicas,
  story: Story,
  { seats, buyers, seed, fast }: DemoOptions,
  hasLeft: AbortSignal,
): Promise<Proof> {
  await using client = await replicas.connect();
  await unlessAborted(makeSeats(client, story), hasLeft);
  await introduce(replicas, story, seats);
  const tempo = fast ? FAST : SLOW;
  const meter = new OutageMeter(() => story.elapsedMs);
  await using pulse = new Pulse(
    await replicas.connect(),
    story.hall.seats[0]!.resourceId,
    story.ledger,
    meter,
  );
  story.tell(`the sale opens: ${buyers} buyers rush in`);
  await using crowd = await Crowd.letIn(story, {
    buyers,
    seed,
    holdMs: tempo.holdMs,
    saleMs: tempo.saleMs,
    connect: replicas.connect,
    onAnswer: (answer, address) => meter.note(answer, address),
    interruption: hasLeft,
  });
  await playOut({ replicas, story, crowd, meter, tempo, hasLeft });
  await unlessAborted(pulse.stop(), hasLeft);
  await crowd.close();
  story.tell("the sale is over; now the buyers' books against the replicas");
  return await unlessAborted(proveAll(client, replicas, story), hasLeft);
}

/** The book is held against the cluster, after everything was asked again, and the replicas against each other. */
async function proveAll(
  client: AllocDbClient,
  replicas: DemoReplicas,
  story: Story,
): Promise<Proof> {
  const retries = await askAgain(story.ledger.asked);
  const findings = await prove(client, story.hall, story.ledger);
  const copies = await replicas.copies();
  const equal = compareCopies(copies, replicas.members);
  if (holds([equal])) {
    const { op, digest } = copies[0]!;
    story.tell(`all replicas are at log entry ${op} with digest ${digest}`);
  }
  return { findings: [...findings, retries, equal], copies };
}

async function introduce(replicas: DemoReplicas, story: Story, seats: number): Promise<void> {
  const { replica_id: id, process_id: pid } = await replicas.primary();
  const others = replicas.members.filter((other) => other !== id).join(" and ");
  const lead = `replica ${id} (pid ${pid}) leads, ${others} follow`;
  story.tell(`${lead}; there are ${seats} seats`);
}

/** Takes over what the replicas say of themselves. One that is cut off does not know it. */
function notePlights(all: readonly Observed[], story: Story): void {
  for (const observed of all) {
    const { id } = observed.replica;
    if (story.replicas.get(id) !== "cut off") story.replicas.set(id, plightOf(observed));
  }
}

function plightOf(observed: Observed): Plight {
  if (observed.kind !== "answering") return "killed";
  const { role } = observed.status;
  return role === "primary" || role === "backup" ? role : "catching up";
}

function show(ending: Ending, audience: Audience): void {
  if (ending.options.json) {
    return audience.write(`${JSON.stringify(endingDocument(ending), undefined, 2)}\n`);
  }
  const lines = drawEnding(ending, picocolors.createColors(ending.options.color));
  audience.write(lines.map((line) => `${line}\n`).join(""));
}

function disproved(seed: number): CliError {
  const hint = `this is a bug: run it again with --keep --seed ${seed}`;
  return new CliError("E_CHECK_FAILED", "the proof does not hold", { hint });
}

function makeDirectory(): string {
  try {
    return Deno.makeTempDirSync({ prefix: "allocdb-demo-" });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError("E_IO", `Cannot make a temporary directory: ${message}`, {
      hint: "set TMPDIR to a directory that can be written",
    });
  }
}
