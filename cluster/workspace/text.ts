/**
 * The text that workspace files share: `version=N` first, then one `key=value` per line, split at the first
 * `=`. Blank lines mean nothing; a repeated key, a line without `=` and an unknown version are errors that
 * name their line. Source: docs/cluster.md#files.
 */

/** Longest file that is read: far above what a workspace of five replicas fills. */
export const TEXT_CHARS_MAX = 1024 * 1024;

/** A text that is not what its name promises. */
export class TextProblem extends Error {
  override readonly name = "TextProblem";
  /** 1-based; `undefined` when something is missing rather than wrong. */
  readonly line: number | undefined;
  /** Whether a newer or older program wrote it. */
  readonly isOtherVersion: boolean;

  /**
   * @param line Where.
   * @param message What is wrong there.
   * @param isOtherVersion Whether the version is what is wrong.
   */
  constructor(line: number | undefined, message: string, isOtherVersion = false) {
    super(line === undefined ? message : `line ${line}: ${message}`);
    this.line = line;
    this.isOtherVersion = isOtherVersion;
  }
}

/** One `key=value`. */
export interface Field {
  readonly value: string;
  /** 1-based. */
  readonly line: number;
}

/** The lines of one text. */
export class Fields {
  readonly version: number;
  readonly #fields: ReadonlyMap<string, Field>;

  /**
   * @param text The whole text.
   * @param versions The versions that the caller can read.
   * @throws {TextProblem} When the text is no such list.
   */
  constructor(text: string, versions: readonly number[]) {
    const fields = splitFields(text);
    const first = fields.entries().next().value;
    if (first === undefined) throw new TextProblem(undefined, "the file is empty");
    const [key, { value, line }] = first;
    if (key !== "version") throw new TextProblem(line, "the first line is not version=…");
    const version = versions.find((known) => String(known) === value);
    if (version === undefined) {
      const known = versions.join(" and ");
      throw new TextProblem(line, `version ${quote(value)} is not one of ${known}`, true);
    }
    this.version = version;
    this.#fields = fields;
  }

  /** All keys in the order of the text. */
  keys(): IterableIterator<string> {
    return this.#fields.keys();
  }

  /** Whether the key is there. */
  has(key: string): boolean {
    return this.#fields.has(key);
  }

  /** The line of a key that is there. */
  lineOf(key: string): number | undefined {
    return this.#fields.get(key)?.line;
  }

  /** @throws {TextProblem} When the key is missing. */
  text(key: string): string {
    const field = this.#fields.get(key);
    if (field === undefined) throw new TextProblem(undefined, `${key} is missing`);
    return field.value;
  }

  /** The value as `parse` reads it. */
  read<T>(key: string, parse: (value: string) => T | undefined, expected: string): T {
    const value = parse(this.text(key));
    if (value !== undefined) return value;
    throw this.problem(key, `${quote(this.text(key))} is not ${expected}`);
  }

  /** An error about the line of a key. */
  problem(key: string, says: string): TextProblem {
    return new TextProblem(this.lineOf(key), `${nameOf(key)}: ${says}`);
  }
}

function splitFields(text: string): ReadonlyMap<string, Field> {
  if (text.length > TEXT_CHARS_MAX) {
    throw new TextProblem(undefined, `the file is longer than ${TEXT_CHARS_MAX} characters`);
  }
  const fields = new Map<string, Field>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const equals = line.indexOf("=");
    if (equals <= 0) throw new TextProblem(index + 1, `${quote(line)} is not key=value`);
    const key = line.slice(0, equals);
    if (fields.has(key)) throw new TextProblem(index + 1, `${quote(key)} is there twice`);
    fields.set(key, { value: line.slice(equals + 1), line: index + 1 });
  }
  return fields;
}

/** A key as it is, unless it is none that anybody would write. */
function nameOf(key: string): string {
  return /^[\w.]{1,80}$/.test(key) ? key : quote(key);
}

/** Lines in the order given. */
export function formatFields(fields: readonly (readonly [key: string, value: string])[]): string {
  return fields.map(([key, value]) => `${key}=${value}\n`).join("");
}

/** Quoted and cut, so that hostile text neither forges a line nor fills one. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** A decimal number with one spelling; `undefined` for anything else. */
export function parseWhole(text: string, min: number, max: number): number | undefined {
  if (!/^-?(0|[1-9][0-9]{0,15})$/.test(text) || text === "-0") return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

/** Ids of replicas are small positive numbers that people type. */
export function parseReplicaId(text: string): bigint | undefined {
  const id = parseWhole(text, 1, Number.MAX_SAFE_INTEGER);
  return id === undefined ? undefined : BigInt(id);
}
