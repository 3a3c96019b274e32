/** The timeline as a file. It only grows; whoever appends holds the workspace's lock. */
import { CliError } from "../../node/errors.ts";
import { readTextIfAny, writeAll } from "./files.ts";
import {
  type Block,
  type EventKind,
  formatBlock,
  parseTimeline,
  type Timeline,
  TIMELINE_HEAD,
} from "./timeline_text.ts";
import { fileError } from "./workspace_files.ts";

/**
 * Reads a timeline.
 *
 * @param path The file; a missing or empty one is a timeline without events.
 * @throws {CliError} When it cannot be read.
 */
export function readTimeline(path: string): Timeline {
  try {
    return parseTimeline(readTextIfAny(path) ?? "");
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/** What a verb is about to do. */
export interface Intent {
  readonly kind: EventKind;
  readonly replicaId: bigint | undefined;
  readonly detail: string | undefined;
}

/** A verb in the timeline, until it has ended. */
export class OpenEvent {
  readonly #path: string;
  readonly #begun: Block;
  readonly #now: () => number;

  /**
   * Writes down that a verb begins.
   *
   * @param path The timeline.
   * @param intent What it is about to do.
   * @param now Unix milliseconds.
   * @throws {CliError} When the timeline cannot be written, or belongs to another version.
   */
  constructor(path: string, intent: Intent, now: () => number = Date.now) {
    const { events, unknownVersion } = readEnd(path);
    if (unknownVersion !== undefined) {
      throw new CliError("E_DATA_VERSION", `${path} begins with ${unknownVersion}`, {
        hint: "use the version of allocdb that made this workspace",
      });
    }
    const sequence = (events.at(-1)?.sequence ?? 0) + 1;
    this.#path = path;
    this.#now = now;
    this.#begun = { sequence, timestampMillis: now(), phase: "begin", ...intent };
    append(path, this.#begun);
  }

  /** Writes down how it ended; `detail` replaces the intent's. */
  end(phase: "done" | "failed", detail?: string): void {
    const timestampMillis = this.#now();
    append(this.#path, {
      ...this.#begun,
      timestampMillis,
      phase,
      detail: detail ?? this.#begun.detail,
    });
  }
}

/** Bytes of a long timeline that are read for what the next event needs, at its beginning and at its end. */
const HEAD_BYTES = 256;
const END_BYTES = 64 * 1024;

/** Version and last events: whoever appends to a long timeline does not read all of it again each time. */
function readEnd(path: string): Timeline {
  try {
    using file = Deno.openSync(path);
    const { size } = file.statSync();
    if (size <= HEAD_BYTES + END_BYTES) return readTimeline(path);
    const { unknownVersion } = parseTimeline(readAt(file, 0, HEAD_BYTES).split("\n")[0]!);
    const text = readAt(file, size - END_BYTES, END_BYTES);
    const { events, problems } = parseTimeline(text.slice(text.indexOf("\n\n")));
    if (events.length === 0) return readTimeline(path);
    return { events, problems, unknownVersion };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return parseTimeline("");
    throw error instanceof CliError ? error : fileError(error, "read", path);
  }
}

function readAt(file: Deno.FsFile, at: number, length: number): string {
  const bytes = new Uint8Array(length);
  file.seekSync(at, Deno.SeekMode.Start);
  let filled = 0;
  for (let count: number | null = 0; count !== null && filled < length; filled += count ?? 0) {
    count = file.readSync(bytes.subarray(filled));
  }
  return new TextDecoder().decode(bytes.subarray(0, filled));
}

/** One write, at the end; a block that a full disk or a crash cut short is closed off first. */
function append(path: string, block: Block): void {
  try {
    using file = Deno.openSync(path, { read: true, append: true, create: true });
    const size = file.statSync().size;
    const head = size === 0 ? TIMELINE_HEAD : endsLine(file, size) ? "" : "\n";
    writeAll(file, new TextEncoder().encode(head + formatBlock(block)));
    file.syncDataSync();
  } catch (error) {
    throw fileError(error, "append to", path);
  }
}

function endsLine(file: Deno.FsFile, size: number): boolean {
  const last = new Uint8Array(1);
  file.seekSync(size - 1, Deno.SeekMode.Start);
  return file.readSync(last) === 1 && last[0] === 0x0a;
}
