/** `replica inspect`, `verify`, `export` and `import`: a stopped replica's files, from the command line. */
import { CliError } from "../errors.ts";
import { DiskFault } from "../disk.ts";
import type { ErrorCode } from "../error_catalogue.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import { inspectDataDirectory } from "../data_dir.ts";
import { configFingerprint } from "../config/text.ts";
import { whileStill } from "../offline/borrow.ts";
import { exportReplica } from "../offline/export.ts";
import { importReplica } from "../offline/import.ts";
import { type CopyReport, inspectDirectory, type Inspection } from "../offline/inspect.ts";
import { hashText } from "../offline/inspect_log.ts";
import { ReadDisk } from "../offline/read_disk.ts";
import { DamagedData } from "../offline/replay.ts";
import { compareDirectories, type Side, verifyDirectory } from "../offline/verify.ts";
import { dataOf, hexOf } from "./fields.ts";
import type { CliIo } from "./io.ts";
import { type Data, show, type Style } from "./output.ts";

/** Shows what is in a data directory. Damage is shown, too, and is no error. */
export async function inspect(io: CliIo, style: Style, directory: string): Promise<void> {
  const inspection = await whileStill(directory, () => {
    return translated(directory, () => inspectDirectory(new ReadDisk(directory)));
  });
  await show(
    io,
    { data: inspectionData(directory, inspection), quiet: stateOf(inspection) },
    style,
  );
}

/** Checks a data directory, and compares it with another one. */
export async function verify(
  io: CliIo,
  style: Style,
  directory: string,
  against: string | undefined,
): Promise<void> {
  const data: Data = await whileStill(directory, async (): Promise<Data> => {
    const own = verifiedData(directory);
    if (against === undefined) return own;
    return await whileStill(against, () => {
      const other = verifiedData(against);
      return { ...own, against: other, comparison: comparisonData(directory, against) };
    });
  });
  const { digest } = data as { readonly digest: string };
  await show(io, { data, quiet: digest }, style);
  const comparison = data["comparison"] as Data | undefined;
  if (comparison?.["verdict"] === "diverged") throw diverged(directory, against!, comparison);
}

/** Copies a data directory into an archive. */
export async function exportDirectory(
  io: CliIo,
  style: Style,
  directory: string,
  to: string,
): Promise<void> {
  const { archive, bytes, manifest } = await whileStill(directory, () => {
    return translated(directory, () => exportReplica(directory, to, new Date().toISOString()));
  });
  const { files, ...facts } = manifest;
  const names = files.map(({ name }) => name);
  await show(io, { data: { archive, bytes, ...facts, files: names }, quiet: archive }, style);
}

/** Makes a data directory out of an archive. */
export async function importArchive(
  io: CliIo,
  style: Style,
  file: string,
  to: string,
  replicaId: bigint | undefined,
): Promise<void> {
  const { directory, manifest, metadata } = translated(
    to,
    () => importReplica(file, to, replicaId),
  );
  const data = {
    directory,
    cluster_id: manifest.cluster_id,
    replica_id: metadata.replicaId,
    role: metadata.role,
    view: metadata.view,
    tip_op: manifest.tip_op,
    exported_at: manifest.exported_at,
  };
  await show(io, { data, quiet: directory }, style);
}

function stateOf({ kind, problems }: Inspection): string {
  return kind === "allocdb" && problems.length > 0
    ? "damaged"
    : kind === "allocdb"
    ? "sound"
    : kind;
}

function inspectionData(directory: string, inspection: Inspection): Data {
  const { metadata, copies, offer, snapshots, log, otherFiles, problems } = inspection;
  const numbered = (list: readonly object[]): Data =>
    Object.fromEntries(list.map((entry, i) => [String(i + 1), dataOf(entry)]));
  return {
    directory,
    state: stateOf(inspection),
    problems: [...problems],
    metadata: metadata === undefined ? undefined : dataOf(metadata),
    metadata_copies: Object.fromEntries(copies.map((copy, i) => [i + 1, copyData(copy)])),
    offer: offer && dataOf(offer),
    snapshots: Object.fromEntries(
      Object.entries(snapshots).map(([name, report]) => [name, dataOf(report)]),
    ),
    log: {
      first_op: log.firstOp,
      tip: log.tip === undefined ? undefined : dataOf(log.tip),
      segments: numbered(log.segments),
    },
    other_files: [...otherFiles],
  };
}

/** What decides which copy is believed; the rest of it is shown once. */
function copyData(copy: CopyReport): Data {
  if (!("metadata" in copy)) return { state: copy.state };
  const { view, role } = copy.metadata;
  return { state: copy.state, sequence: copy.sequence, view, role };
}

function verifiedData(directory: string): Data {
  return translated(directory, () => {
    const { disk, metadata } = sideOf(directory);
    const verified = verifyDirectory(disk, metadata);
    const { state } = verified;
    return {
      directory,
      cluster_id: hexOf(metadata.clusterId),
      replica_id: verified.replicaId,
      view: verified.view,
      log_view: verified.logView,
      first_op: verified.firstOp,
      op: verified.tipOp,
      lsn: state.lsn,
      chain_hash: hashText(verified.tipHash),
      digest: hashText(state.digest),
      ends: verified.ends,
    };
  });
}

function comparisonData(directory: string, against: string): Data {
  return translated(`${directory} and ${against}`, () => {
    const [a, b] = [sideOf(directory), sideOf(against)];
    requireSameCluster(a.metadata, b.metadata);
    const { verdict, commonOp, differsAtOp, knownCommitOp, digests } = compareDirectories(a, b);
    return {
      verdict,
      common_op: commonOp,
      differs_at_op: differsAtOp,
      known_commit_op: knownCommitOp,
      digest: digests === undefined ? undefined : hashText(digests[0]),
      digest_against: digests === undefined ? undefined : hashText(digests[1]),
    };
  });
}

function sideOf(directory: string): Side {
  const disk = new ReadDisk(directory);
  const found = inspectDataDirectory(disk);
  if (found.kind === "allocdb") return { disk, metadata: found.stored.metadata };
  if (found.kind === "damaged") {
    const code = found.error.kind === "unsupported_version" ? "E_DATA_VERSION" : "E_CORRUPT";
    throw new CliError(code, `${directory}: ${found.error.message}`);
  }
  throw new CliError("E_IO", `${directory} is no data directory, it is ${found.kind}`, {
    hint: "give the data directory of a replica, such as WORKSPACE/replica-1",
  });
}

function requireSameCluster(a: ReplicaMetadata, b: ReplicaMetadata): void {
  const same = (x: Uint8Array, y: Uint8Array): boolean => x.every((byte, i) => byte === y[i]);
  if (!same(a.clusterId, b.clusterId)) {
    throw new CliError("E_CONFIG_MISMATCH", "the directories belong to different clusters", {
      context: { cluster_id: hexOf(a.clusterId), against: hexOf(b.clusterId) },
    });
  }
  if (same(configFingerprint(a.core), configFingerprint(b.core))) return;
  throw new CliError("E_CONFIG_MISMATCH", "the directories were made under different bounds");
}

function diverged(directory: string, against: string, comparison: Data): CliError {
  const at = comparison["differs_at_op"];
  const where = at === undefined ? "their states differ under one history" : `at op ${at}`;
  return new CliError("E_CHECK_FAILED", `${directory} and ${against} have diverged: ${where}`, {
    hint: "keep both directories as they are: this must never happen",
  });
}

/** Damage and failing disks, as errors of the contract. */
function translated<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (error instanceof DamagedData) throw new CliError("E_CORRUPT", `${where}: ${error.message}`);
    if (error instanceof DiskFault) {
      const context = { where };
      throw new CliError(faultCode(error), error.message, { cause: error, context });
    }
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw new CliError(SYSTEM_CODES[String(error.code)] ?? "E_IO", error.message, { cause: error });
  }
}

const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "E_DISK_FULL",
  EROFS: "E_DISK_READ_ONLY",
  EACCES: "E_PERMISSION_DENIED",
  EPERM: "E_PERMISSION_DENIED",
};

function faultCode({ kind }: DiskFault): ErrorCode {
  switch (kind) {
    case "disk_full":
      return "E_DISK_FULL";
    case "read_only":
      return "E_DISK_READ_ONLY";
    case "permission_denied":
      return "E_PERMISSION_DENIED";
    default:
      return "E_IO";
  }
}
