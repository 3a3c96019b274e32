/** The committed log replayed by the model, which knows nothing of replicas: what it gives is what must have happened. */
import { Finder } from "../analysis/gate/finder.ts";
import type { CheckResult } from "../analysis/judgement.ts";
import { requestText } from "../analysis/reservation/texts.ts";
import type { OperationKey } from "../history/operation.ts";
import type { MirrorFrame } from "../../sim/judge/log_mirror.ts";
import { ClusterTruth, type Decided } from "../../sim/judge/truth.ts";
import type { ClientCommand } from "../../model/words.ts";
import type { CommittedLog } from "./committed_log.ts";
import type { ClusterEvidence, LogEntry } from "./evidence.ts";

/** A client's command in the log. */
export interface LoggedCommand {
  readonly decided: Decided;
  readonly command: ClientCommand;
  /** Equal for equal commands. */
  readonly text: string;
  /** Whether this entry is what executed it: not a duplicate, a conflict, or one that found no room. */
  readonly isExecution: boolean;
}

/** See the top of this file. */
export interface Replay {
  readonly truth: ClusterTruth;
  /** Everything in the log by its key, in the order of ops. */
  readonly byKey: ReadonlyMap<string, readonly LoggedCommand[]>;
  /** Expirations in the log. */
  readonly expirations: readonly Decided[];
  /** Digests of the model's state at the ops at which replicas told theirs. */
  readonly digests: ReadonlyMap<number, bigint>;
  /** Why not everything was replayed. */
  readonly stopped: string | undefined;
  /** Whether that is because an entry cannot be replayed, not because one is missing. */
  readonly isBroken: boolean;
}

/** Replays as far as the log reaches without a gap. */
export function replayLog(evidence: ClusterEvidence, log: CommittedLog): Replay {
  const { commitOp } = log;
  const truth = new ClusterTruth(evidence.core);
  const byKey = new Map<string, LoggedCommand[]>();
  const expirations: Decided[] = [];
  const digests = new Map<number, bigint>();
  const wanted = new Set(evidence.states.map(({ op }) => op));
  let stopped = commitOp === 0 ? "no log was read" : undefined;
  let isBroken = false;
  while (truth.op < commitOp && stopped === undefined) {
    const entry = log.at(truth.op + 1);
    if (entry === undefined) {
      stopped = `no replica's log has op ${truth.op + 1} of ${commitOp}`;
      break;
    }
    const decided = decide(truth, entry);
    if (typeof decided === "string") {
      stopped = decided;
      isBroken = true;
    } else note(decided, byKey, expirations);
    if (wanted.has(truth.op)) digests.set(truth.op, truth.digest());
  }
  return { truth, byKey, expirations, digests, stopped, isBroken };
}

/** The log can be replayed from its first op to the last that is committed. */
export function checkReplay({ truth, stopped, isBroken }: Replay): CheckResult {
  const finder = new Finder({
    name: "log_can_be_replayed",
    unit: "log entries",
    holds: "the log is there from its first op to the last that is committed, and can be replayed",
    nothing: "no log was read",
  });
  finder.examined = truth.op;
  if (isBroken) finder.add({ fields: { op: truth.op + 1 }, sentence: stopped! });
  return stopped === undefined || isBroken ? finder.result() : finder.undecided(stopped, true);
}

/** Equal for equal keys. */
export function keyOf({ clientId, operationId }: OperationKey): string {
  return `${clientId} ${operationId}`;
}

/** The entry that executed an operation; of several the one at an lsn, else the first. */
export function executionOf(
  { byKey }: Replay,
  key: OperationKey,
  lsn: bigint | undefined,
): LoggedCommand | undefined {
  const executions = byKey.get(keyOf(key))?.filter(({ isExecution }) => isExecution) ?? [];
  return executions.find(({ decided }) => BigInt(decided.frame.lsn) === lsn) ?? executions[0];
}

function decide(truth: ClusterTruth, entry: LogEntry): Decided | string {
  const frame: MirrorFrame = { ...entry, writtenMs: 0, isDurable: true };
  try {
    return truth.decide(frame, 0);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `op ${entry.op} is nothing that a log can hold: ${error.message}`;
  }
}

function note(
  decided: Decided,
  byKey: Map<string, LoggedCommand[]>,
  expirations: Decided[],
): void {
  const { command, outcome } = decided;
  if (command === undefined) return;
  if (command.kind === "expire") {
    expirations.push(decided);
    return;
  }
  const { code, fromRetryCache } = outcome!;
  const isExecution = !fromRetryCache && code !== "operation_table_full";
  const logged = { decided, command, text: requestText(command), isExecution };
  const key = keyOf(command);
  const others = byKey.get(key);
  if (others === undefined) byKey.set(key, [logged]);
  else others.push(logged);
}
