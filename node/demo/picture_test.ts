// What the demo draws must stay in its place: no line wider than the terminal, no frame taller than announced,
// and not one escape byte where colours are off.
import { assert, assertEquals } from "@std/assert";
import picocolors from "picocolors";
import { Hall } from "./hall.ts";
import { cutTo, drawFrame, frameHeight, visibleWidth } from "./picture.ts";
import { Story } from "./story.ts";

const PLAIN = picocolors.createColors(false);
const COLOURED = picocolors.createColors(true);

function storyOf(seats: number, scenes: number): Story {
  let now = 0;
  const story = new Story(seats, () => now += 10, () => {});
  for (const [i, seat] of story.hall.seats.entries()) {
    seat.state = (["free", "held", "sold"] as const)[i % 3]!;
  }
  const plights = ["killed", "primary", "catching up"] as const;
  for (const [i, plight] of plights.entries()) story.replicas.set(BigInt(i + 1), plight);
  for (let i = 0; i < scenes; i++) story.tell(`scene ${i} `.repeat(12), "good");
  return story;
}

Deno.test("drawFrame() keeps to the width it is given, with and without colours", () => {
  for (const seats of [1, 20, 199, 1_000]) {
    for (const columns of [50, 80, 200]) {
      const plain = drawFrame(storyOf(seats, 5), PLAIN, columns);
      const coloured = drawFrame(storyOf(seats, 5), COLOURED, columns);
      // deno-lint-ignore no-control-regex
      assertEquals(coloured.map((line) => line.replace(/\x1b\[[0-9;]*m/g, "")), plain);
      for (const line of plain) assert(line.length <= columns, line);
    }
  }
});

Deno.test("drawFrame() has no escape byte without colours", () => {
  assertEquals(drawFrame(storyOf(200, 9), PLAIN, 80).join("\n").includes("\x1b"), false);
});

Deno.test("frameHeight() is the height of the frame in the end, from the beginning on", () => {
  for (const columns of [50, 120]) {
    const height = frameHeight(storyOf(200, 0), PLAIN, columns);
    for (const scenes of [7, 8, 30]) {
      assertEquals(drawFrame(storyOf(200, scenes), PLAIN, columns).length, height);
    }
  }
});

Deno.test("drawFrame() shows every seat once, row by row", () => {
  const lines = drawFrame(storyOf(50, 0), PLAIN, 50);
  const drawn = lines.filter((line) => /^ {2}[A-Z] /.test(line)).join("").match(/[·o■]/g);
  assertEquals(drawn?.length, 50);
});

Deno.test("drawFrame() says of every replica how it is", () => {
  const [, line] = drawFrame(storyOf(20, 0), PLAIN, 80);
  assertEquals(line, "  replicas: 1 killed | 2 primary | 3 catching up");
});

Deno.test("cutTo() cuts what is seen and keeps every colour, so that none goes on", () => {
  const text = `${COLOURED.red("abc")}def${COLOURED.green("ghi")}`;
  for (let columns = 0; columns < 12; columns++) {
    const cut = cutTo(text, columns);
    assertEquals(visibleWidth(cut), Math.min(columns, 9));
    assert(cut.endsWith(cut.includes("\x1b") ? "\x1b[39m" : ""));
  }
});

Deno.test("Hall names seats by row and finds neighbours that are free and in the same row", () => {
  const hall = new Hall(45);
  const names = (count: number, from: number): string[] =>
    hall.neighbours(hall.seats[from]!, count).map(({ name }) => name);
  assertEquals(hall.seats.slice(18, 22).map(({ name }) => name), ["A19", "A20", "B1", "B2"]);
  assertEquals(names(4, 17), ["A18", "A19", "A20"], "a row ends");
  assertEquals(names(4, 43), ["C4", "C5"], "so does the hall");
  hall.seats[3]!.state = "held";
  assertEquals(names(4, 1), ["A2", "A3"]);
  assertEquals(new Set(hall.seats.map(({ resourceId }) => resourceId)).size, 45);
});

Deno.test("Hall has letters for as many rows as the demo may have", () => {
  const last = new Hall(1_000).seats.at(-1)!;
  assertEquals(last.name, "Y40");
});
