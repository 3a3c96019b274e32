/** Flags of `allocdb cluster`, checked before the workspace is looked at. */
import type { ProfileName } from "../config/profiles.ts";
import { CliError } from "../errors.ts";
import type { LinkFault } from "../peer/line.ts";
import type { ClusterChore, ClusterRequest, DiskFaultKind, LinkEnd } from "./cluster_options.ts";
import { timeoutOf } from "./context.ts";
import { parseCount } from "./numbers.ts";
import { checkedBounds } from "./read_options.ts";
import { parseReplicaId } from "./read_replica_options.ts";
import { quote } from "./text.ts";

/** How long start, restart and stop try unless told, in milliseconds. */
const TIMEOUT_MS_DEFAULT = 10_000;
/** Longest delay or skew, in milliseconds: a day. */
const FAULT_MS_MAX = 86_400_000;
/** Longest that a disk fault lasts by itself, in seconds: a day. */
const FOR_SECONDS_MAX = 86_400;
const LINES_DEFAULT = 20;
const LINES_MAX = 1_000_000;

/** Flags of any verb, as typed; a verb has only some of them. */
export interface ClusterFlags {
  readonly workspace: string;
  readonly json?: boolean | undefined;
  readonly replicaId?: string | undefined;
  readonly replicas?: string | undefined;
  readonly profile?: ProfileName | undefined;
  readonly bound?: readonly string[] | undefined;
  readonly secretFile?: string | undefined;
  readonly manualFailover?: boolean | undefined;
  readonly manualExpiration?: boolean | undefined;
  readonly manualCheckpoint?: boolean | undefined;
  readonly wait?: boolean | undefined;
  readonly timeout?: string | undefined;
  readonly all?: boolean | undefined;
  readonly clear?: boolean | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly cut?: boolean | undefined;
  readonly drop?: string | undefined;
  readonly delay?: string | undefined;
  readonly duplicate?: string | undefined;
  readonly reorder?: string | undefined;
  readonly throttle?: string | undefined;
  readonly groups?: string | undefined;
  readonly kind?: DiskFaultKind | undefined;
  readonly after?: string | undefined;
  readonly for?: string | undefined;
  readonly delayMs?: string | undefined;
  readonly skewMs?: string | undefined;
  readonly rate?: string | undefined;
  readonly lines?: string | undefined;
  readonly follow?: boolean | undefined;
}

/**
 * Reads the flags of one verb.
 *
 * @param verb Which.
 * @param flags As typed.
 * @returns A request with which nothing is wrong that can be seen without the workspace.
 * @throws {CliError} Exit code 2.
 */
export function clusterRequest(verb: ClusterRequest["verb"], flags: ClusterFlags): ClusterRequest {
  if (flags.workspace === "") throw new CliError("E_USAGE", "--workspace is empty");
  const base = { workspace: flags.workspace, json: flags.json ?? false };
  const timeoutMs = flags.timeout === undefined ? TIMEOUT_MS_DEFAULT : timeoutOf(flags.timeout);
  switch (verb) {
    case "start":
      return { verb, ...base, timeoutMs, ...startFlags(flags) };
    case "stop":
      return { verb, ...base, timeoutMs };
    case "status":
    case "timeline":
      return { verb, ...base };
    case "restart":
      return { verb, ...base, timeoutMs, replicaId: replicaIdOf(flags) };
    case "crash":
    case "pause":
    case "resume":
    case "isolate":
      return { verb, ...base, replicaId: replicaIdOf(flags) };
    case "heal":
      return { verb, ...base, replicaId: healed(flags) };
    case "link":
      return { verb, ...base, ...linkFlags(flags) };
    case "partition":
      return { verb, ...base, groups: groupsOf(flags) };
    case "disk-fault":
      return { verb, ...base, replicaId: replicaIdOf(flags), fault: diskFault(flags) };
    case "clock":
      return { verb, ...base, replicaId: replicaIdOf(flags), ...clockFlags(flags) };
    case "logs":
      return { verb, ...base, ...logFlags(flags) };
  }
}

function startFlags(flags: ClusterFlags) {
  const { replicas, profile, secretFile } = flags;
  const count = ([1, 3, 5] as const).find((known) => String(known) === replicas);
  if (replicas !== undefined && count === undefined) {
    throw new CliError("E_BAD_NUMBER", `--replicas ${quote(replicas)} is not 1, 3 or 5`, {
      hint: "give an odd number: an even one tolerates no more failures",
    });
  }
  if (secretFile === "") throw new CliError("E_USAGE", "--secret-file is empty");
  return {
    ...(count === undefined ? {} : { replicas: count }),
    ...(profile === undefined ? {} : { profile }),
    bounds: checkedBounds(flags.bound ?? [], profile),
    ...(secretFile === undefined ? {} : { secretFile }),
    manual: choresOf(flags),
    waitForPrimary: flags.wait ?? true,
  };
}

function choresOf(flags: ClusterFlags): readonly ClusterChore[] {
  return [
    ...(flags.manualFailover ? ["failover" as const] : []),
    ...(flags.manualExpiration ? ["expiration" as const] : []),
    ...(flags.manualCheckpoint ? ["checkpoint" as const] : []),
  ];
}

function replicaIdOf({ replicaId }: ClusterFlags): bigint {
  if (replicaId !== undefined) return parseReplicaId(replicaId);
  throw new CliError("E_USAGE", "--replica-id is missing");
}

function healed({ all, replicaId }: ClusterFlags): bigint | undefined {
  if ((all ?? false) === (replicaId !== undefined)) {
    throw new CliError("E_USAGE", "heal takes either --replica-id or --all");
  }
  return replicaId === undefined ? undefined : parseReplicaId(replicaId);
}

function linkFlags(flags: ClusterFlags) {
  const { from, to, clear } = flags;
  const fault: LinkFault = {
    ...(flags.cut ? { cut: true } : {}),
    ...optional("drop", flags.drop, (text) => shareOf(text, "--drop")),
    ...(flags.delay === undefined ? {} : delayOf(flags.delay)),
    ...optional("duplicate", flags.duplicate, (text) => shareOf(text, "--duplicate")),
    ...optional("reorder", flags.reorder, (text) => shareOf(text, "--reorder")),
    ...optional(
      "bytesPerSecond",
      flags.throttle,
      (text) => parseCount(text, "--throttle", 1, Number.MAX_SAFE_INTEGER),
    ),
  };
  const asks = Object.keys(fault).length > 0;
  if (clear && asks) throw new CliError("E_USAGE", "--clear and a fault contradict each other");
  if (!clear && !asks) {
    const hint = "give --cut, --drop, --delay, --duplicate, --reorder or --throttle, or --clear";
    throw new CliError("E_USAGE", "link is not told what is to be wrong", { hint });
  }
  if (from === undefined && to === undefined && clear) return { ends: undefined, fault };
  if (from === undefined || to === undefined) {
    throw new CliError("E_USAGE", "link needs both --from and --to", {
      hint: "each is a replica id, client or all; `link --clear` alone clears every link",
    });
  }
  return { ends: linkEnds(from, to), fault };
}

function linkEnds(from: string, to: string): { readonly from: LinkEnd; readonly to: LinkEnd } {
  const ends = { from: linkEnd(from, "--from"), to: linkEnd(to, "--to") };
  if (ends.from !== ends.to || from === "all") return ends;
  throw new CliError("E_USAGE", `--from ${from} --to ${to} is no link of the cluster`, {
    hint: "a link is between two replicas, or between a replica and its clients",
  });
}

function linkEnd(text: string, flag: string): LinkEnd {
  if (text === "client" || text === "all") return text;
  if (/^[0-9]+$/.test(text)) return BigInt(parseCount(text, flag, 1, 1_000_000));
  throw new CliError("E_USAGE", `${flag} ${quote(text)} is not a replica id, client or all`);
}

/** `50`, `50ms`, `50±10`, `50+-10`. */
function delayOf(text: string): LinkFault {
  const [, mean, jitter] = /^([0-9]{1,9})(?:ms)?(?:(?:±|\+-|\+\/-)([0-9]{1,9})(?:ms)?)?$/
    .exec(text) ?? [];
  if (mean === undefined) {
    throw new CliError("E_BAD_NUMBER", `--delay ${quote(text)} is not MS or MS±J`, {
      hint: "write it like 50 or 50±20, in milliseconds",
    });
  }
  const delayMs = parseCount(mean, "--delay", 0, FAULT_MS_MAX);
  if (jitter === undefined) return { delayMs };
  return { delayMs, jitterMs: parseCount(jitter, "--delay", 0, FAULT_MS_MAX) };
}

function shareOf(text: string, flag: string): number {
  const share = /^(0|1)?(\.[0-9]{1,9})?$/.test(text) && text !== "" ? Number(text) : NaN;
  if (share >= 0 && share <= 1) return share;
  throw new CliError("E_BAD_NUMBER", `${flag} ${quote(text)} is not a share from 0 to 1`, {
    hint: "write it like 0.05 for 5 %",
  });
}

function groupsOf({ groups, clear }: ClusterFlags): readonly (readonly bigint[])[] {
  if ((clear ?? false) === (groups !== undefined)) {
    throw new CliError("E_USAGE", "partition takes either --groups or --clear");
  }
  if (groups === undefined) return [];
  const parts = groups.split("/").map((group) => group.split(","));
  if (!parts.flat().every((id) => /^[1-9][0-9]{0,5}$/.test(id)) || parts.length < 2) {
    throw new CliError("E_USAGE", `--groups ${quote(groups)} is not like 1,2/3`);
  }
  return parts.map((group) => group.map(BigInt));
}

function diskFault(flags: ClusterFlags) {
  const { kind, clear, after, delayMs } = flags;
  const seconds = flags.for;
  const details = [after, delayMs, seconds].some((text) => text !== undefined);
  if ((clear ?? false) === (kind !== undefined) || (clear && details)) {
    throw new CliError("E_USAGE", "disk-fault takes either --kind and its details, or --clear");
  }
  if (kind === undefined) return undefined;
  if (delayMs !== undefined && kind !== "slow") {
    throw new CliError("E_USAGE", "--delay-ms belongs to --kind slow");
  }
  return {
    kind,
    after: after === undefined ? 0 : parseCount(after, "--after", 0, Number.MAX_SAFE_INTEGER),
    ...optional("forSeconds", seconds, (text) => parseCount(text, "--for", 1, FOR_SECONDS_MAX)),
    ...optional("delayMs", delayMs, (text) => parseCount(text, "--delay-ms", 1, FAULT_MS_MAX)),
  };
}

function clockFlags({ skewMs, rate, clear }: ClusterFlags) {
  const isGiven = skewMs !== undefined || rate !== undefined;
  if ((clear ?? false) === isGiven) {
    throw new CliError("E_USAGE", "clock takes either --skew-ms and --rate, or --clear");
  }
  return {
    skewMs: skewMs === undefined ? 0 : skewOf(skewMs),
    rate: rate === undefined ? 1 : rateOf(rate),
  };
}

function skewOf(text: string): number {
  const ms = parseCount(text.replace(/^[+-]/, ""), "--skew-ms", 0, FAULT_MS_MAX);
  return text.startsWith("-") && ms > 0 ? -ms : ms;
}

function rateOf(text: string): number {
  const rate = /^[0-9]{1,3}(\.[0-9]{1,9})?$/.test(text) ? Number(text) : NaN;
  if (rate >= 0.01 && rate <= 100) return rate;
  throw new CliError("E_BAD_NUMBER", `--rate ${quote(text)} is not a number from 0.01 to 100`, {
    hint: "1 is the right speed, 2 is twice as fast",
  });
}

function logFlags(flags: ClusterFlags) {
  const { replicaId, lines, follow } = flags;
  return {
    replicaId: replicaId === undefined ? undefined : parseReplicaId(replicaId),
    lines: lines === undefined ? LINES_DEFAULT : parseCount(lines, "--lines", 0, LINES_MAX),
    follow: follow ?? false,
  };
}

/** A value under its name; absent when it was not typed. */
function optional<Name extends string>(
  name: Name,
  text: string | undefined,
  parse: (text: string) => number,
): { readonly [key in Name]?: number } {
  return text === undefined ? {} : { [name]: parse(text) } as { readonly [key in Name]?: number };
}
