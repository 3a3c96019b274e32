/** One command of a protocol script: a verb, places behind it, and `name=value` pairs. */

/** A line of a script that cannot be carried out, in words for whoever wrote it. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
  /** Counted from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** See the top of this file. What cannot be read is a {@linkcode ScriptError}. */
export class Words {
  readonly verb: string;
  readonly line: number;
  readonly places: readonly string[];
  readonly named: ReadonlyMap<string, string>;

  /**
   * @param text The command.
   * @param line Where it stands, counted from 1.
   */
  constructor(text: string, line: number) {
    const [verb, ...rest] = text.trim().split(/\s+/);
    const named = new Map<string, string>();
    const places: string[] = [];
    for (const word of rest) {
      const [, name, value] = /^([a-z_-]+)=(.*)$/.exec(word) ?? [];
      if (name === undefined) places.push(word);
      else if (named.has(name)) throw new ScriptError(line, `${name}= is given twice`);
      else named.set(name, value!);
    }
    this.verb = verb!;
    this.line = line;
    this.places = places;
    this.named = named;
  }

  /** Gives up on this line. */
  fail(message: string): never {
    throw new ScriptError(this.line, message);
  }

  /** The word at a place, which must be there. */
  place(at: number, what: string): string {
    return this.places[at] ?? this.fail(`${this.verb} wants ${what}`);
  }

  /** The word at a place, one of a few. */
  choice<T extends string>(at: number, words: readonly T[]): T {
    const word = this.place(at, `one of ${words.join(", ")}`);
    const found = words.find((known) => known === word);
    return found ?? this.fail(`"${word}" is none of ${words.join(", ")}`);
  }

  /** The replica at a place, or under a name. */
  replica(at: number | string): bigint {
    const word = typeof at === "number" ? this.place(at, "a replica") : this.value(at);
    return this.#whole(word, "the number of a replica");
  }

  /** Replicas under a name, or at a place: `2,3`; undefined when not given. */
  replicas(at: number | string): readonly bigint[] | undefined {
    const word = typeof at === "number" ? this.places[at] : this.named.get(at);
    return word?.split(",").map((part) => this.#whole(part, "the number of a replica"));
  }

  /** What must be given under a name. */
  value(name: string): string {
    return this.named.get(name) ?? this.fail(`${this.verb} wants ${name}=`);
  }

  /** A whole number under a name; without a default it must be given. */
  number(name: string, otherwise?: bigint): bigint {
    const word = this.named.get(name);
    if (word === undefined && otherwise !== undefined) return otherwise;
    return this.#whole(this.value(name), `a whole number for ${name}=`);
  }

  /** Whole numbers under a name: `1,2,3`. */
  numbers(name: string): readonly bigint[] {
    return this.value(name).split(",").map((part) => this.#whole(part, `numbers for ${name}=`));
  }

  /** A time in milliseconds at a place or under a name: `500ms`, `2s`. */
  duration(at: number | string, otherwise?: number): number {
    const word = typeof at === "number" ? this.places[at] : this.named.get(at);
    if (word === undefined && otherwise !== undefined) return otherwise;
    const [, digits, unit] = /^\+?(\d+(?:\.\d+)?)(ms|s)$/.exec(word ?? "") ?? [];
    if (digits === undefined) this.fail(`${this.verb} wants a time like 500ms or 2s`);
    return Number(digits) * (unit === "s" ? 1_000 : 1);
  }

  #whole(word: string, what: string): bigint {
    if (!/^\d+$/.test(word)) this.fail(`"${word}" is not ${what}`);
    return BigInt(word);
  }
}
