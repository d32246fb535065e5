// What the pages do by themselves: refresh, charts and the menu. Without it they are complete, and stand still.
"use strict";

const REFRESH_MS = 15000;

function isInUse(live) {
  const active = document.activeElement;
  const typing = live.contains(active) && active.matches("input, select, textarea");
  return document.hidden || typing || String(window.getSelection()) !== "";
}

setInterval(() => {
  const live = document.getElementById("live");
  if (live && live.hasAttribute("hx-get") && !isInUse(live)) htmx.trigger(live, "refresh");
}, REFRESH_MS);

let refreshedAt = new Date();

function showStale(stale) {
  const notice = document.getElementById("stale");
  if (!notice) return;
  notice.hidden = !stale;
  notice.querySelector(".when").textContent = refreshedAt.toISOString().slice(11, 19) + " UTC";
}

document.addEventListener("htmx:sendError", () => showStale(true));
document.addEventListener("htmx:responseError", () => showStale(true));

// What a person opened stays open.
let opened = new Set();
document.addEventListener("htmx:beforeSwap", () => {
  opened = new Set([...document.querySelectorAll("#live details[open][id]")].map((each) => each.id));
});
document.addEventListener("htmx:afterSwap", () => {
  for (const each of document.querySelectorAll("#live details[id]")) each.open ||= opened.has(each.id);
  refreshedAt = new Date();
  showStale(false);
  drawCharts();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.menu");
  if (!button) return;
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  document.getElementById("navigation").classList.toggle("open", open);
});

function drawCharts() {}

document.addEventListener("DOMContentLoaded", drawCharts);
