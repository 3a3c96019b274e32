/** The other end of a crew: seeds come in, a line each; outcomes go out, a line each. */
import type { CliIo } from "../../../node/cli/io.ts";
import { formatOutcome, type Outcome } from "./outcome.ts";

/** Longest line with a seed, in characters. */
const SEED_CHARS_MAX = 16;

/**
 * Lives what it is told to until its input ends.
 *
 * @param live Lives one life.
 * @param io Where outcomes go.
 * @param input Where seeds come from.
 * @throws {Error} For a line that is no seed: whoever is there is no crew.
 */
export async function serveSeeds(
  live: (seed: number) => Outcome,
  io: Pick<CliIo, "out">,
  input: ReadableStream<Uint8Array> = Deno.stdin.readable,
): Promise<void> {
  let text = "";
  for await (const more of input.pipeThrough(new TextDecoderStream())) {
    text += more;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      if (!/^[0-9]{1,10}$/.test(line)) throw new Error("A worker is told seeds, a line each");
      io.out.write(`${formatOutcome(live(Number(line)))}\n`);
    }
    if (text.length > SEED_CHARS_MAX) throw new Error("A worker is told seeds, a line each");
  }
}
