// The editor of an answer: what must not go public is highlighted by the server while one writes, and said in words.

import { post, seg } from "./api.js";
import { session } from "./bus.js";
import { h, icon, put } from "./dom.js";
import { choice, field, LANGUAGES } from "./pieces.js";
import { warn } from "./toast.js";
import { tidy } from "./words.js";

const KINDS = { pii: "Personal data", name: "Name", amount: "Amount", policy: "Money or policy", promise: "Promise", date: "Date" };
const REVIEW_AFTER = 180; // days
const QUIET = 450; // ms after the last key before the server is asked

export function editor({ gap, answer, draft, editions, note, done }) {
  const vouched = new Set();
  const question = h("input", { type: "text", name: "question", maxlength: 300, required: true, value: draft.question || "" });
  const text = h("textarea", { name: "text", rows: 9, required: true, value: draft.text || "", placeholder: "Markdown. Steps as a numbered list." });
  const aliases = h("textarea", { name: "aliases", rows: 3, value: (draft.aliases || []).join("\n") });
  const author = h("input", { type: "text", name: "author", maxlength: 120, required: true, value: draft.author || session.me.csm.name });
  const review = h("input", { type: "date", name: "review_by", required: true, value: day(draft.review_by && Date.parse(draft.review_by) > Date.now() ? new Date(draft.review_by) : new Date(Date.now() + REVIEW_AFTER * 86400000)) });
  const audience = choice("Who may read it", "audience", [["public", "Customers"], ["internal", "The team only"]], draft.internal ? "internal" : "public");
  const locale = choice("Language", "locale", Object.entries({ ...(LANGUAGES[draft.locale] ? {} : { [draft.locale || "en"]: draft.locale || "en" }), ...LANGUAGES }), draft.locale || "en");
  const boxes = editions.map((name) => h("input", { type: "checkbox", name: "edition", value: name, checked: (draft.editions || []).includes(name) }));
  const plans = h("fieldset", { class: "field plans" }, h("legend", {}, "Editions"), h("div", { class: "checks-row" }, boxes.map((box, n) => h("label", {}, box, editions[n]))), h("small", { class: "muted" }, "None chosen: every edition."));
  const shown = h("div", { class: "preview", "aria-label": "The answer with what to look at" });
  const marks = h("ul", { class: "marks" });
  const verdict = h("div", { class: "verdicts", role: "status" });
  const approve = h("button", { class: "primary", type: "submit", disabled: true }, h("span", {}, answer ? "Approve as a new version" : "Approve"));

  const value = () => ({
    question: question.value, text: text.value, author: author.value, locale: locale.querySelector("select").value,
    aliases: aliases.value.split("\n").map((line) => line.trim()).filter(Boolean),
    internal: audience.querySelector("select").value === "internal", editions: boxes.filter((box) => box.checked).map((box) => box.value),
    review_by: review.value ? `${review.value}T00:00:00Z` : null, public: [...vouched],
  });

  let timer = null, asked = 0, reviewed = "";
  // leaving a field says "change" again: a review of the same text would take the button away under the pointer
  const later = () => {
    if (JSON.stringify(value()) === reviewed) return;
    approve.disabled = true;
    clearTimeout(timer);
    timer = setTimeout(check, QUIET);
  };
  async function check() {
    const turn = ++asked;
    const given = value();
    reviewed = JSON.stringify(given);
    if (!given.text.trim()) { put(shown); put(marks); put(verdict, h("p", { class: "muted" }, "Write the answer; what to look at is marked as you go.")); return; }
    try {
      const found = await post(`/knowledge/answers/review${gap ? `?gap=${seg(gap)}` : ""}`, given);
      if (turn !== asked) return;
      put(shown, highlighted(given.text, found.spans));
      put(marks, found.spans.map((span) => mark(given.text.slice(span.start, span.end), span)));
      judge(found);
    } catch (error) {
      if (turn !== asked) return;
      reviewed = "";
      put(verdict, h("p", { class: "bad-text", role: "alert" }, icon("alert"), error.message));
    }
  }

  function mark(quote, span) {
    const own = span.kind === "pii" && h("label", { class: "vouch" }, h("input", { type: "checkbox", checked: vouched.has(quote), on: { change: (event) => { if (event.target.checked) vouched.add(quote); else vouched.delete(quote); later(); } } }), "It is the company's own");
    return h("li", {}, h("span", { class: `mark-kind ${span.kind}` }, KINDS[span.kind] || span.kind), h("q", {}, quote), h("span", { class: "muted" }, span.reason), own);
  }

  function judge(found) {
    const refused = found.needs_approver && !found.may_approve;
    put(verdict,
      found.problems.map((problem) => h("p", { class: "bad-text" }, icon("close"), problem)),
      found.needs_approver && h("p", { class: refused ? "bad-text" : "warn-text" }, icon(refused ? "lock" : "alert"), `${found.who_may} It is about: ${found.about.join(", ").toLowerCase()}.${refused ? " Your role may not." : ""}`),
      !found.problems.length && !refused && h("p", { class: "good-text" }, icon("check"), "It may be approved."),
      h("details", {}, h("summary", {}, `Outgoing checks (${found.checks.length})`), h("ul", { class: "checks" }, found.checks.map((c) => h("li", { class: c.verdict }, icon(c.verdict === "pass" ? "check" : c.verdict === "rewrite" ? "pencil" : "close"), h("span", {}, tidy(c.name)), h("b", {}, { pass: "Passed", rewrite: "Would rewrite", block: "Would block" }[c.verdict]), c.reason && h("span", { class: "muted" }, tidy(c.reason)))))));
    approve.disabled = Boolean(found.problems.length) || refused;
  }

  const form = h("form", { class: "sheet editor", "aria-label": "Answer", on: {
    input: later, change: later,
    submit: async (event) => {
      event.preventDefault();
      approve.disabled = true;
      const path = answer ? `/knowledge/answers/${seg(answer)}` : gap ? `/knowledge/gaps/${seg(gap)}/approve` : "/knowledge/answers";
      try { done((await post(path, value())).answer); } catch (error) { warn(error); check(); }
    },
  } },
  note && h("p", { class: "hint" }, icon("pencil"), note),
  field("Question", question), field("Answer", text),
  h("section", { class: "look", "aria-label": "Review" }, h("h3", {}, "What to look at"), shown, marks, verdict),
  field("Other wordings, one a line", aliases, "The answer is found by these too; customers never see them."),
  h("div", { class: "grid" }, audience, locale, plans, field("Author", author), field("Look at it again by", review)),
  h("div", { class: "row-end" }, approve));
  check();
  return form;
}

const day = (date) => date.toISOString().slice(0, 10);

// Text with its spans marked; each mark says in words what it is.
function highlighted(text, spans) {
  const parts = [];
  let at = 0;
  for (const span of spans) {
    parts.push(text.slice(at, span.start), h("mark", { class: span.kind, title: `${KINDS[span.kind] || span.kind}: ${span.reason}` }, text.slice(span.start, span.end), h("span", { class: "unseen" }, ` (${KINDS[span.kind] || span.kind})`)));
    at = span.end;
  }
  return [...parts, text.slice(at)];
}
