// The knowledge report: what customers missed, what was answered since, which pages earn their place.

import { get, seg } from "./api.js";
import { h, icon, put } from "./dom.js";
import { day, failed, head, loading } from "./pieces.js";
import { plural } from "./words.js";

const SPANS = [[7, "Week"], [30, "30 days"], [90, "90 days"]];

export async function show(body, days) {
  const chosen = SPANS.some(([n]) => String(n) === days) ? Number(days) : 7;
  put(body, loading());
  let r;
  try { r = await get(`/knowledge/report?days=${chosen}`); } catch (error) { put(body, failed(error)); return; }
  const gap = (g) => h("li", {}, h("a", { dir: "auto", href: `/console/knowledge/gaps/${seg(g.id)}` }, g.question), h("span", { class: "muted" }, `${plural(g.contacts, "customer")} · ${plural(g.times, "time")}`));
  const page = (p, text) => h("li", {}, h("span", {}, p.title), h("span", { class: "mono muted" }, `${p.source} / ${p.path}`), text && h("span", { class: "muted" }, text));
  const part = (title, items, none) => h("section", { class: "sheet" }, h("h3", {}, title), items.length ? h("ul", { class: "lines" }, items) : h("p", { class: "muted" }, none));
  const figure = (title, value, kind) => h("div", { class: `figure ${kind || ""}` }, h("h3", {}, title), h("p", { class: "value" }, value));
  put(body, head("Report", `${day(r.since)} to ${day(r.until)}. The team's alert channel gets it every Monday.`),
    h("div", { class: "filters", role: "group", "aria-label": "Span" }, SPANS.map(([n, name]) => h("a", { class: "filter", href: `/console/knowledge/report/${n}`, "aria-current": n === chosen ? "true" : null }, name))),
    h("div", { class: "figures" }, figure("New gaps", r.gaps.new.length), figure("Open gaps", r.gaps.open), figure("Answered", r.gaps.answered.length), figure("Disliked pages", r.pages.disliked.length, r.pages.disliked.length ? "bad" : ""), figure("Unused pages", r.pages.idle_count), figure("Due for review", r.answers_due.length, r.answers_due.length ? "bad" : "")),
    h("div", { class: "two even" }, h("div", { class: "stack" },
      part("Biggest gaps", r.gaps.biggest.map(gap), "No open gaps."), part("Answered since", r.gaps.answered.map(gap), "None in this span."),
      part("Answers due for review", r.answers_due.map((a) => h("li", {}, h("a", { href: `/console/knowledge/answers/${seg(a.id)}` }, a.question), h("span", { class: "muted" }, icon("alert"), ` since ${day(a.review_by)} · ${a.author}`))), "None.")),
    h("div", { class: "stack" },
      part("Pages that answer much and are disliked", r.pages.disliked.map((p) => page(p, `${p.disliked} of ${p.answers} disliked, ${p.handed_over} ended with a person`)), "None."),
      part(`Pages that never answered (${r.pages.idle_count})`, r.pages.idle.map((p) => page(p, `since ${day(p.updated_at)} at least`)), "Every page answered something in the last 30 days."))));
}
