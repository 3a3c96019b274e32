/** Plays protocol scripts: commands against a cluster in virtual time, what happens beside what was expected. */
import type { OpenSubject } from "../world/subject.ts";
import { ClusterViolation } from "../world/world.ts";
import { unifiedDiff } from "./diff.ts";
import { parseScript, rewritten, type Script } from "./script.ts";
import { Stage } from "./stage.ts";
import { checkCommand, CLUSTER, clusterOf, VERBS } from "./verbs.ts";
import { ScriptError, type Words } from "./words.ts";

/** How a script went. */
export interface ScriptRun {
  /** What it shows; empty when it cannot be read. */
  readonly title: string;
  /** Whether it went as expected and broke no promise. */
  readonly ok: boolean;
  /** The script with what really happened in it: what `--update` writes. The same text when it cannot be played. */
  readonly output: string;
  /** How the two differ, as a unified diff; empty when they do not. */
  readonly differences: string;
  /** `FILE:LINE: what`: a line that cannot be read, a fact that does not hold, a promise that is broken. */
  readonly failure: string | undefined;
}

/** How to play a script. */
export interface ScriptOptions {
  /** What it is called in messages. */
  readonly name?: string;
  /** What chance is drawn from unless the script says so. */
  readonly seed?: number;
  /** Opens replicas with something broken: for proving that scripts notice. */
  readonly open?: OpenSubject;
}

/** What came of a script up to where it went. */
interface Played {
  /** By block. */
  readonly said: readonly (readonly string[])[];
  readonly failure: string | undefined;
}

/**
 * Plays a script. The same script and seed always go the same way.
 *
 * @param text The script.
 * @param options How to play it.
 * @returns How it went.
 */
export function runScript(text: string, options: ScriptOptions = {}): ScriptRun {
  const { name = "script" } = options;
  const script = attemptTo(name, () => checked(parseScript(text)));
  if (typeof script === "string") {
    return { title: "", ok: false, output: text, differences: "", failure: script };
  }
  const { said, failure } = play(script, name, options);
  const output = rewritten(script, said);
  const differences = unifiedDiff(text, output, name);
  const ok = failure === undefined && differences === "";
  return { title: script.title, ok, output, differences, failure };
}

function checked(script: Script): Script {
  const [first, ...rest] = script.blocks.flatMap(({ commands }) => commands);
  if (first!.verb !== "cluster") first!.fail(`a script begins with ${CLUSTER.form}`);
  for (const words of [first!, ...rest]) checkCommand(words);
  for (const words of rest) if (words.verb === "cluster") words.fail("a script has one cluster");
  return script;
}

function play(script: Script, name: string, options: ScriptOptions): Played {
  const said: string[][] = [];
  const stages: Stage[] = [];
  for (const { commands } of script.blocks) {
    const lines: string[] = [];
    said.push(lines);
    for (const words of commands) {
      const failure = attemptTo(name, () => perform(stages, said, words, options), words.line);
      if (typeof failure === "string") return { said: kept(script, said), failure };
    }
  }
  const last = script.lines.length;
  const failure = attemptTo(name, () => finish(stages[0]!), last);
  return { said, failure: typeof failure === "string" ? failure : undefined };
}

/** The first command makes the stage, all others play on it; late answers belong to the block that runs. */
function perform(
  stages: Stage[],
  said: readonly string[][],
  words: Words,
  { seed = 1, open }: ScriptOptions,
): void {
  const [stage] = stages;
  if (stage !== undefined) return VERBS[words.verb]!.run(stage, words);
  const chosen = { ...clusterOf(words, seed), ...(open === undefined ? {} : { open }) };
  stages.push(new Stage(chosen, (text) => void said.at(-1)!.push(text)));
}

/** However a script leaves its cluster: it must come to rest. */
function finish(stage: Stage): void {
  stage.isOver = true;
  stage.settle();
}

/** Where a script could not go on, what it expects stays as it is. */
function kept(script: Script, said: readonly string[][]): readonly (readonly string[])[] {
  return script.blocks.map(({ expected }, i) => i < said.length ? said[i]! : expected);
}

/** What an attempt came to, or how it failed. Everything that is not a failure of a script is thrown on. */
function attemptTo<T>(name: string, attempt: () => T, line = 0): T | string {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof ScriptError) return `${name}:${error.line}: ${error.message}`;
    if (error instanceof ClusterViolation) return `${name}:${line}: ${error.message}`;
    throw error;
  }
}
