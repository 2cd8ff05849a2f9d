// Times as people read them, by the server's clock; handoff clocks that run.

import { h, svg } from "./dom.js";

let ahead = 0; // the server's clock minus ours, in milliseconds
const REALERT = 60;
const BREACH = 120;

export function setServerTime(iso) {
  if (iso) ahead = Date.parse(iso) - Date.now();
}

export const now = () => Date.now() + ahead;

export function ago(iso) {
  const seconds = Math.max(0, (now() - Date.parse(iso)) / 1000);
  if (seconds < 45) return "now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))}m`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)}h`;
  if (seconds < 7 * 86400) return `${Math.round(seconds / 86400)}d`;
  return new Date(iso).toLocaleDateString(undefined, { day: "numeric", month: "short" });
}

export const full = (iso) => new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
export const hour = (iso) => new Date(iso).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });

export function day(iso) {
  const date = new Date(iso);
  const today = new Date(now());
  const yesterday = new Date(now() - 86400000);
  if (date.toDateString() === today.toDateString()) return "Today";
  if (date.toDateString() === yesterday.toDateString()) return "Yesterday";
  return date.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" });
}

export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const pad = (n) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)}:${pad(s % 60)}`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} m`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function wait(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return span(seconds);
}

export function relative(iso) {
  return h("time", { datetime: iso, title: full(iso), "data-ago": iso }, ago(iso));
}

const BANDS = { waiting: "Waiting", realerted: "Re-alerted", breached: "Breached" };
const SHAPES = {
  waiting: () => svg("circle", { cx: 6, cy: 6, r: 4.5 }),
  realerted: () => svg("path", { d: "M6 1 11.500 11H.500z" }),
  breached: () => svg("path", { d: "M6 .3 11.700 6 6 11.700.300 6z" }),
};

export function band(seconds) {
  if (seconds >= BREACH) return "breached";
  return seconds >= REALERT ? "realerted" : "waiting";
}

// A running clock of a handoff nobody has claimed: says its band in words and by its shape.
export function handoffClock(handoff) {
  if (!handoff || handoff.state !== "requested") return null;
  const node = h("span", { class: "wait", "data-since": handoff.requested_at });
  tick(node);
  return node;
}

function tick(node) {
  const seconds = (now() - Date.parse(node.dataset.since)) / 1000;
  const which = band(seconds);
  if (node.dataset.band !== which) {
    node.dataset.band = which;
    node.replaceChildren(
      svg("svg", { viewBox: "0 0 12 12", class: "shape", "aria-hidden": "true" }, SHAPES[which]()),
      h("span", {}, `${BANDS[which]} `), h("span", { class: "digits" }),
    );
  }
  const text = span(seconds);
  if (node.lastChild.textContent !== text) node.lastChild.textContent = text;
}

setInterval(() => {
  for (const node of document.querySelectorAll("[data-since]")) tick(node);
}, 1000);
setInterval(() => {
  for (const node of document.querySelectorAll("[data-ago]")) node.textContent = ago(node.dataset.ago);
}, 20000);
