/** Where the story is shown: a live picture on a terminal, plain lines elsewhere, nothing until the end for JSON. */
import picocolors from "picocolors";
import type { DemoOptions } from "../cli/options.ts";
import type { Audience } from "./audience.ts";
import { type Colors, drawFrame, drawProgress, drawScene, frameHeight } from "./picture.ts";
import { type Scene, Story } from "./story.ts";

/** Shows a story while it goes on. */
export interface Stage {
  /** Called for each new line of the story. */
  scene(scene: Scene): void;
  /** Begins to show it. */
  open(story: Story): void;
  /** Shows the last state and leaves the terminal as it was found. */
  close(): void;
}

/** In fewer columns no picture is worth looking at. */
const COLUMNS_MIN = 50;
const FRAME_MS = 70;
const PROGRESS_MS = 1_000;
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** Redraws a picture in place. */
export class LiveStage implements Stage {
  readonly #audience: Audience;
  readonly #colors: Colors;
  #story: Story | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lines = 0;

  constructor(audience: Audience, colors: Colors) {
    this.#audience = audience;
    this.#colors = colors;
  }

  scene(): void {}

  open(story: Story): void {
    this.#story = story;
    this.#audience.write(HIDE_CURSOR);
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  close(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#draw();
    this.#audience.write(`${SHOW_CURSOR}\n`);
  }

  #draw(): void {
    const columns = this.#audience.columns();
    const lines = drawFrame(this.#story!, this.#colors, columns);
    const up = this.#lines === 0 ? "" : `\x1b[${this.#lines}A`;
    const text = lines.map((line) => `${line}${CLEAR_LINE}\n`).join("");
    this.#audience.write(`\r${up}${text}${CLEAR_BELOW}`);
    this.#lines = lines.length;
  }
}

/** Prints the story line by line, with figures in between. */
export class PlainStage implements Stage {
  readonly #audience: Audience;
  readonly #colors: Colors;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(audience: Audience, colors: Colors) {
    this.#audience = audience;
    this.#colors = colors;
  }

  scene(scene: Scene): void {
    this.#audience.write(`${drawScene(scene, this.#colors)}\n`);
  }

  open(story: Story): void {
    let last = "";
    this.#timer = setInterval(() => {
      const text = drawProgress(story);
      const hasBegun = story.ledger.claims.length > 0;
      if (hasBegun && text !== last) this.scene({ atMs: story.elapsedMs, text, tone: "plain" });
      last = text;
    }, PROGRESS_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Shows nothing. */
export const SILENT_STAGE: Stage = { scene() {}, open() {}, close() {} };

/** Picks what suits the audience. */
export function stageFor(options: DemoOptions, audience: Audience): Stage {
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
