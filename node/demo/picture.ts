/** The story as a picture: lines of text for a terminal, no matter which. Pure. */
import type picocolors from "picocolors";
import type { SeatState } from "./hall.ts";
import type { Plight, Scene, Story } from "./story.ts";

/** Paints, or does not. */
export type Colors = ReturnType<typeof picocolors.createColors>;

const SEAT: Readonly<Record<SeatState, string>> = { free: "·", held: "o", sold: "■" };
const SCENES_SHOWN = 7;
const GAP = "   ";

/**
 * One frame.
 *
 * @param story What is shown.
 * @param colors How.
 * @param columns Width of the terminal.
 * @returns Lines without line feeds, none wider than that.
 */
export function drawFrame(story: Story, colors: Colors, columns: number): string[] {
  const rows = drawHall(story, colors);
  const panel = drawPanel(story, colors);
  const hallWidth = 4 + story.hall.seatsPerRow * 2;
  const isWide = columns >= hallWidth + GAP.length + PANEL_WIDTH;
  const body = isWide ? beside(rows, panel) : [...rows, "", ...panel];
  const scenes = drawScenes(story.scenes, colors);
  const title = [drawTitle(story, colors), drawReplicas(story, colors)];
  const lines = [...title, "", ...body, "", ...scenes];
  return lines.map((line) => cutTo(line, columns));
}

/** Lines of the tallest frame of a story. */
export function frameHeight(story: Story, colors: Colors, columns: number): number {
  const height = drawFrame(story, colors, columns).length;
  return height + SCENES_SHOWN - Math.min(story.scenes.length, SCENES_SHOWN);
}

/** Time, and what happened. */
export function drawScene({ atMs, text, tone }: Scene, colors: Colors): string {
  const time = colors.dim(`${(atMs / 1_000).toFixed(1).padStart(5)} s`);
  const paint = { plain: (t: string) => t, good: colors.green, bad: colors.red }[tone];
  return `${time}  ${paint(text)}`;
}

/** One line of figures, for where there is no picture. */
export function drawProgress({ hall, ledger }: Story): string {
  return `sold ${hall.count("sold")}, held ${hall.count("held")}, free ${hall.count("free")}, ` +
    `lost races ${ledger.counters.lostRaces}, waiting ${ledger.inFlight}`;
}

function drawTitle(story: Story, colors: Colors): string {
  const seconds = `${(story.elapsedMs / 1_000).toFixed(1)} s`;
  return `${colors.bold("  AllocDB ticket sale")}  ${colors.dim(seconds)}`;
}

function drawReplicas({ replicas }: Story, colors: Colors): string {
  const paint: Record<Plight, (text: string) => string> = {
    starting: colors.yellow,
    primary: (text) => colors.bold(colors.green(text)),
    backup: colors.green,
    "catching up": colors.yellow,
    killed: (text) => colors.bgRed(colors.white(text)),
    "cut off": colors.red,
    stopped: colors.dim,
  };
  const drawn = [...replicas].map(([id, plight]) => `${id} ${paint[plight](plight)}`);
  return `  replicas: ${drawn.join(" | ")}`;
}

function drawHall({ hall }: Story, colors: Colors): string[] {
  const paint: Record<SeatState, (text: string) => string> = {
    free: colors.dim,
    held: colors.yellow,
    sold: colors.green,
  };
  return hall.rows().map(({ letter, seats }) => {
    const drawn = seats.map(({ state }) => paint[state](SEAT[state])).join(" ");
    return `  ${letter} ${drawn}${"  ".repeat(hall.seatsPerRow - seats.length)}`;
  });
}

const LABEL_WIDTH = 13;
const PANEL_WIDTH = LABEL_WIDTH + 7;

function drawPanel({ hall, ledger }: Story, colors: Colors): string[] {
  const { counters } = ledger;
  const line = (label: string, value: number, mark = " "): string =>
    `${mark} ${label.padEnd(LABEL_WIDTH)}${String(value).padStart(5)}`;
  return [
    line("sold", hall.count("sold"), colors.green(SEAT.sold)),
    line("held", hall.count("held"), colors.yellow(SEAT.held)),
    line("free", hall.count("free"), colors.dim(SEAT.free)),
    "",
    line("lost races", counters.lostRaces),
    line("walked away", counters.walkedAway),
    line("given back", counters.givenBack),
    line("bundles", counters.bundlesSold),
    line("waiting", ledger.inFlight),
  ];
}

/** Two blocks side by side; the left one's lines are all equally wide on the screen. */
function beside(left: readonly string[], right: readonly string[]): string[] {
  const height = Math.max(left.length, right.length);
  const blank = left.length === 0 ? "" : " ".repeat(visibleWidth(left[0]!));
  return Array.from(
    { length: height },
    (_, i) => `${left[i] ?? blank}${GAP}${right[i] ?? ""}`.trimEnd(),
  );
}

function drawScenes(scenes: readonly Scene[], colors: Colors): string[] {
  return scenes.slice(-SCENES_SHOWN).map((scene) => drawScene(scene, colors));
}

// deno-lint-ignore no-control-regex
const ESCAPES = /(\x1b\[[0-9;]*m)/;

/** Characters that take room. */
export function visibleWidth(text: string): number {
  return text.split(ESCAPES).filter((_, i) => i % 2 === 0).join("").length;
}

/** The text up to a width, with all its colours, so that none of them goes on behind it. */
export function cutTo(text: string, columns: number): string {
  let left = columns;
  return text.split(ESCAPES).map((part, i) => {
    if (i % 2 === 1) return part;
    const kept = part.slice(0, left);
    left -= kept.length;
    return kept;
  }).join("");
}
