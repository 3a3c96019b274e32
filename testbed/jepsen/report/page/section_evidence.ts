/** Section 7: what was judged and how it came to be: files, settings, versions, faults, logs. */

import type { LogLine } from "../input.ts";
import type { Survey } from "../survey.ts";
import { cut, escapeHtml } from "../text/escape.ts";
import { duration, fileSize, grouped, moment } from "../text/numbers.ts";
import { nameWords } from "../verdict_words.ts";
import { KINDS_MAX } from "./style.ts";

const LINES_MAX = 2_000;
const LINE_MAX = 600;
const FAULTS_MAX = 500;

/** Draws the section. */
export function evidenceSection(survey: Survey): string {
  return `<section id="evidence"><h2><span>7</span> Evidence</h2>
${reproduce(survey)}${files(survey)}${settings(survey)}${faults(survey)}${logs(survey)}
</section>`;
}

function reproduce({ input }: Survey): string {
  return input.reproduce === undefined
    ? ""
    : `<h3>Do it again</h3><div class="command"><code id="command">${
      escapeHtml(input.reproduce)
    }</code><button id="copy" hidden>Copy</button></div>`;
}

function files({ input: { files = [] } }: Survey): string {
  const rows = files.map(({ path, bytes, sha256 }) =>
    `<tr><td>${escapeHtml(path)}</td><td class="count" title="${grouped(bytes)} bytes">${
      fileSize(bytes)
    }</td><td class="mono">${escapeHtml(sha256)}</td></tr>`
  );
  return `<h3>Files</h3>${
    rows.length === 0
      ? `<p class="empty">No files were named.</p>`
      : `<div class="scroll"><table><thead><tr><th>file</th><th class="count">size</th><th>SHA-256</th></tr></thead><tbody>${
        rows.join("\n")
      }</tbody></table></div>`
  }`;
}

function settings(survey: Survey): string {
  const { input } = survey;
  const { header } = input.recording;
  const versions = {
    ...header.program === undefined ? {} : { "under test": header.program },
    ...input.judgedBy === undefined ? {} : { "judged by": input.judgedBy },
    ...input.versions,
  };
  return pairs("Settings", { ...bounds(survey), ...input.settings }) + pairs("Versions", versions);
}

function bounds(
  { input: { recording: { header, events, skippedLines } } }: Survey,
): Record<string, string> {
  const { bounds: limits, slotDurationMs, minimumFaultWindowSecs, isWindowOverridden } = header;
  const facts: Record<string, string> = { events: grouped(events) };
  if (skippedLines > 0) facts["lines skipped"] = grouped(skippedLines);
  if (slotDurationMs !== undefined) facts["slot"] = `${slotDurationMs} ms`;
  if (minimumFaultWindowSecs !== undefined) {
    facts["least fault window"] = `${minimumFaultWindowSecs} s${
      isWindowOverridden ? ", shortened by hand" : ""
    }`;
  }
  for (const [name, value] of Object.entries(limits ?? {})) facts[name] = String(value);
  return facts;
}

function pairs(title: string, facts: Readonly<Record<string, string>>): string {
  const rows = Object.entries(facts).map(([name, fact]) =>
    `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(fact)}</dd></div>`
  );
  return rows.length === 0 ? "" : `<h3>${title}</h3><dl class="pairs">${rows.join("")}</dl>`;
}

function faults({ input: { recording } }: Survey): string {
  const inOrder = recording.faults.toSorted((a, b) => a.startNs - b.startNs);
  const rows = inOrder.slice(0, FAULTS_MAX).map((fault) =>
    `<tr><td class="count">${moment(fault.startNs)}</td><td class="count">${
      fault.stopNs === undefined ? "never" : duration(fault.stopNs - fault.startNs)
    }</td><td><b>${escapeHtml(nameWords(fault.name))}</b></td><td>${
      escapeHtml(fault.replicaIds.join(", "))
    }</td><td>${escapeHtml(fault.detail)}</td></tr>`
  );
  const rest = inOrder.length - FAULTS_MAX;
  return `<h3>Faults</h3>${
    rows.length === 0
      ? `<p class="empty">Nothing was broken on purpose.</p>`
      : `<div class="scroll tall"><table><thead><tr><th class="count">at</th><th class="count">for</th><th>fault</th><th>replicas</th><th>in words</th></tr></thead><tbody>${
        rows.join("\n")
      }</tbody></table></div>${rest > 0 ? `<p>and ${grouped(rest)} more</p>` : ""}`
  }`;
}

function logs(survey: Survey): string {
  const { logs: all = [], logLinesTotal } = survey.input;
  if (all.length === 0) return "";
  const shown = chosenLines(survey, all);
  const sources = [...new Set(shown.map(({ source }) => source))].sort();
  const boxes = sources.slice(0, KINDS_MAX).map((source, index) =>
    `<label><input type="checkbox" checked id="show-s${index}"> ${escapeHtml(source)}</label>`
  );
  return `<h3>Logs, merged by time <small>showing ${grouped(shown.length)} of ${
    grouped(Math.max(logLinesTotal ?? 0, all.length))
  } lines</small></h3><fieldset class="choose"><legend>Lines of</legend>${boxes.join("")}</fieldset>
<div class="scroll tall" tabindex="0" role="region" aria-label="Logs"><table class="logs"><tbody>${
    shown.map((line) => logRow(line, sources.indexOf(line.source))).join("\n")
  }</tbody></table></div>`;
}

/** The lines around the first violation, else the last ones; ties keep the order in which they came. */
function chosenLines(survey: Survey, all: readonly LogLine[]): LogLine[] {
  const inOrder = all.toSorted((a, b) => a.timeNs - b.timeNs);
  const first = survey.violations[0]?.violation.first;
  const focusNs = first?.completedNs ?? first?.invokedNs;
  const at = focusNs === undefined
    ? inOrder.length
    : inOrder.findIndex(({ timeNs }) => timeNs > focusNs);
  const end = Math.min(inOrder.length, (at < 0 ? inOrder.length : at) + LINES_MAX / 4);
  return inOrder.slice(Math.max(0, end - LINES_MAX), Math.max(end, LINES_MAX));
}

function logRow({ timeNs, source, level = "", text }: LogLine, index: number): string {
  const tone = /err|fatal|crit/i.test(level) ? "bad" : /warn/i.test(level) ? "unsure" : "";
  return `<tr class="s${Math.min(index, KINDS_MAX)} ${tone}"><td class="count">${
    moment(timeNs)
  }</td><td>${escapeHtml(source)}</td><td>${escapeHtml(level)}</td><td>${
    escapeHtml(cut(text, LINE_MAX))
  }</td></tr>`;
}
