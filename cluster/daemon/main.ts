import { CliError } from "../../node/errors.ts";
import type { ReplicaRunOptions } from "../../node/cli/options.ts";
import { openLog } from "../../node/stderr_log.ts";
import { openReplicaData } from "./data.ts";
import { LeveledLog } from "./leveled_log.ts";
import { findReplica } from "./locate.ts";

/**
 * Runs one replica until it is asked to stop.
 *
 * @param options Checked flags.
 * @throws {CliError} When it cannot start.
 */
export async function runReplica(options: ReplicaRunOptions): Promise<void> {
  const { layout, replica } = findReplica(options.layout, options.replicaId);
  const log = new LeveledLog(openLog(options.logFormat, "debug"), replica.id);
  const data = await openReplicaData(layout, replica);
  data.lock.release();
  log.info("recovered");
  throw new CliError("E_NOT_READY", "this build has no replica to run");
}
