/** How the demo ends: the proof and the figures, for people and as one JSON document. */
import type { DemoOptions } from "../cli/options.ts";
import type { Colors } from "./picture.ts";
import type { Finding } from "./proof.ts";
import type { Crash, Story } from "./story.ts";

/** What is known in the end. */
export interface Ending {
  readonly story: Story;
  readonly findings: readonly Finding[];
  readonly options: DemoOptions;
  /** The data directory, if it is kept. */
  readonly keptData: string | undefined;
}

/** Whether nothing speaks against anything. */
export function holds(findings: readonly Finding[]): boolean {
  return findings.every(({ contradiction }) => contradiction === undefined);
}

/** The end as lines. */
export function drawEnding(ending: Ending, colors: Colors): string[] {
  return [
    "",
    ...drawFigures(ending.story, colors),
    "",
    ...ending.findings.map((finding) => drawFinding(finding, colors)),
    "",
    ...drawNext(ending.keptData, colors),
  ];
}

/** The end as one document; numbers of 64 bits are strings. */
export function endingDocument({ story, findings, options, keptData }: Ending): unknown {
  const { hall, ledger, crash } = story;
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
    crash: crash === undefined ? null : crashDocument(crash),
    proof: findings.map(({ claim, checked, contradiction }) => {
      const result = { claim, holds: contradiction === undefined, checked };
      return contradiction === undefined ? result : { ...result, contradiction };
    }),
    data: keptData ?? null,
  };
}

function crashDocument(crash: Crash): unknown {
  return {
    pid: crash.pid,
    sold_before: crash.soldBefore,
    commands_waiting: crash.waiting,
    recovered_ms: Math.round(crash.recoveredMs),
    first_write_ms: Math.round(crash.firstWriteMs),
    startup_kind: crash.startupKind,
    replayed_entries: crash.replayedEntries,
  };
}

function drawFigures({ hall, ledger, crash }: Story, colors: Colors): string[] {
  const { counters } = ledger;
  const sold = `${hall.count("sold")} of ${hall.seats.length} seats sold in ` +
    `${ledger.sales().length} sales, ${counters.bundlesSold} of several seats`;
  const lost = `${counters.lostRaces} times somebody was faster, ${counters.walkedAway} buyers ` +
    `walked away and their seats came back by themselves`;
  if (crash === undefined) return [sold, lost];
  const seconds = colors.bold(`${(crash.firstWriteMs / 1_000).toFixed(2)} s`);
  const killed = `${seconds} from kill -9 to the first new write; ${crash.waiting} buyers waited ` +
    `through it and got their answers`;
  const retries =
    `${counters.retriesAnswered} of them learned that it had happened before the crash`;
  return [sold, lost, counters.retriesAnswered === 0 ? killed : `${killed}; ${retries}`];
}

function drawFinding({ claim, checked, contradiction }: Finding, colors: Colors): string {
  if (contradiction === undefined) {
    return `  ${colors.green("✓")} ${claim} ${colors.dim(`(${checked} checked)`)}`;
  }
  return `  ${colors.red("✗")} ${claim}: ${colors.red(contradiction)}`;
}

function drawNext(keptData: string | undefined, colors: Colors): string[] {
  const data = keptData ?? "./data";
  const lines: [string, string][] = [
    [`allocdb serve --data ${data} --http 7180`, "a server of your own, with curl and metrics"],
    keptData === undefined
      ? ["allocdb create seat:A1", "something to reserve"]
      : ["allocdb get seat:A1", "who has the best seat"],
    ["allocdb reserve seat:A1 --holder me --ttl 10m", "yours for ten minutes, unless you confirm"],
    ["allocdb bench", "what this machine can do"],
  ];
  const width = Math.max(...lines.map(([command]) => command.length));
  const kept = keptData === undefined ? [] : [`The data stays in ${keptData}.`];
  return [
    ...kept,
    "What to try next:",
    ...lines.map(([command, why]) => `  ${command.padEnd(width)}  ${colors.dim(why)}`),
  ];
}
