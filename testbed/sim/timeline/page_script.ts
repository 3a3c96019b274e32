/**
 * What makes a timeline move: it runs in the reader's browser, so it is text here. It reads the life from the
 * page, draws it on a canvas, and never builds HTML of what it reads.
 */
export const SCRIPT = String.raw`
"use strict";
const life = JSON.parse(document.getElementById("life").textContent);
const canvas = document.getElementById("picture");
const context = canvas.getContext("2d");
const stage = document.getElementById("stage");
const tip = document.getElementById("tip");
const said = document.getElementById("said");

// what there is to see
const GUTTER = 96, AXIS = 24, BLOWS = 56, BAND = 24, LANE = 92, ROW = 11, FOOT = 10;
const STATE_WORDS = { view_uncertain: "view change" };
const shown = { kinds: new Set(life.kinds.map((kind, index) => index)), lostOnly: false };
const clients = [...new Set(life.asked.map((asked) => asked[0]))];
const clientRows = Math.min(clients.length, 40);
const rowOfClient = new Map(clients.map((client, index) => [client, index % 40]));
const lanesTop = AXIS + BLOWS;
const clientsTop = lanesTop + life.replicas * LANE;
const height = clientsTop + clientRows * ROW + FOOT + 14;
const view = { from: 0, to: Math.max(1, life.endMs) };
const items = [];
for (const message of life.messages) items.push({ kind: "message", at: message[2], data: message });
for (const band of life.bands) items.push({ kind: "band", at: band[1], data: band });
for (const pause of life.pauses) items.push({ kind: "pause", at: pause[1], data: pause });
for (const blow of life.blows) items.push({ kind: "blow", at: blow[0], data: blow });
for (const asked of life.asked) items.push({ kind: "asked", at: asked[1], data: asked });
for (const commit of life.commits) items.push({ kind: "commit", at: commit[1], data: commit });
items.sort((a, b) => a.at - b.at);
/** Replicas that the broken promise names. */
const blamed = new Set([...(life.violation || "").matchAll(/\breplica (\d+)/g)].map((match) => Number(match[1])));
let chosen = null, hovered = null, width = 800, colors = {}, isDrawn = true;

// where things are
function xOf(ms) { return GUTTER + (ms - view.from) / (view.to - view.from) * (width - GUTTER); }
function msOf(x) { return view.from + (x - GUTTER) / (width - GUTTER) * (view.to - view.from); }
function bandTop(replica) { return lanesTop + (replica - 1) * LANE + (LANE - BAND) / 2; }
function rowTop(client) { return clientsTop + 12 + rowOfClient.get(client) * ROW; }
function isSeen(item) {
  if (item.kind !== "message") return true;
  return shown.kinds.has(item.data[5]) && (!shown.lostOnly || item.data[4] === 1);
}
/** Both ends of an arrow; of a lost one where it breaks off. */
function arrow([from, to, at, end, lost]) {
  const isDownward = to > from;
  const y0 = bandTop(from) + (isDownward ? BAND : 0), y1 = bandTop(to) + (isDownward ? 0 : BAND);
  const x0 = xOf(at), x1 = xOf(end === null ? Math.min(life.endMs, at + 1) : end);
  if (lost !== 1 && end !== null) return { x0, y0, x1, y1 };
  const share = end === at ? 0.25 : 0.55;
  return { x0, y0, x1: x0 + (x1 - x0) * (end === at ? 1 : share), y1: y0 + (y1 - y0) * share };
}

// words
function time(ms) { return ms.toFixed(3).replace(/\B(?=(\d{3})+\.)/g, ",") + " ms"; }
function words(item) {
  const d = item.data;
  switch (item.kind) {
    case "message": {
      const fate = d[3] === null ? "still on its way" : d[4] === 1 ? "LOST" : "arrived after " + (d[3] - d[2]).toFixed(3) + " ms";
      return time(d[2]) + "   replica " + d[0] + " to replica " + d[1] + ", " + fate + "\n" + d[6];
    }
    case "band": {
      const name = STATE_WORDS[d[3]] || d[3];
      return time(d[1]) + " to " + time(d[2]) + "\nreplica " + d[0] + ": " + name + (d[4] === "" ? "" : ", view " + d[4]) + (d[5] === "" ? "" : "\n" + d[5]);
    }
    case "pause": return time(d[1]) + " to " + time(d[2]) + "\nreplica " + d[0] + " is paused: its process stands still and does not know it";
    case "blow": return time(d[0]) + ", for " + d[1] + " ms at most\nfault: " + d[2];
    case "asked": return time(d[1]) + (d[2] === null ? "" : " to " + time(d[2])) + "\n" + d[3] + "\n" + d[4];
    case "commit": return time(d[1]) + "\nreplica " + d[0] + " knows that everything up to op " + d[2] + " is decided";
  }
}

// drawing
function readColors() {
  const style = getComputedStyle(document.documentElement);
  colors = new Proxy({}, { get: (cache, name) => cache[name] || (cache[name] = style.getPropertyValue("--" + name).trim()) });
}
function draw() {
  isDrawn = true;
  const scale = window.devicePixelRatio || 1;
  width = stage.clientWidth;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  canvas.style.height = height + "px";
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.fillStyle = colors.ground;
  context.fillRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(GUTTER, 0, width - GUTTER, height);
  context.clip();
  drawAxis();
  drawBlows();
  drawMessages();
  drawBands();
  drawCommits();
  drawAsked();
  drawViolation();
  if (hovered && hovered !== chosen) drawChoice(hovered);
  if (chosen) drawChoice(chosen);
  context.restore();
  drawGutter();
}
function later() { if (isDrawn) { isDrawn = false; requestAnimationFrame(draw); } }
function line(x0, y0, x1, y1) { context.beginPath(); context.moveTo(x0, y0); context.lineTo(x1, y1); context.stroke(); }
function text(words, x, y, color) { context.fillStyle = color; context.fillText(words, x, y); }
function fits(words, room) { return context.measureText(words).width <= room; }
function drawAxis() {
  const span = view.to - view.from;
  const rough = span / Math.max(2, (width - GUTTER) / 110);
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  context.strokeStyle = colors.line;
  context.lineWidth = 1;
  for (let ms = Math.ceil(view.from / step) * step; ms <= view.to; ms += step) {
    line(xOf(ms), AXIS - 6, xOf(ms), height);
    const digits = step >= 1 ? 0 : Math.min(3, Math.ceil(-Math.log10(step)));
    text(ms.toFixed(digits).replace(/\B(?=(\d{3})+(\.|$))/g, ",") + " ms", xOf(ms) + 3, AXIS / 2, colors.faint);
  }
}
/** Stretches in which something was wrong on purpose, merged: how many things at once makes no darker ground. */
function troubled() {
  const merged = [];
  for (const [at, span] of life.blows) {
    const last = merged[merged.length - 1];
    if (last !== undefined && at <= last[1]) last[1] = Math.max(last[1], at + span);
    else merged.push([at, at + span]);
  }
  return merged;
}
const trouble = troubled();
function drawBlows() {
  context.fillStyle = colors.blowband;
  for (const [at, end] of trouble) {
    const x = Math.max(xOf(at), GUTTER), right = Math.min(xOf(end), width);
    if (right > x) context.fillRect(x, AXIS, right - x, clientsTop - AXIS);
  }
  const freeFrom = [-Infinity, -Infinity, -Infinity];
  for (const [at, span, fault] of life.blows) {
    const x = xOf(at), end = xOf(at + span);
    if (end < GUTTER || x > width) continue;
    context.strokeStyle = colors.blow;
    context.setLineDash([2, 4]);
    line(x, lanesTop, x, clientsTop);
    context.setLineDash([]);
    const label = "⚡ " + fault.replace(/_/g, " ");
    const labelX = Math.max(x, GUTTER) + 3;
    const row = freeFrom.findIndex((from) => from <= labelX);
    if (row < 0) continue;
    freeFrom[row] = labelX + context.measureText(label).width + 12;
    context.fillStyle = colors.blow;
    context.fillRect(Math.max(x, GUTTER), AXIS + 16 + row * 16, Math.max(2, Math.min(end, freeFrom[row]) - Math.max(x, GUTTER)), 1.5);
    text(label, labelX, AXIS + 9 + row * 16, colors.blow);
  }
}
function drawBands() {
  for (const [replica, from, to, state, viewNumber] of life.bands) {
    const x = Math.max(xOf(from), GUTTER - 2), end = Math.min(xOf(to), width + 2);
    if (end < GUTTER || x > width) continue;
    const y = bandTop(replica), room = end - x;
    context.fillStyle = colors[state];
    context.fillRect(x, y, Math.max(room, 1), BAND);
    context.strokeStyle = colors.faint;
    context.lineWidth = 1;
    if (state === "down") context.setLineDash([4, 3]);
    if (room > 2) context.strokeRect(x, y + 0.5, room, BAND - 1);
    context.setLineDash([]);
    const name = STATE_WORDS[state] || state;
    const long = viewNumber === "" ? name : name + " · view " + viewNumber;
    const label = [long, name, viewNumber].find((candidate) => fits(candidate, room - 8));
    if (label) text(label, x + 4, y + BAND / 2 + 0.5, colors[state + "ink"]);
  }
  for (const [replica, from, to] of life.pauses) stripes(xOf(from), xOf(to), bandTop(replica));
}
function stripes(from, to, y) {
  const x = Math.max(from, GUTTER), end = Math.min(to, width);
  if (end <= x) return;
  context.save();
  context.beginPath();
  context.rect(x, y, end - x, BAND);
  context.clip();
  context.strokeStyle = colors.stripe;
  context.lineWidth = 3;
  for (let at = x - BAND; at < end; at += 9) line(at, y + BAND, at + BAND, y);
  context.restore();
  if (!fits("paused", end - x - 10)) return;
  context.fillStyle = colors.ground;
  context.fillRect(end - 51, y + 4, 46, BAND - 8);
  text("paused", end - 48, y + BAND / 2 + 0.5, colors.ink);
}
function drawCommits() {
  const last = [];
  for (const [replica, at, op] of life.commits) {
    const x = xOf(at);
    if (x < GUTTER || x > width) continue;
    const y = bandTop(replica) + BAND;
    context.fillStyle = colors.ink;
    context.fillRect(x - 0.5, y - 4, 1, 4);
    if (x - (last[replica] || -Infinity) < 44) continue;
    last[replica] = x;
    context.font = "10px system-ui, sans-serif";
    text(op, x + 2, y + 6, colors.faint);
    context.font = "12px system-ui, sans-serif";
  }
}
function drawMessages() {
  const visible = life.messages.filter((message) =>
    shown.kinds.has(message[5]) && (!shown.lostOnly || message[4] === 1) &&
    message[2] <= view.to && (message[3] === null ? life.endMs : message[3]) >= view.from);
  const isDense = visible.length > 1200;
  context.lineWidth = isDense ? 0.7 : 1.2;
  for (const message of visible) {
    context.globalAlpha = isDense ? 0.35 : 0.9;
    drawArrow(message, !isDense);
  }
  context.globalAlpha = 1;
}
function drawArrow(message, hasHead) {
  const { x0, y0, x1, y1 } = arrow(message);
  const color = colors["m" + life.families[message[5]]];
  context.strokeStyle = color;
  context.fillStyle = color;
  if (message[4] === 1) {
    context.setLineDash([4, 3]);
    line(x0, y0, x1, y1);
    context.setLineDash([]);
    context.globalAlpha = 1;
    line(x1 - 3.5, y1 - 3.5, x1 + 3.5, y1 + 3.5);
    line(x1 - 3.5, y1 + 3.5, x1 + 3.5, y1 - 3.5);
    return;
  }
  line(x0, y0, x1, y1);
  if (!hasHead || message[3] === null) return;
  const turn = Math.atan2(y1 - y0, x1 - x0);
  context.beginPath();
  context.moveTo(x1, y1);
  for (const side of [0.4, -0.4]) context.lineTo(x1 - 7 * Math.cos(turn + side), y1 - 7 * Math.sin(turn + side));
  context.fill();
}
function drawAsked() {
  for (const [client, at, end] of life.asked) {
    const x = xOf(at), x1 = xOf(end === null ? life.endMs : end);
    if (x1 < GUTTER || x > width) continue;
    context.fillStyle = end === null ? colors.nottold : colors.told;
    context.fillRect(x, rowTop(client) + 1, Math.max(1.5, x1 - x), ROW - 3);
  }
}
function drawViolation() {
  if (!life.violation) return;
  const x = xOf(life.endMs);
  context.strokeStyle = colors.bad;
  context.lineWidth = 2;
  line(x, AXIS - 6, x, height);
  context.font = "bold 12px system-ui, sans-serif";
  const label = "✕ promise broken";
  const room = context.measureText(label).width + 8;
  const left = Math.min(x + 4, Math.max(GUTTER + 4, x - room - 2));
  context.fillStyle = colors.ground;
  context.fillRect(left - 2, 1, room, AXIS - 3);
  text(label, left + 2, AXIS / 2, colors.bad);
  context.font = "12px system-ui, sans-serif";
  context.lineWidth = 1;
}
function drawChoice(item) {
  const d = item.data;
  context.strokeStyle = colors.choice;
  context.lineWidth = 2.5;
  if (item.kind === "message") { const { x0, y0, x1, y1 } = arrow(d); line(x0, y0, x1, y1); }
  if (item.kind === "band" || item.kind === "pause") context.strokeRect(xOf(d[1]), bandTop(d[0]), Math.max(2, xOf(d[2]) - xOf(d[1])), BAND);
  if (item.kind === "blow") line(xOf(d[0]), AXIS, xOf(d[0]), clientsTop);
  if (item.kind === "asked") context.strokeRect(xOf(d[1]), rowTop(d[0]), Math.max(2, xOf(d[2] === null ? life.endMs : d[2]) - xOf(d[1])), ROW - 1);
  if (item.kind === "commit") line(xOf(d[1]), bandTop(d[0]) + BAND - 6, xOf(d[1]), bandTop(d[0]) + BAND + 8);
  context.lineWidth = 1;
}
function drawGutter() {
  context.fillStyle = colors.ground;
  context.fillRect(0, 0, GUTTER, height);
  context.strokeStyle = colors.line;
  line(GUTTER - 0.5, 0, GUTTER - 0.5, height);
  text("faults", 12, AXIS + 10, colors.faint);
  for (let replica = 1; replica <= life.replicas; replica++) {
    const isBlamed = blamed.has(replica);
    text("replica " + replica + (isBlamed ? " ✕" : ""), 12, bandTop(replica) + BAND / 2, isBlamed ? colors.bad : colors.ink);
  }
  if (clients.length === 0) return;
  text("clients", 12, clientsTop + 16, colors.ink);
  if (clients.length <= 40 && ROW * clientRows > 30) {
    context.font = "9px system-ui, sans-serif";
    for (const client of clients) text(client.length > 8 ? client.slice(0, 7) + "…" : client, 56, rowTop(client) + ROW / 2, colors.faint);
    context.font = "12px system-ui, sans-serif";
  }
}

// moving
function show(from, to) {
  const span = Math.min(Math.max(to - from, 0.05), life.endMs * 1.1 + 1);
  const margin = span * 0.05;
  const first = Math.min(Math.max(from, -margin), life.endMs + margin - span * 0.5);
  view.from = first;
  view.to = first + span;
  later();
}
function zoom(factor, atMs) {
  const at = atMs === undefined ? (view.from + view.to) / 2 : atMs;
  show(at - (at - view.from) * factor, at + (view.to - at) * factor);
}
function pan(share) { const by = (view.to - view.from) * share; show(view.from + by, view.to + by); }
function whole() { show(0, life.endMs * 1.01 + 0.1); }
/** The focus, with as much before it as has some sixty messages; what was broken is the end, what was asked for the middle. */
function toFocus() {
  const before = life.messages.filter((message) => message[2] <= life.focusMs);
  const first = before[Math.max(0, before.length - 60)];
  const span = Math.min(Math.max(first === undefined ? 0 : life.focusMs - first[2], 40), 1500);
  show(life.focusMs - span, life.focusMs + span * (life.isFocused ? 1 : 0.08));
}
function choose(item, isMoved) {
  chosen = item;
  said.textContent = item === null ? "" : words(item);
  if (item !== null && isMoved && (item.at < view.from || item.at > view.to)) {
    const half = (view.to - view.from) / 2;
    show(item.at - half, item.at + half);
  }
  later();
}
/** The next thing in time, from the chosen one or from the middle. */
function walk(direction) {
  const seen = items.filter(isSeen);
  if (seen.length === 0) return;
  let index = chosen === null ? -1 : seen.indexOf(chosen);
  if (index < 0) {
    const middle = (view.from + view.to) / 2;
    index = seen.findIndex((item) => item.at >= middle);
    if (index < 0) index = seen.length - 1;
  } else index = Math.min(Math.max(index + direction, 0), seen.length - 1);
  choose(seen[index], true);
}
/** What lies under the pointer: the small before the large. */
function under(x, y) {
  if (x < GUTTER) return null;
  let best = null, bestDistance = 6;
  for (const item of items) {
    const d = item.data;
    if (item.kind !== "message" || !isSeen(item) || d[2] > view.to) continue;
    const { x0, y0, x1, y1 } = arrow(d);
    const distance = distanceTo(x, y, x0, y0, x1, y1);
    if (distance < bestDistance) { best = item; bestDistance = distance; }
  }
  if (best) return best;
  const inside = (item) => {
    const d = item.data;
    if (item.kind === "commit") return Math.abs(x - xOf(d[1])) < 3 && Math.abs(y - bandTop(d[0]) - BAND) < 8;
    if (item.kind === "asked") return y >= rowTop(d[0]) && y < rowTop(d[0]) + ROW && x >= xOf(d[1]) - 2 && x <= xOf(d[2] === null ? life.endMs : d[2]) + 2;
    if (item.kind === "blow") return y < lanesTop && x >= xOf(d[0]) - 3 && x <= xOf(d[0]) + 90;
    if (item.kind === "band" || item.kind === "pause") return y >= bandTop(d[0]) && y < bandTop(d[0]) + BAND && x >= xOf(d[1]) && x <= xOf(d[2]);
    return false;
  };
  for (const kind of ["commit", "pause", "band", "asked", "blow"]) {
    const found = items.findLast((item) => item.kind === kind && inside(item));
    if (found) return found;
  }
  return null;
}
function distanceTo(x, y, x0, y0, x1, y1) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length));
  return Math.hypot(x - x0 - share * (x1 - x0), y - y0 - share * (y1 - y0));
}
function hover(event) {
  hovered = under(event.offsetX, event.offsetY);
  tip.hidden = hovered === null;
  if (hovered !== null) {
    tip.textContent = words(hovered);
    tip.style.left = Math.max(0, Math.min(event.offsetX + 14, width - 470)) + "px";
    tip.style.top = event.offsetY + 16 + "px";
  }
  later();
}

// hands
let grip = null;
canvas.addEventListener("pointerdown", (event) => {
  grip = { x: event.offsetX, from: view.from, to: view.to, isMoved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (grip === null) return hover(event);
  const by = (grip.x - event.offsetX) / (width - GUTTER) * (grip.to - grip.from);
  if (Math.abs(grip.x - event.offsetX) > 3) grip.isMoved = true;
  if (!grip.isMoved) return;
  canvas.classList.add("dragged");
  show(grip.from + by, grip.to + by);
});
canvas.addEventListener("pointerup", (event) => {
  canvas.classList.remove("dragged");
  if (grip !== null && !grip.isMoved) choose(under(event.offsetX, event.offsetY), false);
  grip = null;
});
canvas.addEventListener("pointercancel", () => { grip = null; });
canvas.addEventListener("pointerleave", () => { hovered = null; tip.hidden = true; later(); });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / width);
  else zoom(Math.exp(Math.max(-0.5, Math.min(0.5, event.deltaY / 300))), msOf(event.offsetX));
}, { passive: false });
canvas.addEventListener("dblclick", (event) => zoom(0.4, msOf(event.offsetX)));
const KEYS = {
  ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), ArrowUp: () => zoom(0.7), ArrowDown: () => zoom(1.4),
  "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1.4), f: whole, v: toFocus, n: () => walk(1), p: () => walk(-1),
  Home: () => show(0, view.to - view.from), End: () => show(life.endMs - (view.to - view.from), life.endMs), Escape: () => choose(null, false),
};
canvas.addEventListener("keydown", (event) => {
  const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});
const BUTTONS = { closer: () => zoom(0.5), farther: () => zoom(2), left: () => pan(-0.4), right: () => pan(0.4), whole, focus: toFocus, next: () => walk(1), previous: () => walk(-1) };
for (const [id, act] of Object.entries(BUTTONS)) document.getElementById(id).addEventListener("click", act);
for (const box of document.querySelectorAll("input[data-kind]")) {
  box.addEventListener("change", () => {
    const kind = Number(box.dataset.kind);
    if (box.checked) shown.kinds.add(kind);
    else shown.kinds.delete(kind);
    later();
  });
}
document.getElementById("lost").addEventListener("change", (event) => { shown.lostOnly = event.target.checked; later(); });
for (const swatch of document.querySelectorAll(".swatch")) swatch.style.background = "var(--m" + swatch.dataset.family + ")";
window.addEventListener("resize", later);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColors(); later(); });
readColors();
document.getElementById("needs").hidden = false;
document.getElementById("focus").hidden = !life.violation && !life.isFocused;
if (life.violation || life.isFocused) toFocus();
else whole();
draw();
`;
