// Backtests: what past questions would come to. Nothing is sent to anyone.

import { get, post, seg } from "./api.js";
import { session } from "./bus.js";
import { relative } from "./clock.js";
import { h, icon, put } from "./dom.js";
import { empty, failed, head, loading, tag } from "./pieces.js";
import { say, warn } from "./toast.js";
import { plural } from "./words.js";

const WORDS = { answer: "Answered", ask_back: "Asked back", decline: "Declined", handoff: "Handed over", other: "Something else", failed: "Failed" };
const STATES = { running: ["Running", "clock"], done: ["Done", "check"], stopped: ["Stopped early", "alert"], failed: ["Failed", "alert"] };

export function show(body, id) { return id ? one(body, id) : list(body); }

async function list(body) {
  put(body, loading());
  let found;
  try { found = await get("/knowledge/backtests"); } catch (error) { put(body, failed(error)); return; }
  put(body, head("Backtests", "Past questions, thought through by today's bot. Nothing is sent to anyone."),
    session.me.may_write && upload(() => list(body)),
    found.items.length ? h("ul", { class: "cards" }, found.items.map((b) => h("li", { class: "card" }, h("div", { class: "card-main" }, h("a", { class: "name", href: `/console/knowledge/backtests/${seg(b.id)}` }, b.name),
      h("p", { class: "muted" }, `${plural(b.questions || 0, "question")} · `, relative(b.created_at)), state(b), b.totals && totals(b.totals, b.questions))))) : empty("chart", "No backtests yet", "Choose a CSV of past questions, or a Zendesk or Intercom export."));
}

function state(b) {
  const [name, glyph] = STATES[b.status] || [b.status, "clock"];
  return h("div", { class: "tags" }, tag(b.status === "running" ? `${name}: ${b.done || 0} of ${b.questions}` : name, b.status === "done" ? "good" : b.status === "running" ? "" : "warn", glyph));
}

function totals(found, all) {
  const shown = Object.entries(found).filter(([, n]) => n);
  return h("div", { class: "totals" }, h("div", { class: "stripe", "aria-hidden": "true" }, shown.map(([key, n]) => { const s = h("span", { class: `s-${key}` }); s.style.flexGrow = n; return s; })),
    h("ul", { class: "stripe-legend" }, shown.map(([key, n]) => h("li", {}, h("span", { class: `swatch s-${key}`, "aria-hidden": "true" }), `${WORDS[key] || key} ${n}`, h("span", { class: "muted" }, all ? ` ${Math.round(100 * n / all)}%` : "")))));
}

function upload(again) {
  const file = h("input", { type: "file", required: true, accept: ".csv,.json,.jsonl,.ndjson,text/csv,application/json" });
  const go = h("button", { class: "primary", type: "submit" }, "Run it");
  return h("form", { class: "sheet row-between", on: { submit: async (event) => {
    event.preventDefault();
    go.disabled = true;
    try { await post("/knowledge/backtests", { name: file.files[0].name, file: await file.files[0].text() }); say("Started."); again(); } catch (error) { warn(error); go.disabled = false; }
  } } }, h("label", { class: "field" }, h("span", {}, "Past questions (CSV, Zendesk or Intercom export)"), file), go);
}

async function one(body, id) {
  put(body, loading());
  let found;
  try { found = await get(`/knowledge/backtests/${seg(id)}`); } catch (error) { put(body, failed(error)); return; }
  const report = found.report;
  put(body, h("a", { class: "link back", href: "/console/knowledge/backtests" }, icon("back"), "All backtests"),
    head(found.name, `${plural(found.questions || 0, "question")}; nothing was sent to anyone.`), state(found));
  if (!report) {
    if (found.status === "running") { body.append(loading("Thinking…")); setTimeout(() => { if (body.isConnected) one(body, id); }, 2000); }
    return;
  }
  const part = (title, ...content) => h("section", { class: "sheet" }, h("h3", {}, title), content);
  body.append(part("What would have happened", totals(report.totals, report.questions),
    report.agreement ? h("p", {}, `${report.agreement.compared} could be compared with a person's answer: ${report.agreement.agree} agree (${Math.round(100 * report.agreement.agree / Math.max(1, report.agreement.compared))}%).`) : null,
    report.agreement && h("p", { class: "muted" }, report.definition)));
  if (report.gaps.length) body.append(part("Gaps, by askers", h("ol", { class: "lines" }, report.gaps.map((g) => h("li", {}, h("b", { dir: "auto" }, g.question), h("span", { class: "muted" }, `${plural(g.askers, "asker")} · ${plural(g.questions, "question")} · ${g.topic}`))))));
  body.append(part("By topic", h("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Topics" }, h("table", {}, h("thead", {}, h("tr", {}, ["Topic", "Questions", ...Object.values(WORDS).slice(0, 4), "Agree"].map((t) => h("th", { scope: "col" }, t)))),
    h("tbody", {}, report.topics.map((t) => h("tr", {}, h("th", { scope: "row" }, t.name), h("td", { class: "digits" }, t.questions), Object.keys(WORDS).slice(0, 4).map((key) => h("td", { class: "digits" }, t.totals[key] || 0)), h("td", { class: "digits" }, t.agreement ? `${t.agreement.agree} of ${t.agreement.compared}` : "–"))))))),
  part("Every question", h("ul", { class: "lines" }, report.rows.slice(0, 500).map((r) => h("li", {}, h("details", {}, h("summary", {}, tag(WORDS[r.action] || r.action), h("span", { dir: "auto" }, ` ${r.question}`), r.agreement !== undefined && h("span", { class: "muted" }, ` · agreement ${Math.round(r.agreement * 100)}%`)),
    r.reply && h("blockquote", { class: "answer", dir: "auto" }, r.reply), r.human_answer && [h("p", { class: "muted" }, "A person answered:"), h("blockquote", { class: "answer", dir: "auto" }, r.human_answer)], r.reasons.length ? h("p", { class: "muted" }, r.reasons.map((x) => x.replace(/_/g, " ")).join(", ")) : null))))));
}
