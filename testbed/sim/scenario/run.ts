/** Plays protocol scripts: commands against a cluster in virtual time, what happens beside what was expected. */
import type { OpenSubject } from "../world/subject.ts";
import { ClusterViolation } from "../world/violation.ts";
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

/** Why a script could not go on. */
interface Failure {
  /** `FILE:LINE: what`. */
  readonly text: string;
  /** Whether the cluster is to blame and not the script. */
  readonly isViolation: boolean;
}

/** What came of a script up to where it went. */
interface Played {
  /** By block. */
  readonly said: readonly (readonly string[])[];
  readonly failure: Failure | undefined;
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
  const read = caught(name, 0, () => checked(parseScript(text)));
  if (read.failure !== undefined) {
    return { title: "", ok: false, output: text, differences: "", failure: read.failure.text };
  }
  const { said, failure } = playOut(read.value, options);
  const output = rewritten(read.value, said);
  const differences = unifiedDiff(text, output, name);
  const ok = failure === undefined && differences === "";
  return { title: read.value.title, ok, output, differences, failure: failure?.text };
}

function checked(script: Script): Script {
  const [first, ...rest] = script.blocks.flatMap(({ commands }) => commands);
  if (first!.verb !== "cluster") first!.fail(`a script begins with ${CLUSTER.form}`);
  for (const words of [first!, ...rest]) checkCommand(words);
  for (const words of rest) if (words.verb === "cluster") words.fail("a script has one cluster");
  return script;
}

/** A promise that was broken is broken again, with everything that led to it in words. */
function playOut(script: Script, options: ScriptOptions): Played {
  const played = play(script, options, false);
  return played.failure?.isViolation === true ? play(script, options, true) : played;
}

function play(script: Script, options: ScriptOptions, isTraced: boolean): Played {
  const { name = "script" } = options;
  const said: string[][] = [];
  const stages: Stage[] = [];
  for (const { commands } of script.blocks) {
    said.push([]);
    for (const words of commands) {
      const act = (): void => perform(stages, said, words, options, isTraced);
      const { failure } = caught(name, words.line, act);
      if (failure !== undefined) return { said: kept(script, said), failure };
    }
  }
  const { failure } = caught(name, script.lines.length, () => stages[0]!.settle());
  return { said, failure };
}

/** The first command makes the stage, all others play on it; late answers belong to the block that runs. */
function perform(
  stages: Stage[],
  said: readonly string[][],
  words: Words,
  { seed = 1, open }: ScriptOptions,
  isTraced: boolean,
): void {
  const [stage] = stages;
  if (stage !== undefined) return VERBS[words.verb]!.run(stage, words);
  const cluster = { ...clusterOf(words, seed), isTraced, ...(open === undefined ? {} : { open }) };
  stages.push(new Stage(cluster, (text) => void said.at(-1)!.push(text)));
}

/** Where a script could not go on, what it expects stays as it is. */
function kept(script: Script, said: readonly string[][]): readonly (readonly string[])[] {
  return script.blocks.map(({ expected }, i) => i < said.length ? said[i]! : expected);
}

/** What an attempt comes to, or why it fails. What is neither the script's nor the cluster's fault is thrown on. */
function caught<T>(
  name: string,
  line: number,
  attempt: () => T,
): { readonly value: T; readonly failure: undefined } | { readonly failure: Failure } {
  try {
    return { value: attempt(), failure: undefined };
  } catch (error) {
    const isViolation = error instanceof ClusterViolation;
    if (!isViolation && !(error instanceof ScriptError)) throw error;
    const place = error instanceof ScriptError ? error.line : line;
    return { failure: { text: `${name}:${place}: ${error.message}`, isViolation } };
  }
}
