/**
 * `cluster-faults.txt` as text. Reading is strict: a fault that is misread would make a test prove nothing.
 * Source: docs/cluster.md#cluster-faultstxt.
 */
import { DISK_FAULT_KINDS } from "../../node/cli/cluster_options.ts";
import type { LinkFault } from "../../node/peer/line.ts";
import type { ClockFault, DiskFault, Endpoint, Faults, Link } from "./faults.ts";
import { Fields, formatFields, parseReplicaId, parseWhole } from "./text.ts";

/** Largest delay, jitter or skew: a day, in milliseconds. */
export const FAULT_MS_MAX = 86_400_000;
/** Slowest and fastest clock. */
export const RATE_MIN = 0.01;
/** See {@linkcode RATE_MIN}. */
export const RATE_MAX = 100;

/** The fields of a link, as `link.FROM.TO.NAME`. */
const LINK_FIELDS = {
  drop: { key: "drop", parse: parseShare, expected: "a share from 0 to 1" },
  delay_ms: { key: "delayMs", parse: parseMs, expected: "milliseconds" },
  jitter_ms: { key: "jitterMs", parse: parseMs, expected: "milliseconds" },
  duplicate: { key: "duplicate", parse: parseShare, expected: "a share from 0 to 1" },
  reorder: { key: "reorder", parse: parseShare, expected: "a share from 0 to 1" },
  throttle_bytes: { key: "bytesPerSecond", parse: parseRateBytes, expected: "bytes per second" },
} as const;

/**
 * The text of the faults file: every replica's network first, then whatever else is wrong.
 *
 * @param faults What is wrong.
 * @param members All replica ids.
 */
export function formatFaults(faults: Faults, members: readonly bigint[]): string {
  const lines: [string, string][] = [["version", "2"]];
  for (const id of members) {
    lines.push([`replica.${id}.network`, faults.isolated.includes(id) ? "isolated" : "healthy"]);
  }
  if (faults.partition.length > 0) {
    lines.push(["partition", faults.partition.map((group) => group.join(",")).join("/")]);
  }
  for (const link of faults.links) lines.push(...linkLines(link));
  for (const [id, fault] of faults.disks) lines.push(...diskLines(id, fault));
  for (const [id, { skewMs, rate }] of faults.clocks) {
    lines.push([`replica.${id}.clock.skew_ms`, String(skewMs)]);
    lines.push([`replica.${id}.clock.rate`, String(rate)]);
  }
  return formatFields(lines);
}

/**
 * Reads a faults file of either version.
 *
 * @param text What the file holds.
 * @param members All replica ids: each needs its network line, and nobody else may be named.
 * @throws {TextProblem} When anything in it cannot be understood.
 */
export function parseFaults(text: string, members: readonly bigint[]): Faults {
  const fields = new Fields(text, [1, 2]);
  const found = {
    isolated: members.filter((id) => readNetwork(fields, id)),
    partition: [] as readonly (readonly bigint[])[],
    links: new Map<string, { from: Endpoint; to: Endpoint; keys: string[] }>(),
    disks: new Set<bigint>(),
    clocks: new Set<bigint>(),
  };
  for (const key of fields.keys()) {
    if (key === "version" || key === "workspace_root" || /^replica\.[^.]*\.network$/.test(key)) {
      requireMember(fields, key, members);
      continue;
    }
    if (fields.version === 1) throw fields.problem(key, "this is no key of version 1");
    const parts = key.split(".");
    if (key === "partition") found.partition = readPartition(fields, members);
    else if (parts[0] === "link") groupLink(fields, key, members, found.links);
    else if (parts[0] === "replica" && parts[2] === "disk") {
      found.disks.add(requireMember(fields, key, members)!);
    } else if (parts[0] === "replica" && parts[2] === "clock") {
      found.clocks.add(requireMember(fields, key, members)!);
    } else throw fields.problem(key, "this is no key of a faults file");
  }
  return {
    isolated: found.isolated,
    partition: found.partition,
    links: [...found.links.values()].map((link) => readLink(fields, link)),
    disks: new Map(inOrder(found.disks, (id) => readDisk(fields, id))),
    clocks: new Map(inOrder(found.clocks, (id) => readClock(fields, id))),
  };
}

function linkLines({ from, to, fault }: Link): [string, string][] {
  const prefix = `link.${from}.${to}`;
  const lines: [string, string][] = fault.cut ? [[`${prefix}.cut`, "true"]] : [];
  for (const [name, { key }] of Object.entries(LINK_FIELDS)) {
    const value = fault[key];
    if (value !== undefined) lines.push([`${prefix}.${name}`, formatNumber(value)]);
  }
  return lines;
}

function diskLines(id: bigint, fault: DiskFault): [string, string][] {
  const prefix = `replica.${id}.disk`;
  return [
    [`${prefix}.kind`, fault.kind],
    [`${prefix}.after`, String(fault.after)],
    [`${prefix}.until_millis`, fault.untilMillis === undefined ? "none" : `${fault.untilMillis}`],
    [`${prefix}.delay_ms`, fault.delayMs === undefined ? "none" : `${fault.delayMs}`],
    [`${prefix}.set_at_millis`, String(fault.setAtMillis)],
  ];
}

/** Shares are written without an exponent, which the reader has no use for. */
function formatNumber(value: number): string {
  return String(value).includes("e") ? value.toFixed(9).replace(/0+$/, "") : String(value);
}

function readNetwork(fields: Fields, id: bigint): boolean {
  const key = `replica.${id}.network`;
  return fields.read(
    key,
    (text) => text === "isolated" ? true : text === "healthy" ? false : undefined,
    "healthy or isolated",
  );
}

/** The member that a `replica.N.…` key is about; `undefined` for other keys. */
function requireMember(
  fields: Fields,
  key: string,
  members: readonly bigint[],
): bigint | undefined {
  const [head, text] = key.split(".");
  if (head !== "replica") return undefined;
  const id = members.find((member) => String(member) === text);
  if (id === undefined) throw fields.problem(key, `the members are ${members.join(", ")}`);
  return id;
}

function readPartition(
  fields: Fields,
  members: readonly bigint[],
): readonly (readonly bigint[])[] {
  const expected = "groups such as 1,2/3 with every replica in one of them";
  return fields.read("partition", (text) => parseGroups(text, members), expected);
}

/**
 * Reads `1,2/3`.
 *
 * @param text As typed.
 * @param members All replica ids.
 * @returns At least two groups that each replica is in exactly one of; `undefined` for anything else.
 */
export function parseGroups(
  text: string,
  members: readonly bigint[],
): readonly (readonly bigint[])[] | undefined {
  const groups = text.split("/").map((group) => group.split(",").map(parseReplicaId));
  const ids = groups.flat();
  const isWhole = ids.length === members.length && members.every((id) => ids.includes(id));
  return isWhole && groups.length > 1 ? groups as bigint[][] : undefined;
}

function groupLink(
  fields: Fields,
  key: string,
  members: readonly bigint[],
  links: Map<string, { from: Endpoint; to: Endpoint; keys: string[] }>,
): void {
  const parts = key.split(".");
  const [from, to] = [endpoint(parts[1], members), endpoint(parts[2], members)];
  if (from === undefined || to === undefined || parts.length !== 4) {
    const ends = `client, ${members.join(", ")}`;
    throw fields.problem(key, `it must be link.FROM.TO.FAULT with two of ${ends}`);
  }
  if (from === to) throw fields.problem(key, "a link has two different ends");
  const name = `${from}.${to}`;
  const link = links.get(name) ?? { from, to, keys: [] };
  link.keys.push(key);
  links.set(name, link);
}

function endpoint(text: string | undefined, members: readonly bigint[]): Endpoint | undefined {
  return text === "client" ? "client" : members.find((id) => String(id) === text);
}

function readLink(
  fields: Fields,
  link: { readonly from: Endpoint; readonly to: Endpoint; readonly keys: readonly string[] },
): Link {
  const fault: Record<string, number | true> = {};
  for (const key of link.keys) {
    const name = key.split(".")[3]!;
    if (name === "cut") {
      fault["cut"] = fields.read(key, (text) => text === "true" ? true : undefined, "true");
      continue;
    }
    const field = Object.entries(LINK_FIELDS).find(([known]) => known === name)?.[1];
    if (field === undefined) throw fields.problem(key, "there is no such fault of a link");
    fault[field.key] = fields.read(key, field.parse, field.expected);
  }
  return { from: link.from, to: link.to, fault: fault as LinkFault };
}

function readDisk(fields: Fields, id: bigint): DiskFault {
  const prefix = `replica.${id}.disk`;
  onlyKeys(fields, prefix, ["kind", "after", "until_millis", "delay_ms", "set_at_millis"]);
  const kind = fields.read(
    `${prefix}.kind`,
    (text) => DISK_FAULT_KINDS.find((known) => known === text),
    DISK_FAULT_KINDS.join(", "),
  );
  const untilMillis = readOptional(fields, `${prefix}.until_millis`, Number.MAX_SAFE_INTEGER);
  const delayMs = readOptional(fields, `${prefix}.delay_ms`, FAULT_MS_MAX);
  return {
    kind,
    after: fields.read(`${prefix}.after`, parseCount, "a count"),
    ...(untilMillis === undefined ? {} : { untilMillis }),
    ...(delayMs === undefined ? {} : { delayMs }),
    setAtMillis: fields.read(`${prefix}.set_at_millis`, parseCount, "Unix milliseconds"),
  };
}

function readClock(fields: Fields, id: bigint): ClockFault {
  const prefix = `replica.${id}.clock`;
  onlyKeys(fields, prefix, ["skew_ms", "rate"]);
  return {
    skewMs: fields.read(
      `${prefix}.skew_ms`,
      (text) => parseWhole(text, -FAULT_MS_MAX, FAULT_MS_MAX),
      "milliseconds, a day at most",
    ),
    rate: fields.read(`${prefix}.rate`, parseRate, `a rate from ${RATE_MIN} to ${RATE_MAX}`),
  };
}

function onlyKeys(fields: Fields, prefix: string, names: readonly string[]): void {
  for (const key of fields.keys()) {
    if (!key.startsWith(`${prefix}.`) || names.includes(key.slice(prefix.length + 1))) continue;
    throw fields.problem(key, "this is no key of a faults file");
  }
}

function readOptional(fields: Fields, key: string, max: number): number | undefined {
  if (fields.text(key) === "none") return undefined;
  return fields.read(key, (text) => parseWhole(text, 0, max), "a whole number or none");
}

function inOrder<T>(ids: ReadonlySet<bigint>, read: (id: bigint) => T): [bigint, T][] {
  const sorted = [...ids].sort((a, b) => a < b ? -1 : 1);
  return sorted.map((id) => [id, read(id)]);
}

/** A share from 0 to 1, in decimals. */
export function parseShare(text: string): number | undefined {
  const value = parseDecimal(text);
  return value !== undefined && value <= 1 ? value : undefined;
}

/** How fast a clock goes. */
export function parseRate(text: string): number | undefined {
  const value = parseDecimal(text);
  return value !== undefined && value >= RATE_MIN && value <= RATE_MAX ? value : undefined;
}

function parseDecimal(text: string): number | undefined {
  return /^(0|[1-9][0-9]{0,3})(\.[0-9]{1,9})?$/.test(text) ? Number(text) : undefined;
}

function parseMs(text: string): number | undefined {
  return parseWhole(text, 0, FAULT_MS_MAX);
}

function parseRateBytes(text: string): number | undefined {
  return parseWhole(text, 1, Number.MAX_SAFE_INTEGER);
}

function parseCount(text: string): number | undefined {
  return parseWhole(text, 0, Number.MAX_SAFE_INTEGER);
}
