// What the pages do by themselves: refresh, charts and the menu. Without it they are complete, and stand still.
"use strict";

const REFRESH_MS = 15000;
const RUNNING_MS = 1000;
const SOON_MS = 3000;

function isInUse(live) {
  const active = document.activeElement;
  const typing = live.contains(active) && active.matches("input, select, textarea");
  return document.hidden || typing || String(window.getSelection()) !== "";
}

function refresh(wanted) {
  const live = document.getElementById("live");
  if (live && live.hasAttribute("hx-get") && live.matches(wanted) && !isInUse(live)) htmx.trigger(live, "refresh");
}

setInterval(() => refresh("*"), REFRESH_MS);
setInterval(() => refresh(":has([data-soon])"), SOON_MS);
setInterval(() => refresh(":has([data-running])"), RUNNING_MS);

let refreshedAt = new Date();

// Why a page is not refreshed: "silent", "refused", or nothing if it is.
function showStale(why) {
  const notice = document.getElementById("stale");
  if (!notice) return;
  notice.hidden = !why;
  for (const each of notice.querySelectorAll("[data-why]")) each.hidden = each.dataset.why !== why;
  notice.querySelector(".when").textContent = refreshedAt.toISOString().slice(11, 19) + " UTC";
}

document.addEventListener("htmx:sendError", () => showStale("silent"));
document.addEventListener("htmx:timeout", () => showStale("silent"));
document.addEventListener("htmx:responseError", () => showStale("refused"));
document.addEventListener("visibilitychange", () => refresh("*"));

// What a person opened stays open, and what has the focus keeps it: htmx sees to it for elements with an id only.
let opened = new Set();
let focused = null;

function alike(element) {
  const found = document.querySelectorAll(`#live ${element.localName}`);
  const told = (each) => each.getAttribute("href") || each.getAttribute("aria-label") || each.textContent;
  return [...found].filter((each) => told(each) === told(element));
}

document.addEventListener("htmx:beforeSwap", () => {
  opened = new Set([...document.querySelectorAll("#live details[open][id]")].map((each) => each.id));
  const active = document.activeElement;
  focused = active.closest("#live") && !active.id ? { element: active, at: alike(active).indexOf(active) } : null;
});
document.addEventListener("htmx:afterSwap", () => {
  for (const each of document.querySelectorAll("#live details[id]")) each.open ||= opened.has(each.id);
  if (focused && !focused.element.isConnected) alike(focused.element)[focused.at]?.focus({ preventScroll: true });
  refreshedAt = new Date();
  showStale("");
  drawCharts();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.menu");
  if (!button) return;
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  document.getElementById("navigation").classList.toggle("open", open);
});

// A chart is drawn from a table of the page: its first column has the time in data-ms of the row.
let charts = [];

// Ticks of the time axis by their distance in seconds: the clock of 24 hours, below it the day where it changes.
const CLOCK = [
  [86400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [3600, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function columnsOf(table, wanted) {
  const rows = [...table.tBodies[0].rows];
  const number = (cell) => Number(cell.textContent.replace(/,/g, ""));
  return [rows.map((row) => Number(row.dataset.ms) / 1000), ...wanted.map((at) => rows.map((row) => number(row.cells[at])))];
}

// Times are where spans begin: the last one is shown too.
function endOfLast(times, last) {
  return times.length > 1 ? last + times[1] - times[0] : last;
}

function drawMarks(chart, marks) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = color("--quiet");
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const mark of marks) {
    const x = Math.round(chart.valToPos(mark.at, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + 12 * devicePixelRatio);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(mark.letter, x, bbox.top + 9 * devicePixelRatio);
  }
  ctx.restore();
}

// What is dragged over a chart is the window that a form asks for.
function chooseWindow(chart, place) {
  if (!place.dataset.since || !chart.select.width) return;
  const at = (x) => new Date(chart.posToVal(x, "x") * 1000).toISOString().slice(0, 19) + "Z";
  document.getElementById(place.dataset.since).value = at(chart.select.left);
  document.getElementById(place.dataset.until).value = at(chart.select.left + chart.select.width);
}

function drawChart(place) {
  const table = document.getElementById(place.dataset.table);
  const wanted = place.dataset.series.split(" ").map((at) => Number(at));
  const marksTable = document.getElementById(place.dataset.marks);
  const marks = [...(marksTable ? marksTable.tBodies[0].rows : [])].map((row) => ({ at: Number(row.dataset.ms) / 1000, letter: row.dataset.letter }));
  const heads = table.tHead.rows[0].cells;
  const lines = wanted.length > 1;
  const axis = { stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
  const chart = new uPlot({
    width: place.clientWidth,
    height: lines ? 160 : 185,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    legend: { show: lines },
    cursor: { sync: { key: "flow" }, drag: { x: Boolean(place.dataset.since), y: false, setScale: false } },
    scales: { x: { range: (self, least, most) => [least, endOfLast(self.data[0], most)] }, y: { range: (self, least, most) => [0, Math.max(most * 1.08, 1)] } },
    axes: [{ ...axis, values: CLOCK }, { ...axis, size: 60, values: (self, ticks) => ticks.map((each) => each.toLocaleString("en")) }],
    series: [
      { value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
      ...wanted.map((at) => ({
        label: heads[at].textContent,
        stroke: color(heads[at].dataset.color || "--accent"),
        fill: lines ? undefined : color("--accent"),
        width: lines ? 2 : 0,
        dash: heads[at].dataset.dash ? heads[at].dataset.dash.split(" ").map(Number) : undefined,
        paths: lines ? uPlot.paths.linear() : uPlot.paths.bars({ size: [0.8, 40], align: 1 }),
        points: { show: false },
        value: (self, value) => (value === null ? "-" : value.toLocaleString("en")),
      })),
    ],
    hooks: { draw: [(self) => drawMarks(self, marks)], setSelect: [(self) => chooseWindow(self, place)] },
  }, columnsOf(table, wanted), place);
  charts.push({ chart, place });
}

function drawCharts() {
  for (const { chart } of charts) chart.destroy();
  charts = [];
  for (const place of document.querySelectorAll(".chart")) drawChart(place);
}

addEventListener("resize", () => {
  for (const { chart, place } of charts) chart.setSize({ width: place.clientWidth, height: chart.height });
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
document.addEventListener("DOMContentLoaded", drawCharts);

// A text that was edited before the page was ready, or that the browser brought back, is judged too.
document.addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("[hx-trigger*='edited-early']")) {
    if (field.value !== field.defaultValue) htmx.trigger(field, "edited-early");
  }
});

// So is one whose verdict did not come: nobody types again to be told what was asked for already.
function judgeAgain({ detail: { elt, xhr } }) {
  if (!elt.matches("[hx-trigger*='edited-early']") || (xhr.status && xhr.status < 500)) return;
  setTimeout(() => elt.isConnected && htmx.trigger(elt, "edited-early"), SOON_MS);
}

document.addEventListener("htmx:sendError", judgeAgain);
document.addEventListener("htmx:timeout", judgeAgain);
document.addEventListener("htmx:responseError", judgeAgain);
