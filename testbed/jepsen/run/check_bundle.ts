/** Whether a bundle is what its manifest says: every file with its checksum, nothing beside them, and the same verdict again. */
import { join } from "@std/path";
import * as v from "valibot";
import { TextProblem } from "../../../cluster/workspace/text.ts";
import { fileError } from "../../../cluster/workspace/workspace_files.ts";
import type { HistoryHeader } from "../history/event.ts";
import { HistoryError } from "../history/history_error.ts";
import { analyzeRun } from "./analyze_run.ts";
import { RECORDING_FILE } from "./bundle.ts";
import { filesBelow, hashFile } from "./hashing.ts";
import { type Manifest, MANIFEST_FILE, parseManifest } from "./manifest.ts";

/** What a bundle came to. */
export interface CheckedBundle {
  readonly directory: string;
  /** Absent when there is none that can be read. */
  readonly manifest: Manifest | undefined;
  /** Files that were compared. */
  readonly files: number;
  /** What is wrong, in words; none when nothing is. */
  readonly problems: readonly string[];
}

/** Compares the files with the manifest. */
export async function checkFiles(directory: string): Promise<CheckedBundle> {
  const manifest = await readManifest(directory);
  if (typeof manifest === "string") {
    return { directory, manifest: undefined, files: 0, problems: [manifest] };
  }
  const problems: string[] = [];
  for (const { path, bytes, sha256 } of manifest.files) {
    const problem = await compare(directory, path, bytes, sha256);
    if (problem !== undefined) problems.push(problem);
  }
  const listed = new Set([MANIFEST_FILE, ...manifest.files.map(({ path }) => path)]);
  const others = (await filesBelow(directory)).filter((path) => !listed.has(path));
  problems.push(...others.map((path) => `${path} is not in the manifest`));
  if (!listed.has(RECORDING_FILE)) problems.push(`there is no ${RECORDING_FILE}`);
  return { directory, manifest, files: manifest.files.length, problems };
}

/**
 * The same, and judges the history again. What the cluster's own logs said is not in a bundle: a verdict that rests on them
 * is not contradicted by a history that is valid by itself.
 */
export async function checkBundle(directory: string): Promise<CheckedBundle> {
  const checked = await checkFiles(directory);
  const { manifest } = checked;
  if (manifest === undefined || checked.problems.length > 0) return checked;
  return { ...checked, problems: await judgeAgain(directory, manifest) };
}

async function judgeAgain(directory: string, manifest: Manifest): Promise<readonly string[]> {
  const problems = [...await contradictions(directory, manifest)];
  try {
    const path = join(directory, RECORDING_FILE);
    const { recording: { header }, judgement } = await analyzeRun(path, undefined, {});
    problems.push(...windowProblems(manifest, header));
    const { runId, workload, nemesis } = manifest;
    const { seed, backend } = manifest.settings;
    const said = { runId, workload, nemesis, seed, backend };
    for (const [key, value] of Object.entries(said)) {
      const recorded = header[key as keyof typeof said];
      if (recorded !== value) {
        problems.push(`${key} is ${value} in the manifest and ${recorded} in the history`);
      }
    }
    const isSame = judgement.verdict === manifest.verdict;
    if (!isSame && !(manifest.verdict === "invalid" && judgement.verdict === "valid")) {
      problems.push(`the verdict was ${manifest.verdict}, and is ${judgement.verdict}`);
    }
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    problems.push(error.message);
  }
  return problems;
}

/** What the manifest says of the verdict and what the files beside it say. */
async function contradictions(
  directory: string,
  { analysisFile, verdict, blockerCount, facts, isGateEvidence, gateEvidenceReason }: Manifest,
): Promise<readonly string[]> {
  const report = reportFacts(await textIn(directory, "report.json"));
  const analysis = await textIn(directory, analysisFile);
  const line = (key: string): string =>
    new RegExp(`^${key}=(.*)$`, "m").exec(analysis)?.[1] ?? "none";
  const said: readonly (readonly [string, unknown, unknown])[] = [
    ["verdict", verdict, report?.verdict ?? verdict],
    ["gate_evidence", isGateEvidence, isGateEvidence && (report?.is_gate_evidence ?? true)],
    ["blocker_count", `${blockerCount}`, line("blockers")],
    ["fact.release_gate", facts.release_gate ?? "none", line("release_gate")],
  ];
  const differing = said.filter(([, here, there]) => here !== there).map(([key, here, there]) =>
    `${key} is ${here} in the manifest, and the report says ${there}`
  );
  const isBoth = isGateEvidence && gateEvidenceReason !== "";
  return isBoth
    ? [...differing, `it is evidence, and it is none: ${gateEvidenceReason}`]
    : differing;
}

/** How long things went wrong is in the history, too. */
function windowProblems(
  { settings: { windowSecs }, faultWindowOverrideSecs, isGateEvidence }: Manifest,
  { minimumFaultWindowSecs, isWindowOverridden = false }: HistoryHeader,
): readonly string[] {
  const problems: string[] = [];
  if (windowSecs !== minimumFaultWindowSecs) {
    const [here, there] = [windowSecs ?? "none", minimumFaultWindowSecs ?? "none"];
    problems.push(`fault_window_secs is ${here} in the manifest and ${there} in the history`);
  }
  if ((faultWindowOverrideSecs !== undefined) !== isWindowOverridden) {
    problems.push("whether the window was set by hand is not what the history says");
  }
  if (isGateEvidence && isWindowOverridden) problems.push("a rehearsal is no evidence");
  return problems;
}

const REPORT_FACTS = v.object({ verdict: v.string(), is_gate_evidence: v.boolean() });

function reportFacts(text: string): v.InferOutput<typeof REPORT_FACTS> | undefined {
  try {
    return v.parse(REPORT_FACTS, JSON.parse(text));
  } catch {
    return undefined; // There may be a bundle without a report.
  }
}

async function textIn(directory: string, name: string): Promise<string> {
  try {
    return await Deno.readTextFile(join(directory, name));
  } catch {
    return "";
  }
}

async function readManifest(directory: string): Promise<Manifest | string> {
  try {
    return parseManifest(await Deno.readTextFile(join(directory, MANIFEST_FILE)));
  } catch (error) {
    if (error instanceof TextProblem) return `${MANIFEST_FILE}: ${error.message}`;
    const { NotFound, NotADirectory, IsADirectory } = Deno.errors;
    const isNone = [NotFound, NotADirectory, IsADirectory].some((kind) => error instanceof kind);
    if (isNone) return `there is no ${MANIFEST_FILE}`;
    throw fileError(error, "read", join(directory, MANIFEST_FILE));
  }
}

async function compare(
  directory: string,
  path: string,
  bytes: number,
  sha256: string,
): Promise<string | undefined> {
  try {
    // A pipe would never end.
    if (!(await Deno.lstat(join(directory, path))).isFile) return `${path} is no file`;
    const found = await hashFile(directory, path);
    if (found.bytes !== bytes) return `${path} has ${found.bytes} bytes instead of ${bytes}`;
    return found.sha256 === sha256 ? undefined : `${path} is not what it was`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `${path} is missing`;
    throw fileError(error, "read", join(directory, path));
  }
}
