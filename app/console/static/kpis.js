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
    const found = await get(`/kpis?span=${chosen}`);
    const f = found.figures;
    put(body, h("div", { class: "figures" },
      figure("Conversations", f.conversations.value, "begun in this span"),
      figure("Solved without a person", share(f.auto_resolution), `${of(f.auto_resolution)} closed ones`, f.auto_resolution.band),
      figure("… and the customer said so", share(f.confirmed_resolution), `${of(f.confirmed_resolution)} closed ones`),
      figure("… and still solved after 7 days", share(f.durable_resolution), f.durable_resolution.over ? `${of(f.durable_resolution)}, begun 7 days earlier` : "known 7 days later"),
      figure("Handoff rate", share(f.handoff_rate), `${of(f.handoff_rate)} asked for a person`),
      figure("First response", wait(f.first_response.value), `median of ${f.first_response.count}`),
      figure("Time to a person", wait(f.time_to_human.value), `median of ${f.time_to_human.count}; ${f.time_to_human.over - f.time_to_human.count} not answered yet`),
      figure("Breaches", f.breaches.value, "unclaimed after 120 s", f.breaches.value ? "red" : "green"),
      figure("Satisfaction", number(f.csat, 2), `${f.csat.over} marks of 1 to 5`, f.csat.band),
      figure("Bookings made", share(f.booking_conversion), `${of(f.booking_conversion)} that began one`, f.booking_conversion.band),
      figure("Angry handoffs in 1000", number(f.sentiment_escalations, 1), `${of(f.sentiment_escalations)} conversations`, f.sentiment_escalations.band),
      figure("Gaps found", found.gaps, "questions nobody could answer")),
    h("div", { class: "charts" },
      chart("Messages from customers", found.steps, "messages"), chart("Asked for a person", found.steps, "handoffs", "breaches"),
      bars("By channel", found.messages, channel), bars("Why a person was asked for", found.reasons, tidy),
      bars("What it was about", found.intents, tidy), perChannel(found.channels)),
    h("p", { class: "muted" }, h("a", { href: `/console/api/kpis.csv?span=${chosen}`, download: "" }, "Download as CSV"), " · what each figure counts and leaves out stands in docs/kpis.md"));
  } catch (error) { warn(error); }
}

const share = (f) => (f.value === null ? "–" : `${Math.round(f.value * 100)}%`);
const number = (f, digits) => (f.value === null ? "–" : f.value.toFixed(digits));
const of = (f) => `${f.count} of ${f.over}`;
const BANDS = { green: ["good", "● on target"], yellow: ["fair", "◆ below target"], red: ["bad", "▲ look"] };

function figure(name, value, note, band) {
  const [tone, words] = BANDS[band] || ["", ""];
  return h("section", { class: `figure ${tone}` }, h("h3", {}, name), h("p", { class: "value" }, value, words && h("span", { class: "band" }, words)), h("p", { class: "muted" }, note));
}

function perChannel(channels) {
  const found = Object.entries(channels);
  if (!found.length) return null;
  const head = ["Channel", "Begun", "Solved", "Handoffs", "First response", "Satisfaction"];
  return h("section", { class: "chart" }, h("h3", {}, "Channel by channel"), h("div", { class: "table-wrap" }, h("table", {},
    h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, found.map(([name, f]) => h("tr", {}, h("th", { scope: "row" }, channel(name)), h("td", {}, f.conversations.value), h("td", {}, share(f.auto_resolution)), h("td", {}, share(f.handoff_rate)), h("td", {}, wait(f.first_response.value)), h("td", {}, number(f.csat, 1))))))));
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
