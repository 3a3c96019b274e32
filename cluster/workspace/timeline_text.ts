/**
 * `cluster-timeline.log` as text: `version=1`, then a block of lines for each event, an empty line before each.
 * A verb that was tried leaves a block when it begins and one with the same sequence when it ends, so one
 * that failed or died in the middle can be seen. Source: docs/cluster.md#cluster-timelinelog.
 */
import { parseReplicaId, parseWhole } from "./text.ts";

/** What happened, as operators read it. */
export const EVENT_KINDS = [
  "cluster_start",
  "cluster_stop",
  "replica_crash",
  "replica_restart",
  "replica_isolate",
  "replica_heal",
  "replica_pause",
  "replica_resume",
  "cluster_heal",
  "cluster_partition",
  "link_fault",
  "disk_fault",
  "clock_fault",
] as const;

/** One of {@linkcode EVENT_KINDS}. */
export type EventKind = typeof EVENT_KINDS[number];

/** Where in a verb's life a block was written. */
export type Phase = "begin" | "done" | "failed";

/** One block. */
export interface Block {
  readonly sequence: number;
  readonly timestampMillis: number;
  /** A word; newer versions may know more than {@linkcode EVENT_KINDS}. */
  readonly kind: string;
  readonly replicaId: bigint | undefined;
  readonly detail: string | undefined;
  readonly phase: Phase;
}

/** One verb. */
export interface TimelineEvent extends Omit<Block, "phase"> {
  /** `begun` when it never came to its end. */
  readonly outcome: "done" | "failed" | "begun";
  /** How long it took, in milliseconds; absent unless both ends are known. */
  readonly durationMs: number | undefined;
}

/** What a timeline holds; lines that make no sense are reported, never believed and never fatal. */
export interface Timeline {
  readonly events: readonly TimelineEvent[];
  readonly problems: readonly string[];
  /** The version line when it is one that is not known: nothing may be appended then. */
  readonly unknownVersion: string | undefined;
}

/** Longest detail that is written, in characters. */
const DETAIL_CHARS_MAX = 1_000;

/** The head of a new timeline. */
export const TIMELINE_HEAD = "version=1\n";

/** One block as it is appended, an empty line first. */
export function formatBlock(block: Block): string {
  return `
sequence=${block.sequence}
timestamp_millis=${block.timestampMillis}
kind=${block.kind}
replica_id=${block.replicaId ?? "none"}
detail=${block.detail === undefined ? "none" : oneLine(block.detail)}
phase=${block.phase}
`;
}

/**
 * Reads a timeline.
 *
 * @param text What the file holds; blocks without a phase are ones that ended well.
 */
export function parseTimeline(text: string): Timeline {
  const problems: string[] = [];
  const events = new Map<number, TimelineEvent>();
  let unknownVersion: string | undefined;
  for (const { line, lines } of paragraphs(text)) {
    if (line === 1 && lines[0]!.startsWith("version=")) {
      const first = lines.shift()!;
      if (first !== "version=1") unknownVersion = first;
      if (lines.length === 0) continue;
    }
    const block = parseBlock(lines);
    if (typeof block === "string") problems.push(`line ${line}: ${block}`);
    else events.set(block.sequence, folded(events.get(block.sequence), block));
  }
  const inOrder = [...events.values()].sort((a, b) => a.sequence - b.sequence);
  return { events: inOrder, problems, unknownVersion };
}

function folded(begun: TimelineEvent | undefined, { phase, ...block }: Block): TimelineEvent {
  if (begun === undefined || phase === "begin") {
    return { ...block, outcome: phase === "begin" ? "begun" : phase, durationMs: undefined };
  }
  return {
    ...begun,
    detail: block.detail ?? begun.detail,
    outcome: phase,
    durationMs: Math.max(block.timestampMillis - begun.timestampMillis, 0),
  };
}

function paragraphs(text: string): { readonly line: number; readonly lines: string[] }[] {
  const found: { line: number; lines: string[] }[] = [];
  let open: { line: number; lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") open = undefined;
    else if (open === undefined) found.push(open = { line: index + 1, lines: [line] });
    else open.lines.push(line);
  }
  return found;
}

function parseBlock(lines: readonly string[]): Block | string {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const equals = line.indexOf("=");
    if (equals <= 0) return "a line is not key=value";
    if (fields.has(line.slice(0, equals))) return `${line.slice(0, equals)} is there twice`;
    fields.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const sequence = parseWhole(fields.get("sequence") ?? "", 1, Number.MAX_SAFE_INTEGER);
  const millis = parseWhole(fields.get("timestamp_millis") ?? "", 0, Number.MAX_SAFE_INTEGER);
  const kind = fields.get("kind");
  const replica = fields.get("replica_id");
  const detail = fields.get("detail");
  const phase = phaseOf(fields.get("phase"));
  if (sequence === undefined) return "sequence is missing or malformed";
  if (millis === undefined) return "timestamp_millis is missing or malformed";
  if (kind === undefined || !/^[a-z_]+$/.test(kind)) return "kind is missing or malformed";
  if (detail === undefined) return "detail is missing";
  if (phase === undefined) return "phase is malformed";
  const replicaId = replica === "none" ? undefined : parseReplicaId(replica ?? "");
  if (replicaId === undefined && replica !== "none") return "replica_id is missing or malformed";
  return {
    sequence,
    timestampMillis: millis,
    kind,
    replicaId,
    detail: detail === "none" ? undefined : detail,
    phase,
  };
}

function phaseOf(text: string | undefined): Phase | undefined {
  if (text === undefined) return "done";
  return text === "begin" || text === "done" || text === "failed" ? text : undefined;
}

/** A detail may quote anything; it must not look like lines of its own. */
function oneLine(text: string): string {
  const clean = text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return clean.slice(0, DETAIL_CHARS_MAX) || "none";
}
