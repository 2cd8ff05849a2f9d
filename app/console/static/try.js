// "What would happen if a customer wrote this?": every step of a turn that is never sent. And the checks on any text.

import { get, post } from "./api.js";
import { session } from "./bus.js";
import { button, h, icon, put } from "./dom.js";
import { intentTag, teach } from "./intents.js";
import { choice, failed, head, LANGUAGES, loading, tag } from "./pieces.js";
import { bar, bill, checks, passages, scores } from "./trace.js";
import { full } from "./clock.js";
import { ACTIONS, channel, LIMITS, tidy } from "./words.js";

const percent = (score) => `${Math.round((score || 0) * 100)}%`;
const part = (title, ...content) => h("section", { class: "sheet" }, h("h3", {}, title), content);
let kept = { text: "", before: "" };

export function show(body) {
  const may = session.me.may_write;
  const before = h("textarea", { rows: 2, value: kept.before, maxlength: 4000, placeholder: "customer: How do I invite people?\nbot: Open Settings…" });
  const text = h("textarea", { rows: 3, required: true, maxlength: 8000, value: kept.text, dir: "auto", placeholder: "How do I invite a teammate?" });
  const on = choice("on", "channel", session.me.channels.map((name) => [name, channel(name)]), "web");
  const edition = choice("by a customer of", "edition", [["", "no edition (lowest)"], ...session.me.policy.editions.map((e) => [e, e])], "");
  const locale = choice("who reads", "locale", [["", "as they write"], ...Object.entries(LANGUAGES)], "");
  const results = h("div", { class: "results stack", "aria-live": "polite" });
  const of = (label) => label.querySelector("select").value;
  const run = async (event) => {
    event.preventDefault();
    kept = { text: text.value, before: before.value };
    put(results, loading("Thinking…"));
    try { put(results, picture(await post("/knowledge/try", { text: text.value, talk: talkOf(before.value), channel: of(on), edition: of(edition) || null, locale: of(locale) || null }), text.value)); } catch (error) { put(results, failed(error)); }
  };
  put(body, head("Try", "What would happen if a customer wrote this? Nothing is sent and nothing is kept."),
    h("form", { class: "sheet stack", on: { submit: run } },
      h("label", { class: "field" }, h("span", {}, "The customer writes"), text),
      h("details", {}, h("summary", {}, "Said before"), h("label", { class: "field" }, h("span", {}, "One line each, begun with customer:, bot: or human:"), before)),
      h("div", { class: "grid" }, on, edition, locale), h("div", { class: "row-end" }, h("button", { class: "primary", type: "submit", disabled: !may }, "Try it"))),
    results, checker(may));
}

function talkOf(text) {
  const lines = text.split("\n").map((line) => line.match(/^\s*(customer|bot|human)\s*:\s*(.+)$/i)).filter(Boolean);
  return lines.slice(-20).map(([, role, said]) => ({ role: role.toLowerCase(), text: said }));
}

function picture(found, message) {
  const u = found.understanding;
  const { decision, reply } = found;
  const limits = [...new Set(found.checks.flatMap((c) => c.limits || []))];
  const mood = u.sentiment || 0;
  // notes and forms are how a talk goes on, not something it does
  const does = [...new Set(found.effects)].filter((name) => !name.startsWith("Set")).map((name) => name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase());
  return [
    part("It would say",
      h("p", { class: "verdict" }, h("b", {}, ACTIONS[decision.action] || tidy(decision.action)), h("span", { class: "muted" }, ` · confidence ${percent(decision.confidence)} · by ${tidy(found.handler)}`)),
      found.handoff && h("p", { class: "alert-text" }, icon("hand"), `A person would be asked for: ${found.handoff.toLowerCase()}.`),
      reply.text ? h("blockquote", { class: "answer", dir: "auto" }, reply.text) : h("p", { class: "muted" }, "Nothing."),
      reply.citations.length ? h("ol", { class: "lines cited" }, reply.citations.map((c) => h("li", {}, h("b", {}, `[${c.number}] ${c.title}`), c.section && c.section !== c.title ? h("span", { class: "muted" }, c.section) : null, h("span", { class: "mono muted" }, c.document)))) : null,
      (reply.suggestions || []).length ? h("div", { class: "tags" }, reply.suggestions.map((s) => tag(s))) : null,
      decision.reasons.length ? h("ul", { class: "chips" }, decision.reasons.map((r) => h("li", { class: "chip" }, tidy(r)))) : null,
      does.length ? h("p", { class: "muted" }, `It would also do: ${does.join(", ")}.`) : null),
    part("It understood",
      h("dl", { class: "pairs" }, h("dt", {}, "Language"), h("dd", {}, LANGUAGES[u.language] || u.language),
        h("dt", {}, "Intent"), h("dd", { class: "intent-line" }, intentTag(u.intent), session.me.may_write && button("Wrong?", (event) => correct(event.target.closest("section"), message), { class: "link" })),
        h("dt", {}, "Sentiment"), h("dd", {}, `${mood > 0 ? "+" : ""}${mood.toFixed(2)} (${mood <= -0.6 ? "very unhappy" : mood < -0.2 ? "unhappy" : mood > 0.2 ? "happy" : "neutral"})`),
        h("dt", {}, "Times"), h("dd", {}, u.times.length ? u.times.map((t) => `“${t.text}” → ${full(t.value)}`).join(", ") : "none")),
      scores(u)),
    part("Privileges", limits.length ? [h("p", { class: "warn-text" }, icon("lock"), "A check took these away for this message:"), h("ul", { class: "lines" }, limits.map((l) => h("li", {}, LIMITS[l] || tidy(l))))] : h("p", { class: "muted" }, "None taken away.")),
    part("Personal data", found.pii.length ? [h("div", { class: "tags" }, found.pii.map((p) => tag(tidy(p.type).toLowerCase(), "warn", "lock"))), h("p", { class: "query", dir: "auto" }, found.masked)] : h("p", { class: "muted" }, "None found. Logs, models and exports would see the message as it is.")),
    part("Searched for", h("p", { class: "query", dir: "auto" }, found.query)),
    part(`It found (${found.passages.length})`, found.passages.length ? passages(found.passages) : h("p", { class: "muted" }, "No passages.")),
    part("Checks", checks(found.checks)),
    part("Language model", h("div", { class: "stack" }, bill(found.model))),
    part("Time", h("ul", { class: "scores" }, Object.entries(found.timings_ms).map(([name, ms]) => h("li", {}, h("span", {}, tidy(name)), bar(ms / Math.max(1, found.timings_ms.total)), h("span", { class: "digits" }, `${Math.round(ms)} ms`))))),
  ];
}

async function correct(section, message) {
  if (section.querySelector("form")) return;
  try { section.append(teach(message, await get("/knowledge/intents"))); section.querySelector("form input[list]").focus(); } catch (error) { section.append(failed(error)); }
}

const reads = (r) => `Reads ${r.level}: ease ${Math.round(r.ease)} of 100${r.wanted ? `, ${r.wanted} is wanted` : ""}.`;

function checker(may) {
  const text = h("textarea", { rows: 3, required: true, maxlength: 8000, dir: "auto" });
  const way = choice("The text", "direction", [["out", "goes out to a customer"], ["in", "comes in from a customer"]], "out");
  const sources = h("textarea", { rows: 2, maxlength: 8000, placeholder: "Open Settings, choose People, and select Invite." });
  const results = h("div", { class: "stack", "aria-live": "polite" });
  return h("section", { class: "apart" }, h("h2", {}, "Check a text"), h("p", { class: "muted" }, "What every check says of it, going in or out."),
    h("form", { class: "sheet stack", on: { submit: async (event) => {
      event.preventDefault();
      put(results, loading("Checking…"));
      try {
        const given = sources.value.trim();
        const found = await post("/knowledge/check", { text: text.value, direction: way.querySelector("select").value, sources: given ? [given] : null });
        put(results, checks(found.checks), found.reading && h("p", { class: "muted" }, reads(found.reading)), h("h3", {}, "It would go on as"), h("p", { class: "query", dir: "auto" }, found.text === null ? "Nothing: it is blocked." : found.text), h("h3", {}, "Masked"), h("p", { class: "query", dir: "auto" }, found.masked));
      } catch (error) { put(results, failed(error)); }
    } } }, h("label", { class: "field" }, h("span", {}, "Text"), text), h("div", { class: "grid" }, way, h("label", { class: "field" }, h("span", {}, "Sources it should rest on (optional)"), sources)),
    h("div", { class: "row-end" }, h("button", { class: "primary", type: "submit", disabled: !may }, "Check it")), results));
}
