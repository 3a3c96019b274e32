/** Everything about one run in one directory: what was seen, what is said of it, and a manifest with a checksum of each file. */
import { basename, join } from "@std/path";
import { replaceText, syncDirectory } from "../../../cluster/workspace/files.ts";
import { buildCommit, VERSION } from "../../../node/version.ts";
import type { EvidenceFile, LogLine } from "../report/input.ts";
import { renderReport } from "../report/report.ts";
import type { AnalyzedRun } from "./analyze_run.ts";
import { filesBelow, hashFile } from "./hashing.ts";
import { type Manifest, MANIFEST_FILE, manifestText } from "./manifest.ts";

/** Names in a bundle. */
export const HISTORY_FILE = "history.txt";
export const RECORDING_FILE = "history.cbor";
export const ANALYSIS_FILE = "analysis.txt";

/** What a bundle is made of. */
export interface BundleParts {
  /** Becomes the bundle; must not exist. */
  readonly directory: string;
  readonly analyzed: AnalyzedRun;
  /** Files that lie elsewhere, by the name that they get. */
  readonly files: Readonly<Record<string, string | undefined>>;
  /** Small texts, by the name that they get. */
  readonly texts: Readonly<Record<string, string>>;
  readonly logs: readonly LogLine[];
  readonly reproduce: string;
  /** All but the files. */
  readonly manifest: Omit<Manifest, "files">;
}

/**
 * Writes a bundle. Its manifest comes last: a directory without one is no bundle. When something goes wrong, nothing of it is left:
 * on a full disk the run's last words need the room.
 */
export async function writeBundle(parts: BundleParts): Promise<void> {
  await Deno.mkdir(parts.directory);
  try {
    await fill(parts);
  } catch (error) {
    await Deno.remove(parts.directory, { recursive: true });
    throw error;
  }
}

async function fill(parts: BundleParts): Promise<void> {
  const { directory, files, texts } = parts;
  for (const [name, from] of Object.entries(files)) {
    if (from !== undefined) await linkOrCopy(from, join(directory, name));
  }
  for (const [name, text] of Object.entries(texts)) await write(directory, name, text);
  await write(directory, ANALYSIS_FILE, parts.analyzed.report);
  await writeReport(parts, await hashAll(directory));
  const manifest = { ...parts.manifest, files: await hashAll(directory) };
  replaceText(join(directory, MANIFEST_FILE), manifestText(manifest));
  syncDirectory(directory);
}

async function writeReport(
  { directory, analyzed, logs, reproduce, manifest }: BundleParts,
  files: readonly EvidenceFile[],
): Promise<void> {
  const { recording, judgement } = analyzed;
  const { html, json, summary, junit, svgs } = renderReport({
    ...{ title: manifest.runId, recording, judgement, files, logs, reproduce },
    judgedBy: `allocdb ${VERSION} (${buildCommit()})`,
    settings: settingsText(manifest),
    gateEvidenceReason: manifest.isGateEvidence ? "" : manifest.gateEvidenceReason,
    ...manifest.facts.problem === undefined ? {} : { brokenOffBy: manifest.facts.problem },
    versions: { deno: Deno.version.deno, os: `${Deno.build.os} ${Deno.build.arch}` },
  });
  await write(directory, "report.html", html);
  await write(directory, "report.json", json);
  await write(directory, "summary.txt", summary);
  await write(directory, "junit.xml", junit);
  for (const [name, svg] of Object.entries(svgs)) {
    await write(directory, `${basename(name)}.svg`, svg);
  }
}

function settingsText(manifest: Omit<Manifest, "files">): Record<string, string> {
  const { settings, faultWindowOverrideSecs, minimumFaultWindowSecs } = manifest;
  return {
    ...{ run: manifest.runId, workload: manifest.workload, nemesis: manifest.nemesis },
    ...{ backend: settings.backend, seed: `${settings.seed}`, clients: `${settings.clients}` },
    rate: `${settings.ratePerSecond} operations per second`,
    resources: `${settings.resources}`,
    "fault window": settings.windowSecs === undefined ? "none" : `${settings.windowSecs} s`,
    "minimum fault window": minimumFaultWindowSecs === undefined
      ? "none"
      : `${minimumFaultWindowSecs} s`,
    "window set by hand": faultWindowOverrideSecs === undefined
      ? "no"
      : `${faultWindowOverrideSecs} s`,
    "gate evidence": manifest.isGateEvidence ? "yes" : `no: ${manifest.gateEvidenceReason}`,
    ...manifest.facts,
  };
}

async function hashAll(directory: string): Promise<readonly EvidenceFile[]> {
  const hashed: EvidenceFile[] = [];
  for (const path of await filesBelow(directory)) hashed.push(await hashFile(directory, path));
  return hashed;
}

async function write(directory: string, name: string, text: string): Promise<void> {
  await Deno.writeTextFile(join(directory, name), text, { createNew: true });
}

/** A second name costs nothing; where files cannot have one, they are copied. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await Deno.link(from, to);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.AlreadyExists) {
      throw error;
    }
    await Deno.copyFile(from, to);
  }
}
