/** Flags of `allocdb replica`, checked before anything is opened. */
import { CliError } from "../errors.ts";
import { parseAddress, parseCount } from "./numbers.ts";
import type { ReplicaRunOptions } from "./options.ts";
import { tlsOptions } from "./read_options.ts";

/** Flags of run, as typed. */
export interface ReplicaRunFlags {
  readonly layout: string;
  readonly replicaId: string;
  readonly http?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsCa?: string | undefined;
  readonly manualFailover?: boolean | undefined;
  readonly manualExpiration?: boolean | undefined;
  readonly manualCheckpoint?: boolean | undefined;
  readonly logFormat?: "text" | "json" | undefined;
}

/** Largest replica id that a person types; ids are small and dense. */
const REPLICA_ID_MAX = 1_000_000;

/** Reads `--replica-id`. */
export function parseReplicaId(text: string): bigint {
  return BigInt(parseCount(text, "--replica-id", 1, REPLICA_ID_MAX));
}

/**
 * Reads the flags of run.
 *
 * @param flags As typed.
 * @returns Options with which nothing is wrong that can be seen without reading the layout.
 * @throws {CliError} Exit code 2.
 */
export function replicaRunOptions(flags: ReplicaRunFlags): ReplicaRunOptions {
  const { layout, http } = flags;
  if (layout === "") throw new CliError("E_USAGE", "--layout is empty");
  return {
    layout,
    replicaId: parseReplicaId(flags.replicaId),
    ...(http === undefined ? {} : { http: httpAddress(http) }),
    ...replicaTls(flags),
    manualFailover: flags.manualFailover ?? false,
    manualExpiration: flags.manualExpiration ?? false,
    manualCheckpoint: flags.manualCheckpoint ?? false,
    logFormat: flags.logFormat ?? "text",
  };
}

/** A replica shows a certificate and checks those of the others: all three files, or none. */
function replicaTls(
  flags: ReplicaRunFlags,
): Pick<ReplicaRunOptions, "tlsCert" | "tlsKey" | "tlsCa"> {
  const own = tlsOptions(flags);
  const { tlsCa } = flags;
  if ((own.tlsCert === undefined) !== (tlsCa === undefined)) {
    throw new CliError("E_USAGE", "--tls-cert, --tls-key and --tls-ca go together", {
      hint: "a replica shows its own certificate, and the authority vouches for the others'",
    });
  }
  return tlsCa === undefined ? own : { ...own, tlsCa };
}

function httpAddress(text: string): string {
  return parseAddress(/^[0-9]+$/.test(text) ? `127.0.0.1:${text}` : text, "--http", 0);
}
