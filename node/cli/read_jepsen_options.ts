/** Flags of `allocdb jepsen`, checked before a file is looked at. */
import { CliError } from "../errors.ts";
import { parseMilliseconds } from "./durations.ts";
import type {
  ALGORITHMS,
  FAILED_OPS,
  HistoryFormat,
  HistoryModel,
  HistoryReading,
  JepsenAnalyze,
  JepsenBackend,
  JepsenLane,
  JepsenNemesis,
  JepsenRequest,
  JepsenRun,
  JepsenRunChoice,
  JepsenWorkload,
  NIL_READS,
  REFUSALS,
} from "./jepsen_options.ts";
import { parseAddress, parseCount } from "./numbers.ts";
import { parseSeed } from "./read_sim_options.ts";
import { quote } from "./text.ts";

/** Flags of any verb, as typed; a verb has only some of them. */
export interface JepsenFlags {
  readonly json?: boolean | undefined;
  readonly color?: boolean;
  readonly runId?: string;
  readonly all?: boolean;
  readonly supplementary?: boolean;
  readonly lanes?: string;
  readonly workload?: JepsenWorkload;
  readonly nemesis?: JepsenNemesis;
  readonly window?: string;
  readonly backend?: JepsenBackend;
  readonly workspace?: string;
  readonly outputRoot?: string;
  readonly program?: string;
  readonly seed?: string;
  readonly clients?: string;
  readonly rate?: string;
  readonly controlTime?: string;
  readonly historyFile?: string;
  readonly format?: HistoryFormat;
  readonly to?: HistoryFormat;
  readonly model?: HistoryModel;
  readonly keyed?: "yes" | "no";
  readonly init?: string;
  readonly failedOps?: typeof FAILED_OPS[number];
  readonly nilRead?: typeof NIL_READS[number];
  readonly maxSkipped?: string;
  readonly refusals?: typeof REFUSALS[number];
  readonly algorithm?: typeof ALGORITHMS[number];
  readonly timeLimit?: string;
  readonly memoryLimit?: string;
  readonly minCoverage?: string;
  readonly report?: string;
  readonly counterexample?: string;
  readonly certificate?: string;
  readonly explain?: string;
  readonly stats?: boolean;
  readonly lane?: readonly string[];
  readonly refreshMillis?: string;
  readonly follow?: boolean;
  readonly out?: string;
  readonly listen?: string;
}

const OUTPUT_ROOT = ".artifacts";
const WINDOW_SECS_DEFAULT = 60;
const TIME_LIMIT_MS_DEFAULT = 60_000;
const MEMORY_LIMIT_MIB_DEFAULT = 1_024;
const MEBIBYTE = 1_048_576;
const REFRESH_MS_DEFAULT = 2_000;
const REFRESH_MS_MIN = 250;
const LANES_MAX = 64;
const CLIENTS_MAX = 10_000;
const RATE_MAX = 1_000_000;
/** Longest window and time limit: what a timer can hold. */
const MS_MAX = 2_147_483_647n;

/**
 * Reads the arguments and flags of one verb.
 *
 * @param verb Which.
 * @param args What is no flag.
 * @param flags As typed.
 * @returns A request with which nothing is wrong that can be seen without a file.
 * @throws {CliError} Exit code 2.
 */
export function jepsenRequest(
  verb: JepsenRequest["verb"],
  args: readonly string[],
  flags: JepsenFlags,
): JepsenRequest {
  args.forEach((path) => pathOf(path, verb));
  const json = flags.json ?? false;
  switch (verb) {
    case "plan":
      return { verb, json };
    case "run":
      return runRequest(flags);
    case "analyze":
      return analyzeRequest(args, flags);
    case "convert": {
      const [from, to] = args as [string, string];
      const toFormat = flags.to ?? formatOfName(to);
      const written = optional("toFormat", toFormat, (name) => name);
      return { verb, from, to, ...written, ...readingOf(flags), json };
    }
    case "verify":
      return { verb, what: verified(args, flags), json };
    case "archive":
      return {
        ...{ verb, json, backend: flags.backend ?? "local" },
        workspace: pathOf(flags.workspace!, "--workspace"),
        runId: flags.runId!,
        historyFile: pathOf(flags.historyFile!, "--history-file"),
        outputRoot: outputRootOf(flags),
      };
    case "watch":
      return watchRequest(flags);
    case "compare": {
      const bundles = args as [string, string];
      return { verb, bundles, out: pathOf(flags.out ?? "comparison.html", "--out"), json };
    }
    case "serve": {
      const listen = parseAddress(flags.listen ?? "127.0.0.1:0", "--listen", 0);
      return { verb, directory: args[0] ?? OUTPUT_ROOT, listen };
    }
  }
}

function runRequest(flags: JepsenFlags): JepsenRun {
  const choice = choiceOf(flags);
  const outputRoot = outputRootOf(flags);
  return {
    ...{ verb: "run", backend: flags.backend ?? "local", choice, outputRoot },
    workspace: pathOf(flags.workspace ?? `${outputRoot}/clusters`, "--workspace"),
    ...optional("seed", flags.seed, parseSeed),
    ...optional("clients", flags.clients, (text) => parseCount(text, "--clients", 1, CLIENTS_MAX)),
    ...optional("ratePerSecond", flags.rate, (text) => parseCount(text, "--rate", 1, RATE_MAX)),
    ...optional("controlSecs", flags.controlTime, (text) => seconds(text, "--control-time")),
    ...optional("program", flags.program, (path) => pathOf(path, "--program")),
    json: flags.json ?? false,
  };
}

function choiceOf(flags: JepsenFlags): JepsenRunChoice {
  const { runId, all, workload, nemesis } = flags;
  const asked = [runId, all, workload ?? nemesis].filter((flag) => flag !== undefined);
  if (asked.length !== 1) {
    throw usage("say which run: --run-id, --all, or --workload with --nemesis", "run");
  }
  if (!all && (flags.lanes ?? flags.supplementary) !== undefined) {
    throw usage("--lanes and --supplementary go with --all", "run");
  }
  if (workload === undefined && nemesis === undefined && flags.window !== undefined) {
    throw new CliError("E_USAGE", "--window is about a run of your own", {
      hint: "for a run of the matrix, set ALLOCDB_JEPSEN_FAULT_WINDOW_SECS_OVERRIDE",
    });
  }
  if (runId !== undefined) return { kind: "one", runId };
  if (all) {
    const lanes = optionalCount(flags.lanes, "--lanes", 1, LANES_MAX) ?? 1;
    return { kind: "all", supplementary: flags.supplementary ?? false, lanes };
  }
  if (workload === undefined) throw usage("--nemesis needs a --workload", "run");
  const windowSecs = flags.window === undefined
    ? WINDOW_SECS_DEFAULT
    : seconds(flags.window, "--window");
  return { kind: "own", workload, nemesis: nemesis ?? "none", windowSecs };
}

function analyzeRequest(args: readonly string[], flags: JepsenFlags): JepsenAnalyze {
  const { historyFile } = flags;
  const files = [...args, ...historyFile === undefined ? [] : [historyFile]];
  if (files.length === 0) throw usage("no history to analyze", "analyze");
  if (files.filter((file) => file === "-").length > 1) {
    throw usage("standard input can be read once", "analyze");
  }
  const ofOneFile = (["counterexample", "certificate", "explain", "report"] as const)
    .find((name) => flags[name] !== undefined);
  if (ofOneFile !== undefined && files.length > 1) {
    throw usage(`--${ofOneFile} is about one history`, "analyze");
  }
  return {
    verb: "analyze",
    files: files.map((file) => pathOf(file, "analyze")),
    ...readingOf(flags),
    ...optional("init", flags.init, (text) => text),
    failedOps: flags.failedOps ?? "drop",
    nilRead: flags.nilRead ?? "value",
    refusals: flags.refusals ?? "exact",
    algorithm: flags.algorithm ?? "auto",
    timeLimitMs: flags.timeLimit === undefined
      ? TIME_LIMIT_MS_DEFAULT
      : milliseconds(flags.timeLimit, "--time-limit"),
    memoryLimitBytes: MEBIBYTE *
      (optionalCount(flags.memoryLimit, "--memory-limit", 1, 1_048_576) ??
        MEMORY_LIMIT_MIB_DEFAULT),
    gate: historyFile !== undefined,
    ...optional("minCoverage", flags.minCoverage, (path) => pathOf(path, "--min-coverage")),
    ...optional("report", flags.report, (path) => pathOf(path, "--report")),
    ...optional("counterexample", flags.counterexample, (path) => pathOf(path, "--counterexample")),
    ...optional("certificate", flags.certificate, (path) => pathOf(path, "--certificate")),
    ...optional(
      "explain",
      flags.explain,
      (text) => parseCount(text, "--explain", 0, Number.MAX_SAFE_INTEGER),
    ),
    stats: flags.stats ?? false,
    json: flags.json ?? false,
  };
}

function readingOf({ format, model, keyed, maxSkipped }: JepsenFlags): HistoryReading {
  return {
    ...optional("format", format, (name) => name),
    ...optional("model", model, (name) => name),
    ...optional("keyed", keyed, (word) => word === "yes"),
    ...optional(
      "maxSkipped",
      maxSkipped,
      (text) => parseCount(text, "--max-skipped", 0, Number.MAX_SAFE_INTEGER),
    ),
  };
}

const BY_EXTENSION: Readonly<Record<string, HistoryFormat>> = {
  cbor: "cbor",
  jsonl: "jsonl",
  edn: "edn",
  json: "json",
  log: "log",
};

/** What a file is to be written in, by its name. */
function formatOfName(path: string): HistoryFormat | undefined {
  const extension = /\.([a-z]+)(?:\.gz)?$/.exec(path)?.[1] ?? "";
  return Object.hasOwn(BY_EXTENSION, extension) ? BY_EXTENSION[extension] : undefined;
}

type Verified = Extract<JepsenRequest, { readonly verb: "verify" }>["what"];

function verified([directory]: readonly string[], flags: JepsenFlags): Verified {
  const { workspace, certificate, historyFile, backend = "local" } = flags;
  const asked = [directory, workspace, certificate].filter((path) => path !== undefined);
  if (asked.length !== 1) {
    throw usage("say what to verify: a bundle, --workspace, or --certificate", "verify");
  }
  if ((certificate === undefined) !== (historyFile === undefined)) {
    throw usage("--certificate and --history-file go together", "verify");
  }
  if (directory !== undefined) return { kind: "bundle", directory };
  if (workspace !== undefined) {
    return { kind: "surface", backend, workspace: pathOf(workspace, "--workspace") };
  }
  return {
    kind: "certificate",
    file: pathOf(certificate!, "--certificate"),
    history: pathOf(historyFile!, "--history-file"),
  };
}

function watchRequest(flags: JepsenFlags): JepsenRequest {
  const { lane = [], workspace, runId } = flags;
  if (lane.length > 0 && (workspace ?? runId ?? flags.outputRoot) !== undefined) {
    throw usage("--lane names workspace and output root itself", "watch");
  }
  const alone: JepsenLane = {
    name: "run",
    outputRoot: outputRootOf(flags),
    ...optional("workspace", workspace, (path) => pathOf(path, "--workspace")),
  };
  const refresh = optionalCount(flags.refreshMillis, "--refresh-millis", 1, Number(MS_MAX));
  return {
    verb: "watch",
    lanes: lane.length === 0 ? [alone] : lane.map(laneOf),
    ...optional("runId", runId, (text) => text),
    refreshMs: Math.max(REFRESH_MS_MIN, refresh ?? REFRESH_MS_DEFAULT),
    follow: flags.follow ?? false,
    json: flags.json ?? false,
    color: flags.color ?? false,
  };
}

/** `name,workspace,output-root`: the root may have commas. */
function laneOf(text: string): JepsenLane {
  const [, name, workspace, outputRoot] = /^([^,]*),([^,]*),(.*)$/s.exec(text)
    ?.map((part) => part.trim()) ?? [];
  if (name && workspace && outputRoot) return { name, workspace, outputRoot };
  throw new CliError("E_USAGE", `--lane ${quote(text)} is not name,workspace,output-root`, {
    hint: "like --lane a,ws/a,.artifacts/a",
  });
}

function outputRootOf({ outputRoot = OUTPUT_ROOT }: JepsenFlags): string {
  return pathOf(outputRoot, "--output-root");
}

/** Whole seconds, at least one. */
function seconds(text: string, flag: string): number {
  const ms = milliseconds(text, flag);
  if (ms % 1_000 === 0) return ms / 1_000;
  throw new CliError("E_BAD_DURATION", `${flag} ${quote(text)} is not a whole number of seconds`);
}

function milliseconds(text: string, flag: string): number {
  const ms = parseMilliseconds(text, flag);
  if (ms <= MS_MAX) return Number(ms);
  throw new CliError("E_BAD_DURATION", `${flag} ${quote(text)} is too long`);
}

function optionalCount(
  text: string | undefined,
  flag: string,
  min: number,
  max: number,
): number | undefined {
  return text === undefined ? undefined : parseCount(text, flag, min, max);
}

/** A path that may name a file: neither empty nor with what no path has. */
function pathOf(path: string, what: string): string {
  if (path !== "" && !path.includes("\0")) return path;
  throw new CliError("E_USAGE", `${what}: ${quote(path)} is no path`);
}

function usage(message: string, verb: JepsenRequest["verb"]): CliError {
  return new CliError("E_USAGE", message, { hint: `see \`allocdb jepsen ${verb} --help\`` });
}

/** What a flag means, under its name; nothing when it was not given. */
function optional<Name extends string, Typed, T>(
  name: Name,
  typed: Typed | undefined,
  read: (typed: Typed) => T,
): { readonly [key in Name]?: T } {
  return typed === undefined ? {} : { [name]: read(typed) } as { readonly [key in Name]?: T };
}
