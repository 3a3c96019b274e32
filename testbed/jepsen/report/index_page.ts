/** The runs of a directory as one page: what there is, how each ended, where its files are. */
import type { Verdict } from "../analysis/judgement.ts";
import { htmlPage } from "./page/html.ts";
import { STYLE } from "./page/style.ts";
import { escapeHtml } from "./text/escape.ts";
import { counted, duration, grouped } from "./text/numbers.ts";
import { badgeOf, nameWords } from "./verdict_words.ts";

/** One run of a directory. */
export interface IndexEntry {
  readonly title: string;
  /** Undefined for a run that is going on or was broken off. */
  readonly verdict: Verdict | undefined;
  /** `running`, `broken off`, ...: of a run without a verdict. */
  readonly state?: string;
  readonly workload?: string;
  readonly nemesis?: string;
  readonly backend?: string;
  readonly seed?: number;
  readonly startedAtMillis?: number;
  readonly durationNs?: number;
  readonly operations?: number;
  /** Checks that failed or could not decide, by name. */
  readonly problems?: readonly string[];
  readonly isWindowOverridden?: boolean;
  /** Names of files and their paths relative to the page, such as `report.html`. */
  readonly links: readonly { readonly name: string; readonly path: string }[];
}

/**
 * Draws the list, the latest run first.
 *
 * @returns A page of its own, without scripts.
 */
export function indexPage(title: string, entries: readonly IndexEntry[]): string {
  const inOrder = entries.toSorted((a, b) => (b.startedAtMillis ?? 0) - (a.startedAtMillis ?? 0));
  const count = (verdict: Verdict): number =>
    entries.filter((entry) => entry.verdict === verdict).length;
  const body = `<header><h1>${escapeHtml(title)}</h1><p class="lead">${
    counted(entries.length, "runs")
  }: ${grouped(count("valid"))} valid, ${grouped(count("invalid"))} invalid, ${
    grouped(count("unknown"))
  } unknown</p></header>
<main><section><div class="scroll"><table class="checks"><thead><tr><th>Verdict</th><th>Run</th><th>Workload · nemesis · backend</th><th class="count">Seed</th><th class="count">Duration</th><th class="count">Operations</th><th>Started</th><th>Files</th></tr></thead><tbody>
${inOrder.map(row).join("\n")}
</tbody></table></div></section></main>
<footer>Written by allocdb jepsen.</footer>`;
  return htmlPage({ title, style: STYLE, body });
}

function row(entry: IndexEntry): string {
  const { verdict, state = "no verdict", problems = [], durationNs, operations, seed } = entry;
  const badge = verdict === undefined
    ? { sign: "…", word: state, tone: "" }
    : badgeOf({ verdict, model: "", checks: [] });
  const what = [entry.workload, entry.nemesis, entry.backend].filter((part) => part !== undefined);
  const why = problems.length === 0
    ? ""
    : `<br><small>${escapeHtml(problems.map(nameWords).join(", "))}</small>`;
  const short = entry.isWindowOverridden
    ? `<br><small>window shortened: no gate evidence</small>`
    : "";
  return `<tr class="is-${badge.tone}"><td class="state"><b class="sign" aria-hidden="true">${badge.sign}</b> ${
    escapeHtml(badge.word.toLowerCase())
  }</td><td><b>${escapeHtml(entry.title)}</b>${why}${short}</td><td>${
    escapeHtml(what.map((part) => nameWords(part!)).join(" · "))
  }</td><td class="count">${seed ?? ""}</td><td class="count">${
    durationNs === undefined ? "" : duration(durationNs)
  }</td><td class="count">${operations === undefined ? "" : grouped(operations)}</td><td>${
    startedWords(entry.startedAtMillis)
  }</td><td>${entry.links.map(link).join(" ")}</td></tr>`;
}

function startedWords(millis: number | undefined): string {
  if (millis === undefined || !(Math.abs(millis) <= 8.64e15)) return "";
  return new Date(millis).toISOString().slice(0, 16).replace("T", " ");
}

/** Only to what lies below the page: each part of the path is encoded, and none of them leads up. */
function link({ name, path }: { readonly name: string; readonly path: string }): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
  const target = parts.map((part) => encodeURIComponent(part.toWellFormed())).join("/");
  return `<a href="./${escapeHtml(target)}">${escapeHtml(name)}</a>`;
}
