/** Section 1: every check with what it looked at, and what the history would have let it notice. */
import type { CheckResult, Shortfall } from "../../analysis/judgement.ts";
import type { Survey } from "../survey.ts";
import { escapeHtml, prose } from "../text/escape.ts";
import { counted, duration, grouped } from "../text/numbers.ts";
import {
  brokenOffSentence,
  CHECK_WORDS,
  foundBy,
  gateObjection,
  nameWords,
  verdictSentence,
} from "../verdict_words.ts";

/** Draws the section. */
export function verdictSection(survey: Survey): string {
  const { judgement, recording } = survey.input;
  const objection = gateObjection(survey);
  const broken = brokenOffSentence(survey);
  return `<section id="verdict"><h2><span>1</span> Verdict</h2>
<p class="lead">${escapeHtml(verdictSentence(survey))}</p>
${broken === undefined ? "" : `<p class="note unsure">⚠ ${escapeHtml(broken)}</p>`}
${objection === undefined ? "" : `<p class="note unsure">⚠ ${escapeHtml(objection)}</p>`}
${recording.notes.map((note) => `<p class="note">Note: ${escapeHtml(note)}</p>`).join("")}
${cards(survey)}
<div class="scroll"><table class="checks"><thead><tr><th>Verdict</th><th>Check</th><th>Looked at</th><th>What it says</th></tr></thead><tbody>
${judgement.checks.map((check) => checkRow(survey, check)).join("\n")}
</tbody></table></div>
${shortfalls(judgement.shortfalls ?? [])}${
    findings(judgement.findings.filter((line) => !recording.notes.includes(line)))
  }
${coverage(survey)}
</section>`;
}

/** The figures that somebody looks for first. */
function cards({ input: { judgement: { counts }, recording }, figures }: Survey): string {
  const facts: [string, string, string][] = [
    ["operations", grouped(counts.operations), `in ${counted(counts.attempts, "attempts")}`],
    ["unanswered", grouped(counts.unanswered), "may have happened or not"],
    ["faults", grouped(recording.faults.length), faultKinds(recording.faults)],
  ];
  const gap = figures?.gaps[0];
  if (figures !== undefined && figures.overall.length > 0) {
    const [median, , high, greatest] = figures.overall.map(duration);
    facts.push(["median latency", median!, `0.99 ${high}, most ${greatest}`]);
  }
  if (gap !== undefined) {
    facts.push([
      "longest without an ok",
      duration(gap.toNs - gap.fromNs),
      `from ${duration(gap.fromNs)}`,
    ]);
  }
  return `<dl class="cards">${
    facts.map(([name, value, more]) =>
      `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}<small>${
        escapeHtml(more)
      }</small></dd></div>`
    ).join("")
  }</dl>`;
}

function faultKinds(faults: readonly { readonly name: string }[]): string {
  const kinds = [...new Set(faults.map(({ name }) => nameWords(name)))];
  return kinds.length === 0
    ? "nothing was broken on purpose"
    : kinds.slice(0, 4).join(", ") + (kinds.length > 4 ? ", ..." : "");
}

function checkRow({ violations }: Survey, check: CheckResult): string {
  const { sign, word, tone } = CHECK_WORDS[check.verdict];
  const own = violations.filter((found) => found.check === check);
  const link = own[0] === undefined
    ? ""
    : ` <a href="#violation-${own[0].number}">${
      foundBy(check) === 1 ? "the violation" : `first of ${grouped(foundBy(check))} violations`
    }</a>`;
  const blocks = check.isReleaseBlocking
    ? ""
    : `<small class="tag" title="The release gate does not wait for it">no blocker</small>`;
  return `<tr class="is-${tone}"><td class="state"><b class="sign" aria-hidden="true">${sign}</b> ${word}</td><td><b>${
    escapeHtml(nameWords(check.name))
  }</b>${blocks}</td><td class="count">${grouped(check.examined)} <small>${
    escapeHtml(check.unit)
  }</small></td><td>${prose(check.sentence)}${link}</td></tr>`;
}

function shortfalls(found: readonly Shortfall[]): string {
  return found.map(({ name, count, minimum }) =>
    `<p class="note unsure">⚠ too little of ${escapeHtml(nameWords(name))}: ${
      grouped(count)
    }, asked for ${grouped(minimum)}</p>`
  ).join("");
}

function findings(found: readonly string[]): string {
  return found.length === 0
    ? ""
    : `<h3>Worth knowing</h3><ul>${found.map((line) => `<li>${prose(line)}</li>`).join("")}</ul>`;
}

/** Would it have noticed? */
function coverage({ input: { judgement } }: Survey): string {
  if (judgement.coverage.length === 0) return "";
  const rows = judgement.coverage.map(({ name, count, meaning }) =>
    `<tr${count === 0 ? ` class="none"` : ""}><td class="count">${grouped(count)}</td><td><b>${
      escapeHtml(nameWords(name))
    }</b></td><td>${escapeHtml(meaning)}</td></tr>`
  );
  return `<details><summary>Would it have noticed? What the history gave the checks to look at</summary>
<div class="scroll"><table class="coverage"><tbody>${
    rows.join("\n")
  }</tbody></table></div></details>`;
}
