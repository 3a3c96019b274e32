/** Sections 4 to 6: pictures over the time axis of the run, with their numbers as tables. */
import { OUTCOMES } from "../attempts.ts";
import { BAND_KINDS } from "../cluster.ts";
import { QUANTILES } from "../figures.ts";
import { outageRows } from "../outages.ts";
import { cluster } from "../plots/cluster.ts";
import { type Plot, svgOf } from "../plots/frame.ts";
import { latencyPoints, latencyQuantiles, operationNames } from "../plots/latency.ts";
import { availability, rate } from "../plots/rate.ts";
import { isBlamed, resources } from "../plots/resources.ts";
import type { Survey } from "../survey.ts";
import { escapeHtml } from "../text/escape.ts";
import { counted, duration, grouped, moment } from "../text/numbers.ts";
import { nameWords } from "../verdict_words.ts";
import { KINDS_MAX } from "./style.ts";

/** Shown only where a script has put a plot that can be zoomed in the place of a picture. */
const HINT =
  `<span class="hint">Drag across to zoom in: the timeline follows. Double click for the whole run; click a name to hide its line.</span>`;
const SIGNS = { ok: "●", fail: "✕", info: "◇" } as const;

function figure(plot: Plot, caption: string): string {
  return `<figure>${svgOf(plot)}<figcaption>${caption}</figcaption></figure>`;
}

/** Draws section 4. */
export function clusterSection(survey: Survey): string {
  const { replicas, viewChanges } = survey.cluster;
  const body = !survey.isTimed || replicas.length === 0
    ? `<p class="empty">Nothing was recorded of what replicas said of themselves.</p>`
    : figure(cluster(survey), bandLegend()) + changes(survey);
  return `<section id="cluster"><h2><span>4</span> Cluster <small>${
    replicas.length === 0 ? "" : `${replicas.length} replicas, ${viewChanges.length} view changes`
  }</small></h2>${body}</section>`;
}

function bandLegend(): string {
  const kinds = BAND_KINDS.map((kind) =>
    `<span class="key"><svg class="plot swatch" viewBox="0 0 22 12"><g class="band ${kind}"><rect x="1" y="1" width="20" height="10"/></g></svg>${
      nameWords(kind)
    }</span>`
  );
  return `${
    kinds.join(" ")
  }<br>Below: committed entries that each replica was behind the furthest (0 is best). Upright lines are view changes.`;
}

function changes({ cluster: { viewChanges } }: Survey): string {
  if (viewChanges.length === 0) return "";
  const rows = viewChanges.slice(0, 200).map(({ atNs, view, primary, cause }) =>
    `<tr><td class="count">${duration(atNs)}</td><td>view ${escapeHtml(view)}</td><td>${
      primary === undefined ? "" : `primary: replica ${primary}`
    }</td><td>${
      cause === "" ? "no fault near it" : `after ${escapeHtml(nameWords(cause))}`
    }</td></tr>`
  );
  return `<details><summary>View changes in words</summary><div class="scroll"><table><tbody>${
    rows.join("")
  }</tbody></table></div></details>`;
}

/** Draws section 5. */
export function latencySection(survey: Survey): string {
  return `<section id="latency"><h2><span>5</span> Latency and rate</h2>${
    survey.figures === undefined
      ? `<p class="empty">The history has no times, so there are no latencies and no rates.</p>`
      : `<h3>Every attempt</h3>${figure(latencyPoints(survey), outcomeLegend())}${chooser(survey)}
<h3>Quantiles of what ended ok</h3>${figure(latencyQuantiles(survey), quantileLegend())}
<h3>Answers per second</h3>${figure(rate(survey), lineLegend())}
<h3>Availability</h3>${
        figure(
          availability(survey),
          "Filled where something ended ok. The longest stretch without one is framed; the next longest have their length in them.",
        )
      }${outageTable(survey)}${table(survey)}`
  }</section>`;
}

/** From each fault to the first write that was begun after it and acknowledged. */
function outageTable({ outages }: Survey): string {
  if (outages.length === 0) return "";
  const cell = (ns: number | undefined): string =>
    `<td class="count">${ns === undefined ? "–" : duration(ns)}</td>`;
  const rows = outageRows(outages).map(({ name, isOfPrimary, count, forEver, ...times }) =>
    `<tr><td><b>${escapeHtml(nameWords(name))}</b></td><td>${
      isOfPrimary ? "the primary" : "others"
    }</td><td class="count">${grouped(count)}</td>${cell(times.medianNs)}${
      cell(times.longestNs)
    }${`<td class="count">${forEver === 0 ? "–" : grouped(forEver)}</td>`}</tr>`
  );
  return `<h3>From a fault to the next write that was acknowledged</h3><div class="scroll"><table><thead><tr><th>fault</th><th>of</th><th class="count">count</th><th class="count">median</th><th class="count">greatest</th><th class="count">never</th></tr></thead><tbody>${
    rows.join("\n")
  }</tbody></table></div>`;
}

/** Boxes that hide the points of an operation; no script is needed for it. */
function chooser(survey: Survey): string {
  const boxes = operationNames(survey).slice(0, KINDS_MAX).map((f, index) =>
    `<label><input type="checkbox" checked id="show-f${index}"> ${escapeHtml(nameWords(f))}</label>`
  );
  return `<fieldset class="choose"><legend>Points of</legend>${boxes.join("")}</fieldset>`;
}

function outcomeLegend(): string {
  const words = { ok: "ok", fail: "did not happen", info: "nobody knows" };
  return OUTCOMES.map((outcome) =>
    `<span class="key"><b class="${outcome}">${SIGNS[outcome]}</b> ${words[outcome]}</span>`
  ).join(" ") + " Orange bands are faults. Where too many points lie together, some are left out.";
}

function lineLegend(): string {
  return OUTCOMES.map((outcome) => lineKey(outcome, outcome)).join(" ") + HINT;
}

function quantileLegend(): string {
  return QUANTILES.map((share, index) =>
    lineKey(`q${index}`, share === 1 ? "greatest" : String(share))
  ).join(" ") + HINT;
}

function lineKey(kind: string, words: string): string {
  return `<span class="key"><svg class="plot swatch" viewBox="0 0 22 12"><path class="line ${kind}" d="M1 6H21"/></svg>${words}</span>`;
}

function table({ figures }: Survey): string {
  const { latencies, windows, windowNs } = figures!;
  const rows = latencies.map(({ f, outcome, count, quantiles }) =>
    `<tr><td><b>${escapeHtml(nameWords(f))}</b></td><td><b class="${outcome}">${
      SIGNS[outcome]
    }</b> ${outcome}</td><td class="count">${grouped(count)}</td>${
      quantiles.map((ns) => `<td class="count">${duration(ns)}</td>`).join("")
    }</tr>`
  );
  const head = QUANTILES.map((share) =>
    `<th class="count">${share === 1 ? "greatest" : share}</th>`
  );
  const perWindow = windows.map(({ fromNs, counts, quantiles }) =>
    `<tr><td class="count">${duration(fromNs)}</td>${
      OUTCOMES.map((outcome) => `<td class="count">${grouped(counts[outcome])}</td>`).join("")
    }${
      QUANTILES.map((_, i) =>
        `<td class="count">${quantiles[i] === undefined ? "–" : duration(quantiles[i])}</td>`
      ).join("")
    }</tr>`
  );
  return `<h3>The same as numbers</h3><div class="scroll"><table><thead><tr><th>operation</th><th>outcome</th><th class="count">count</th>${
    head.join("")
  }</tr></thead><tbody>${rows.join("\n")}</tbody></table></div>
<details><summary>By windows of ${
    duration(windowNs)
  }</summary><div class="scroll"><table><thead><tr><th class="count">from</th>${
    OUTCOMES.map((outcome) => `<th class="count">${outcome}</th>`).join("")
  }${head.join("")}</tr></thead><tbody>${perWindow.join("\n")}</tbody></table></div></details>`;
}

/** Draws section 6. */
export function resourcesSection(survey: Survey): string {
  const { holds, input: { recording: { header } } } = survey;
  const ids = new Set(holds.map(({ resourceId }) => resourceId));
  if (header.model !== "reservation") {
    return empty(
      `A history of the model ${
        escapeHtml(header.model)
      }: it has no resources that somebody holds.`,
    );
  }
  if (holds.length === 0) return empty("No reservation was granted in this history.");
  const { plot, rows, holds: shown, part } = resources(survey);
  const at = (value: number): string => survey.isTimed ? moment(value) : grouped(Math.round(value));
  const stretch = part === undefined ? "" : `, from ${at(part[0])} to ${at(part[1])}`;
  const blamed = holds.filter((hold) => isBlamed(survey, hold)).length;
  return `<section id="resources"><h2><span>6</span> Resources <small>showing ${grouped(rows)} of ${
    grouped(ids.size)
  } resources, ${grouped(shown)} of ${grouped(holds.length)} holds${stretch}</small></h2>
<p class="${blamed === 0 ? "" : "bad"}">${
    blamed === 0
      ? "No two holds of a resource overlap, as far as clients were told."
      : `✕ ${
        counted(blamed, "holds")
      } at which a violation shows or which overlap the one before: red and lower.`
  }</p>
${
    figure(
      plot,
      "A bar is a hold, with its holder; solid once confirmed. The line before it is the time in which the reserve was under way; ▾ marks when it falls due. Holds whose grant nobody was told of are missing.",
    )
  }</section>`;
}

function empty(words: string): string {
  return `<section id="resources"><h2><span>6</span> Resources</h2><p class="empty">${words}</p></section>`;
}
