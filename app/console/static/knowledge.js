// Knowledge as the bot has it: gaps by what they cost, search, "what would happen if", documents.

import { get, post, seg } from "./api.js";
import { session } from "./bus.js";
import { full, relative } from "./clock.js";
import { button, h, icon, put } from "./dom.js";
import { say, warn } from "./toast.js";
import { passages, understood } from "./trace.js";
import { ACTIONS, plural, tidy } from "./words.js";

let gaps, docs, results, stats;
const KINDS = { unanswered: "could not answer", disliked: "answer disliked", handed_over: "handed over" };

export function enter(main) {
  const query = h("input", { type: "text", placeholder: "Ask as a customer would: How do I invite a teammate?", "aria-label": "A customer's question", maxlength: 500, required: true });
  const form = h("form", { class: "ask", on: { submit: (e) => { e.preventDefault(); if (query.value.trim()) attempt(query.value.trim()); } } },
    query, h("button", { class: "primary", type: "submit", disabled: !session.me.may_write }, h("span", {}, "Try it")),
    button("Search only", () => { if (query.value.trim()) search(query.value.trim()); }, { class: "plain", icon: "search" }));
  stats = h("p", { class: "muted", role: "status" });
  gaps = h("ul", { class: "cards" });
  docs = h("div", { class: "table-wrap", tabindex: 0, "aria-label": "Documents" });
  results = h("div", { class: "results", "aria-live": "polite" });
  put(main, h("div", { class: "page" }, h("div", { class: "page-in" },
    h("h2", {}, "What would happen if a customer wrote this?"), h("p", { class: "muted" }, "Nothing is sent and nothing is kept."), form, results,
    h("h2", {}, "Gaps"), h("p", { class: "muted" }, "Questions the bot could not answer, those that cost most customers first."), gaps,
    h("h2", {}, "Documents"), stats, docs)));
  load();
}

async function load() {
  try {
    const found = await get("/knowledge");
    stats.textContent = `${plural(found.documents, "document")} the bot answers from${found.documents > found.items.length ? `; the newest ${found.items.length} are shown` : ""}.`;
    put(gaps, found.gaps.length ? found.gaps.map(gap) : h("li", { class: "empty" }, icon("check"), h("b", {}, "No open gaps"), h("p", {}, "Every question so far found an answer.")));
    put(docs, found.items.length ? h("table", {}, h("thead", {}, h("tr", {}, ["Title", "Path", "Source", "Passages", "Updated"].map((t) => h("th", { scope: "col" }, t)))),
      h("tbody", {}, found.items.map((d) => h("tr", {}, h("td", {}, d.title, d.internal && h("span", { class: "tag" }, "Internal")), h("td", { class: "mono" }, d.path), h("td", { class: "mono" }, d.source), h("td", { class: "digits" }, d.passages), h("td", {}, relative(d.updated_at)))))) : h("p", { class: "muted" }, "No documents yet. `usher ingest PATH` brings them in."));
  } catch (error) { warn(error); }
}

function gap(found) {
  const close = (status) => async () => {
    try { await post(`/gaps/${seg(found.id)}`, { status }); say(status === "answered" ? "Marked as answered." : "Dismissed."); load(); } catch (error) { warn(error); }
  };
  return h("li", { class: "card" }, h("div", { class: "card-main" }, h("p", { class: "question", dir: "auto" }, found.question),
    h("p", { class: "muted" }, `${plural(found.contacts, "customer")} · asked ${plural(found.times, "time")} · ${KINDS[found.kind] || tidy(found.kind)} · last ${full(found.last_at)}`),
    found.nearest.length ? h("p", { class: "muted" }, `Nearest page: ${found.nearest.join(", ")}`) : null),
  session.me.may_write && h("div", { class: "card-end" }, button("Answered", close("answered"), { class: "plain", icon: "check" }), button("Dismiss", close("dismissed"), { class: "plain" })));
}

async function search(text) {
  put(results, h("p", { class: "loading" }, "Searching…"));
  try {
    const found = await get(`/knowledge/search?q=${encodeURIComponent(text)}`);
    put(results, h("h3", {}, "Passages the bot would see"), found.items.length ? passages(found.items) : h("p", { class: "muted" }, "Nothing found."));
  } catch (error) { put(results); warn(error); }
}

async function attempt(text) {
  put(results, h("p", { class: "loading" }, "Thinking…"));
  try {
    const found = await post("/knowledge/try", { text });
    put(results, h("div", { class: "attempt" },
      h("section", { class: "trace-part" }, h("h3", {}, "It would answer"), found.handoff && h("p", { class: "verdict alert-text" }, icon("hand"), `A person would be asked for: ${found.handoff.toLowerCase()}`),
        h("p", { class: "verdict" }, h("b", {}, ACTIONS[found.action] || tidy(found.action)), h("span", { class: "muted" }, ` · confidence ${Math.round(found.confidence * 100)}%`)),
        found.text ? h("blockquote", { class: "answer", dir: "auto" }, found.text) : null,
        found.reasons.length ? h("ul", { class: "chips" }, found.reasons.map((r) => h("li", { class: "chip" }, tidy(r)))) : null),
      h("section", { class: "trace-part" }, h("h3", {}, "It understood"), understood(found.understanding)),
      h("section", { class: "trace-part" }, h("h3", {}, "It found"), found.passages.length ? passages(found.passages) : h("p", { class: "muted" }, "No passages."))));
  } catch (error) { put(results); warn(error); }
}
