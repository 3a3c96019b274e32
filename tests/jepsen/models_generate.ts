/** Histories of systems that are right, drawn from a seed, and what becomes of them when one thing in them is changed. */
import type {
  ModelName,
  ModelOperation,
  ModelOutcome,
  Value,
} from "../../testbed/jepsen/history/model.ts";
import type { SeededRandom } from "../../testbed/sim/random.ts";

/** What is wanted. */
export interface ModelSize {
  readonly model: ModelName;
  readonly operations: number;
  readonly clients: number;
  /** 0 for a history without keys. */
  readonly keys: number;
  /** Different values; fewer meet more often. */
  readonly values: number;
  /** One operation in so many is never answered. */
  readonly lostOneIn: number;
  readonly init?: Value;
}

interface Open {
  process: number;
  readonly request: { f: string; key?: Value; value: Value };
  readonly invokedAt: number;
  readonly index: number;
  /** Undefined before it has happened. */
  outcome: ModelOutcome | undefined;
  readonly isLost: boolean;
}

/** Draws a history of a system that is right. */
export function generateModel(random: SeededRandom, size: ModelSize): ModelOperation[] {
  return new Generator(random, size).run();
}

class Generator {
  readonly #random: SeededRandom;
  readonly #size: ModelSize;
  readonly #system: System;
  readonly #operations: ModelOperation[] = [];
  readonly #open: (Open | undefined)[];
  readonly #processes: number[];
  #begun = 0;
  #now = 0;
  #processesMax: number;

  constructor(random: SeededRandom, size: ModelSize) {
    this.#random = random;
    this.#size = size;
    this.#system = new System(size);
    this.#open = Array.from({ length: size.clients });
    this.#processes = Array.from({ length: size.clients }, (_, i) => i);
    this.#processesMax = size.clients;
  }

  run(): ModelOperation[] {
    while (this.#begun < this.#size.operations || this.#open.some((it) => it !== undefined)) {
      const client = this.#random.below(this.#size.clients);
      const open = this.#open[client];
      if (open === undefined) this.#begin(client);
      else if (open.outcome === undefined && !(open.isLost && this.#random.oneIn(2))) {
        open.outcome = this.#system.apply(open.process, open.request);
      } else this.#end(client, open);
    }
    return this.#operations.sort((a, b) => a.invokedAt - b.invokedAt);
  }

  #begin(client: number): void {
    if (this.#begun >= this.#size.operations) return;
    const process = this.#processes[client]!;
    this.#open[client] = {
      process,
      request: this.#draw(process),
      invokedAt: this.#now++,
      index: this.#begun++,
      outcome: undefined,
      isLost: this.#random.oneIn(this.#size.lostOneIn),
    };
  }

  #end(client: number, { process, request, invokedAt, outcome, isLost }: Open): void {
    this.#open[client] = undefined;
    if (isLost) {
      this.#processes[client] = this.#processesMax++;
      const info = { completedAt: undefined, outcome: { kind: "info" } } as const;
      this.#operations.push({ process, ...request, invokedAt, ...info });
      return;
    }
    this.#operations.push({
      process,
      ...request,
      invokedAt,
      completedAt: this.#now++,
      outcome: outcome!,
    });
  }

  #draw(process: number): Open["request"] {
    const key = this.#size.keys === 0 ? {} : { key: BigInt(this.#random.below(this.#size.keys)) };
    return { ...key, ...this.#drawFunction(process) };
  }

  #drawFunction(process: number): { f: string; value: Value } {
    const value = (): Value => BigInt(this.#random.below(this.#size.values));
    const text = (): string => "abcdefgh"[this.#random.below(Math.min(8, this.#size.values))]!;
    const kind = this.#random.below(3);
    switch (this.#size.model) {
      case "register":
        return kind > 0 ? { f: "read", value: null } : { f: "write", value: value() };
      case "cas-register":
        if (kind === 0) return { f: "read", value: null };
        return kind === 1
          ? { f: "write", value: value() }
          : { f: "cas", value: [value(), value()] };
      case "kv":
        if (kind === 0) return { f: "get", value: null };
        return { f: this.#random.oneIn(4) ? "put" : "append", value: text() };
      case "set":
        return kind === 0 ? { f: "read", value: null } : { f: "add", value: value() };
      case "multi-register":
        return { f: "txn", value: this.#drawTransaction() };
      default:
        return this.#drawLock(process);
    }
  }

  #drawLock(process: number): { f: string; value: Value } {
    if (!this.#system.seemsHeldBy(process)) return { f: "acquire", value: null };
    const isNamed = this.#size.model === "lock" && this.#random.oneIn(2);
    return { f: "release", value: isNamed ? this.#system.tokenOf(process) : null };
  }

  #drawTransaction(): Value {
    const parts = 1 + this.#random.below(2);
    return Array.from({ length: parts }, () => {
      const key = BigInt(this.#random.below(Math.max(1, this.#size.values)));
      return this.#random.oneIn(2)
        ? ["read", key, null]
        : ["write", key, BigInt(this.#random.below(this.#size.values))];
    });
  }
}

/** A system in which everything happens at once. */
class System {
  readonly #size: ModelSize;
  readonly #cells = new Map<string, Value>();
  readonly #holders = new Map<string, number>();
  readonly #tokens = new Map<number, bigint>();
  #token = 0n;

  constructor(size: ModelSize) {
    this.#size = size;
  }

  seemsHeldBy(process: number): boolean {
    return [...this.#holders.values()].includes(process);
  }

  tokenOf(process: number): Value {
    return this.#tokens.get(process) ?? null;
  }

  apply(process: number, { f, key, value }: Open["request"]): ModelOutcome {
    const at = String(key);
    const held = this.#cells.get(at) ?? this.#initial();
    switch (f) {
      case "read":
      case "get":
        return { kind: "ok", value: held };
      case "write":
      case "put":
        this.#cells.set(at, value);
        return { kind: "ok", value };
      case "append":
        this.#cells.set(at, `${held}${value}`);
        return { kind: "ok", value };
      case "add":
        this.#cells.set(at, [...new Set([...held as Value[], value])]);
        return { kind: "ok", value };
      case "cas": {
        const [expected, next] = value as Value[];
        if (held !== expected) return { kind: "fail" };
        this.#cells.set(at, next!);
        return { kind: "ok", value };
      }
      case "txn":
        return { kind: "ok", value: (value as Value[]).map((part) => this.#part(at, part)) };
      default:
        return this.#lock(process, f, at);
    }
  }

  #initial(): Value {
    const { model, init } = this.#size;
    return init ?? (model === "kv" ? "" : model === "set" ? [] : null);
  }

  #part(at: string, part: Value): Value {
    const [f, key, value] = part as Value[];
    if (f === "read") return [f, key!, this.#cells.get(`${at} part ${key}`) ?? this.#initial()];
    this.#cells.set(`${at} part ${key}`, value!);
    return part;
  }

  #lock(process: number, f: string, at: string): ModelOutcome {
    const holder = this.#holders.get(at);
    if (f === "release") {
      if (holder !== process) return { kind: "fail" };
      this.#holders.delete(at);
      return { kind: "ok", value: null };
    }
    if (holder !== undefined) return { kind: "fail" };
    this.#holders.set(at, process);
    this.#token += 1n;
    this.#tokens.set(process, this.#token);
    return { kind: "ok", value: this.#size.model === "lock" ? this.#token : null };
  }
}

/** Changes one thing: an answer, its place, or whether something was answered at all. Mostly a lie, now and then none. */
export function changeOne(
  random: SeededRandom,
  operations: readonly ModelOperation[],
): ModelOperation[] {
  const index = random.below(operations.length);
  const changed = change(random, operations[index]!);
  if (random.oneIn(6)) return operations.filter((_, i) => i !== index);
  return operations.map((operation, i) => i === index ? changed : operation);
}

function change(random: SeededRandom, operation: ModelOperation): ModelOperation {
  const { outcome, completedAt, invokedAt } = operation;
  if (completedAt === undefined) return operation;
  if (outcome.kind === "fail") {
    return { ...operation, outcome: { kind: "ok", value: operation.value } };
  }
  if (outcome.kind === "info" || random.oneIn(5)) {
    // Over sooner, where no other event is.
    return { ...operation, completedAt: invokedAt + 0.5 };
  }
  return { ...operation, outcome: { kind: "ok", value: otherThan(random, outcome.value) } };
}

function otherThan(random: SeededRandom, value: Value): Value {
  if (value === null) return random.oneIn(2) ? BigInt(random.below(3)) : null;
  if (typeof value === "bigint") return random.oneIn(8) ? null : BigInt(random.below(4));
  if (typeof value === "string") {
    return random.oneIn(2) ? value.slice(0, -1) : value + "abc"[random.below(3)]!;
  }
  if (!Array.isArray(value)) return value;
  const list = value as readonly Value[];
  const [first] = list;
  if (Array.isArray(first)) {
    const [f, key, operand] = first as readonly Value[];
    return [[f!, key!, f === "read" ? otherThan(random, operand!) : operand!], ...list.slice(1)];
  }
  return random.oneIn(2) ? list.slice(1) : [...list, BigInt(random.below(4))];
}
