// One message of the transcript. Customers' words are shown as they wrote them, never as markup.

import { full, hour } from "./clock.js";
import { avatar, button, h, icon } from "./dom.js";
import { session } from "./bus.js";
import { openTrace } from "./trace.js";
import { channel, DELIVERY, who } from "./words.js";

export function message(m, row, decide) {
  if (m.kind === "note") return note(m);
  if (m.status === "proposed") return draft(m, decide);
  const name = m.author === "customer" ? who(row) : m.author === "bot" ? m.author_name || "Bot" : m.author_name || "usher";
  if (m.author === "system" || (m.kind === "notice" && m.author !== "bot")) return notice(m);
  const side = m.author === "customer" ? "in" : "out";
  const unsent = ["dropped", "discarded", "expired"].includes(m.status);
  return h("li", { class: `message ${side} ${m.author} ${unsent ? "unsent" : ""}` },
    avatar(name, m.author),
    h("div", { class: "body" },
      h("div", { class: "meta" }, h("b", {}, name), label(m), h("span", { class: "via" }, channel(m.channel)), h("time", { datetime: m.created_at, title: full(m.created_at) }, hour(m.created_at))),
      m.subject && side === "in" ? h("div", { class: "subject" }, m.subject) : null,
      bubble(m), extras(m),
      h("div", { class: "under" }, side === "out" ? [delivery(m), why(m), mark(m)] : since(m))));
}

// What the customer changed after writing, and who else read it.
function since(m) {
  return [
    m.taken_back ? h("span", {}, icon("trash"), "Taken back by the customer") : null,
    m.before != null && !m.taken_back ? h("details", { class: "before" }, h("summary", {}, "Edited"), h("p", { dir: "auto" }, m.before)) : null,
    m.shared ? h("span", {}, icon("person"), "Others read along here") : null,
    m.cc.length ? h("span", { title: m.cc.join(", ") }, icon("person"), `Also to ${m.cc.length === 1 ? m.cc[0] : `${m.cc.length} others`}`) : null,
  ];
}

function label(m) {
  if (m.author === "bot") return h("span", { class: "role bot" }, "Bot");
  if (m.author === "csm") return h("span", { class: "role csm" }, "Team");
  return h("span", { class: "role" }, "Customer");
}

// [1] in the bot's text points at its citation; everything else is plain text.
function bubble(m) {
  const known = new Set(m.citations.map((c) => String(c.number)));
  const parts = m.text.split(/(\[\d{1,3}\])/).map((part) => {
    const number = /^\[(\d+)\]$/.exec(part);
    return number && known.has(number[1]) ? h("sup", { class: "cite" }, number[1]) : part;
  });
  return h("div", { class: "bubble", dir: "auto" }, m.text ? parts : h("em", { class: "muted" }, "No text"));
}

function extras(m) {
  return [
    m.attachments.length ? h("ul", { class: "files" }, m.attachments.map(file)) : null,
    m.citations.length ? h("ul", { class: "citations", "aria-label": "Citations" }, m.citations.map(cited)) : null,
    m.choices.length ? h("div", { class: "choices" }, m.choices.map((c) => h("span", { class: "choice" }, c))) : null,
  ];
}

const REFUSED = {
  too_large: "not kept: too large", too_many: "not kept: too many at once", not_allowed: "not kept: this kind is not allowed",
  not_what_it_says: "not kept: it is not what its name says", unreachable: "not kept: it could not be fetched",
};

// Downloaded, never opened as a page; a picture is shown small, by this server alone.
function file(a) {
  const about = a.refused ? REFUSED[a.refused] || "not kept" : a.size ? size(a.size) : "being fetched";
  if (!a.id || a.refused || !a.size) return h("li", { class: a.refused ? "refused" : "" }, icon(a.refused ? "alert" : "clock"), h("span", { dir: "auto" }, a.name), h("span", { class: "muted" }, ` · ${about}`));
  const link = `/console/api/files/${encodeURIComponent(a.id)}`;
  return h("li", {},
    a.shown ? h("a", { href: link, download: a.name, class: "picture" }, h("img", { src: `${link}?shown=true`, alt: a.name, loading: "lazy" })) : null,
    h("a", { href: link, download: a.name, class: "file" }, icon("file"), h("span", { dir: "auto" }, a.name)), h("span", { class: "muted" }, ` · ${about}`));
}

function cited(c) {
  const safe = /^https?:\/\//.test(c.url || "");
  return h("li", {}, h("details", {},
    h("summary", {}, h("span", { class: "number" }, c.number), h("span", {}, c.title || c.document), c.section && h("span", { class: "muted" }, c.section)),
    h("blockquote", {}, c.quote),
    h("p", { class: "muted" }, c.document, safe && [" · ", h("a", { href: c.url, target: "_blank", rel: "noopener noreferrer" }, "Open the page")])));
}

const size = (bytes) => (bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1048576).toFixed(1)} MB`);

function delivery(m) {
  const [text, glyph] = DELIVERY[m.status] || [m.status, "clock"];
  const flight = m.author === "bot" && (m.status === "claimed" || m.status === "unknown");
  return h("span", { class: `delivery ${m.status}` }, icon(glyph), flight ? "In flight: already with the provider" : text);
}

function why(m) {
  if (!m.turn_id || m.author !== "bot") return null;
  return h("button", { type: "button", class: "link", on: { click: () => openTrace(m.turn_id) } }, "Why did it say that?");
}

function mark(m) {
  if (!m.feedback) return null;
  const good = m.feedback === "up" || Number(m.feedback) > 3;
  return h("span", { class: good ? "feedback good" : "feedback bad" }, m.feedback === "up" ? "👍 Helped" : m.feedback === "down" ? "👎 Did not help" : `Rated ${m.feedback} of 5`);
}

function notice(m) {
  return h("li", { class: "notice" }, h("p", {}, h("span", { dir: "auto" }, m.text)),
    h("span", { class: "muted" }, `${m.author_name || "usher"} · notice by ${channel(m.channel)} · ${hour(m.created_at)} · ${(DELIVERY[m.status] || [m.status])[0]}`));
}

function note(m) {
  return h("li", { class: "note" }, h("div", { class: "meta" }, icon("lock"), h("b", {}, m.author_name || "Team"), h("span", {}, "Internal note, never sent"), h("time", { datetime: m.created_at, title: full(m.created_at) }, hour(m.created_at))),
    h("p", { dir: "auto" }, m.text));
}

function draft(m, decide) {
  const may = session.me.may_write;
  const text = bubble(m);
  const area = h("textarea", { "aria-label": "Edit the proposed reply", rows: 5, maxlength: 10000, hidden: true, dir: "auto", value: m.text });
  const actions = h("div", { class: "draft-actions" });
  const lock = async (action, edited) => {
    for (const b of actions.querySelectorAll("button")) b.disabled = true;
    await decide(m.id, action, edited);
    for (const b of actions.querySelectorAll("button")) b.disabled = false;
  };
  const rest = () => {
    area.hidden = true;
    text.hidden = false;
    actions.replaceChildren(
      button("Send", () => lock("send"), { class: "primary", icon: "send", key: "↵", disabled: !may }),
      button("Edit", edit, { class: "plain", icon: "pencil", disabled: !may }),
      button("Discard", () => lock("discard"), { class: "plain", icon: "trash", disabled: !may }));
  };
  const send = () => { if (area.value.trim()) lock(area.value === m.text ? "send" : "edit", area.value); };
  const edit = () => {
    area.hidden = false;
    text.hidden = true;
    actions.replaceChildren(button("Send with changes", send, { class: "primary", icon: "send" }), button("Cancel", rest, { class: "plain" }));
    area.focus();
  };
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); send(); }
    if (event.key === "Escape") { event.stopPropagation(); rest(); }
  });
  rest();
  const node = h("li", {
    class: "message out proposed", tabindex: 0, "aria-label": "Proposed reply, not sent. Enter sends it.",
    on: { keydown: (event) => { if (event.target === node && event.key === "Enter" && may) { event.preventDefault(); lock("send"); } } },
  }, avatar(m.author_name, "bot"), h("div", { class: "body" },
    h("div", { class: "meta" }, h("b", {}, m.author_name || "Bot"), h("span", { class: "role draft" }, "Proposed reply, not sent"), h("span", { class: "via" }, channel(m.channel)), h("time", { datetime: m.created_at }, hour(m.created_at))),
    text, area, extras(m), actions, h("div", { class: "under" }, why(m))));
  return node;
}

export function droppedLine(turn) {
  const text = ((turn.trace || {}).reply || {}).text;
  return h("li", { class: "notice dropped" }, h("details", {},
    h("summary", {}, icon("close"), h("span", {}, "The bot's answer was not sent: a person had taken over")),
    text ? h("blockquote", { dir: "auto" }, text) : null,
    h("button", { type: "button", class: "link", on: { click: () => openTrace(turn.id) } }, "What did it want to say, and why?")));
}
