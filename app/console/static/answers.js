// Approved answers: what the team itself taught the bot; due ones first, edited as new versions, withdrawn at once.

import { get, post, seg } from "./api.js";
import { session } from "./bus.js";
import { button, h, icon, put } from "./dom.js";
import { editor } from "./editor.js";
import { badges, day, empty, failed, head, loading, open, tag } from "./pieces.js";
import { dialog, say, warn } from "./toast.js";

export async function show(body, id) {
  put(body, loading());
  let found;
  try { found = await get("/knowledge/answers"); } catch (error) { put(body, failed(error)); return; }
  const again = () => show(body);
  if (id) return edit(body, found, found.items.find((a) => a.id === id) || null);
  const items = [...found.items].sort((a, b) => Number(b.due) - Number(a.due));
  const due = items.filter((a) => a.due).length;
  put(body, head("Answers", `What the team itself taught the bot.${due ? ` ${due} due for review.` : ""}`, session.me.may_write && h("a", { class: "plain", href: "/console/knowledge/answers/new" }, icon("pencil"), "Write an answer")),
    items.length ? h("ul", { class: "cards" }, items.map((a) => card(a, again))) : empty("book", "No answers yet", "Answer a gap, and it stands here."),
    found.withdrawn.length ? h("details", { class: "sheet" }, h("summary", {}, `Withdrawn (${found.withdrawn.length})`), h("ul", { class: "lines" }, found.withdrawn.map((a) => h("li", {}, h("span", {}, a.question), h("span", { class: "muted" }, `withdrawn ${day(a.withdrawn_at)}`))))) : null);
}

function card(a, again) {
  return h("li", { class: "card" }, h("div", { class: "card-main" },
    h("p", { class: "question", dir: "auto" }, a.question), h("p", { class: "last", dir: "auto" }, a.text),
    badges({ ...a, version: String(a.version), review_by: a.due ? a.review_by : null }),
    h("p", { class: "muted" }, `By ${a.author}${a.review_by && !a.due ? ` · look again by ${day(a.review_by)}` : ""}${a.aliases.length ? ` · ${a.aliases.length} other ${a.aliases.length === 1 ? "wording" : "wordings"}` : ""}`)),
  session.me.may_write && h("div", { class: "card-end" }, h("a", { class: "plain", href: `/console/knowledge/answers/${seg(a.id)}` }, icon("pencil"), a.due ? "Review" : "Edit"), button("Withdraw…", () => withdraw(a, again), { class: "plain", icon: "trash" })));
}

function edit(body, found, a) {
  put(body, h("a", { class: "link back", href: "/console/knowledge/answers" }, icon("back"), "All answers"),
    head(a ? "Edit the answer" : "Write an answer", a ? `Version ${a.version}. What you approve takes its place at once.` : "For what nobody has asked yet.", a && a.due && tag("Review due", "warn", "alert")),
    session.me.may_write ? editor({ answer: a && a.id, editions: found.editions, draft: a || { locale: found.locale }, done: (made) => { say(`Approved: version ${made.version}.`); open("answers"); } }) : empty("lock", "Your role is viewer", "You can look, not write."));
}

function withdraw(a, again) {
  const reason = h("input", { type: "text", maxlength: 300, placeholder: "No longer true" });
  const box = dialog("box", "Withdraw this answer?", h("form", { class: "stack", on: { submit: async (event) => {
    event.preventDefault();
    box.close();
    try { await post(`/knowledge/answers/${seg(a.id)}/withdraw`, { reason: reason.value }); say("Withdrawn. The bot no longer says it."); again(); } catch (error) { warn(error); }
  } } }, h("p", {}, `“${a.question}”`), h("p", { class: "muted" }, "It is silent at once, and its gap is open again."), h("label", { class: "field" }, h("span", {}, "Why"), reason),
  h("div", { class: "row-end" }, h("button", { class: "danger", type: "submit" }, "Withdraw"))));
  reason.focus();
}
