/**
 * Holds a value against a JSON Schema, as far as our documents use them. An unknown keyword is an error: a
 * check that skips what it does not understand passes everything. Source: JSON Schema 2020-12.
 */

/** A JSON Schema. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** How to look at objects whose schema does not say whether they may have more members than it names. */
export interface CheckOptions {
  /** What `$ref` points into. */
  readonly document: unknown;
  /** Whether members that no part of the schema names are mistakes. */
  readonly closed: boolean;
}

/** Mistakes, each with the path to it; empty when the value fits. */
export function checkJson(value: unknown, schema: JsonSchema, options: CheckOptions): string[] {
  const visit = new Visit(options);
  visit.value(value, schema, "$");
  if (options.closed) visit.unnamed(value, schema, "$");
  return visit.mistakes;
}

const ANNOTATIONS = ["description", "title"];

class Visit {
  readonly mistakes: string[] = [];
  readonly #options: CheckOptions;

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  value(value: unknown, schema: JsonSchema, at: string): void {
    for (const [keyword, argument] of Object.entries(schema)) {
      if (ANNOTATIONS.includes(keyword)) continue;
      if (!this.#holds(keyword, argument, value, schema, at)) {
        this.mistakes.push(`${at}: ${keyword} ${JSON.stringify(argument)?.slice(0, 200)}`);
      }
    }
  }

  /** Members of objects that neither a schema nor what it refers to or combines names. */
  unnamed(value: unknown, schema: JsonSchema, at: string): void {
    if (Array.isArray(value)) {
      const items = this.#parts(schema).map((part) => part.items).find((item) =>
        item !== undefined
      );
      value.forEach((item, i) => this.unnamed(item, (items ?? {}) as JsonSchema, `${at}[${i}]`));
    }
    if (!isObject(value)) return;
    const parts = this.#parts(schema);
    for (const [name, member] of Object.entries(value)) {
      const named = parts.map(({ properties }) => (properties as Members)?.[name]);
      const found = named.find((one) => one !== undefined);
      if (found !== undefined) this.unnamed(member, found, `${at}.${name}`);
      else if (parts.some(({ properties }) => properties !== undefined)) {
        this.mistakes.push(`${at}.${name}: is not in the schema`);
      }
    }
  }

  #parts(schema: JsonSchema): JsonSchema[] {
    const { $ref, allOf = [], anyOf = [], oneOf = [] } = schema as Combined;
    const inner = [...allOf, ...anyOf, ...oneOf];
    if ($ref !== undefined) inner.push(this.#resolve($ref));
    return [schema, ...inner.flatMap((part) => this.#parts(part))];
  }

  #resolve(reference: string): JsonSchema {
    const steps = reference.replace(/^#\//, "").split("/");
    const target = steps.reduce((at, step) => (at as Members)?.[step], this.#options.document);
    if (target === undefined) throw new Error(`Nothing at ${reference}`);
    return target as JsonSchema;
  }

  #fits(value: unknown, schema: JsonSchema): boolean {
    const visit = new Visit(this.#options);
    visit.value(value, schema, "");
    return visit.mistakes.length === 0;
  }

  #holds(
    keyword: string,
    argument: unknown,
    value: unknown,
    schema: JsonSchema,
    at: string,
  ): boolean {
    const schemas = argument as readonly JsonSchema[];
    switch (keyword) {
      case "$ref":
        this.value(value, this.#resolve(argument as string), at);
        return true;
      case "allOf":
        schemas.forEach((part) => this.value(value, part, at));
        return true;
      case "anyOf":
        return schemas.some((part) => this.#fits(value, part));
      case "oneOf":
        return schemas.filter((part) => this.#fits(value, part)).length === 1;
      case "properties":
        for (const [name, member] of Object.entries(argument as Members)) {
          if (isObject(value) && Object.hasOwn(value, name)) {
            this.value(value[name], member, `${at}.${name}`);
          }
        }
        return true;
      case "required":
        return !isObject(value) ||
          (argument as string[]).every((name) => Object.hasOwn(value, name));
      case "additionalProperties":
        if (argument !== false) throw new Error("additionalProperties is false or absent");
        return !isObject(value) ||
          Object.keys(value).every((name) => Object.hasOwn(schema.properties as Members, name));
      case "items":
        if (!Array.isArray(value)) return true;
        value.forEach((item, i) => this.value(item, argument as JsonSchema, `${at}[${i}]`));
        return true;
      default:
        return holdsScalar(keyword, argument, value);
    }
  }
}

type Members = { readonly [name: string]: JsonSchema };

interface Combined {
  readonly $ref?: string;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function holdsScalar(keyword: string, argument: unknown, value: unknown): boolean {
  switch (keyword) {
    case "type":
      return typeOf(value) === argument || (argument === "number" && typeof value === "number");
    case "const":
      return value === argument;
    case "enum":
      return (argument as readonly unknown[]).includes(value);
    case "pattern":
      return typeof value !== "string" || new RegExp(argument as string, "u").test(value);
    case "minLength":
      return typeof value !== "string" || [...value].length >= Number(argument);
    case "maxLength":
      return typeof value !== "string" || [...value].length <= Number(argument);
    case "minimum":
      return typeof value !== "number" || value >= Number(argument);
    case "maximum":
      return typeof value !== "number" || value <= Number(argument);
    case "minItems":
      return !Array.isArray(value) || value.length >= Number(argument);
    case "maxItems":
      return !Array.isArray(value) || value.length <= Number(argument);
    default:
      throw new Error(`Unknown keyword ${keyword}`);
  }
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}
