/** Which model a foreign history is of, when nobody said so: its operations tell, or are refused if they do not fit together. */
import { HistoryError, quoted } from "../../history/history_error.ts";
import type { ModelName } from "../../history/model.ts";
import { type Datum, isSequence, isWord } from "./datum.ts";
import type { ForeignOperation } from "./operation.ts";

/** Operations that the models have. */
const OPERATIONS: Readonly<Record<ModelName, readonly string[]>> = {
  "register": ["read", "write"],
  "cas-register": ["read", "write", "cas"],
  "multi-register": ["txn", "read", "write"],
  "mutex": ["acquire", "release"],
  "lock": ["acquire", "release"],
  "kv": ["get", "put", "append"],
  "set": ["add", "read"],
};
/** What an operation says of the model; `read` alone says nothing. */
const MODEL_OF = new Map<string, ModelName>([
  ["write", "register"],
  ["cas", "cas-register"],
  ["acquire", "mutex"],
  ["release", "mutex"],
  ["get", "kv"],
  ["put", "kv"],
  ["append", "kv"],
  ["add", "set"],
  ["txn", "multi-register"],
]);

/** See the top of this file. */
export class ModelGuess {
  readonly #told: ModelName | undefined;
  #guess: ModelName | undefined;
  #guessLine = 0;
  #readLine = 0;

  constructor(told: ModelName | undefined) {
    this.#told = told;
  }

  /** Whether what comes can change nothing any more: that a cas follows can be said of a register until its end. */
  get isCertain(): boolean {
    return this.#told !== undefined || (this.#guess !== undefined && this.#guess !== "register");
  }

  /** With nothing but reads it is a register; with more to come it could be one with cas, which has all that a register has. */
  name(isWhole: boolean): ModelName {
    if (this.#told !== undefined) return this.#told;
    if (this.#guess !== undefined && this.#guess !== "register") return this.#guess;
    return isWhole ? "register" : "cas-register";
  }

  /** @throws {HistoryError} for an operation that the model does not have, and for transactions */
  see(operation: ForeignOperation): void {
    const { f, line } = operation;
    refuseTransaction(operation, this.#told);
    if (this.#told !== undefined) return this.#seeTold(this.#told, operation);
    const model = MODEL_OF.get(f);
    if (model === undefined && f !== "read") {
      throw new HistoryError(
        { line },
        `the operation ${quoted(f)}`,
        `one of ${[...MODEL_OF.keys(), "read"].join(", ")}`,
      );
    }
    if (model === undefined) this.#readLine ||= line;
    else this.#narrow(model, line);
    this.#refuseRead(line);
  }

  #seeTold(model: ModelName, { f, line }: ForeignOperation): void {
    if (OPERATIONS[model].includes(f)) return;
    throw new HistoryError(
      { line },
      `the operation ${quoted(f)}`,
      `an operation of ${model}: ${OPERATIONS[model].join(", ")}`,
    );
  }

  #narrow(model: ModelName, line: number): void {
    const now = this.#guess;
    if (now === undefined || (now === "register" && model === "cas-register")) {
      this.#guess = model;
      this.#guessLine = line;
    } else if (now !== model && !(now === "cas-register" && model === "register")) {
      throw new HistoryError(
        { line },
        `an operation of ${model}`,
        `one of ${now}, as in line ${this.#guessLine}`,
      );
    }
  }

  #refuseRead(line: number): void {
    const now = this.#guess;
    if (this.#readLine === 0 || now === undefined || OPERATIONS[now].includes("read")) return;
    const found = `read of line ${this.#readLine} beside operations of ${now}`;
    throw new HistoryError(
      { line },
      found,
      `operations of one model: ${OPERATIONS[now].join(", ")}`,
    );
  }
}

/** Names of the parts of a transaction: Elle's, and Knossos's for several registers. */
const ELLE_PARTS: ReadonlySet<string> = new Set(["append", "r", "w"]);
const REGISTER_PARTS: ReadonlySet<string> = new Set(["read", "write"]);

/**
 * Elle's transactions are not linearizable or not: they are refused by name. Those of Knossos's multi-register are operations
 * on one object, which is all the registers together; Elle's on registers can be read as such, but only if somebody says so.
 */
function refuseTransaction(
  { f, value, line }: ForeignOperation,
  told: ModelName | undefined,
): void {
  const names = transactionParts(value);
  if (names === undefined && f !== "txn") return;
  const isAppend = names?.includes("append") ?? false;
  if (told === "multi-register" && !isAppend) return;
  if (told === undefined && names?.every((name) => REGISTER_PARTS.has(name))) return;
  const like = isAppend ? "list-append" : "rw-register";
  const found =
    `a transaction (Elle's ${like}): this is a transactional history; this tool checks linearizability`;
  const other = isAppend ? "" : ", or the model multi-register";
  throw new HistoryError({ line }, found, `operations on one object${other}`);
}

/** Names of `[[:append x 1] [:r y nil] ...]`; undefined when it is something else. */
function transactionParts(value: Datum | undefined): readonly string[] | undefined {
  if (value === undefined || !isSequence(value) || value.items.length === 0) return undefined;
  const names = value.items.map(partName);
  const isKnown = names.every((name) => ELLE_PARTS.has(name) || REGISTER_PARTS.has(name));
  return isKnown ? names : undefined;
}

function partName(part: Datum): string {
  if (!isSequence(part) || part.items.length !== 3) return "";
  const name = part.items[0]!;
  if (typeof name === "string") return name;
  return isWord(name, "keyword") ? name.text : "";
}
