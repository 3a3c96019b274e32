/**
 * Configuration as text: one `name=decimal` line per parameter, in one order. The lines are what operators
 * read, what `replica.metadata` keeps and what the fingerprint in segments and snapshots is taken over.
 */

import {
  checkCoreConfig,
  checkEngineConfig,
  type ConfigError,
  type CoreConfig,
  DEFAULT_CORE_CONFIG,
  type EngineConfig,
  U64_MAX,
} from "../../core/config.ts";
import { sha256Words } from "../../core/sha256.ts";
import { nearest } from "../nearest.ts";

/** Everything that bounds a node. Only the core half is bound to the data. */
export interface NodeConfig {
  readonly core: CoreConfig;
  readonly engine: EngineConfig;
}

/** Why a text is no configuration. */
export type ConfigTextErrorKind =
  | "not_an_assignment"
  | "unknown_parameter"
  | "repeated_parameter"
  | "missing_parameter"
  | "malformed_number"
  | "number_too_large";

/** What is wrong with the text, before any bound is looked at. */
export interface ConfigTextError {
  readonly kind: ConfigTextErrorKind;
  /** The name as it was written, or the whole text when there is no name in it. */
  readonly parameter: string;
  readonly message: string;
}

/** A configuration that can run, or the first thing that is wrong with its text or its bounds. */
export type ConfigResult<Config> =
  | { readonly kind: "parsed"; readonly config: Config }
  | { readonly kind: "refused"; readonly error: ConfigTextError | ConfigError };

/** One parameter that two configurations do not agree on. */
export interface ConfigDifference {
  readonly parameter: string;
  readonly recorded: string;
  readonly requested: string;
}

const CORE_PARAMETERS: ReadonlyMap<string, keyof CoreConfig> = new Map([
  ["core.shard_id", "shardId"],
  ["core.max_resources", "maxResources"],
  ["core.max_reservations", "maxReservations"],
  ["core.max_operations", "maxOperations"],
  ["core.max_bundle_size", "maxBundleSize"],
  ["core.max_ttl_slots", "maxTtlSlots"],
  ["core.max_expiration_bucket_len", "maxExpirationBucketLen"],
  ["core.reservation_history_window_slots", "reservationHistoryWindowSlots"],
  ["core.max_client_retry_window_slots", "maxClientRetryWindowSlots"],
  ["core.slot_duration_ms", "slotDurationMs"],
]);

const ENGINE_PARAMETERS: ReadonlyMap<string, keyof EngineConfig> = new Map([
  ["engine.max_submission_queue", "maxSubmissionQueue"],
  ["engine.max_command_bytes", "maxCommandBytes"],
  ["engine.max_expirations_per_tick", "maxExpirationsPerTick"],
]);

/** Every parameter name, in the order of the canonical text. */
export const PARAMETER_NAMES: readonly string[] = [
  ...CORE_PARAMETERS.keys(),
  ...ENGINE_PARAMETERS.keys(),
];

/** Bytes of a configuration fingerprint. */
export const FINGERPRINT_BYTES = 16;

/** Digits of the largest u64. */
const DIGITS_MAX = String(U64_MAX).length;

/**
 * The canonical lines of a core configuration, each ended by a line feed.
 *
 * @param core The configuration.
 * @returns Ten lines.
 */
export function formatCoreConfig(core: CoreConfig): string {
  return [...CORE_PARAMETERS].map(([name, key]) => `${name}=${core[key]}\n`).join("");
}

/**
 * The canonical lines of the core configuration and then of the node's bounds.
 *
 * @param config The configuration.
 * @returns Thirteen lines.
 */
export function formatNodeConfig(config: NodeConfig): string {
  const engine = [...ENGINE_PARAMETERS].map(([name, key]) => `${name}=${config.engine[key]}\n`);
  return formatCoreConfig(config.core) + engine.join("");
}

/**
 * Reads the lines that {@linkcode formatCoreConfig} wrote: every core parameter once, nothing else.
 *
 * @param text Lines in any order.
 * @returns A configuration that the engine can run with, or what is wrong.
 */
export function parseCoreConfig(text: string): ConfigResult<CoreConfig> {
  const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n") : text.split("\n");
  const values = parseAssignments(lines, [...CORE_PARAMETERS.keys()]);
  if (!(values instanceof Map)) return { kind: "refused", error: values };
  for (const name of CORE_PARAMETERS.keys()) {
    if (!values.has(name)) {
      return refuse("missing_parameter", name, `${name} is missing`);
    }
  }
  const core = withValues(DEFAULT_CORE_CONFIG, CORE_PARAMETERS, values);
  const error = checkCoreConfig(core);
  return error === undefined ? { kind: "parsed", config: core } : { kind: "refused", error };
}

/**
 * Applies `--bound name=value` overrides to a configuration and checks what comes out.
 *
 * @param base What holds where nothing is overridden.
 * @param bounds The overrides; a parameter may be named once.
 * @returns A configuration that can run, or what is wrong.
 */
export function applyBounds(
  base: NodeConfig,
  bounds: readonly string[],
): ConfigResult<NodeConfig> {
  const values = parseAssignments(bounds, PARAMETER_NAMES);
  if (!(values instanceof Map)) return { kind: "refused", error: values };
  const config = {
    core: withValues(base.core, CORE_PARAMETERS, values),
    engine: withValues(base.engine, ENGINE_PARAMETERS, values),
  };
  const error = checkCoreConfig(config.core) ?? checkEngineConfig(config.engine);
  return error === undefined ? { kind: "parsed", config } : { kind: "refused", error };
}

/**
 * What binds data to the bounds it was made under: the start of the SHA-256 of the canonical core lines.
 *
 * @param core The configuration.
 * @returns {@linkcode FINGERPRINT_BYTES} bytes.
 */
export function configFingerprint(core: CoreConfig): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(formatCoreConfig(core));
  const digest = new Uint32Array(8);
  sha256Words(new DataView(text.buffer), 0, text.length, digest);
  const fingerprint = new Uint8Array(FINGERPRINT_BYTES);
  const view = new DataView(fingerprint.buffer);
  for (let i = 0; i < FINGERPRINT_BYTES / 4; i++) view.setUint32(i * 4, digest[i]!);
  return fingerprint;
}

/**
 * The parameters that keep a data directory from being opened with other bounds.
 *
 * @param recorded What the data directory was made with.
 * @param requested What was asked for.
 * @returns The differing parameters in canonical order; empty when the two agree.
 */
export function diffConfig(
  recorded: CoreConfig,
  requested: CoreConfig,
): readonly ConfigDifference[] {
  return [...CORE_PARAMETERS]
    .filter(([, key]) => recorded[key] !== requested[key])
    .map(([parameter, key]) => ({
      parameter,
      recorded: String(recorded[key]),
      requested: String(requested[key]),
    }));
}

/**
 * One sentence for people about a configuration that contradicts the data directory.
 *
 * @param differences At least one, from {@linkcode diffConfig}.
 * @returns For example `core.max_resources is 8 in the data directory but 9 was asked for`.
 */
export function describeDifferences(differences: readonly ConfigDifference[]): string {
  return differences
    .map(({ parameter, recorded, requested }) =>
      `${parameter} is ${recorded} in the data directory but ${requested} was asked for`
    )
    .join("; ");
}

function parseAssignments(
  texts: readonly string[],
  known: readonly string[],
): Map<string, bigint> | ConfigTextError {
  const values = new Map<string, bigint>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    if (equals <= 0) {
      return textError("not_an_assignment", text, `${quote(text)} is not name=value`);
    }
    const name = text.slice(0, equals);
    if (!known.includes(name)) return unknownParameter(name, known);
    if (values.has(name)) {
      return textError("repeated_parameter", name, `${name} is given more than once`);
    }
    const value = parseDecimal(name, text.slice(equals + 1));
    if (typeof value !== "bigint") return value;
    values.set(name, value);
  }
  return values;
}

/** Decimal digits and nothing else, so that a value has one spelling. */
function parseDecimal(name: string, text: string): bigint | ConfigTextError {
  if (!/^(0|[1-9][0-9]*)$/.test(text)) {
    const message = `${name} must be a whole decimal number, not ${quote(text)}`;
    return textError("malformed_number", name, message);
  }
  const value = text.length > DIGITS_MAX ? U64_MAX + 1n : BigInt(text);
  if (value <= U64_MAX) return value;
  return textError("number_too_large", name, `${name} must fit 64 bits`);
}

/**
 * Replaces the named values. A field that is a `number` may lose the low bits of a value above 2^53, which
 * is far outside what the bounds check lets through.
 */
function withValues<Config extends object>(
  base: Config,
  parameters: ReadonlyMap<string, keyof Config>,
  values: ReadonlyMap<string, bigint>,
): Config {
  const config = { ...base };
  for (const [name, key] of parameters) {
    const value = values.get(name);
    if (value === undefined) continue;
    config[key] = (typeof base[key] === "bigint" ? value : Number(value)) as Config[keyof Config];
  }
  return config;
}

function unknownParameter(name: string, known: readonly string[]): ConfigTextError {
  const guess = nearest(name, known);
  const hint = guess === undefined ? "" : `; did you mean ${guess}?`;
  return textError("unknown_parameter", name, `${quote(name)} is not a parameter${hint}`);
}

function refuse(
  kind: ConfigTextErrorKind,
  parameter: string,
  message: string,
): { readonly kind: "refused"; readonly error: ConfigTextError } {
  return { kind: "refused", error: textError(kind, parameter, message) };
}

function textError(kind: ConfigTextErrorKind, parameter: string, message: string): ConfigTextError {
  return { kind, parameter: parameter.slice(0, 80), message };
}

/** Quoted and cut, so that hostile text neither forges a log line nor fills it. */
function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
