/** One run of a real cluster with a planted bug, and what the judge made of it. */
import { join } from "@std/path";
import type { RealMutant } from "./real_mutant.ts";

/** What a run came to. */
export interface Judged {
  /** Those of the failed checks that were to fail. */
  readonly found: readonly string[];
  readonly failed: readonly string[];
  /** The first violation, for people. */
  readonly sentence: string;
  readonly seconds: number;
}

/** Where things are. */
export interface Places {
  /** The tree whose judge it is. */
  readonly root: string;
  /** The sources with the bug. */
  readonly sources: string;
  /** Directory for what the run leaves behind. */
  readonly out: string;
  readonly seed: number;
}

/** Start, window, settling and judging of a run together; only one that hangs takes longer. */
const SLACK_MS = 240_000;

interface ReportedCheck {
  readonly name: string;
  readonly verdict: string;
  readonly violations: readonly { readonly sentence: string }[];
}

/**
 * Runs and judges.
 *
 * @throws {Error} When the run ended without a judgement.
 */
export async function judgeMutant(mutant: RealMutant, places: Places): Promise<Judged> {
  const begin = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--no-check",
      "--quiet",
      join(places.root, "cli.ts"),
      ...argsOf(mutant, places),
    ],
    cwd: places.root,
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
    signal: AbortSignal.timeout(mutant.windowSecs * 1_000 + SLACK_MS),
  }).output();
  const seconds = (performance.now() - begin) / 1_000;
  const report = await reportIn(places.out);
  if (report === undefined) {
    const text = new TextDecoder();
    const words = `${text.decode(stdout)}${text.decode(stderr)}`.slice(-2_000);
    throw new Error(`${mutant.name}: code ${code} and no report: ${words}`);
  }
  const failed = report.filter(({ verdict }) => verdict === "fail");
  const names = failed.map(({ name }) => name);
  const sentence = failed[0]?.violations[0]?.sentence ?? "";
  return {
    found: names.filter((name) => mutant.checks.includes(name)),
    failed: names,
    sentence,
    seconds,
  };
}

function argsOf(mutant: RealMutant, { sources, out, seed }: Places): string[] {
  const length = mutant.nemesis === "none" ? "--control-time" : "--window";
  return [
    ...["jepsen", "run", "--workload", mutant.workload, "--nemesis", mutant.nemesis],
    ...[length, `${mutant.windowSecs}s`, "--seed", `${seed}`],
    ...["--program", sources, "--output-root", out, "--json"],
  ];
}

/** The checks in the report of the one bundle below a directory. */
async function reportIn(out: string): Promise<readonly ReportedCheck[] | undefined> {
  for await (const { name, isDirectory } of Deno.readDir(out)) {
    if (!isDirectory) continue;
    try {
      return JSON.parse(await Deno.readTextFile(join(out, name, "report.json"))).checks;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}
