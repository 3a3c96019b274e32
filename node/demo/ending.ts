/** How the demo ends: the proof and the figures, for people and as one JSON document. */
import type { DemoOptions } from "../cli/options.ts";
import type { Colors } from "./picture.ts";
import type { Finding } from "./proof.ts";
import type { Comeback, Outage, Story } from "./story.ts";

/** What one replica has. */
export interface Copy {
  readonly replicaId: bigint;
  /** The last log entry that is part of it. */
  readonly op: bigint;
  /** The last command. */
  readonly lsn: bigint;
  /** 16 hex digits that stand for all of it. */
  readonly digest: string;
}

/** What is known in the end. */
export interface Ending {
  readonly story: Story;
  readonly findings: readonly Finding[];
  readonly options: DemoOptions;
  /** What each replica has in the end. */
  readonly copies: readonly Copy[];
  /** The workspace of the cluster, if it is kept. */
  readonly keptWorkspace: string | undefined;
}

/** Whether nothing speaks against anything. */
export function holds(findings: readonly Finding[]): boolean {
  return findings.every(({ contradiction }) => contradiction === undefined);
}

/** The end as lines. */
export function drawEnding(ending: Ending, colors: Colors): string[] {
  return [
    "",
    ...drawFigures(ending.story),
    ...drawOutages(ending.story, colors),
    "",
    ...ending.findings.map((finding) => drawFinding(finding, colors)),
    "",
    ...drawNext(ending.keptWorkspace, colors),
  ];
}

/** The end as one document; numbers of 64 bits are strings. */
export function endingDocument(ending: Ending): unknown {
  const { story, findings, options, copies, keptWorkspace } = ending;
  const { hall, ledger, outages, comeback } = story;
  return {
    ok: holds(findings),
    seed: options.seed,
    seats: hall.seats.length,
    buyers: options.buyers,
    elapsed_ms: Math.round(story.elapsedMs),
    sold: hall.count("sold"),
    sales: ledger.sales().length,
    bundles_sold: ledger.counters.bundlesSold,
    lost_races: ledger.counters.lostRaces,
    walked_away: ledger.counters.walkedAway,
    given_back: ledger.counters.givenBack,
    too_late: ledger.counters.tooLate,
    answers: ledger.counters.answers,
    retries_answered: ledger.counters.retriesAnswered,
    last_applied_lsn: String(ledger.lastLsn),
    outages: outages.map(outageDocument),
    comeback: comeback === undefined ? null : comebackDocument(comeback),
    proof: findings.map(({ claim, checked, contradiction }) => {
      const result = { claim, holds: contradiction === undefined, checked };
      return contradiction === undefined ? result : { ...result, contradiction };
    }),
    replicas: copies.map(({ replicaId, op, lsn, digest }) => {
      return { replica: String(replicaId), op: String(op), lsn: String(lsn), digest };
    }),
    workspace: keptWorkspace ?? null,
  };
}

function outageDocument(outage: Outage): unknown {
  return {
    cause: outage.cause,
    replica: String(outage.replicaId),
    pid: outage.pid,
    successor: String(outage.successorId),
    sold_before: outage.soldBefore,
    commands_waiting: outage.waiting,
    outage_ms: Math.round(outage.outageMs),
  };
}

function comebackDocument(comeback: Comeback): unknown {
  return {
    replica: String(comeback.replicaId),
    pid: comeback.pid,
    op: String(comeback.op),
    caught_up_ms: Math.round(comeback.caughtUpMs),
  };
}

function drawFigures({ hall, ledger }: Story): string[] {
  const { counters } = ledger;
  return [
    `${hall.count("sold")} of ${hall.seats.length} seats sold in ` +
    `${ledger.sales().length} sales, ${counters.bundlesSold} of several seats`,
    `${counters.lostRaces} times somebody was faster, ${counters.walkedAway} buyers ` +
    `walked away and their seats came back by themselves`,
  ];
}

function drawOutages({ outages, ledger }: Story, colors: Colors): string[] {
  const lines = outages.map(({ cause, outageMs, waiting }) => {
    const seconds = colors.bold(`${(outageMs / 1_000).toFixed(2)} s`);
    const hit = cause === "kill" ? "kill -9 of the primary" : "the primary cut off";
    const waited = `${waiting} buyers waited and got their answers`;
    return `${seconds} from the last write to the next: ${hit}; ${waited}`;
  });
  const { retriesAnswered } = ledger.counters;
  if (retriesAnswered === 0) return lines;
  const known = `${retriesAnswered} retries learned that the first try had been carried out`;
  return [...lines, known];
}

function drawFinding({ claim, checked, contradiction }: Finding, colors: Colors): string {
  if (contradiction === undefined) {
    return `  ${colors.green("✓")} ${claim} ${colors.dim(`(${checked} checked)`)}`;
  }
  return `  ${colors.red("✗")} ${claim}: ${colors.red(contradiction)}`;
}

function drawNext(keptWorkspace: string | undefined, colors: Colors): string[] {
  const on = `--workspace ${keptWorkspace ?? "./w"}`;
  const lines: [string, string][] = [
    [`allocdb cluster start ${on}`, "three replicas of your own"],
    [`allocdb cluster crash ${on} --replica-id 1`, "kill one, as often as you like"],
    [`allocdb cluster status ${on}`, "who leads now, and at which address"],
    ["allocdb serve --data ./data --http 7180", "a single server, with curl and metrics"],
    ["allocdb bench", "what this machine can do"],
  ];
  const width = Math.max(...lines.map(([command]) => command.length));
  const kept = keptWorkspace === undefined ? [] : [`The cluster stays in ${keptWorkspace}.`];
  return [
    ...kept,
    "What to try next:",
    ...lines.map(([command, why]) => `  ${command.padEnd(width)}  ${colors.dim(why)}`),
  ];
}
