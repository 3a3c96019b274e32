/** One run of a real cluster of some sources, and what the judge of this very tree made of it. */
import { join } from "@std/path";
import { ROOT } from "../plant.ts";
import type { Torture } from "./real_mutant.ts";

/** What a run came to. */
export interface Judged {
  /** How the command ended: 0 when the gate is passed. */
  readonly code: number;
  readonly verdict: string;
  /** Names of the checks that failed. */
  readonly failed: readonly string[];
  /** The first violation, for people. */
  readonly sentence: string;
  readonly seconds: number;
}

/** Where things are. */
export interface Places {
  /** The sources under test. */
  readonly sources: string;
  /** Directory for what the run leaves behind. */
  readonly out: string;
  readonly seed: number;
}

/** Start, window, settling and judging of a run together; only one that hangs takes longer. */
const SLACK_MS = 420_000;

interface Report {
  readonly verdict: string;
  readonly checks: readonly {
    readonly name: string;
    readonly verdict: string;
    readonly violations: readonly { readonly sentence: string }[];
  }[];
}

/**
 * Runs and judges.
 *
 * @throws {Error} When the run ended without a judgement.
 */
export async function judgeRun(torture: Torture, places: Places): Promise<Judged> {
  const before = await namesIn(places.out);
  const begin = performance.now();
  const run = ["run", "--allow-all", "--no-check", "--quiet", join(ROOT, "cli.ts")];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...run, ...argsOf(torture, places)],
    cwd: ROOT,
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
    signal: AbortSignal.timeout(torture.windowSecs * 1_000 + SLACK_MS),
  }).output();
  const seconds = (performance.now() - begin) / 1_000;
  const report = await reportIn(places.out, before);
  if (report === undefined) {
    const text = new TextDecoder();
    const words = `${text.decode(stdout)}${text.decode(stderr)}`.slice(-2_000);
    throw new Error(`code ${code} and no report: ${words}`);
  }
  const failed = report.checks.filter(({ verdict }) => verdict === "fail");
  const sentence = failed[0]?.violations[0]?.sentence ?? "";
  const names = failed.map(({ name }) => name);
  return { code, verdict: report.verdict, failed: names, sentence, seconds };
}

function argsOf(
  { workload, nemesis, windowSecs }: Torture,
  { sources, out, seed }: Places,
): string[] {
  const length = nemesis === "none" ? "--control-time" : "--window";
  return [
    ...["jepsen", "run", "--workload", workload, "--nemesis", nemesis],
    ...[length, `${windowSecs}s`, "--seed", `${seed}`],
    ...["--program", sources, "--output-root", out, "--json"],
  ];
}

/** That of the one bundle below a directory that was not there before. */
async function reportIn(out: string, before: readonly string[]): Promise<Report | undefined> {
  for (const name of await namesIn(out)) {
    if (before.includes(name)) continue;
    try {
      return JSON.parse(await Deno.readTextFile(join(out, name, "report.json")));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

/** Directories. */
async function namesIn(out: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(out));
  return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
}
