/** `jepsen verify`: a bundle, a proof, or a cluster. */
import { findWorkspace } from "../../../cluster/runner/workspace.ts";
import type { CliIo } from "../../../node/cli/io.ts";
import type { JepsenBackend, JepsenRequest } from "../../../node/cli/jepsen_options.ts";
import { jsonText } from "../../../node/cli/output.ts";
import { printable, quote } from "../../../node/cli/text.ts";
import { CliError } from "../../../node/errors.ts";
import { checkBundle } from "../run/check_bundle.ts";
import { verifySurface } from "../run/surface.ts";
import { backendMaker } from "./backends.ts";

type VerifyRequest = Extract<JepsenRequest, { readonly verb: "verify" }>;

/**
 * Verifies.
 *
 * @throws {CliError} E_CHECK_FAILED when something is not as it says, E_PREFLIGHT when a cluster does not work, E_NO_WORKSPACE when there is none.
 */
export async function runVerify({ what, json }: VerifyRequest, io: CliIo): Promise<void> {
  switch (what.kind) {
    case "bundle":
      return await verifyBundle(what.directory, json, io);
    case "surface":
      return await verifyCluster(what.backend, what.workspace, json, io);
    case "certificate": {
      const { verifyProof } = await import("./proof.ts");
      return await verifyProof(what.file, what.history, json, io);
    }
  }
}

async function verifyBundle(directory: string, json: boolean, io: CliIo): Promise<void> {
  const { manifest, files, problems } = await checkBundle(directory);
  const facts = {
    bundle: directory,
    run_id: manifest?.runId,
    verdict: manifest?.verdict,
    gate_evidence: manifest?.isGateEvidence,
    files,
    problems: problems.length,
  };
  if (json) io.out.write(jsonText({ version: 1, ...facts, problems }, 2));
  else {
    const lines = Object.entries(facts).map(([key, value]) => `${key}=${value ?? "none"}`);
    const all = [...lines, ...problems.map((problem) => `problem=${problem}`)];
    io.out.write(all.map((line) => `${printable(line)}\n`).join(""));
  }
  if (problems.length === 0) return;
  const message = `${quote(directory)} is not what it says: ${printable(problems[0]!)}`;
  throw new CliError("E_CHECK_FAILED", message, {
    hint: "it proves nothing as it is: take it from where it was made, or run again",
  });
}

/** Leaves running what ran; makes no cluster where there is none. */
async function verifyCluster(
  name: JepsenBackend,
  workspace: string,
  json: boolean,
  io: CliIo,
): Promise<void> {
  const notice = (text: string): void => io.err.write(`notice: ${printable(text)}\n`);
  const { root } = findWorkspace(workspace);
  const backend = backendMaker(name, undefined)(root, notice);
  try {
    const facts = await backend.start(io.interruption());
    const { replicas, probeLsn } = await verifySurface(backend, facts);
    const said = { replicas: replicas.length, probe_lsn: probeLsn.toString() };
    if (json) io.out.write(jsonText({ version: 1, surface: "ready", backend: name, ...said }, 2));
    else io.out.write(`${name}_surface=ready replicas=${said.replicas} probe_lsn=${probeLsn}\n`);
  } finally {
    await backend.end();
  }
}
