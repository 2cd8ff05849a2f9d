// Intents: the tenant's own phrases, added, moved and taken back; each change is learned at once and holds from the next message.

import { get, post } from "./api.js";
import { session } from "./bus.js";
import { button, h, icon, put } from "./dom.js";
import { choice, empty, failed, head, loading, tag } from "./pieces.js";
import { confirm, dialog, say, warn } from "./toast.js";
import { plural, tidy } from "./words.js";

const SHOWN = 300;
const named = (name, none) => (name === none ? "None of these" : tidy(name));

export async function show(body, opened) {
  put(body, loading());
  let found;
  try { found = await get("/knowledge/intents"); } catch (error) { put(body, failed(error)); return; }
  const again = (name) => show(body, name || opened);
  put(body, head("Intents", "What messages mean to the bot. A correction is learned at once."),
    session.me.may_write && teach("", found, () => again()),
    h("h3", { class: "part" }, "Your own"),
    found.own.length ? h("ul", { class: "cards" }, found.own.map((intent) => card(intent, found, intent.name === opened, again))) : empty("pencil", "No phrases of your own yet", "Correct a message above, or load many with `usher intents load FILE`."),
    h("h3", { class: "part" }, "Built in"), h("ul", { class: "lines sheet" }, found.built_in.map((intent) => h("li", {}, h("b", {}, tidy(intent.name)), h("span", { class: "muted" }, intent.summary)))));
}

function card({ name, phrases }, found, open, again) {
  const may = session.me.may_write;
  return h("li", { class: "card" }, h("details", { class: "card-main", open },
    h("summary", {}, h("b", {}, named(name, found.none)), h("span", { class: "muted" }, ` · ${plural(phrases.length, "phrase")}`)),
    may && more(name, found, again),
    h("ul", { class: "lines phrases" }, phrases.slice(0, SHOWN).map((text) => h("li", {}, h("span", { dir: "auto" }, text),
      may && h("span", { class: "phrase-acts" },
        button("Move…", () => move(text, name, found, again), { class: "link", "aria-label": `Move “${text}”` }),
        button("Delete", (event) => change(event.currentTarget, () => forget({ text }), () => again(name)), { class: "link", "aria-label": `Delete “${text}”` }))))),
    phrases.length > SHOWN ? h("p", { class: "muted" }, `and ${phrases.length - SHOWN} more`) : null,
    may && h("div", { class: "row-end" }, button("Delete all…", () => drop(name, phrases.length, found, again), { class: "plain", icon: "trash" }))));
}

// Adds a phrase to an intent that is there.
function more(name, found, again) {
  const text = h("input", { type: "text", required: true, maxlength: 500, dir: "auto", "aria-label": `Another phrase for ${named(name, found.none)}`, placeholder: "Another phrase" });
  return h("form", { class: "ask", on: { submit: (event) => {
    event.preventDefault();
    change(event.submitter, () => post("/knowledge/intents", { text: text.value, intent: name === found.none ? null : name }), () => again(name));
  } } }, text, h("button", { class: "plain", type: "submit" }, "Add"));
}

function move(text, from, found, again) {
  const names = [...new Set([...found.own, ...found.built_in].map((i) => i.name)), found.none].filter((n, at, all) => n !== from && all.indexOf(n) === at);
  const to = choice("It means", "intent", names.map((n) => [n, named(n, found.none)]));
  const box = dialog("box", "Move this phrase", h("form", { class: "stack", on: { submit: (event) => {
    event.preventDefault();
    const chosen = to.querySelector("select").value;
    change(event.submitter, () => post("/knowledge/intents", { text, intent: chosen === found.none ? null : chosen }), () => { box.close(); again(chosen); });
  } } }, h("p", { dir: "auto" }, `“${text}”`), to, h("div", { class: "row-end" }, h("button", { class: "primary", type: "submit" }, "Move"))));
}

function drop(name, count, found, again) {
  confirm(`Delete ${named(name, found.none)}?`, `The bot forgets ${count === 1 ? "its phrase" : `its ${count} phrases`} and no longer tells messages by them.`, "Delete",
    () => change(null, () => forget({ intent: name }), () => again()), true);
}

const forget = (which) => post("/knowledge/intents/forget", which);

// One change at a time: training takes a moment.
async function change(pressed, act, then) {
  if (pressed) pressed.disabled = true;
  try { await act(); say("Learned."); then(); } catch (error) { if (pressed) pressed.disabled = false; warn(error); }
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
