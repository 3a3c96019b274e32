/**
 * A timeline as one file that needs nothing else: no request leaves it, no script runs in it but its own, and
 * what a life said is text in it, whatever it said.
 */
import { createHash } from "node:crypto";
import { SCRIPT } from "./page_script.ts";
import { STYLE } from "./page_style.ts";
import type { Timeline } from "./timeline.ts";

/** Things told in words below the picture, for who has no script, and for who searches. */
const WORDS_MAX = 150;

/** Kinds of messages that share a colour. */
const FAMILIES: Readonly<Record<string, number>> = {
  prepare: 0,
  prepare_ok: 1,
  start_view_change: 2,
  do_view_change: 2,
  start_view: 2,
  probe_view: 7,
  probe_view_ok: 7,
  recovery: 3,
  recovery_response: 3,
  get_log_range: 4,
  log_range: 4,
  snapshot_offer: 4,
  get_snapshot_chunk: 4,
  snapshot_chunk: 4,
  prepare_reject: 5,
  heartbeat: 6,
};

/**
 * Draws a life.
 *
 * @param timeline What was seen.
 * @returns HTML.
 */
export function timelinePage(timeline: Timeline): string {
  const kinds = [...new Set(timeline.messages.map(({ kind }) => kind))].sort();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
<title>allocdb sim: seed ${timeline.seed}</title>
<style>${STYLE}</style>
</head>
<body>
${header(timeline)}
${picture(timeline, kinds)}
${lastWords(timeline)}
<footer>One life of a simulated cluster; all times are virtual. Written by allocdb sim.</footer>
<script type="application/json" id="life">${dataOf(timeline, kinds)}</script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function policy(): string {
  const sources = `script-src '${hashOf(SCRIPT)}'; style-src '${hashOf(STYLE)}'`;
  return `default-src 'none'; ${sources}; base-uri 'none'; form-action 'none'`;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function header(timeline: Timeline): string {
  const { seed, profile, violation, size, hash, events, endMs, messages, asked } = timeline;
  const verdict = violation === undefined
    ? `<span class="good">✓ every promise was kept</span>`
    : `<span class="bad">✕ a promise was broken</span>`;
  const facts: readonly (readonly [string, string])[] = [
    ["plan", size],
    ["profile", profile],
    ["simulated", `${(endMs / 1_000).toFixed(3)} s`],
    ["events", String(events)],
    ["messages", `showing ${messages.length} of ${timeline.messagesWatched}`],
    ["operations", `showing ${asked.length} of ${timeline.askedWatched}`],
    ["transcript hash", hash],
  ];
  return `<header>
<h1>Seed ${seed}: ${verdict}</h1>
${violation === undefined ? "" : `<p class="broken">${escapeHtml(violation)}</p>`}
<dl>${
    facts.map(([name, fact]) => `<div><dt>${name}</dt><dd>${escapeHtml(fact)}</dd></div>`).join("")
  }</dl>
<details><summary>What happened how often</summary>${countsTable(timeline)}</details>
</header>`;
}

function countsTable({ counts }: Timeline): string {
  const rows = Object.entries(counts).map(([name, count]) =>
    `<tr><td>${count}</td><td>${escapeHtml(name.replace("strike/", "fault: "))}</td></tr>`
  );
  return `<table>${rows.join("")}</table>`;
}

function picture(timeline: Timeline, kinds: readonly string[]): string {
  const focus = timeline.violation === undefined ? "To the focus" : "To the broken promise";
  const counts = Map.groupBy(timeline.messages, ({ kind }) => kind);
  const boxes = kinds.map((kind, index) =>
    `<label><input type="checkbox" checked data-kind="${index}"><span class="swatch" data-family="${
      familyOf(kind)
    }"></span>${escapeHtml(kind)} <span class="keys">${counts.get(kind)!.length}</span></label>`
  );
  return `<main id="needs" hidden>
<div class="bar" role="toolbar" aria-label="Time">
<button id="focus">${focus}</button><button id="whole">Whole life</button>
<button id="closer">Closer</button><button id="farther">Farther</button>
<button id="left">◀ Earlier</button><button id="right">Later ▶</button>
<button id="previous">Previous thing</button><button id="next">Next thing</button>
</div>
<div class="bar kinds" role="group" aria-label="Messages to show">${boxes.join("\n")}
<label><input type="checkbox" id="lost">lost ones only</label></div>
<div id="stage"><canvas id="picture" tabindex="0" role="application" aria-describedby="keys said" aria-label="Timeline: replicas as lanes, messages as arrows, faults above, clients below"></canvas><div id="tip" hidden></div></div>
<p id="said" class="mono" role="status" aria-live="polite"></p>
<p id="keys" class="keys">Drag to move, wheel to zoom, click to hold. With the keyboard:
<kbd>←</kbd> <kbd>→</kbd> move, <kbd>↑</kbd> <kbd>↓</kbd> zoom, <kbd>n</kbd> <kbd>p</kbd> next and previous thing, <kbd>v</kbd> ${focus.toLowerCase()}, <kbd>f</kbd> whole life, <kbd>Esc</kbd> let go.
A band is what a replica is; the numbers below it are the ops that it knows to be decided. A broken-off arrow with a cross was lost. A bar below is what a client waited for; a yellow one was never answered.</p>
</main>`;
}

/** A table of the end, and what the replicas were then. */
function lastWords(timeline: Timeline): string {
  const rows = happenings(timeline).map(([atMs, what]) =>
    `<tr><td class="mono">${atMs.toFixed(3)}</td><td class="mono">${escapeHtml(what)}</td></tr>`
  );
  return `<section>
<h2>The replicas at the end</h2>
<pre>${escapeHtml(timeline.lastWords.map((line) => `replica ${line}`).join("\n"))}</pre>
<h2>The last ${rows.length} things in words</h2>
<table><tr><th>ms</th><th>what</th></tr>${rows.join("\n")}</table>
</section>`;
}

/** What led to the focus, the latest last. */
function happenings({ focusMs, messages, bands, blows, asked }: Timeline): [number, string][] {
  const all: [number, string][] = [];
  for (const { from, to, atMs, endMs, isLost, text } of messages) {
    all.push([endMs ?? atMs, `${from} → ${to}  ${isLost ? "LOST " : ""}${text}`]);
  }
  for (const { replica, fromMs, state, view, detail } of bands) {
    const more = [view === "" ? "" : `view ${view}`, detail].filter((part) => part !== "");
    all.push([fromMs, [`replica ${replica} is ${state}`, ...more].join(", ")]);
  }
  for (const { atMs, fault } of blows) all.push([atMs, `fault: ${fault}`]);
  for (const { atMs, endMs, text, answer } of asked) {
    all.push([atMs, text]);
    if (endMs !== undefined) all.push([endMs, `${text}: ${answer}`]);
  }
  return all.filter(([atMs]) => atMs <= focusMs).sort(([a], [b]) => a - b).slice(-WORDS_MAX);
}

/** The life for the script: rows of numbers and text. `<` is escaped, so nothing ends the element early. */
function dataOf(timeline: Timeline, kinds: readonly string[]): string {
  const { replicas, endMs, focusMs, violation, bands, pauses, commits, blows, asked } = timeline;
  const kindIndex = new Map(kinds.map((kind, index) => [kind, index]));
  const data = {
    replicas,
    endMs: micro(endMs),
    focusMs: micro(focusMs),
    isFocused: focusMs < endMs,
    violation: violation ?? null,
    kinds,
    families: kinds.map(familyOf),
    bands: bands.map((b) => [b.replica, micro(b.fromMs), micro(b.toMs), b.state, b.view, b.detail]),
    pauses: pauses.map((pause) => [pause.replica, micro(pause.fromMs), micro(pause.toMs)]),
    commits: commits.map((commit) => [commit.replica, micro(commit.atMs), commit.op]),
    messages: timeline.messages.map((m) => [
      ...[m.from, m.to, micro(m.atMs), m.endMs === undefined ? null : micro(m.endMs)],
      ...[m.isLost ? 1 : 0, kindIndex.get(m.kind), m.text],
    ]),
    blows: blows.map((blow) => [micro(blow.atMs), micro(blow.forMs), blow.fault]),
    asked: asked.map((a) => [
      ...[a.client, micro(a.atMs), a.endMs === undefined ? null : micro(a.endMs)],
      ...[a.text, a.answer],
    ]),
  };
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

/** To the microsecond. */
function micro(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

function familyOf(kind: string): number {
  return FAMILIES[kind] ?? 6;
}
