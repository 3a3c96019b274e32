/**
 * Making a workspace. The layout gets its own name last, when every founder's data directory is durable: who
 * finds a layout knows that a directory which is missing has been lost, and must not vote again.
 */
import { join, resolve } from "@std/path";
import { readSecrets } from "../../node/auth/credential_file.ts";
import type { ClusterStart } from "../../node/cli/cluster_options.ts";
import { PROFILES } from "../../node/config/profiles.ts";
import { applyBounds, describeDifferences, diffConfig } from "../../node/config/text.ts";
import { CliError } from "../../node/errors.ts";
import { NO_FAULTS } from "../workspace/faults.ts";
import { removeIfAny, replaceText, syncDirectory } from "../workspace/files.ts";
import { type ClusterLayout, formatLayout, newLayout } from "../workspace/layout.ts";
import { fileError, LAYOUT_FILE, readLayout } from "../workspace/workspace_files.ts";
import { examineData, makeData } from "./data_directories.ts";
import { freeAddresses } from "./ports.ts";
import { type Workspace, writeFaults } from "./workspace.ts";

/** The layout until the founders' directories are made. */
const FOUNDING_FILE = "cluster-layout.txt.founding";

/** What may stand in a directory that becomes a workspace. */
const HARMLESS = new Set(["LOCK", FOUNDING_FILE, `${FOUNDING_FILE}.tmp`]);

/**
 * Makes the directory of a workspace, if it is not there.
 *
 * @param path As typed.
 * @returns Its absolute path, without symbolic links.
 * @throws {CliError} When it cannot be made, or holds something else.
 */
export function makeRoot(path: string): string {
  let root: string;
  try {
    Deno.mkdirSync(path, { recursive: true });
    root = Deno.realPathSync(path);
  } catch (error) {
    throw fileError(error, "make the workspace", path);
  }
  requireUsable(root);
  return root;
}

/** A directory with other files in it is not ours, one without its layout is half of a workspace. */
function requireUsable(root: string): void {
  const names = [...Deno.readDirSync(root)].map(({ name }) => name).sort();
  if (names.includes(LAYOUT_FILE) || names.includes(FOUNDING_FILE)) return;
  const others = names.filter((name) => !HARMLESS.has(name));
  if (others.length === 0) return;
  const isHalf = others.some((name) => /^(cluster-(faults|timeline)\.|replica-\d+$)/.test(name));
  const list = others.slice(0, 3).join(", ");
  if (isHalf) {
    throw new CliError("E_BAD_WORKSPACE", `${root} has ${list} but no ${LAYOUT_FILE}`, {
      hint: `put ${LAYOUT_FILE} back, or use a new directory; nothing was changed`,
      context: { workspace: root },
    });
  }
  throw new CliError("E_BAD_WORKSPACE", `${root} holds something else: ${list}`, {
    hint: "give a new or empty directory as --workspace",
    context: { workspace: root },
  });
}

/**
 * The workspace in a directory, made if it is new. The directory is locked.
 *
 * @param root Absolute path.
 * @param options What was asked for; a workspace that exists must not contradict it.
 * @returns The workspace, and whether it was made just now.
 * @throws {CliError} When it cannot be made or read, or is another one than was asked for.
 */
export async function foundOrFind(
  root: string,
  options: ClusterStart,
): Promise<{ readonly workspace: Workspace; readonly isNew: boolean }> {
  const layoutPath = join(root, LAYOUT_FILE);
  const existing = readLayout(layoutPath);
  if (existing !== undefined) {
    requireAsAsked(existing, options);
    return { workspace: { root, layoutPath, layout: existing }, isNew: false };
  }
  requireUsable(root);
  const begun = readLayout(join(root, FOUNDING_FILE));
  if (begun !== undefined) requireAsAsked(begun, options);
  const layout = begun ?? layOut(root, options);
  const workspace = { root, layoutPath, layout };
  await found(workspace, begun === undefined);
  return { workspace, isNew: true };
}

/** Lays a new workspace out. Nothing is written. */
function layOut(root: string, options: ClusterStart): ClusterLayout {
  const bounds = applyBounds(PROFILES[options.profile ?? "default"], options.bounds);
  if (bounds.kind === "refused") {
    const { message, parameter } = bounds.error;
    throw new CliError("E_BAD_CONFIG", message, { context: { parameter } });
  }
  if (options.secretFile !== undefined) readSecrets(options.secretFile);
  return newLayout({
    root,
    clusterId: crypto.getRandomValues(new Uint8Array(16)),
    config: bounds.config,
    addresses: freeAddresses(options.replicas ?? 3),
    secretPath: options.secretFile === undefined ? undefined : resolve(options.secretFile),
    manual: new Set(options.manual),
  });
}

async function found(workspace: Workspace, isFirstTry: boolean): Promise<void> {
  const { root, layout, layoutPath } = workspace;
  const founding = join(root, FOUNDING_FILE);
  try {
    if (isFirstTry) replaceText(founding, formatLayout(layout));
    for (const name of ["logs", "run"]) Deno.mkdirSync(join(root, name), { recursive: true });
    for (const replica of layout.replicas) {
      if (examineData(layout, replica) === "missing") await makeData(layout, replica, "backup");
    }
    writeFaults(workspace, NO_FAULTS);
    replaceText(layoutPath, formatLayout(layout));
    removeIfAny(founding);
    syncDirectory(root);
  } catch (error) {
    throw error instanceof CliError ? error : fileError(error, "make the workspace", root);
  }
}

/** Flags that are about a new workspace are no way to change one. */
function requireAsAsked(layout: ClusterLayout, options: ClusterStart): void {
  const says = contradiction(layout, options);
  if (says === undefined) return;
  throw new CliError("E_CONFIG_MISMATCH", `${options.workspace} ${says}`, {
    hint: "leave that flag out to start the cluster as it is, or make another workspace",
    context: { workspace: options.workspace },
  });
}

function contradiction(layout: ClusterLayout, options: ClusterStart): string | undefined {
  const { replicas, profile, bounds, secretFile, manual } = options;
  const count = layout.replicas.length;
  if (replicas !== undefined && replicas !== count) {
    return `has ${count} replicas, not ${replicas}`;
  }
  if (secretFile !== undefined && resolve(secretFile) !== layout.secretPath) {
    return `has ${layout.secretPath ?? "no secret"}, not ${resolve(secretFile)}`;
  }
  const unknown = manual.find((chore) => !layout.manual.has(chore));
  if (unknown !== undefined) return `was not made with --manual-${unknown}`;
  if (profile === undefined && bounds.length === 0) return undefined;
  const wanted = applyBounds(profile === undefined ? layout.config : PROFILES[profile], bounds);
  if (wanted.kind === "refused") return `cannot have these bounds: ${wanted.error.message}`;
  const differences = diffConfig(layout.config.core, wanted.config.core);
  if (differences.length === 0) return undefined;
  return `has other bounds: ${describeDifferences(differences)}`;
}
