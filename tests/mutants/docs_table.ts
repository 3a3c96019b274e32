/** Tables of docs/testing.md, for whoever compares them with a catalogue. */
import { join } from "@std/path";
import { ROOT } from "./plant.ts";

/** Cells of the rows that begin with a name, between a heading and the next one. */
export async function tableOf(heading: string): Promise<string[][]> {
  const text = await Deno.readTextFile(join(ROOT, "docs/testing.md"));
  const section = text.split(`## ${heading}\n`, 2)[1]!.split("\n## ", 1)[0]!;
  return section.split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}
