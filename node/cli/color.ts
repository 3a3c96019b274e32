/** Whether to colour. Source: no-color.org, force-color.org. */
import { CliError } from "../errors.ts";
import type { CliIo, TextSink } from "./io.ts";
import { quote } from "./text.ts";

/** Names for `--color`. */
export const COLOR_CHOICES = ["auto", "always", "never"] as const;

/**
 * Whether a stream gets colours: as `--color` says, else as the environment says, else when it is a terminal.
 *
 * @param io For the environment.
 * @param sink The stream.
 * @param choice `--color`, if given.
 */
export function wantsColor(io: CliIo, sink: TextSink, choice: string | undefined): boolean {
  switch (choice) {
    case "always":
      return true;
    case "never":
      return false;
    case undefined:
    case "auto":
      return wantsColorUnasked(io, sink);
    default:
      throw new CliError("E_USAGE", `--color ${quote(choice)} is not auto, always or never`);
  }
}

function wantsColorUnasked(io: CliIo, sink: TextSink): boolean {
  if (io.env("NO_COLOR")) return false;
  const force = io.env("FORCE_COLOR");
  if (force) return force !== "0";
  return sink.isTerminal && io.env("TERM") !== "dumb";
}
