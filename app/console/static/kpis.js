// KPIs: figures of a span, a small trend, volume by channel and reasons for handoffs.

import { get } from "./api.js";
import { wait } from "./clock.js";
import { h, put, svg } from "./dom.js";
import { warn } from "./toast.js";
import { channel, tidy } from "./words.js";

const SPANS = [["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"]];
let chosen = "7d", body, picker;

export function enter(main) {
  picker = h("div", { class: "filters", role: "group", "aria-label": "Span" });
  body = h("div", { class: "kpis" });
  put(main, h("div", { class: "page" }, h("div", { class: "page-in wide" }, picker, body)));
  load();
}

function showPicker() {
  put(picker, SPANS.map(([key, name]) => h("button", { type: "button", class: "filter", "aria-pressed": String(chosen === key), on: { click: () => { chosen = key; load(); } } }, name)));
}

async function load() {
  showPicker();
  try {
    const { kpis, steps } = await get(`/kpis?span=${chosen}`);
    put(body, h("div", { class: "figures" },
      figure("Conversations", kpis.conversations, "begun in this span"),
      figure("Contained", share(kpis.containment), `${kpis.contained} answered by the bot, no person needed`),
      figure("Handoff rate", share(kpis.handoff_rate), `${kpis.handoffs} asked for a person`),
      figure("First response", wait(kpis.first_response), "median"),
      figure("Breaches", kpis.breaches, "unclaimed after 120 s", kpis.breaches ? "bad" : "good")),
    h("div", { class: "charts" },
      chart("Messages from customers", steps, "messages"), chart("Asked for a person", steps, "handoffs", "breaches"),
      bars("By channel", kpis.volume, channel), bars("Why a person was asked for", kpis.reasons, tidy)));
  } catch (error) { warn(error); }
}

const share = (value) => (value === null ? "–" : `${Math.round(value * 100)}%`);

function figure(name, value, note, tone) {
  return h("section", { class: `figure ${tone || ""}` }, h("h3", {}, name), h("p", { class: "value" }, value, tone && h("span", { class: "band" }, tone === "bad" ? "▲ look" : "● none")), h("p", { class: "muted" }, note));
}

function label(iso) {
  const at = new Date(iso);
  if (chosen === "24h") return at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  return at.toLocaleDateString(undefined, chosen === "7d" ? { weekday: "short" } : { day: "numeric", month: "short" });
}

function chart(title, steps, key, second) {
  const width = 320, height = 132, base = 108, top = 18;
  const most = Math.max(1, ...steps.map((s) => s[key]));
  const slot = width / steps.length;
  const shapes = steps.map((step, n) => {
    const tall = ((base - top) * step[key]) / most;
    const low = second ? ((base - top) * Math.min(step[second], step[key])) / most : 0;
    const x = n * slot + slot * 0.2;
    return svg("g", {}, svg("title", {}, `${label(step.to)}: ${step[key]}${second && step[second] ? `, ${step[second]} ${second}` : ""}`),
      svg("rect", { x, y: base - Math.max(tall, step[key] ? 2 : 0), width: slot * 0.6, height: Math.max(tall, step[key] ? 2 : 0), rx: 3, class: "column" }),
      low ? svg("rect", { x, y: base - low, width: slot * 0.6, height: low, rx: 3, class: "column bad" }) : null,
      step[key] ? svg("text", { x: n * slot + slot / 2, y: base - tall - 5, class: "amount" }, step[key]) : null,
      svg("text", { x: n * slot + slot / 2, y: base + 17, class: "tick" }, label(step.to)));
  });
  const text = steps.map((s) => `${label(s.to)} ${s[key]}`).join(", ");
  return h("section", { class: "chart" }, h("h3", {}, title),
    svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: ${text}` }, svg("line", { x1: 0, x2: width, y1: base, y2: base, class: "axis" }), shapes),
    second && h("p", { class: "legend muted" }, h("span", { class: "key" }), "asked", h("span", { class: "key bad" }), second));
}

function bars(title, values, name) {
  const found = Object.entries(values).sort((a, b) => b[1] - a[1]);
  const most = Math.max(1, ...found.map(([, n]) => n));
  return h("section", { class: "chart" }, h("h3", {}, title), found.length ? h("ul", { class: "hbars" }, found.map(([key, n]) => {
    const fill = h("span", { class: "bar-fill" });
    fill.style.width = `${(n / most) * 100}%`;
    return h("li", {}, h("span", {}, name(key)), h("span", { class: "bar", "aria-hidden": "true" }, fill), h("span", { class: "digits" }, n));
  })) : h("p", { class: "muted" }, "Nothing in this span."));
}
