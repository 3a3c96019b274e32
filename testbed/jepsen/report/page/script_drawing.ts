/** Half of the script of a report: where things are, and how they are drawn. Text: it runs in the reader's browser. */
export const SCRIPT_DRAWING = String.raw`
const canvas = document.getElementById("picture");
const context = canvas.getContext("2d");
const stage = document.getElementById("stage");
const tip = document.getElementById("tip");
const said = document.getElementById("said");

// where things are
const GUTTER = 84, MAP = 40, AXIS = 20, FAULTS = 30, HEAD = MAP + AXIS + FAULTS, BAND = 24, REPLICA = 32, LANE = 21, BAR = 13, FOOT = 8;
const lanesTop = run.replicas.length * REPLICA + (run.replicas.length > 0 ? 8 : 0);
const roomHeight = HEAD + lanesTop + run.lanes.length * LANE + FOOT;
const height = Math.max(190, Math.min(556, roomHeight));
const view = { from: 0, to: run.end };
const byKey = Map.groupBy(bars.filter((bar) => bar.key !== ""), (bar) => bar.key);
const numbers = new Map(run.violations.map(([number, position]) => [position, number]));
const openFrom = new Map();
for (const bar of bars) if (bar.outcome === 2 && !openFrom.has(bar.lane)) openFrom.set(bar.lane, bar.start);
let width = 800, colors = {}, isDrawn = true, chosen = null, hovered = null, matches = new Set();
function xOf(at) { return GUTTER + (at - view.from) / (view.to - view.from) * (width - GUTTER); }
function atOf(x) { return view.from + (x - GUTTER) / (width - GUTTER) * (view.to - view.from); }
function mapX(at) { return GUTTER + at / run.end * (width - GUTTER); }
function replicaTop(index) { return HEAD + index * REPLICA + (REPLICA - BAND) / 2 - stage.scrollTop; }
function laneTop(lane) { return HEAD + lanesTop + lane * LANE + (LANE - BAR) / 2 - stage.scrollTop; }
function isNear(from, to) { return to >= view.from && from <= view.to; }

// words
function words(item) {
  const d = item.data;
  switch (item.kind) {
    case "bar": {
      const lines = ["process " + d.process + (d.key === "" ? "" : ", operation " + d.key) + ", event " + d.position, "asked: " + d.request, "told: " + d.answer + (d.servedBy === "" ? "" : " (by " + d.servedBy + ")")];
      lines.push(d.span < 0 ? "from " + time(d.start) + ", never ended" : "from " + time(d.start) + " to " + time(d.start + d.span) + ", " + spanWords(d.span));
      if (d.before !== "") lines.push("before: " + d.before, "after: " + d.after);
      const others = d.key === "" ? 0 : byKey.get(d.key).length - 1;
      if (others > 0) lines.push("one of " + (others + 1) + " attempts of this operation");
      if (numbers.has(d.position)) lines.push("here violation " + numbers.get(d.position) + " shows");
      else if (d.isEvidence) lines.push("named by a violation");
      return lines.join("\n");
    }
    case "band": {
      const commit = item.commit === undefined ? "" : "\ncommitted up to lsn " + grouped(item.commit[1]) + (item.commit[2] === 0 ? ", nobody further" : ", " + grouped(item.commit[2]) + " behind");
      return "replica " + item.replica + ": " + d[3].replace(/_/g, " ") + (d[4] === "" ? "" : ", view " + d[4]) + "\nfrom " + time(d[0]) + " to " + time(d[1]) + (d[5] === "" ? "" : "\n" + d[5]) + commit;
    }
    case "fault": return "fault: " + d[3];
    case "density": return "about " + grouped(d) + " attempts here that have no bar of their own\nprocess lane " + item.lane;
  }
}

// drawing
function readColors() {
  const style = getComputedStyle(document.documentElement);
  colors = new Proxy({}, { get: (cache, name) => cache[name] || (cache[name] = style.getPropertyValue("--" + name).trim()) });
}
function line(x0, y0, x1, y1) { context.beginPath(); context.moveTo(x0, y0); context.lineTo(x1, y1); context.stroke(); }
function text(content, x, y, color, font) { context.font = font || "11.5px system-ui, sans-serif"; context.fillStyle = color; context.fillText(content, x, y); }
function fits(content, room) { return context.measureText(content).width <= room; }
function later() { if (isDrawn) { isDrawn = false; requestAnimationFrame(draw); } }
function draw() {
  isDrawn = true;
  const scale = window.devicePixelRatio || 1;
  width = stage.clientWidth;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.textBaseline = "middle";
  context.fillStyle = colors.ground;
  context.fillRect(0, 0, width, height);
  clipped(GUTTER, MAP, width - GUTTER, height - MAP, () => { drawAxis(); drawFaults(); });
  clipped(0, HEAD, width, height - HEAD, () => {
    drawLanes();
    clipped(GUTTER, HEAD, width - GUTTER, height - HEAD, () => { drawDensity(); drawBands(); drawViews(); drawOpenEnds(); drawLinks(); drawBars(); });
  });
  drawMap();
}
function clipped(x, y, wide, high, act) {
  context.save();
  context.beginPath();
  context.rect(x, y, wide, high);
  context.clip();
  act();
  context.restore();
}
function ticks() {
  const rough = (view.to - view.from) / Math.max(2, (width - GUTTER) / (run.slots === null ? 110 : 170));
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough));
  const found = [];
  for (let at = Math.ceil(view.from / step) * step; at <= view.to && found.length < 100; at += step) found.push(at);
  return { step, found };
}
function tickWords(at, step) {
  if (!run.isTimed) return grouped(at);
  const digits = step >= 1e6 ? 0 : Math.min(6, Math.ceil(6 - Math.log10(step)));
  return grouped((at / 1e6).toFixed(digits).split(".")[0]) + (digits === 0 ? "" : "." + (at / 1e6).toFixed(digits).split(".")[1]) + " s";
}
function slotWords(at) {
  return run.slots === null ? "" : " · slot " + grouped(Math.floor(run.slots[0] + at / run.slots[1]));
}
function drawAxis() {
  const { step, found } = ticks();
  context.strokeStyle = colors.line;
  context.lineWidth = 1;
  for (const at of found) {
    line(xOf(at), MAP + 4, xOf(at), height);
    text(tickWords(at, step) + slotWords(at), xOf(at) + 4, MAP + AXIS / 2 + 1, colors.faint);
  }
}
function drawFaults() {
  const freeFrom = [-Infinity, -Infinity];
  for (const [from, to, name] of run.faults) {
    if (!isNear(from, to)) continue;
    const x = xOf(from), end = Math.max(x + 1.5, xOf(to));
    context.fillStyle = colors.faultband;
    context.fillRect(x, MAP + AXIS, end - x, height);
    context.strokeStyle = colors.fault;
    context.setLineDash([2, 3]);
    line(x, MAP + AXIS, x, height);
    context.setLineDash([]);
    const labelX = Math.max(x, GUTTER) + 3;
    const row = freeFrom.findIndex((free) => free <= labelX);
    if (row < 0) continue;
    const label = "⚡ " + name.replace(/_/g, " ");
    text(label, labelX, MAP + AXIS + 8 + row * 14, colors.fault, "11px system-ui, sans-serif");
    freeFrom[row] = labelX + context.measureText(label).width + 10;
  }
}
function drawLanes() {
  context.lineWidth = 1;
  for (const [index, replica] of run.replicas.entries()) text("replica " + replica.id, 6, replicaTop(index) + BAND / 2, colors.ink);
  for (const [lane, name] of run.lanes.entries()) {
    const y = laneTop(lane);
    if (y < HEAD - LANE || y > height) continue;
    context.strokeStyle = colors.line;
    line(0, y + BAR + 4, width, y + BAR + 4);
    text((run.lanes.length > 30 || name.length > 6 ? "" : "client ") + name, 6, y + BAR / 2 + 0.5, colors.faint);
  }
}
function drawDensity() {
  const { bins, hidden } = run.density;
  const most = Math.max(1, ...hidden.map((lane) => lane === null ? 0 : Math.max(...lane)));
  for (const [lane, counts] of hidden.entries()) {
    const y = laneTop(lane);
    if (counts === null || y < HEAD - LANE || y > height) continue;
    for (let bin = 0; bin < bins; bin++) {
      if (counts[bin] === 0) continue;
      const x = xOf(bin / bins * run.end), end = xOf((bin + 1) / bins * run.end);
      if (end < GUTTER || x > width) continue;
      context.globalAlpha = 0.12 + 0.38 * counts[bin] / most;
      context.fillStyle = colors.faint;
      context.fillRect(x, y + 2, end - x, BAR - 4);
    }
  }
  context.globalAlpha = 1;
}
function drawBands() {
  for (const [index, { bands }] of run.replicas.entries()) {
    const y = replicaTop(index);
    for (const [from, to, kind, role, viewNumber] of bands) {
      if (!isNear(from, to)) continue;
      const x = Math.max(xOf(from), GUTTER - 2), end = Math.min(xOf(to), width + 2), room = Math.max(1, end - x), name = run.kinds[kind];
      context.fillStyle = colors[name];
      context.fillRect(x, y, room, BAND);
      context.strokeStyle = colors.strong;
      if (name === "down") context.setLineDash([4, 3]);
      if (room > 2) context.strokeRect(x, y + 0.5, room, BAND - 1);
      context.setLineDash([]);
      const short = role.replace(/_/g, " "), long = viewNumber === "" ? short : short + " · view " + viewNumber;
      context.font = "11.5px system-ui, sans-serif";
      const label = [long, short].find((candidate) => fits(candidate, room - 10));
      if (label) text(label, x + 5, y + BAND / 2 + 0.5, colors[name + "ink"]);
    }
  }
}
function drawViews() {
  context.strokeStyle = colors.ink;
  context.lineWidth = 1;
  context.globalAlpha = 0.45;
  for (const [at] of run.views) if (isNear(at, at)) line(xOf(at), HEAD - stage.scrollTop, xOf(at), HEAD + lanesTop - stage.scrollTop);
  context.globalAlpha = 1;
}
function drawLinks() {
  context.lineWidth = 1;
  for (const attempts of byKey.values()) {
    if (attempts.length < 2) continue;
    const isChosen = [chosen, hovered].some((item) => item !== null && item.kind === "bar" && item.data.key === attempts[0].key);
    context.strokeStyle = isChosen ? colors.accent : colors.faint;
    context.globalAlpha = isChosen ? 1 : 0.5;
    for (let i = 1; i < attempts.length; i++) {
      const [a, b] = [attempts[i - 1], attempts[i]];
      if (!isNear(a.start, b.end)) continue;
      const x = xOf(a.span < 0 ? a.start : a.start + a.span), y = laneTop(a.lane) + BAR / 2;
      line(Math.min(x, xOf(b.start)), y, xOf(b.start), laneTop(b.lane) + BAR / 2);
    }
  }
  context.globalAlpha = 1;
}
/** One for each lane, from its first attempt that nobody knows the end of: all of them run to the edge. */
function drawOpenEnds() {
  context.strokeStyle = colors.info;
  context.lineWidth = 1;
  context.setLineDash([2, 4]);
  for (const [lane, start] of openFrom) {
    const y = laneTop(lane) + BAR + 2;
    if (start > view.to || y < HEAD || y > height) continue;
    context.globalAlpha = 0.55;
    line(Math.max(xOf(start), GUTTER), y, width, y);
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}
function drawBars() {
  for (const bar of bars) if (!bar.isEvidence) drawBar(bar);
  for (const bar of bars) if (bar.isEvidence) drawBar(bar);
  for (const item of [hovered, chosen]) if (item !== null && item.kind === "bar") frameOf(item.data, colors.accent, 1.5, item.data.isEvidence ? 5 : 2.5);
}
function drawBar(bar) {
  const y = laneTop(bar.lane);
  if (y < HEAD - LANE || y > height || !isNear(bar.start, bar.end)) return;
  const x = xOf(bar.start), end = xOf(bar.start + Math.max(0, bar.span)), room = Math.max(2, end - x), color = colors[OUTCOMES[bar.outcome]];
  const isFaded = matches.size > 0 && !matches.has(bar);
  context.globalAlpha = isFaded ? 0.2 : 1;
  if (bar.outcome === 0) {
    context.fillStyle = color;
    context.fillRect(x, y, room, BAR);
    if (room > 34) label(bar, x, room, y, colors.ground);
  } else if (bar.outcome === 1) fail(bar, x, room, y, color);
  else unknown(bar, x, room, y, color);
  if (bar.isEvidence) frameOf(bar, colors.bad, 2.5, 2);
  if (numbers.has(bar.position)) flag(bar, y);
  context.globalAlpha = 1;
}
function label(bar, x, room, y, color) {
  const left = Math.max(x, GUTTER);
  const space = x + room - left - 8;
  context.font = "10.5px system-ui, sans-serif";
  const candidates = bar.isEvidence || room > 120 ? [bar.request + " → " + bar.answer, bar.request, bar.f.replace(/_/g, " ")] : [bar.request, bar.f.replace(/_/g, " ")];
  const found = candidates.find((candidate) => fits(candidate, space));
  if (found) text(found, left + 4, y + BAR / 2 + 0.5, color, "10.5px system-ui, sans-serif");
}
function fail(bar, x, room, y, color) {
  context.strokeStyle = color;
  context.lineWidth = 1.3;
  if (room > 6) context.strokeRect(x + 0.5, y + 1.5, room - 1, BAR - 3);
  const middle = x + Math.min(room / 2, 7), half = 3.5, at = y + BAR / 2;
  line(middle - half, at - half, middle + half, at + half);
  line(middle - half, at + half, middle + half, at - half);
  if (room > 60) label(bar, x + 12, room - 12, y, color);
}
/** Runs on to the edge: it may happen any time from its beginning. */
function unknown(bar, x, room, y, color) {
  const at = y + BAR / 2;
  context.strokeStyle = color;
  context.lineWidth = 1.3;
  line(x, at, x + room, at);
  context.fillStyle = colors.ground;
  context.beginPath();
  context.moveTo(x, at - 5);
  context.lineTo(x + 5, at);
  context.lineTo(x, at + 5);
  context.lineTo(x - 5, at);
  context.closePath();
  context.fill();
  context.stroke();
  if (room > 60) label(bar, x + 6, room - 6, y - 5, color);
}
function flag(bar, y) {
  const content = "✕ violation " + numbers.get(bar.position);
  context.font = "600 11px system-ui, sans-serif";
  const wide = context.measureText(content).width + 10, left = Math.min(xOf(bar.start + Math.max(0, bar.span)) + 9, width - wide - 4);
  context.fillStyle = colors.bad;
  context.fillRect(left, y - 1, wide, BAR + 2);
  text(content, left + 5, y + BAR / 2 + 0.5, colors.ground, "600 11px system-ui, sans-serif");
}
function frameOf(bar, color, thick, gap) {
  const x = xOf(bar.start), end = xOf(bar.start + Math.max(0, bar.span)), y = laneTop(bar.lane);
  context.strokeStyle = color;
  context.lineWidth = thick;
  context.strokeRect(x - gap, y - gap, Math.max(3, end - x) + 2 * gap, BAR + 2 * gap);
}
/** The whole run above: what was asked when, and which part of it is shown. */
function drawMap() {
  const { bins, all } = run.density;
  const top = 4, high = MAP - 10;
  const totals = all[0].map((ok, bin) => ok + all[1][bin] + all[2][bin]);
  const most = Math.max(1, ...totals);
  text("whole run", 6, top + high / 2, colors.faint);
  context.fillStyle = colors.panel;
  context.fillRect(GUTTER, top, width - GUTTER, high);
  context.fillStyle = colors.faultband;
  for (const [from, to] of run.faults) context.fillRect(mapX(from), top, Math.max(1, mapX(to) - mapX(from)), high);
  const wide = (width - GUTTER) / bins;
  for (let bin = 0; bin < bins; bin++) {
    let y = top + high;
    for (const outcome of [0, 1, 2]) {
      const tall = all[outcome][bin] / most * high;
      context.fillStyle = colors[OUTCOMES[outcome]];
      context.fillRect(GUTTER + bin * wide, y - tall, Math.max(1, wide - 0.3), tall);
      y -= tall;
    }
  }
  context.fillStyle = colors.bad;
  for (const bar of bars) if (numbers.has(bar.position)) {
    const x = mapX(bar.start);
    context.fillRect(x - 1, top - 3, 2, high + 6);
    context.beginPath();
    context.moveTo(x - 5, top - 4); context.lineTo(x + 5, top - 4); context.lineTo(x, top + 3);
    context.fill();
  }
  const x = mapX(view.from), end = Math.max(x + 3, mapX(view.to));
  context.globalAlpha = 0.55;
  context.fillStyle = colors.ground;
  context.fillRect(GUTTER, top, x - GUTTER, high);
  context.fillRect(end, top, width - end, high);
  context.globalAlpha = 1;
  context.strokeStyle = colors.accent;
  context.lineWidth = 1.5;
  context.strokeRect(x + 0.5, top - 0.5, Math.max(3, end - x - 1), high + 1);
}
`;
