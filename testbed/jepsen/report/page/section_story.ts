/** Section 2: each violation told, with the operations that cannot both be right. */
import { type Attempt, outcomeWords } from "../attempts.ts";
import { svgOf } from "../plots/frame.ts";
import { minimalHistory } from "../plots/minimal.ts";
import { holdsOfResource } from "../plots/resources.ts";
import type { Violation } from "../../analysis/judgement.ts";
import { attemptsIn, conflictIn, type Step, stepsOf } from "../story.ts";
import { type NumberedViolation, partOf, type Survey } from "../survey.ts";
import { cut, escapeHtml, prose } from "../text/escape.ts";
import { counted, duration, grouped, moment } from "../text/numbers.ts";
import { foundBy, nameWords } from "../verdict_words.ts";

/** Violations that are told; report.json has all. */
const TOLD_MAX = 20;
const LISTED_MAX = 60;
const RESOURCES_MAX = 3;

/** Draws the section. */
export function storySection(survey: Survey): string {
  const { violations } = survey;
  const found = survey.input.judgement.checks.reduce((sum, check) => sum + foundBy(check), 0);
  const rest = found - Math.min(violations.length, TOLD_MAX);
  const told = violations.slice(0, TOLD_MAX).map((found) => story(survey, found));
  return `<section id="story"><h2><span>2</span> Story</h2>
${told.length === 0 ? `<p class="empty">${escapeHtml(nothing(survey))}</p>` : told.join("\n")}
${
    rest > 0
      ? `<p class="note">${
        counted(rest, "violations")
      } more: report.json lists what the judge listed.</p>`
      : ""
  }
</section>`;
}

function nothing({ input: { judgement: { verdict } } }: Survey): string {
  return verdict === "valid"
    ? "Nothing to tell: every answer that clients got can be explained."
    : verdict === "unknown"
    ? "No broken rule was found, but not everything could be decided: see the checks above."
    : "The judge named no operations.";
}

function story(survey: Survey, { number, check, violation }: NumberedViolation): string {
  const attempts = attemptsIn(violation, survey.isTimed);
  const first = violation.first?.invokedAt;
  const minimal = violation.isMinimal
    ? "none of these can be left out"
    : "not minimal: the search was cut short";
  return `<article class="violation" id="violation-${number}">
<h3><span class="sign bad" aria-hidden="true">✕</span> ${
    escapeHtml(nameWords(check.name))
  } <a class="jump" href="#timeline"${
    first === undefined ? "" : ` data-position="${first}"`
  }>show in the timeline</a></h3>
<p class="lead">${prose(violation.sentence)}</p>
${sideBySide(survey, conflictIn(violation, survey.isTimed), first)}
${
    attempts.length === 0
      ? ""
      : `<h4>Minimal history: ${
        escapeHtml(`${counted(attempts.length, "attempts")}, ${minimal}`)
      }</h4>
<figure>${
        svgOf(minimalHistory(attempts, first))
      }<figcaption>In the order in which things happened, not to scale. A bar is as long as somebody waited; the framed one is where it shows.</figcaption></figure>
${list(survey, attempts)}`
  }
${before(violation.before)}
${holdsPicture(survey, violation, attempts)}
${
    violation.resourceIds.slice(0, RESOURCES_MAX).map((id) =>
      bySlot(id, stepsOf(survey, id, violation))
    ).join("")
  }
<p class="line">${escapeHtml(violation.line)}</p>
</article>`;
}

function sideBySide(
  survey: Survey,
  attempts: readonly Attempt[],
  first: number | undefined,
): string {
  return `<div class="pair">${
    attempts.map((attempt) => card(survey, attempt, attempt.position === first)).join("")
  }</div>`;
}

function card(survey: Survey, attempt: Attempt, isFirst: boolean): string {
  const facts: [string, string][] = [
    ["asked", attempt.request],
    ["answer", outcomeWords(attempt)],
    ["when", whenWords(survey, attempt)],
    ["events", `${attempt.position} to ${attempt.endPosition ?? "none"}`],
  ];
  if (attempt.key !== undefined) facts.push(["operation", attempt.key]);
  if (attempt.servedBy !== "") facts.push(["answered by", attempt.servedBy]);
  return `<div class="operation${isFirst ? " first" : ""}"><h4>process ${attempt.process}${
    isFirst ? ` <small class="tag bad">here it shows</small>` : ""
  }</h4><dl>${
    facts.map(([name, fact]) => `<div><dt>${name}</dt><dd>${escapeHtml(fact)}</dd></div>`).join("")
  }</dl></div>`;
}

function whenWords({ isTimed }: Survey, { start, end }: Attempt): string {
  if (!isTimed) return "no times were recorded";
  return end === undefined
    ? `from ${moment(start)}, never ended`
    : `${moment(start)} to ${moment(end)}, waited ${duration(end - start)}`;
}

function list(survey: Survey, attempts: readonly Attempt[]): string {
  const rows = attempts.slice(0, LISTED_MAX).map((attempt) =>
    `<tr><td class="count">${attempt.position}</td><td>${attempt.process}</td><td>${
      escapeHtml(attempt.request)
    }</td><td>${escapeHtml(outcomeWords(attempt))}</td><td>${
      escapeHtml(whenWords(survey, attempt))
    }</td></tr>`
  );
  const rest = attempts.length - LISTED_MAX;
  return `<details><summary>The same in words</summary><div class="scroll"><table><thead><tr><th>event</th><th>process</th><th>asked</th><th>answer</th><th>when</th></tr></thead><tbody>${
    rows.join("")
  }</tbody></table></div>${rest > 0 ? `<p>and ${grouped(rest)} more</p>` : ""}</details>`;
}

function before(lines: readonly string[]): string {
  return lines.length === 0
    ? ""
    : `<h4>The last state in which all was well</h4><pre>${
      lines.slice(0, 40).map((line) => escapeHtml(cut(line, 400))).join("\n")
    }</pre>`;
}

/** Who held the resource around the attempts of a violation. */
function holdsPicture(
  survey: Survey,
  { resourceIds }: Violation,
  attempts: readonly Attempt[],
): string {
  const [resourceId] = resourceIds;
  const [first] = attempts;
  if (resourceId === undefined || first === undefined) return "";
  if (!survey.holds.some((hold) => hold.resourceId === resourceId)) return "";
  const end = attempts.reduce((most, attempt) => Math.max(most, attempt.end ?? attempt.start), 0);
  const span = Math.max(end - first.start, survey.isTimed ? 50e6 : 20);
  const part = partOf(
    survey,
    Math.max(0, first.start - span * 0.08),
    Math.min(survey.end, end + span * 0.25),
  );
  return `<h4>Who held resource ${resourceId} then</h4><figure>${
    svgOf(holdsOfResource(part, resourceId))
  }<figcaption>A bar is a hold, with its holder; solid once confirmed, red and lower where a violation shows or two holds overlap. ▾ marks when it falls due.</figcaption></figure>`;
}

function bySlot(resourceId: bigint, steps: readonly Step[]): string {
  if (steps.length === 0) return "";
  const rows = steps.map((step) => {
    if (step.refused > 0) {
      return `<tr class="skipped"><td></td><td></td><td colspan="3">${
        counted(step.refused, "requests")
      } refused in between</td></tr>`;
    }
    const kind = step.isImpossible ? "impossible" : step.isEvidence ? "evidence" : "";
    const mark = step.isImpossible ? `<b class="bad">✕</b> ` : step.isEvidence ? "▸ " : "";
    return `<tr class="${kind}"><td class="count">${escapeHtml(step.lsn)}</td><td class="count">${
      escapeHtml(step.slot)
    }</td><td>${mark}${escapeHtml(step.what)}</td><td>${escapeHtml(step.code)}</td><td>${
      escapeHtml(step.state)
    }</td></tr>`;
  });
  return `<h4>Resource ${resourceId} by slot, as clients were told</h4><div class="scroll"><table class="steps"><thead><tr><th>lsn</th><th>slot</th><th>asked</th><th>answer</th><th>state after it</th></tr></thead><tbody>${
    rows.join("")
  }</tbody></table></div>`;
}
