/**
 * What makes a report move: it runs in the reader's browser, so it is text here. It unpacks the timeline from the page,
 * draws it on a canvas, and never builds HTML of what it reads.
 */
import { SCRIPT_DRAWING } from "./script_drawing.ts";
import { SCRIPT_HANDS } from "./script_hands.ts";
import { SCRIPT_PLOTS } from "./script_plots.ts";
import uplot from "./uplot.json" with { type: "json" };

const SCRIPT_DATA = String.raw`
const OUTCOMES = ["ok", "fail", "info"];
async function unpack(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}
/** Bars as objects, in the order of their beginning. */
function barsOf({ bars: columns, fs }) {
  let start = 0;
  return columns.start.map((step, i) => {
    start += step;
    const bar = { index: i, start, f: fs[columns.f[i]], span: columns.span[i], outcome: columns.outcome[i], isEvidence: columns.evidence[i] === 1 };
    for (const name of ["lane", "process", "position", "key", "request", "answer", "servedBy", "before", "after"]) bar[name] = columns[name][i];
    bar.end = bar.span < 0 ? run.end : start + bar.span;
    return bar;
  });
}
function grouped(count) { return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ","); }
function time(at) {
  if (!run.isTimed) return "event " + grouped(Math.round(at));
  return (at / 1e6).toFixed(3) + " s";
}
function spanWords(micros) {
  if (!run.isTimed) return grouped(micros) + (micros === 1 ? " event" : " events");
  if (micros < 1e3) return micros + " µs";
  return micros < 1e6 ? (micros / 1e3).toPrecision(3) + " ms" : (micros / 1e6).toFixed(2) + " s";
}
`;

/** The whole script. */
export const SCRIPT = `${uplot.script}
/* uPlot ${uplot.version}, ${uplot.license.trim().replaceAll("*/", "")} */
"use strict";
(async () => {
${SCRIPT_DATA}
const run = await unpack("run");
const bars = barsOf(run);
${SCRIPT_DRAWING}
${SCRIPT_PLOTS}
${SCRIPT_HANDS}
})();
`;
