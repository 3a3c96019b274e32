/** Two runs side by side: what differs between them first. */
import { OUTCOMES } from "./attempts.ts";
import { QUANTILES } from "./figures.ts";
import type { ReportInput } from "./input.ts";
import { htmlPage } from "./page/html.ts";
import { STYLE } from "./page/style.ts";
import { type Plot, svgOf } from "./plots/frame.ts";
import { latencyQuantiles } from "./plots/latency.ts";
import { availability, rate } from "./plots/rate.ts";
import { type Survey, surveyOf } from "./survey.ts";
import { escapeHtml } from "./text/escape.ts";
import { duration, grouped } from "./text/numbers.ts";
import { badgeOf, CHECK_WORDS, headerFacts, nameWords, verdictSentence } from "./verdict_words.ts";

const COMPARE_STYLE = `
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 20px; } .two > div { min-width: 0; }
.differs td { background: var(--unsureground); } header, section { max-width: 1500px; }
@media (max-width: 900px) { .two { grid-template-columns: 1fr; } }
`;

/**
 * Draws two runs.
 *
 * @returns A page of its own, without scripts.
 */
export function comparePage(a: ReportInput, b: ReportInput): string {
  const both = [surveyOf(a), surveyOf(b)] as const;
  const body = `<header><h1>Two runs</h1></header>
<main><section class="two">${both.map(head).join("")}</section>
<section><h2>What was run</h2>${facts(both)}</section>
<section><h2>Checks</h2>${checks(both)}</section>
<section><h2>Latency and rate</h2>${latencies(both)}${pictures(both)}</section></main>
<footer>Rows with a ground of their own differ. Written by allocdb jepsen.</footer>`;
  return htmlPage({ title: `${a.title} and ${b.title}`, style: STYLE + COMPARE_STYLE, body });
}

type Both = readonly [Survey, Survey];

function head(survey: Survey): string {
  const { title, judgement } = survey.input;
  const { sign, word, tone } = badgeOf(judgement);
  return `<div><p><span class="badge ${tone}">${word} <span aria-hidden="true">${sign}</span></span></p><h3>${
    escapeHtml(title)
  }</h3><p class="lead">${escapeHtml(verdictSentence(survey))}</p></div>`;
}

/** Rows of a name and two texts; those that differ are marked. */
function rows(
  pairs: readonly (readonly [string, string, string])[],
  heads: readonly string[],
): string {
  const cells = pairs.map(([name, a, b]) =>
    `<tr${a === b ? "" : ` class="differs"`}><td><b>${escapeHtml(name)}</b></td><td>${
      escapeHtml(a)
    }</td><td>${escapeHtml(b)}</td></tr>`
  );
  return `<div class="scroll"><table><thead><tr>${
    heads.map((text) => `<th>${escapeHtml(text)}</th>`).join("")
  }</tr></thead><tbody>${cells.join("\n")}</tbody></table></div>`;
}

/** Joins two lists by name, in the order of the first. */
function joined<T>(
  a: readonly T[],
  b: readonly T[],
  nameOf: (item: T) => string,
): [string, T | undefined, T | undefined][] {
  const [left, right] = [a, b].map((items) => new Map(items.map((item) => [nameOf(item), item])));
  const names = new Set([...left!.keys(), ...right!.keys()]);
  return [...names].map((name) => [name, left!.get(name), right!.get(name)]);
}

function titles([a, b]: Both): string[] {
  return ["", a.input.title, b.input.title];
}

function facts(both: Both): string {
  const lists = both.map((survey): [string, string][] => [
    ...headerFacts(survey),
    ["operations", grouped(survey.input.judgement.counts.operations)],
    ["unanswered", grouped(survey.input.judgement.counts.unanswered)],
    ["faults", grouped(survey.input.recording.faults.length)],
    ...Object.entries(survey.input.settings ?? {}),
  ]);
  const pairs = joined(lists[0]!, lists[1]!, ([name]) => name);
  return rows(pairs.map(([name, a, b]) => [name, a?.[1] ?? "–", b?.[1] ?? "–"]), titles(both));
}

function checks(both: Both): string {
  const [a, b] = both.map(({ input }) => input.judgement.checks);
  const words = (check: (typeof a & object)[number] | undefined): string =>
    check === undefined
      ? "–"
      : `${CHECK_WORDS[check.verdict].sign} ${CHECK_WORDS[check.verdict].word}, ${
        grouped(check.examined)
      } ${check.unit}`;
  const pairs = joined(a!, b!, ({ name }) => name);
  return rows(
    pairs.map(([name, left, right]) => [nameWords(name), words(left), words(right)]),
    titles(both),
  );
}

function latencies(both: Both): string {
  const lists = both.map(({ figures }) => figures?.latencies ?? []);
  const pairs = joined(lists[0]!, lists[1]!, ({ f, outcome }) => `${nameWords(f)}, ${outcome}`);
  const words = (row: { count: number; quantiles: readonly number[] } | undefined): string =>
    row === undefined ? "–" : `${grouped(row.count)}: ${row.quantiles.map(duration).join(" / ")}`;
  const order = (name: string): number => OUTCOMES.findIndex((outcome) => name.endsWith(outcome));
  const sorted = pairs.sort(([x], [y]) => order(x) - order(y));
  return `<p class="keys">Count: ${
    QUANTILES.map((share) => share === 1 ? "greatest" : share).join(" / ")
  }</p>${rows(sorted.map(([name, a, b]) => [name, words(a), words(b)]), titles(both))}`;
}

function pictures(both: Both): string {
  const draws: ((survey: Survey) => Plot)[] = [latencyQuantiles, rate, availability];
  return draws.map((draw) =>
    `<div class="two">${
      both.map((survey) =>
        `<div>${
          survey.figures === undefined
            ? ""
            : `<figure>${svgOf(draw(survey))}<figcaption>${
              escapeHtml(`${survey.input.title}: ${draw(survey).title}`)
            }</figcaption></figure>`
        }</div>`
      ).join("")
    }</div>`
  ).join("\n");
}
