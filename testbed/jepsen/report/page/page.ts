/** A report as one file that needs nothing else; without scripts all but the timeline is there. */
import type { Survey } from "../survey.ts";
import { escapeHtml } from "../text/escape.ts";
import { grouped } from "../text/numbers.ts";
import { badgeOf, headerFacts } from "../verdict_words.ts";
import { htmlPage } from "./html.ts";
import { SCRIPT } from "./script.ts";
import { evidenceSection } from "./section_evidence.ts";
import { clusterSection, latencySection, resourcesSection } from "./section_plots.ts";
import { storySection } from "./section_story.ts";
import { verdictSection } from "./section_verdict.ts";
import { STYLE } from "./style.ts";
import { type TimelineData, timelineData } from "./timeline_data.ts";

const SECTIONS = ["Verdict", "Story", "Timeline", "Cluster", "Latency", "Resources", "Evidence"];

/** Draws a run. */
export function renderPage(survey: Survey): string {
  const timeline = timelineData(survey);
  const body = `${header(survey)}
${navigation()}
<main>
${verdictSection(survey)}
${storySection(survey)}
${timelineSection(survey, timeline)}
${clusterSection(survey)}
${latencySection(survey)}
${resourcesSection(survey)}
${evidenceSection(survey)}
</main>
<footer>Written by allocdb jepsen. Everything is in this one file; it asks nobody for anything.</footer>`;
  return htmlPage({
    title: `${badgeOf(survey.input.judgement).word}: ${survey.input.title}`,
    style: STYLE,
    body,
    data: { run: timeline.packed },
    script: SCRIPT,
  });
}

function header(survey: Survey): string {
  const { title, judgement } = survey.input;
  const { sign, word, tone } = badgeOf(judgement);
  const facts = headerFacts(survey).map(([name, fact]) =>
    `<div><dt>${name}</dt><dd>${escapeHtml(fact)}</dd></div>`
  );
  return `<header><div class="headline"><span class="badge ${tone}">${word} <span aria-hidden="true">${sign}</span></span><h1>${
    escapeHtml(title)
  }</h1></div><dl class="facts">${facts.join("")}</dl></header>`;
}

function navigation(): string {
  const links = SECTIONS.map((name, index) =>
    `<li><a href="#${name.toLowerCase()}">${index + 1} ${name}</a></li>`
  );
  return `<nav aria-label="Sections"><ul>${links.join("")}</ul></nav>`;
}

function timelineSection({ violations }: Survey, { shown, total }: TimelineData): string {
  const first = violations.some(({ violation }) => violation.first !== undefined)
    ? `<button id="violation" class="urgent">To the first violation</button>`
    : `<button id="violation">To the longest gap</button>`;
  return `<section id="timeline"><h2><span>3</span> Timeline <small>showing ${grouped(shown)} of ${
    grouped(total)
  } attempts one by one${shown < total ? ", the rest as density" : ""}</small></h2>
<noscript><p class="note">The timeline needs scripts; the other sections do not.</p></noscript>
<div id="needs" hidden>
<div class="bar" role="toolbar" aria-label="Timeline">${first}
<button id="whole">Whole run</button><button id="closer" aria-label="Closer">+</button><button id="farther" aria-label="Farther">−</button>
<button id="left" aria-label="Earlier">◀</button><button id="right" aria-label="Later">▶</button>
<button id="previous">Previous</button><button id="next">Next</button>
<input type="search" id="find" placeholder="operation id, resource 7, #event" aria-label="Search the timeline"><span id="found" class="keys" role="status"></span></div>
<div id="frame"><div id="stage"><canvas id="picture" tabindex="0" role="application" aria-describedby="keys said" aria-label="Timeline: replicas and clients as lanes, attempts as bars, faults as bands"></canvas><div id="room"></div></div><div id="tip" hidden></div></div>
<p id="said" class="mono" role="status" aria-live="polite"></p>
<p id="keys" class="keys"><b class="ok">▬</b> ok &nbsp; <b class="fail">✕</b> did not happen &nbsp; <b class="info">◇</b> nobody knows, any time from here on &nbsp; a thin line joins attempts of one operation &nbsp; red frame: named by a violation &nbsp; grey: density.
Drag to move, wheel to zoom, click to hold. Keys: <kbd>←</kbd> <kbd>→</kbd> move, <kbd>↑</kbd> <kbd>↓</kbd> zoom, <kbd>n</kbd> <kbd>p</kbd> next and previous attempt, <kbd>v</kbd> to the violation, <kbd>f</kbd> whole run, <kbd>/</kbd> search, <kbd>Esc</kbd> let go.</p>
</div>
</section>`;
}
