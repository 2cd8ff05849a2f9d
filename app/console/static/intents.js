// Intents: the tenant's own phrases, and corrections that hold from the next message on.

import { get, post } from "./api.js";
import { session } from "./bus.js";
import { h, icon, put } from "./dom.js";
import { empty, failed, head, loading, tag } from "./pieces.js";
import { say, warn } from "./toast.js";
import { plural, tidy } from "./words.js";

export async function show(body) {
  put(body, loading());
  let found;
  try { found = await get("/knowledge/intents"); } catch (error) { put(body, failed(error)); return; }
  put(body, head("Intents", "What messages mean to the bot. A correction is learned at once."),
    session.me.may_write && teach("", found, () => show(body)),
    h("h3", { class: "part" }, "Your own"),
    found.own.length ? h("ul", { class: "cards" }, found.own.map((intent) => h("li", { class: "card" }, h("details", { class: "card-main" }, h("summary", {}, h("b", {}, intent.name === found.none ? "None of these" : tidy(intent.name)), h("span", { class: "muted" }, ` · ${plural(intent.phrases.length, "phrase")}`)), h("ul", { class: "lines" }, intent.phrases.slice(0, 300).map((p) => h("li", { dir: "auto" }, p))))))) : empty("pencil", "No phrases of your own yet", "Correct a message above, or load many with `usher intents load FILE`."),
    h("h3", { class: "part" }, "Built in"), h("ul", { class: "lines sheet" }, found.built_in.map((intent) => h("li", {}, h("b", {}, tidy(intent.name)), h("span", { class: "muted" }, intent.summary)))));
}

// "This was actually X / none of these": a message and what it should have been understood as.
export function teach(message, { own, built_in: builtIn, none }, done) {
  const names = [...new Set([...own.map((i) => i.name), ...builtIn.map((i) => i.name)])].filter((n) => n !== none).sort();
  const text = h("input", { type: "text", required: true, maxlength: 500, value: message, dir: "auto" });
  const options = h("datalist", { id: "intent-names" }, names.map((n) => h("option", { value: n })));
  const intent = h("input", { type: "text", maxlength: 200, list: "intent-names", placeholder: "An intent, known or new" });
  const nothing = h("input", { type: "checkbox", on: { change: () => { intent.disabled = nothing.checked; } } });
  const result = h("p", { role: "status" });
  return h("form", { class: "sheet stack", "aria-label": "Correct an intent", on: { submit: async (event) => {
    event.preventDefault();
    if (!nothing.checked && !intent.value.trim()) { intent.focus(); return; }
    put(result, "Learning…");
    try {
      const now = await post("/knowledge/intents", { text: text.value, intent: nothing.checked ? null : intent.value.trim() });
      put(result, icon("check"), ` Learned. The message now means: ${now.intent ? tidy(now.intent.name) : "none of these"}.`);
      say("Learned.");
      if (done) done(now);
    } catch (error) { put(result); warn(error); }
  } } }, h("div", { class: "grid" }, h("label", { class: "field" }, h("span", {}, "This message"), text), h("label", { class: "field" }, h("span", {}, "was actually"), intent, options)),
  h("div", { class: "row-between" }, h("label", { class: "check" }, nothing, "None of these"), h("button", { class: "primary", type: "submit" }, "Teach")), result);
}

export const intentTag = (intent) => (intent ? tag(`${tidy(intent.name)} · ${Math.round(intent.score * 100)}%`) : tag("none of these"));
