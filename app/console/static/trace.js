// "Why did it say that?": one turn as it was understood, searched, decided, checked and timed.

import { get, seg } from "./api.js";
import { full } from "./clock.js";
import { h, icon } from "./dom.js";
import { dialog } from "./toast.js";
import { ACTIONS, mode, tidy } from "./words.js";

// what a message may be read for, in this order; what is newer comes after it
const SCORES = ["anger", "abuse", "legal_threat", "cancel_intent", "urgency", "safety", "injection", "not_helped"];

export async function openTrace(turn) {
  const box = dialog("drawer", "Why did it say that?", h("p", { class: "loading", role: "status" }, "Loading…"));
  try {
    const found = await get(`/turns/${seg(turn)}`);
    box.fill(picture(found));
  } catch (error) { box.fill(h("p", { role: "alert" }, error.message)); }
}

const part = (title, ...content) => h("section", { class: "trace-part" }, h("h3", {}, title), content);
const percent = (score) => `${Math.round((score || 0) * 100)}%`;

export function bar(score, tone) {
  const fill = h("span", { class: `bar-fill ${tone || ""}` });
  fill.style.width = percent(Math.max(0, Math.min(1, score || 0)));
  return h("span", { class: "bar", "aria-hidden": "true" }, fill);
}

export function understood(found) {
  const mood = found.sentiment || 0;
  return [
    h("dl", { class: "pairs" },
      h("dt", {}, "Language"), h("dd", {}, found.language || "–"),
      h("dt", {}, "Intent"), h("dd", {}, found.intent ? `${tidy(found.intent.name)} · ${percent(found.intent.score)}` : "none of the known ones"),
      h("dt", {}, "Sentiment"), h("dd", {}, `${mood > 0 ? "+" : ""}${mood.toFixed(2)} (${mood <= -0.6 ? "very unhappy" : mood < -0.2 ? "unhappy" : mood > 0.2 ? "happy" : "neutral"})`),
      found.asks_human ? [h("dt", {}, "Asks for"), h("dd", {}, "a person")] : null,
      (found.times || []).length ? [h("dt", {}, "Times"), h("dd", {}, found.times.map((t) => `“${t.text}” → ${full(t.value)}`).join(", "))] : null),
    scores(found)];
}

export function scores(found) {
  const others = Object.keys(found).filter((name) => typeof found[name] === "number" && name !== "sentiment" && !SCORES.includes(name));
  return h("ul", { class: "scores" }, [...SCORES, ...others].filter((name) => typeof found[name] === "number").map((name) => h("li", {}, h("span", {}, tidy(name)), bar(found[name], found[name] >= 0.5 ? "hot" : ""), h("span", { class: "digits" }, percent(found[name])))));
}

export function checks(found) {
  if (!found.length) return h("p", { class: "muted" }, "No check had anything to say.");
  return h("ul", { class: "checks" }, found.map((c) => h("li", { class: c.verdict },
    icon(c.verdict === "pass" ? "check" : c.verdict === "rewrite" ? "pencil" : "close"), h("span", {}, tidy(c.name)), h("span", { class: "muted" }, c.direction === "in" ? "incoming" : "outgoing"),
    h("b", {}, { pass: "Passed", rewrite: "Rewrote", block: "Blocked" }[c.verdict] || c.verdict), c.score ? h("span", { class: "digits muted" }, percent(c.score)) : null, c.reason && h("span", { class: "muted" }, tidy(c.reason)))));
}

// What a turn's language models did and cost; nothing when none was asked.
export function bill(model) {
  if (!model) return h("p", { class: "muted" }, "None was asked: lines and the docs' own sentences cost nothing.");
  const spent = (cost) => (cost ? `$${cost.toFixed(6).replace(/0+$/, "")}` : "no price set");
  const last = model.calls.length - 1;
  return [
    h("p", {}, model.used ? "Its words are in the reply." : "It was asked in vain: nothing it wrote is in the reply."),
    h("dl", { class: "pairs" }, h("dt", {}, "Model"), h("dd", {}, `${model.name} (${model.tier})`), h("dt", {}, "Prompt"), h("dd", { class: "mono" }, model.prompt),
      h("dt", {}, "Tokens"), h("dd", {}, `${model.tokens_in} in, ${model.tokens_out} out`), h("dt", {}, "Cost"), h("dd", {}, spent(model.cost_usd))),
    last > 0 ? h("ul", { class: "lines" }, model.calls.map((c) => h("li", { class: c.ok ? "" : "bad" }, h("span", {}, `${c.prompt.split("@")[0]} by ${c.model}${c.ok ? "" : ": failed"}`), h("span", { class: "muted" }, `${c.tokens_in} in, ${c.tokens_out} out · ${spent(c.cost)}`)))) : null];
}

export function passages(found) {
  return h("ol", { class: "passages" }, found.map((p) => h("li", {}, h("details", {},
    h("summary", {}, h("span", { class: "passage-title" }, p.title || p.document, p.section && h("span", { class: "muted" }, p.section)), bar(p.score), h("span", { class: "digits" }, Number(p.score).toFixed(2))),
    h("blockquote", { dir: "auto" }, p.text), h("p", { class: "muted" }, p.document)))));
}

function picture({ trace, handler, state, started_at: started, ended_at: ended }) {
  const decision = trace.decision || {};
  const timings = Object.entries(trace.timings_ms || {});
  const longest = Math.max(1, ...timings.map(([, ms]) => ms));
  return [
    part("Decision",
      h("p", { class: "verdict" }, h("b", {}, ACTIONS[decision.action] || tidy(decision.action || handler)), decision.confidence !== undefined && h("span", { class: "muted" }, ` · confidence ${percent(decision.confidence)}`)),
      (decision.reasons || []).length ? h("ul", { class: "chips" }, decision.reasons.map((r) => h("li", { class: "chip" }, tidy(r)))) : null,
      h("dl", { class: "pairs" }, h("dt", {}, "Handler"), h("dd", {}, handler), h("dt", {}, "Mode"), h("dd", {}, trace.mode ? mode(trace.mode) : "–"),
        h("dt", {}, "Outcome"), h("dd", {}, state === "dropped" ? "Dropped: a person had taken over" : "Committed"),
        h("dt", {}, "Written by"), h("dd", {}, trace.generated ? "a language model, from the passages" : "no model: lines and the docs' own sentences"),
        (trace.effects || []).length ? [h("dt", {}, "Effects"), h("dd", {}, trace.effects.join(", "))] : null,
        (trace.refused || []).length ? [h("dt", {}, "Refused"), h("dd", {}, trace.refused.map(tidy).join(", "))] : null)),
    trace.understanding && part("Understood", understood(trace.understanding)),
    trace.query && part("Searched for", h("p", { class: "query", dir: "auto" }, trace.query)),
    part("Passages it leaned on", (trace.passages || []).length ? passages(trace.passages) : h("p", { class: "muted" }, "None.")),
    part("Checks", checks(trace.checks || [])),
    trace.model ? part("Language model", bill(trace.model)) : null,
    part("Time", timings.length ? h("ul", { class: "scores" }, timings.map(([name, ms]) => h("li", {}, h("span", {}, tidy(name)), bar(ms / longest), h("span", { class: "digits" }, `${Math.round(ms)} ms`)))) : null,
      h("p", { class: "muted" }, `${full(started)} · ${Math.max(0, Date.parse(ended) - Date.parse(started))} ms from claim to commit`)),
  ];
}
