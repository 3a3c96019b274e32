/**
 * The plots of a report that can be zoomed: uPlot in place of two pictures, over the same axis as the timeline. Text: it runs in
 * the reader's browser. Without it the pictures stay.
 */
export const SCRIPT_PLOTS = String.raw`
const charts = [];
const NAMES = ["0.5", "0.95", "0.99", "greatest"], DASHES = [[], [7, 3], [3, 3], []];
function seriesOf(name, color, dash, value) {
  return { label: name, stroke: colors[color], width: 1.6, dash, value: (_, given) => given === null || given === undefined ? "–" : value(given), points: { show: false } };
}
function rateWords(given) { return grouped(Number(given.toPrecision(3))) + "/s"; }
function shadeFaults(chart) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.fillStyle = colors.faultband;
  for (const [from, to] of run.faults) {
    const x = Math.max(bbox.left, chart.valToPos(from / 1e6, "x", true)), end = Math.min(bbox.left + bbox.width, chart.valToPos(to / 1e6, "x", true));
    if (end > x) ctx.fillRect(x, bbox.top, Math.max(1.5, end - x), bbox.height);
  }
  ctx.restore();
}
/** Somebody has dragged across a plot: it zooms by itself, the others and the timeline with it. */
function selected(chart) {
  const { left, width: wide } = chart.select;
  if (wide < 1) return;
  const [from, to] = [chart.posToVal(left, "x"), chart.posToVal(left + wide, "x")];
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  zoomTo(from, to);
}
function zoomTo(min, max) {
  for (const chart of charts) chart.setScale("x", { min, max });
  show(min * 1e6, max * 1e6);
}
function axisOf(values, size) { return { stroke: colors.faint, grid: { stroke: colors.line, width: 1 }, ticks: { stroke: colors.line, width: 1, size: 4 }, font: "11px system-ui, sans-serif", values, size }; }
function chartOf(name, series, data, scale, values) {
  const figure = document.querySelector("svg[data-plot=" + name + "]").parentElement;
  const place = document.createElement("div");
  figure.prepend(place);
  figure.classList.add("zoomable");
  return new uPlot({
    width: place.clientWidth, height: 260, series: [{ label: "at", value: (_, at) => at === null ? "–" : at.toFixed(3) + " s" }, ...series],
    scales: { x: { time: false, range: (_, least, most) => least <= data[0][0] && most >= data[0][data[0].length - 1] ? [0, run.end / 1e6] : [least, most] }, y: scale },
    padding: [10, 12 * place.clientWidth / 1120, 0, 0],
    axes: [axisOf((_, ticks) => ticks.map((at) => at >= run.end / 1e6 ? "" : grouped(String(Number(at.toFixed(6))).split(".")[0]) + (Number.isInteger(at) ? "" : "." + String(Number(at.toFixed(6))).split(".")[1]) + " s"), 34), axisOf(values, 84 * place.clientWidth / 1120)],
    cursor: { sync: { key: "run" }, drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => () => zoomTo(0, run.end / 1e6) }, points: { size: 6 } },
    hooks: { drawClear: [shadeFaults], setSelect: [selected] },
  }, data, place);
}
function drawCharts() {
  if (run.plots === null) return;
  const { windowNs, quantiles, rates } = run.plots;
  for (const chart of charts.splice(0)) { const place = chart.root.parentElement; chart.destroy(); place.remove(); }
  const x = quantiles[0].map((_, index) => (index + 0.5) * windowNs / 1e9);
  const waits = NAMES.map((name, index) => seriesOf(name, index === 3 ? "faint" : "q" + index, DASHES[index], spanWords));
  const made = [chartOf("latency-quantiles", waits, [x, ...quantiles], { distr: 3 }, (_, ticks) => ticks.map((tick) => tick === null ? "" : spanWords(tick)))];
  const kinds = OUTCOMES.map((name, index) => ({ ...seriesOf(name, name, [[], [5, 3], [2, 3]][index], rateWords) }));
  kinds[0].fill = colors.okarea;
  made.push(chartOf("rate", kinds, [x, ...rates], { range: (_, least, most) => [0, Math.max(1, most * 1.05)] }, (_, ticks) => ticks.map(rateWords)));
  charts.push(...made);
}
function resizeCharts() { for (const chart of charts) chart.setSize({ width: chart.root.parentElement.clientWidth, height: 260 }); }
function pointCharts(share) {
  for (const chart of charts) chart.setCursor(share < 0 || share > 1 ? { left: -10, top: -10 } : { left: chart.valToPos(share * run.end / 1e6, "x"), top: 20 });
}
`;
