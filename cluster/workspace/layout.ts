/**
 * `cluster-layout.txt`: who the replicas of a workspace are, where they listen and where their files are.
 * Written once, when the workspace is made. Source: docs/cluster.md#cluster-layouttxt.
 */
import { isAbsolute, join, relative, resolve } from "@std/path";
import { DEFAULT_CORE_CONFIG } from "../../core/config.ts";
import { sha256Words } from "../../core/sha256.ts";
import { PROFILES } from "../../node/config/profiles.ts";
import {
  applyBounds,
  formatNodeConfig,
  type NodeConfig,
  PARAMETER_NAMES,
} from "../../node/config/text.ts";
import { Fields, formatFields, parseReplicaId, parseWhole, TextProblem } from "./text.ts";

/** One replica of a workspace; every path is absolute. */
export interface ReplicaLayout {
  readonly id: bigint;
  /** Its data directory. */
  readonly directory: string;
  readonly logPath: string;
  readonly pidPath: string;
  readonly metadataPath: string;
  /** Derived from the metadata's path. */
  readonly prepareLogPath: string;
  readonly snapshotPath: string;
  readonly walPath: string;
  /** `HOST:PORT`, as are the next two. */
  readonly controlAddr: string;
  readonly clientAddr: string;
  readonly protocolAddr: string;
}

/** What the replicas leave to the operator. */
export const MANUAL_CHORES = ["failover", "expiration", "checkpoint"] as const;

/** One of {@linkcode MANUAL_CHORES}. */
export type ManualChore = typeof MANUAL_CHORES[number];

/** A workspace's layout. */
export interface ClusterLayout {
  readonly version: 1 | 2;
  /** Absolute; what relative paths in the file are relative to. */
  readonly root: string;
  /** 16 bytes. */
  readonly clusterId: Uint8Array;
  /** All replica ids, ascending. */
  readonly members: readonly bigint[];
  /** Absolute path of the cluster's secret, if it has one. */
  readonly secretPath: string | undefined;
  /** What no replica does by itself; empty unless asked for when the workspace was made. */
  readonly manual: ReadonlySet<ManualChore>;
  readonly config: NodeConfig;
  /** In the order of {@linkcode ClusterLayout.members}. */
  readonly replicas: readonly ReplicaLayout[];
}

/** Where one replica listens. */
export interface ReplicaAddresses {
  readonly control: string;
  readonly client: string;
  readonly protocol: string;
}

/** Most replicas of one workspace. */
export const REPLICAS_MAX = 9;

/** Names of the files in a replica's directory: fixed, as a directory is one replica's. */
const DATA_FILES = {
  metadata: "replica.metadata",
  snapshot: "state.snapshot",
  wal: "state.wal",
} as const;

/** What files of the first version leave out. */
const OLD_DEFAULTS: Readonly<Record<string, string>> = {
  "core.max_bundle_size": "1",
  "core.slot_duration_ms": String(DEFAULT_CORE_CONFIG.slotDurationMs),
};

/** What is to be decided about a new workspace. */
export interface NewLayout extends Pick<ClusterLayout, "root" | "clusterId" | "config"> {
  /** One entry per replica; ids count from 1. */
  readonly addresses: readonly ReplicaAddresses[];
  readonly secretPath?: string | undefined;
  readonly manual?: ReadonlySet<ManualChore>;
}

/** Lays out a new workspace under the usual names. */
export function newLayout(
  { root, clusterId, config, addresses, secretPath, manual = new Set() }: NewLayout,
): ClusterLayout {
  const replicas = addresses.map((address, index) => {
    const id = BigInt(index + 1);
    return replicaLayout(id, {
      directory: join(root, `replica-${id}`),
      logPath: join(root, "logs", `replica-${id}.log`),
      pidPath: join(root, "run", `replica-${id}.pid`),
    }, address);
  });
  const members = replicas.map(({ id }) => id);
  return { version: 2, root, clusterId, members, secretPath, manual, config, replicas };
}

/** The replica with an id. */
export function replicaOf(layout: ClusterLayout, id: bigint): ReplicaLayout | undefined {
  return layout.replicas.find((replica) => replica.id === id);
}

/** The text of a layout of the current version, with paths relative to its root. */
export function formatLayout(layout: ClusterLayout): string {
  const path = (absolute: string): string => relative(layout.root, absolute) || ".";
  const { secretPath } = layout;
  const head: [string, string][] = [
    ["version", "2"],
    ["workspace_root", "."],
    ["cluster_id", hexOf(layout.clusterId)],
    ["current_view", "1"],
    ["replica_count", String(layout.replicas.length)],
    ["members", layout.members.join(",")],
    ["secret_path", secretPath === undefined ? "none" : path(secretPath)],
    ["manual", MANUAL_CHORES.filter((chore) => layout.manual.has(chore)).join(",") || "none"],
  ];
  const replicas = layout.replicas.flatMap((replica, index): [string, string][] => [
    [`replica.${replica.id}.role`, index === 0 ? "primary" : "backup"],
    [`replica.${replica.id}.workspace_dir`, path(replica.directory)],
    [`replica.${replica.id}.log_path`, path(replica.logPath)],
    [`replica.${replica.id}.pid_path`, path(replica.pidPath)],
    [`replica.${replica.id}.metadata_path`, path(replica.metadataPath)],
    [`replica.${replica.id}.snapshot_path`, path(replica.snapshotPath)],
    [`replica.${replica.id}.wal_path`, path(replica.walPath)],
    [`replica.${replica.id}.control_addr`, replica.controlAddr],
    [`replica.${replica.id}.client_addr`, replica.clientAddr],
    [`replica.${replica.id}.protocol_addr`, replica.protocolAddr],
  ]);
  return formatFields(head) + formatNodeConfig(layout.config) + formatFields(replicas);
}

/**
 * Reads a layout of either version. Keys that it does not know are ignored, those of bounds excepted.
 *
 * @param text What the file holds.
 * @param directory Absolute path of the directory that the file is in.
 * @throws {TextProblem} When the text is no layout.
 */
export function parseLayout(text: string, directory: string): ClusterLayout {
  const fields = new Fields(text, [1, 2]);
  const root = fields.version === 1 ? oldRoot(fields) : directory;
  const members = readMembers(fields);
  const replicas = members.map((id) => readReplica(fields, id, root));
  requireDistinct(fields, replicas);
  return {
    version: fields.version === 1 ? 1 : 2,
    root,
    clusterId: fields.version === 1 ? oldClusterId(root) : readClusterId(fields),
    members,
    secretPath: readSecretPath(fields, root),
    manual: readManual(fields),
    config: readConfig(fields),
    replicas,
  };
}

/** In the first version the recorded root wins over where the file is found. */
function oldRoot(fields: Fields): string {
  return fields.read("workspace_root", absolutePath, "an absolute path");
}

/** The first version has no cluster id: one that follows from what it has, so that all who read it agree. */
function oldClusterId(root: string): Uint8Array {
  const text = new TextEncoder().encode(`allocdb:layout:1:${root}`);
  const digest = new Uint32Array(8);
  sha256Words(new DataView(text.buffer), 0, text.length, digest);
  const id = new Uint8Array(16);
  const view = new DataView(id.buffer);
  for (let word = 0; word < 4; word++) view.setUint32(word * 4, digest[word]!);
  return id;
}

function readClusterId(fields: Fields): Uint8Array {
  return fields.read("cluster_id", (text) => {
    if (!/^[0-9a-f]{32}$/.test(text)) return undefined;
    return Uint8Array.from({ length: 16 }, (_, i) => parseInt(text.slice(i * 2, i * 2 + 2), 16));
  }, "32 hex digits");
}

function readMembers(fields: Fields): readonly bigint[] {
  const count = fields.read(
    "replica_count",
    (text) => parseWhole(text, 1, REPLICAS_MAX),
    `a number from 1 to ${REPLICAS_MAX}`,
  );
  if (fields.version === 1) return Array.from({ length: count }, (_, i) => BigInt(i + 1));
  const members = fields.read("members", parseIds, "replica ids in ascending order");
  if (members.length === count) return members;
  throw fields.problem("members", `${members.length} ids, and replica_count is ${count}`);
}

/** `1,2,3`: ascending and distinct. */
function parseIds(text: string): readonly bigint[] | undefined {
  const ids = text.split(",").map(parseReplicaId);
  const isAscending = ids.every((id, i) => id !== undefined && (i === 0 || id > ids[i - 1]!));
  return isAscending ? ids as bigint[] : undefined;
}

function readSecretPath(fields: Fields, root: string): string | undefined {
  if (!fields.has("secret_path") || fields.text("secret_path") === "none") return undefined;
  return resolve(root, fields.read("secret_path", nonEmpty, "a path"));
}

function readManual(fields: Fields): ReadonlySet<ManualChore> {
  if (!fields.has("manual") || fields.text("manual") === "none") return new Set();
  return fields.read("manual", (text) => {
    const chores = text.split(",").map((word) => MANUAL_CHORES.find((chore) => chore === word));
    return chores.includes(undefined) ? undefined : new Set(chores as ManualChore[]);
  }, `some of ${MANUAL_CHORES.join(",")}`);
}

function readConfig(fields: Fields): NodeConfig {
  const names = [...fields.keys()].filter((key) => /^(core|engine)\./.test(key));
  const lines = names.map((name) => `${name}=${fields.text(name)}`);
  for (const name of PARAMETER_NAMES) {
    if (fields.has(name)) continue;
    const standard = fields.version === 1 ? OLD_DEFAULTS[name] : undefined;
    if (standard === undefined) throw new TextProblem(undefined, `${name} is missing`);
    lines.push(`${name}=${standard}`);
  }
  const result = applyBounds(PROFILES.local, lines);
  if (result.kind === "parsed") return result.config;
  const { parameter, message } = result.error;
  throw new TextProblem(fields.lineOf(parameter), message);
}

function readReplica(fields: Fields, id: bigint, root: string): ReplicaLayout {
  const path = (name: string): string =>
    resolve(root, fields.read(`replica.${id}.${name}`, nonEmpty, "a path"));
  const address = (name: string): string =>
    fields.read(`replica.${id}.${name}`, parseListenAddress, "IP:PORT");
  const places = {
    directory: path("workspace_dir"),
    logPath: path("log_path"),
    pidPath: path("pid_path"),
  };
  const replica = replicaLayout(id, places, {
    control: address("control_addr"),
    client: address("client_addr"),
    protocol: address("protocol_addr"),
  });
  const fixed = { metadata: "metadataPath", snapshot: "snapshotPath", wal: "walPath" } as const;
  for (const [name, key] of Object.entries(fixed) as [keyof typeof fixed, "walPath"][]) {
    if (path(`${name}_path`) === replica[key]) continue;
    const says = `it must be ${DATA_FILES[name]} in workspace_dir`;
    throw fields.problem(`replica.${id}.${name}_path`, says);
  }
  return replica;
}

function replicaLayout(
  id: bigint,
  places: Pick<ReplicaLayout, "directory" | "logPath" | "pidPath">,
  { control, client, protocol }: ReplicaAddresses,
): ReplicaLayout {
  const metadataPath = join(places.directory, DATA_FILES.metadata);
  return {
    id,
    ...places,
    metadataPath,
    prepareLogPath: `${metadataPath}.prepare`,
    snapshotPath: join(places.directory, DATA_FILES.snapshot),
    walPath: join(places.directory, DATA_FILES.wal),
    controlAddr: control,
    clientAddr: client,
    protocolAddr: protocol,
  };
}

/** Two replicas on one port or in one directory would be each other's damage. */
function requireDistinct(fields: Fields, replicas: readonly ReplicaLayout[]): void {
  const seen = new Map<string, string>();
  for (const replica of replicas) {
    const values = {
      workspace_dir: replica.directory,
      log_path: replica.logPath,
      pid_path: replica.pidPath,
      control_addr: replica.controlAddr,
      client_addr: replica.clientAddr,
      protocol_addr: replica.protocolAddr,
    };
    for (const [name, value] of Object.entries(values)) {
      const key = `replica.${replica.id}.${name}`;
      const other = seen.get(value);
      if (other !== undefined) throw fields.problem(key, `${other} has the same value`);
      seen.set(value, key);
    }
  }
}

/** A numeric address with a port: what a listener binds must not depend on a resolver. */
function parseListenAddress(text: string): string | undefined {
  const [, v4, v6, port] = /^(?:([0-9.]+)|\[([0-9a-f:.]+)\]):([0-9]{1,5})$/.exec(text) ?? [];
  const number = parseWhole(port ?? "", 1, 65_535);
  if (number === undefined) return undefined;
  if (v4 !== undefined) return isV4(v4) ? text : undefined;
  return v6!.includes(":") ? text : undefined;
}

function isV4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => parseWhole(part, 0, 255) !== undefined);
}

function nonEmpty(text: string): string | undefined {
  return text === "" || text.includes("\0") ? undefined : text;
}

function absolutePath(text: string): string | undefined {
  return isAbsolute(text) ? resolve(text) : undefined;
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
