import type { LogLevel } from "../../node/control/messages.ts";
import type { NodeLog } from "../../node/log_lines.ts";
import { type EventFields, eventLine } from "./log_events.ts";

/** Where lines of any level go. */
export interface LogSink extends NodeLog {
  debug(line: string): void;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warning", "error"];

/** The log of one replica: every line says whose it is, and an operator may ask for more or fewer of them. */
export class LeveledLog implements LogSink {
  /** Whether everything is written: cheap to ask for each command. */
  isDebug = false;
  #level: LogLevel = "info";
  readonly #sink: LogSink;
  readonly #replica: bigint;

  /**
   * @param sink Where lines go.
   * @param replica Whose they are.
   */
  constructor(sink: LogSink, replica: bigint) {
    this.#sink = sink;
    this.#replica = replica;
  }

  /** Lines below it are not written. */
  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    this.#level = level;
    this.isDebug = level === "debug";
  }

  /** Whether lines of a level are written: asked before a line that costs something is made. */
  writes(level: LogLevel): boolean {
    return ORDER.indexOf(level) >= ORDER.indexOf(this.#level);
  }

  /** An event at a level, see {@linkcode eventLine}. */
  event(level: LogLevel, name: string, fields: EventFields = {}): void {
    if (this.writes(level)) this.#write(level, eventLine(this.#replica, name, fields));
  }

  debug(line: string): void {
    if (this.writes("debug")) this.#write("debug", this.#named(line));
  }

  info(line: string): void {
    if (this.writes("info")) this.#write("info", this.#named(line));
  }

  warn(line: string): void {
    if (this.writes("warning")) this.#write("warning", this.#named(line));
  }

  error(line: string): void {
    this.#write("error", this.#named(line));
  }

  #named(line: string): string {
    return line.startsWith("replica=") ? line : `replica=${this.#replica} ${line}`;
  }

  #write(level: LogLevel, line: string): void {
    if (level === "debug") this.#sink.debug(line);
    else if (level === "info") this.#sink.info(line);
    else if (level === "warning") this.#sink.warn(line);
    else this.#sink.error(line);
  }
}
