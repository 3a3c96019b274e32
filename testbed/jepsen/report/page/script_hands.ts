/** The other half of the script of a report: moving, pointing, searching. Text: it runs in the reader's browser. */
export const SCRIPT_HANDS = String.raw`
// moving
function show(from, to) {
  const least = run.isTimed ? 200 : 4, span = Math.max(least, Math.min(run.end * 1.02, to - from));
  const start = Math.max(-run.end * 0.01, Math.min(run.end * 1.01 - span, from));
  view.from = start;
  view.to = start + span;
  later();
}
function zoom(factor, around) {
  const at = around === undefined ? (view.from + view.to) / 2 : around;
  show(at - (at - view.from) * factor, at + (view.to - at) * factor);
}
function pan(share) { const by = (view.to - view.from) * share; show(view.from + by, view.to + by); }
function whole() { show(0, run.end); }
function around(from, to) {
  const spread = Math.max((to - from) * (to - from > run.end / 50 ? 3 : 24), run.isTimed ? 20000 : 40);
  show((from + to - spread) / 2, (from + to + spread) / 2);
}
function scrollTo(lane) {
  const top = HEAD + lanesTop + lane * LANE;
  if (top < stage.scrollTop + HEAD || top > stage.scrollTop + height - 2 * LANE) stage.scrollTop = Math.max(0, top - height / 2);
}
function choose(item, isMoving) {
  chosen = item;
  said.textContent = item === null ? "" : words(item);
  if (item !== null && isMoving && item.kind === "bar") {
    const { start, end, lane, span } = item.data;
    const last = span < 0 ? start : end;
    if (start < view.from || last > view.to) around(start, last);
    scrollTo(lane);
  }
  later();
}
function chooseBar(bar, isMoving) { choose({ kind: "bar", data: bar }, isMoving); }
function toPosition(position) {
  const bar = bars.find((candidate) => candidate.position === position);
  if (bar === undefined) return;
  around(bar.start, bar.span < 0 ? bar.start : bar.end);
  scrollTo(bar.lane);
  chooseBar(bar, false);
}
function toFocus() {
  if (run.violations.length > 0) return toPosition(run.violations[0][1]);
  around(run.focus[0], run.focus[1]);
}
function walk(by) {
  const from = chosen !== null && chosen.kind === "bar" ? chosen.data.index + by : bars.findIndex((bar) => bar.start >= view.from);
  const list = matches.size > 0 ? [...matches] : bars;
  const next = by > 0 ? list.find((bar) => bar.index >= from) : list.findLast((bar) => bar.index <= from);
  if (next !== undefined) chooseBar(next, true);
}

// pointing
function under(x, y) {
  if (y < HEAD) {
    const fault = y > MAP + AXIS ? run.faults.find(([from, to]) => x >= xOf(from) - 2 && x <= Math.max(xOf(to), xOf(from) + 60)) : undefined;
    return fault === undefined ? null : { kind: "fault", data: fault };
  }
  const inside = y + stage.scrollTop - HEAD;
  if (inside < lanesTop) return bandUnder(x, Math.floor(inside / REPLICA));
  const lane = Math.floor((inside - lanesTop) / LANE);
  let best = null, least = 9;
  for (const bar of bars) {
    if (bar.lane !== lane) continue;
    const from = xOf(bar.start), to = xOf(bar.start + Math.max(0, bar.span));
    const far = x < from ? from - x : x > to ? x - to : 0;
    if (far < least || (far === least && bar.isEvidence)) { least = far; best = bar; }
  }
  return best === null ? densityUnder(x, lane) : { kind: "bar", data: best };
}
function bandUnder(x, index) {
  const replica = run.replicas[index], at = atOf(x);
  const band = replica === undefined ? undefined : replica.bands.find(([from, to]) => at >= from && at <= to);
  if (band === undefined) return null;
  return { kind: "band", data: band, replica: replica.id, commit: replica.commits.findLast((commit) => commit[0] <= at) };
}
function densityUnder(x, lane) {
  const counts = run.density.hidden[lane];
  const count = counts ? counts[Math.floor(atOf(x) / run.end * run.density.bins)] : 0;
  return count > 0 ? { kind: "density", data: count, lane: run.lanes[lane] } : null;
}
function hover(event) {
  const [x, y] = placeOf(event);
  hovered = x < GUTTER ? null : under(x, y);
  tip.hidden = hovered === null;
  if (hovered !== null) {
    tip.textContent = words(hovered);
    tip.style.left = Math.max(0, Math.min(x + 14, width - Math.min(490, tip.offsetWidth + 10))) + "px";
    tip.style.top = y + 18 + "px";
  }
  later();
}
function placeOf(event) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

// hands
let grip = null;
canvas.addEventListener("pointerdown", (event) => {
  const [x, y] = placeOf(event);
  grip = { x, y, from: view.from, to: view.to, top: stage.scrollTop, isMoved: false, isMap: y < MAP };
  canvas.setPointerCapture(event.pointerId);
  if (grip.isMap) centre(x);
});
function centre(x) {
  const at = (x - GUTTER) / (width - GUTTER) * run.end, half = (view.to - view.from) / 2;
  show(at - half, at + half);
}
canvas.addEventListener("pointermove", (event) => {
  if (grip === null) return hover(event);
  const [x, y] = placeOf(event);
  if (grip.isMap) return centre(x);
  if (Math.abs(grip.x - x) + Math.abs(grip.y - y) > 3) grip.isMoved = true;
  if (!grip.isMoved) return;
  canvas.classList.add("dragged");
  tip.hidden = true;
  const by = (grip.x - x) / (width - GUTTER) * (grip.to - grip.from);
  stage.scrollTop = grip.top + grip.y - y;
  show(grip.from + by, grip.to + by);
});
canvas.addEventListener("pointerup", (event) => {
  canvas.classList.remove("dragged");
  const [x, y] = placeOf(event);
  if (grip !== null && !grip.isMoved && !grip.isMap) choose(under(x, y), false);
  grip = null;
});
canvas.addEventListener("pointercancel", () => { grip = null; });
canvas.addEventListener("pointerleave", () => { hovered = null; tip.hidden = true; later(); });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (event.shiftKey) stage.scrollTop += event.deltaY;
  else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / width);
  else zoom(Math.exp(Math.max(-0.5, Math.min(0.5, event.deltaY / 300))), atOf(placeOf(event)[0]));
}, { passive: false });
canvas.addEventListener("dblclick", (event) => zoom(0.4, atOf(placeOf(event)[0])));
stage.addEventListener("scroll", later);
const find = document.getElementById("find"), found = document.getElementById("found");
const KEYS = {
  ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), ArrowUp: () => zoom(0.7), ArrowDown: () => zoom(1.4),
  "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1.4), f: whole, v: toFocus, n: () => walk(1), p: () => walk(-1), "/": () => find.focus(),
  Home: () => show(0, view.to - view.from), End: () => show(run.end - (view.to - view.from), run.end), Escape: () => { find.value = ""; search(false); choose(null, false); },
};
canvas.addEventListener("keydown", (event) => {
  const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});
const BUTTONS = { closer: () => zoom(0.5), farther: () => zoom(2), left: () => pan(-0.4), right: () => pan(0.4), whole, violation: toFocus, next: () => walk(1), previous: () => walk(-1) };
for (const [id, act] of Object.entries(BUTTONS)) document.getElementById(id).addEventListener("click", act);

// searching: an operation id, with or without its client; #event; or words of the request or the answer
function fitsSearch(bar, asked) {
  if (asked.startsWith("#")) return String(bar.position) === asked.slice(1);
  if (/^\d+$/.test(asked)) return bar.key.endsWith("/" + asked) || bar.key === asked;
  if (/^\d+\/\d+$/.test(asked)) return bar.key === asked;
  return new RegExp(asked.replace(/[^\w\s]/g, "\\$&") + "(?!\\d)", "i").test(bar.request + " → " + bar.answer);
}
function search(isJumping) {
  const asked = find.value.trim();
  matches = new Set(asked === "" ? [] : bars.filter((bar) => fitsSearch(bar, asked)));
  found.textContent = asked === "" ? "" : matches.size === 0 ? "nothing among the bars" : grouped(matches.size) + (matches.size === 1 ? " attempt" : " attempts") + ", Enter for the next";
  if (isJumping && matches.size > 0) chooseBar([...matches][0], true);
  later();
}
find.addEventListener("input", () => search(true));
find.addEventListener("keydown", (event) => {
  if (event.key === "Enter") walk(event.shiftKey ? -1 : 1);
  if (event.key === "Escape") KEYS.Escape();
});
for (const link of document.querySelectorAll("a[data-position]")) {
  link.addEventListener("click", () => { toPosition(Number(link.dataset.position)); canvas.focus({ preventScroll: true }); });
}

// one line through all plots, where the pointer is; a click brings the timeline there
const plots = [...document.querySelectorAll("svg[data-left]")];
const lines = plots.map((plot) => {
  const mark = document.createElement("div");
  mark.className = "cursor";
  mark.hidden = true;
  plot.parentElement.classList.add("follow");
  plot.parentElement.append(mark);
  return mark;
});
function follow(event, plot) {
  const box = plot.getBoundingClientRect(), size = box.width / plot.viewBox.baseVal.width;
  const at = ((event.clientX - box.left) / size - Number(plot.dataset.left)) / Number(plot.dataset.room);
  for (const [index, mark] of lines.entries()) {
    const other = plots[index], wide = other.getBoundingClientRect();
    mark.hidden = at < 0 || at > 1;
    mark.style.left = (Number(other.dataset.left) + at * Number(other.dataset.room)) * wide.width / other.viewBox.baseVal.width + "px";
    mark.style.height = wide.height + "px";
  }
  pointCharts(at);
  return at;
}
for (const plot of plots) {
  plot.addEventListener("pointermove", (event) => follow(event, plot));
  plot.addEventListener("pointerleave", () => { for (const mark of lines) mark.hidden = true; pointCharts(-1); });
  plot.addEventListener("click", (event) => {
    const at = follow(event, plot) * run.end, half = (view.to - view.from) / 2;
    show(at - half, at + half);
    document.getElementById("timeline").scrollIntoView();
  });
}

const copy = document.getElementById("copy");
if (copy !== null && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("command").textContent);
    copy.textContent = "Copied";
  });
}
window.addEventListener("resize", () => { later(); resizeCharts(); });
const isDark = matchMedia("(prefers-color-scheme: dark)"), isPaper = matchMedia("print");
for (const media of [isDark, isPaper]) media.addEventListener("change", () => { readColors(); draw(); drawCharts(); });
readColors();
document.getElementById("needs").hidden = false;
canvas.style.height = height + "px";
document.getElementById("room").style.height = Math.max(0, roomHeight - height) + "px";
width = stage.clientWidth;
if (run.violations.length > 0) toFocus();
else whole();
draw();
drawCharts();
document.documentElement.dataset.ready = "yes";
`;
