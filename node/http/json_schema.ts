/** Schemas that read values, as JSON Schemas that describe them. Source: JSON Schema 2020-12. */
import * as v from "valibot";
import type { JsonSchema } from "./fields.ts";

/** What of a schema's record this looks at. */
interface SchemaRecord {
  readonly type: string;
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  readonly wrapped?: v.GenericSchema;
  readonly item?: v.GenericSchema;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly requirement?: unknown;
  readonly pipe?: readonly SchemaRecord[];
}

/** What a schema's metadata may say. */
interface Metadata {
  /** The schema is a component of this name. */
  readonly name?: string;
  /** Its JSON Schema, where the reader is code. */
  readonly json?: JsonSchema;
}

/** Named schemas, gathered while others are described. */
export type Components = Map<string, JsonSchema>;

/**
 * Describes a schema.
 *
 * @param schema What to describe.
 * @param components Gets every named schema that is met; references point there.
 * @returns The JSON Schema, or a reference to it.
 */
export function toJsonSchema(schema: v.GenericSchema, components: Components): JsonSchema {
  const { name, json }: Metadata = v.getMetadata(schema);
  if (name === undefined) return json ?? describe(schema, components);
  if (!components.has(name)) components.set(name, json ?? describe(schema, components));
  return { $ref: `#/components/schemas/${name}` };
}

/** Whether a value may be missing. */
export function isOptional(schema: v.GenericSchema): boolean {
  return schema.type === "optional";
}

/** The members of an object's schema. */
export function entriesOf(schema: v.GenericSchema): Readonly<Record<string, v.GenericSchema>> {
  return record(schema).entries ?? {};
}

function record(schema: v.GenericSchema): SchemaRecord {
  return schema as unknown as SchemaRecord;
}

function describe(schema: v.GenericSchema, components: Components): JsonSchema {
  const { type, wrapped, options, literal, pipe } = record(schema);
  const inner = (of: v.GenericSchema): JsonSchema => toJsonSchema(of, components);
  switch (type) {
    case "object":
      return objectSchema(schema, components);
    case "strict_object":
      return { ...objectSchema(schema, components), additionalProperties: false };
    case "array":
      return { type, ...lengths(pipe ?? []), items: inner(lastItem(schema)) };
    case "optional":
      return inner(wrapped!);
    case "nullable":
      return { anyOf: [inner(wrapped!), { type: "null" }] };
    case "union":
      return { anyOf: (options as readonly v.GenericSchema[]).map(inner) };
    case "variant":
      return { oneOf: (options as readonly v.GenericSchema[]).map(inner) };
    case "picklist":
      return { enum: options };
    case "literal":
      return { const: literal };
    case "string":
    case "number":
    case "boolean":
      return { type };
    default:
      throw new TypeError(`No JSON Schema for ${type}`);
  }
}

function objectSchema(schema: v.GenericSchema, components: Components): JsonSchema {
  const entries = Object.entries(entriesOf(schema));
  const required = entries.filter(([, member]) => !isOptional(member)).map(([name]) => name);
  return {
    type: "object",
    ...(required.length > 0 ? { required } : {}),
    properties: Object.fromEntries(
      entries.map(([name, member]) => [name, toJsonSchema(member, components)]),
    ),
  };
}

/** A list may be checked in steps: first that it is one, then its length, then its items. */
function lastItem(schema: v.GenericSchema): v.GenericSchema {
  const { item, pipe = [] } = record(schema);
  return pipe.findLast((step) => step.item !== undefined)?.item ?? item!;
}

function lengths(pipe: readonly SchemaRecord[]): JsonSchema {
  const bound = (type: string): unknown => pipe.find((step) => step.type === type)?.requirement;
  const minItems = bound("min_length");
  const maxItems = bound("max_length");
  return {
    ...(minItems === undefined ? {} : { minItems }),
    ...(maxItems === undefined ? {} : { maxItems }),
  };
}
