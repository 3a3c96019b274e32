/**
 * What a format of histories is. Readers are pushed bytes and push events on, without a promise for each, so that a
 * million operations take seconds; what they push goes into a recording or through a writer into another format.
 */
import type { EventClaims } from "../history/claims.ts";
import type { HistoryEvent, HistoryHeader } from "../history/event.ts";
import type { SourcePlace } from "../history/history_error.ts";
import type { ModelName, Value } from "../history/model.ts";

/** Formats there are; docs/jepsen.md describes each. */
export const FORMAT_NAMES = [
  "cbor",
  "text",
  "jsonl",
  "runbook",
  "edn",
  "log",
  "kv",
  "json",
] as const;

/** One of {@linkcode FORMAT_NAMES}. */
export type FormatName = (typeof FORMAT_NAMES)[number];

/** How a file is to be read. */
export interface ReadOptions {
  /** Default: what its content looks like. */
  readonly format?: FormatName;
  /** Model of a file that does not say; foreign formats guess one from its operations. */
  readonly model?: ModelName | "reservation";
  /** Value before the first operation; readers pass over it. */
  readonly init?: Value;
  /** What a `fail` of a foreign history says: nothing, or its value too. */
  readonly failedOps: "drop" | "check";
  /** What a read of nil says: that nothing was there, or nothing at all. */
  readonly nilRead: "value" | "unknown";
  /** Whether values of a foreign history are `[key value]` pairs; default: seen from the operations. */
  readonly keyed?: boolean;
  /** Most lines that may be no events; default {@linkcode Format.skippedMax}. */
  readonly maxSkipped?: number;
}

/** What people get who say nothing. */
export const READ_DEFAULTS: ReadOptions = { failedOps: "drop", nilRead: "value" };

/** Takes what a reader finds, in the order of the file. */
export interface EventSink {
  /**
   * Once, before everything else.
   *
   * @param hasInvocations False when the file has completions alone. Its reader makes up an invocation right before each.
   */
  header(header: HistoryHeader, hasInvocations?: boolean): void;
  /** `at` is looked at during the call only: readers may use one object for all. */
  event(event: HistoryEvent, at: SourcePlace, claims?: EventClaims): void;
  /** A process has a name besides its number; may come at any time. */
  processName(number: number, name: string): void;
  /** A line that is no event of this history; too many are an error. */
  skip(at: SourcePlace, what: string): void;
  /** Something that people should know, once for each text. */
  note(text: string): void;
}

/** Reads one history. Its methods throw {@linkcode HistoryError}; after that it is of no use. */
export interface FormatReader {
  /** The bytes are the caller's again afterwards. */
  push(bytes: Uint8Array): void;
  /** Nothing comes any more. */
  end(): void;
}

/** What a writer could not say in its format, by reason. */
export type Losses = ReadonlyMap<string, number>;

/** Writes one history. It is a sink, so any reader can feed it; lines that were skipped are lost to it. */
export interface HistoryWriter extends EventSink {
  /** What has come together since the last time; the writer does not touch it any more. */
  take(): Uint8Array<ArrayBuffer>;
  /** Bytes that `take` would give, about. */
  readonly pendingBytes: number;
  /** Writes what stands at the end of a file; after that only `take` may be called. */
  end(): void;
  readonly losses: Losses;
}

/** A format. */
export interface Format {
  readonly name: FormatName;
  /** One line for people. */
  readonly describe: string;
  /** Lines that may be skipped before a file is refused, unless a caller says otherwise; Infinity for logs. */
  readonly skippedMax: number;
  /** Whether a file that begins like this is one of these; at most {@linkcode SNIFFED_BYTES}, without a byte order mark. */
  sniff(head: Uint8Array): boolean;
  /** Begins to read. */
  read(sink: EventSink, options: ReadOptions): FormatReader;
  /** Begins to write; absent for formats that are only read. */
  readonly write?: () => HistoryWriter;
}

/** How much of a file's beginning decides about its format. */
export const SNIFFED_BYTES = 4_096;
