// Gaps: questions nobody could answer well, ranked by the customers they cost; each can be answered, merged, parted, dismissed.

import { get, post, seg } from "./api.js";
import { session } from "./bus.js";
import { relative } from "./clock.js";
import { button, h, icon, put } from "./dom.js";
import { editor } from "./editor.js";
import { empty, failed, head, loading, open, tag } from "./pieces.js";
import { dialog, say, warn } from "./toast.js";
import { passages } from "./trace.js";
import { channel, plural, STATUS } from "./words.js";

const KINDS = { unanswered: ["Not answered", "help"], disliked: ["Answer did not help", "close"], handed_over: ["Person wanted after the answer", "hand"], blocked: ["Answer was blocked", "lock"] };
const VIEWS = [["open", "Open"], ["answered", "Answered"], ["dismissed", "Dismissed"]];

export function show(body, id) { return id && !VIEWS.some(([key]) => key === id) ? one(body, id) : list(body, id || "open"); }

const kinds = (gap) => (gap.kinds.length ? gap.kinds : [gap.kind]).map((kind) => tag((KINDS[kind] || [kind])[0], "", (KINDS[kind] || [])[1]));

async function list(body, status) {
  put(body, head("Gaps", "Questions the bot could not answer well, those that cost most customers first. Personal data is masked."),
    h("div", { class: "filters", role: "group", "aria-label": "Which gaps" }, VIEWS.map(([key, name]) => h("a", { class: "filter", href: `/console/knowledge/gaps${key === "open" ? "" : `/${key}`}`, "aria-current": key === status ? "true" : null }, name))),
    loading());
  const spot = body.lastChild;
  try {
    const { items } = await get(`/knowledge/gaps?status=${status}`);
    spot.replaceWith(items.length ? h("ol", { class: "cards" }, items.map((gap) => card(gap)))
      : empty("check", status === "open" ? "No open gaps" : "Nothing here", status === "open" ? "Every question so far found an answer." : ""));
  } catch (error) { spot.replaceWith(failed(error)); }
}

function card(gap) {
  return h("li", { class: "card gap-card" },
    h("div", { class: "cost" }, h("b", { class: "digits" }, gap.contacts), h("span", {}, gap.contacts === 1 ? "customer" : "customers")),
    h("div", { class: "card-main" },
      h("a", { class: "question", dir: "auto", href: `/console/knowledge/gaps/${seg(gap.id)}` }, gap.question),
      h("p", { class: "muted" }, `Asked ${plural(gap.times, "time")}${gap.wordings > 1 ? ` in ${gap.wordings} wordings` : ""} · last `, relative(gap.last_at), " · first ", relative(gap.first_at)),
      h("div", { class: "tags" }, kinds(gap), gap.document_id && gap.status === "open" && tag("Answered before, failed again", "warn", "alert")),
      gap.nearest.length ? h("p", { class: "muted" }, `Nearest page: ${gap.nearest.slice(0, 3).join(", ")}`) : null,
      gap.close_reason && h("p", { class: "muted" }, `Dismissed: ${gap.close_reason}`)),
    gap.status === "open" && h("div", { class: "card-end" }, h("a", { class: "plain", href: `/console/knowledge/gaps/${seg(gap.id)}` }, session.me.may_write ? "Answer" : "Look")));
}

async function one(body, id) {
  put(body, loading());
  let found;
  try { found = await get(`/knowledge/gaps/${seg(id)}`); } catch (error) { put(body, failed(error)); return; }
  const { gap, questions, askers, answer } = found;
  const may = session.me.may_write && gap.status === "open";
  const again = () => one(body, id);
  put(body,
    h("a", { class: "link back", href: "/console/knowledge/gaps" }, icon("back"), "All gaps"),
    h("header", { class: "tab-head" }, h("div", {}, h("h2", { dir: "auto" }, gap.question),
      h("p", { class: "muted" }, `${plural(gap.contacts, "customer")} · asked ${plural(gap.times, "time")} · last `, relative(gap.last_at)),
      h("div", { class: "tags" }, kinds(gap), gap.status !== "open" && tag(gap.status === "answered" ? "Answered" : "Dismissed", "good", "check"))),
      may && button("Dismiss…", () => dismiss(gap), { class: "plain", icon: "close" })),
    h("div", { class: "two" },
      h("div", { class: "stack" },
        may ? editor({
          gap: gap.id, editions: found.editions,
          draft: answer ? { ...answer, version: undefined } : { question: gap.question, text: found.suggestion || "", aliases: questions.slice(1).map((q) => q.text), locale: found.locale },
          note: answer ? `There is an answer already (version ${answer.version}); it did not help. What you approve replaces it.` : found.suggestion ? "Begun with what a colleague wrote to the customer. Read it as if everybody will." : null,
          done: (made) => { say(`Approved. The bot answers “${made.question}” from now on.`); open("answers"); },
        }) : gap.status !== "open" ? empty("check", "This gap is closed", gap.close_reason || "") : empty("lock", "Your role is viewer", "You can look, not answer.")),
      h("div", { class: "stack" },
        section(`Asked as (${questions.length})`, h("ul", { class: "lines" }, questions.map((q, n) => h("li", {}, h("span", { dir: "auto" }, q.text), h("span", { class: "muted digits" }, `×${q.times}`),
          may && questions.length > 1 && button("Not the same", () => act(`/knowledge/gaps/${seg(q.id)}/split`, {}, "Parted.", n === 0 ? () => open("gaps") : again), { class: "link", "aria-label": `“${q.text}” is not the same question` }))))),
        found.alike.length ? section("Perhaps the same", h("ul", { class: "lines" }, found.alike.map((q) => h("li", {}, h("a", { dir: "auto", href: `/console/knowledge/gaps/${seg(q.id)}` }, q.text), h("span", { class: "muted digits" }, `${Math.round(q.score * 100)}%`),
          may && button("Merge", () => act(`/knowledge/gaps/${seg(q.id)}/merge`, { into: gap.id }, "Merged.", again), { class: "link", "aria-label": `Merge “${q.text}” into this gap` }))))) : null,
        section("Nearest passages", found.passages.length ? passages(found.passages) : h("p", { class: "muted" }, "None.")),
        section("Who asked", h("ul", { class: "lines" }, askers.map((a) => h("li", {}, h("a", { href: `/console/c/${seg(a.conversation_id)}` }, a.name || `Visitor ${a.contact_id.slice(-4)}`), h("span", { class: "muted" }, `${channel(a.channel)} · ${STATUS[a.status] || a.status}`), relative(a.at))))))));
}

const section = (title, ...content) => h("section", { class: "sheet" }, h("h3", {}, title), content);

async function act(path, bodyOf, done, then) {
  try { await post(path, bodyOf); say(done); then(); } catch (error) { warn(error); }
}

function dismiss(gap) {
  const reason = h("input", { type: "text", maxlength: 300, required: true, placeholder: "Not about our product" });
  const form = h("form", { class: "stack", on: { submit: async (event) => {
    event.preventDefault();
    box.close();
    await act(`/knowledge/gaps/${seg(gap.id)}/dismiss`, { reason: reason.value }, "Dismissed.", () => open("gaps"));
  } } }, h("p", { class: "muted" }, "It stays dismissed when it is asked again."), h("label", { class: "field" }, h("span", {}, "Why does it need no answer?"), reason),
  h("div", { class: "row-end" }, h("button", { class: "primary", type: "submit" }, "Dismiss")));
  const box = dialog("box", "Dismiss this gap", form);
  reason.focus();
}
