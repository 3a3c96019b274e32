/** The workspace of a run: made for it, or found and taken over with whatever runs in it. */
import { join, resolve } from "@std/path";
import { observeAll } from "../../../../cluster/runner/observe.ts";
import type { Control } from "../../../../cluster/runner/control.ts";
import { findWorkspace, type Workspace } from "../../../../cluster/runner/workspace.ts";
import { LAYOUT_FILE, readLayout } from "../../../../cluster/workspace/workspace_files.ts";
import { CliError } from "../../../../node/errors.ts";
import { type DirectoryLock, lockDirectory } from "../../../../node/io/lock.ts";
import type { LocalOptions } from "./options.ts";

/** What was there before. */
export interface Before {
  /** Whether there was a workspace already. */
  readonly isAdopted: boolean;
  /** Replicas that ran in it, and go on running afterwards. */
  readonly running: readonly number[];
}

/**
 * Looks at a workspace without changing anything.
 *
 * @throws {CliError} When it runs something that is none of its replicas, leaves to an operator what a run under
 *   trouble needs, or another program was asked for than what runs.
 */
export async function lookBefore(options: LocalOptions, control: Control): Promise<Before> {
  const root = resolve(options.workspace);
  if (readLayout(join(root, LAYOUT_FILE)) === undefined) return { isAdopted: false, running: [] };
  const workspace = findWorkspace(root);
  requireAutomatic(workspace);
  const observed = await observeAll(workspace, control);
  const stranger = observed.find(({ kind }) => kind === "stranger");
  if (stranger?.kind === "stranger") {
    throw new CliError("E_ALREADY_RUNNING", `${root} runs something else: ${stranger.says}`, {
      hint: "end it, or use another workspace; nothing was changed",
    });
  }
  const running = observed.filter(({ kind }) => kind !== "stopped")
    .map(({ replica }) => Number(replica.id));
  if (running.length > 0 && options.program !== undefined) {
    throw new CliError("E_ALREADY_RUNNING", `replicas of another program may run in ${root}`, {
      hint: `stop them first: allocdb cluster stop --workspace ${root}`,
    });
  }
  return { isAdopted: true, running };
}

function requireAutomatic({ root, layout }: Workspace): void {
  const manual = [...layout.manual];
  if (manual.length === 0) return;
  throw new CliError("E_BAD_WORKSPACE", `${root} leaves ${manual.join(", ")} to its operator`, {
    hint: "use a workspace that was made without --manual-… flags",
  });
}

/** Keeps a second run out of a workspace for as long as this one lasts. */
export async function claimWorkspace(root: string): Promise<DirectoryLock> {
  const claim = await lockDirectory(join(root, "run"));
  if (claim.kind === "held") return claim.lock;
  throw new CliError("E_WORKSPACE_LOCKED", `another run is under way in ${root}`, {
    hint: "wait for it, or use another workspace",
    context: { pid: claim.pid },
  });
}
