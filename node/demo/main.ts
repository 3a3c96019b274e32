/** `allocdb demo`: a ticket sale on a real server, a kill -9 in the middle, and a proof at the end. */
import picocolors from "picocolors";
import { type CliIo, processIo } from "../cli/io.ts";
import type { DemoOptions } from "../cli/options.ts";
import { CliError } from "../errors.ts";
import { type Program, selfProgram } from "../process_self.ts";
import { Audience } from "./audience.ts";
import { drawEnding, type Ending, endingDocument, holds } from "./ending.ts";
import { type Colors, frameHeight } from "./picture.ts";
import { type Finding, prove } from "./proof.ts";
import { makeSeats, Sale } from "./sale.ts";
import { DemoServer } from "./server.ts";
import { LiveStage, PlainStage, SILENT_STAGE, type Stage } from "./stage.ts";
import { Story } from "./story.ts";

/** In fewer columns no picture is worth looking at. */
const COLUMNS_MIN = 50;

/**
 * Runs the demo. Its directory and its server are gone afterwards, however it ends.
 *
 * @param options Checked flags.
 * @param io The outside.
 * @param program What to start as the server.
 * @throws {CliError} E_CHECK_FAILED when the proof does not hold, E_INTERRUPTED on Ctrl-C.
 * @throws {OutputClosed} When nobody reads what it prints any more.
 */
export async function runDemo(
  options: DemoOptions,
  io: CliIo = processIo(),
  program: Program = selfProgram(),
): Promise<void> {
  const audience = new Audience(io);
  const data = makeDirectory();
  let isKept = false;
  try {
    const ending = await perform(options, audience, program, data);
    isKept = options.keep;
    show(ending, audience);
    if (!holds(ending.findings)) throw disproved(options.seed);
  } catch (error) {
    throw audience.hasLeft.aborted ? audience.hasLeft.reason : error;
  } finally {
    if (!isKept) Deno.removeSync(data, { recursive: true });
  }
}

async function perform(
  options: DemoOptions,
  audience: Audience,
  program: Program,
  data: string,
): Promise<Ending> {
  const stage = stageFor(options, audience);
  const story = new Story(options.seats, audience.nowMs, (scene) => stage.scene(scene));
  let server: DemoServer | undefined;
  try {
    stage.open(story);
    server = await DemoServer.start(program, data);
    const findings = await play(server, story, options, audience.hasLeft);
    story.server = "stopped";
    return { story, findings, options, keptData: options.keep ? data : undefined };
  } finally {
    await server?.stop();
    stage.close();
  }
}

/** From the first seat to the proof. */
async function play(
  server: DemoServer,
  story: Story,
  options: DemoOptions,
  hasLeft: AbortSignal,
): Promise<readonly Finding[]> {
  await using client = await server.connect();
  story.pid = server.pid;
  story.server = "serving";
  await makeSeats(client, story);
  story.tell(`server ${server.pid} has ${options.seats} seats`);
  const { buyers, seed, fast } = options;
  await new Sale(server, story, { buyers, seed, fast, interruption: hasLeft }).run();
  hasLeft.throwIfAborted();
  story.tell("the sale is over; now the buyers' books against the server");
  return await prove(client, story.hall, story.ledger);
}

function stageFor(options: DemoOptions, audience: Audience): Stage {
  if (options.json) return SILENT_STAGE;
  const colors = picocolors.createColors(options.color);
  if (options.color && !options.fast && fits(options, audience, colors)) {
    return new LiveStage(audience, colors);
  }
  return new PlainStage(audience, colors);
}

/** Whether the picture has room: one that scrolls cannot be drawn again in its place. */
function fits(options: DemoOptions, audience: Audience, colors: Colors): boolean {
  const size = audience.terminalSize();
  if (size === undefined) return false;
  const empty = new Story(options.seats, audience.nowMs, () => {});
  return frameHeight(empty, colors, size.columns) < size.rows && size.columns >= COLUMNS_MIN;
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
