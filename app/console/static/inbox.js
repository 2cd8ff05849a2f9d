// The inbox: a live list beside the conversation and the customer.

import { get } from "./api.js";
import { calm, emit, on, session } from "./bus.js";
import { handoffClock, relative } from "./clock.js";
import { avatar, button, h, icon, put, reconcile } from "./dom.js";
import * as conversation from "./conversation.js";
import { warn } from "./toast.js";
import { channel, plural, who } from "./words.js";

const FILTERS = [["handoffs", "Needs a person"], ["mine", "Mine"], ["open", "Open"], ["resolved", "Resolved"], ["all", "All"]];
const EMPTY = {
  handoffs: ["Nobody waits for a person", "The bot asks for you here when a customer needs one."],
  mine: ["Nothing is yours", "Claim a conversation and it shows here."],
  open: ["No open conversations", "New messages appear here by themselves."],
  resolved: ["Nothing resolved yet", "Resolved conversations are kept here."],
  all: ["No conversations yet", "New messages appear here by themselves."],
};
const view = { filter: sessionStorage.getItem("usher-filter") || "open", search: "", items: [], cursor: null, selected: null, aborter: null };
let stops = [];
let list, more, tabs, search, pane;

export function enter(main) {
  search = h("input", { type: "search", placeholder: "Search messages and people", "aria-label": "Search messages and people", maxlength: 200, value: view.search, on: { input: () => { view.search = search.value; late(); } } });
  tabs = h("div", { class: "filters", role: "group", "aria-label": "Filter" });
  list = h("ul", { class: "rows", "aria-label": "Conversations" });
  more = h("div", { class: "more" });
  pane = h("section", { class: "pane thread", "aria-label": "Conversation" });
  const side = h("aside", { class: "pane side", "aria-label": "Customer" });
  put(main, h("div", { class: "panes", id: "panes" },
    h("section", { class: "pane list", "aria-label": "Inbox" }, h("div", { class: "list-head" }, h("div", { class: "search" }, icon("search"), search, h("kbd", {}, "/")), tabs), h("div", { class: "scroll" }, list, more)),
    pane, side));
  conversation.mount(pane, side);
  showTabs();
  load();
  stops = [on("hint:conversation", soon), on("refresh", soon), on("counts", showTabs), on("key", press)];
}

export function leave() {
  for (const stop of stops) stop();
  conversation.leave();
}

export function select(id) {
  view.selected = id;
  mark();
  conversation.open(id);
}

function showTabs() {
  const focused = tabs.contains(document.activeElement) ? document.activeElement.dataset.filter : null;
  put(tabs, FILTERS.map(([key, name]) => h("button", {
    type: "button", class: "filter", "aria-pressed": String(view.filter === key), "data-filter": key,
    on: { click: () => choose(key) },
  }, name, session.counts[key] ? h("span", { class: `count ${key}` }, session.counts[key] > 99 ? "99+" : session.counts[key]) : null)));
  if (focused) tabs.querySelector(`[data-filter=${focused}]`).focus();
}

function choose(key) {
  view.filter = key;
  sessionStorage.setItem("usher-filter", key);
  view.items = [];
  showTabs();
  load();
}

const soon = calm(() => load(), 150);
const late = calm(() => load(), 220);

async function load(cursor) {
  if (view.aborter) view.aborter.abort();
  view.aborter = new AbortController();
  const query = new URLSearchParams({ filter: view.filter, limit: cursor ? 50 : Math.min(100, Math.max(50, view.items.length)) });
  if (view.search.trim()) query.set("search", view.search.trim());
  if (cursor) query.set("cursor", cursor);
  try {
    const page = await get(`/inbox?${query}`, view.aborter.signal);
    view.items = cursor ? [...view.items, ...page.items] : page.items;
    view.cursor = page.cursor;
    show();
  } catch (error) { warn(error); }
}

function show() {
  const held = list.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  reconcile(list, view.items, (row) => row.id, build);
  mark();
  if (held && !list.contains(document.activeElement)) {
    const link = list.querySelector(`[data-id="${CSS.escape(held)}"]`);
    if (link) link.focus();
  }
  const [head, text] = view.search.trim() ? ["Nothing found", "Search looks in names, addresses, accounts and messages."] : EMPTY[view.filter];
  put(more, view.cursor ? button("Show more", () => load(view.cursor), { class: "plain" }) : null,
    view.items.length ? null : h("div", { class: "empty" }, icon("inbox"), h("b", {}, head), h("p", {}, text)));
}

function seen(id) {
  try { return Number(localStorage.getItem(`usher-seen-${id}`) || 0); } catch { return 0; }
}

function build(row) {
  const name = who(row);
  const author = { customer: "", bot: "Bot: ", csm: "Team: ", system: "" }[row.last_author] || "";
  const unread = row.last_author === "customer" && row.status !== "resolved" && row.seq > seen(row.id);
  const about = [row.account, row.tier && row.tier !== "standard" ? row.tier : null].filter(Boolean).join(" · ");
  return h("li", {}, h("a", { href: `/console/c/${encodeURIComponent(row.id)}`, class: unread ? "row unread" : "row", "data-id": row.id },
    h("span", { class: "face" }, avatar(name), h("span", { class: "chip-channel" }, icon(row.channel, channel(row.channel)))),
    h("span", { class: "row-main" },
      h("span", { class: "row-top" }, h("b", { class: "name" }, name), row.last_at && relative(row.last_at)),
      about && h("span", { class: "about" }, about),
      h("span", { class: "last" }, h("span", { class: "by" }, author), row.last_text || "No messages yet"),
      tags(row))));
}

function tags(row) {
  const found = [
    handoffClock(row.handoff),
    row.drafts ? h("span", { class: "tag draft" }, icon("pencil"), plural(row.drafts, "draft")) : null,
    row.owner_name ? h("span", { class: "tag owner" }, avatar(row.owner_name), row.owner === session.me.csm.id ? "You" : row.owner_name.split(" ")[0]) : null,
    row.status === "resolved" ? h("span", { class: "tag" }, icon("check"), "Resolved") : null,
    row.mode === "draft" ? h("span", { class: "tag" }, "Bot drafts") : null,
  ].filter(Boolean);
  return found.length ? h("span", { class: "tags" }, found) : null;
}

function mark() {
  if (!list) return;
  for (const link of list.querySelectorAll(".row")) {
    const current = link.dataset.id === view.selected;
    if (current) { link.setAttribute("aria-current", "true"); link.classList.remove("unread"); } else link.removeAttribute("aria-current");
  }
}

function press(key) {
  if (key === "/") { search.focus(); search.select(); return; }
  if (key === "Escape") { if (view.selected) emit("go", "/console"); return; }
  if (key !== "j" && key !== "k") { conversation.press(key); return; }
  const links = [...list.querySelectorAll(".row")];
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  const from = at >= 0 ? at : links.findIndex((link) => link.dataset.id === view.selected);
  const next = from < 0 ? 0 : Math.min(links.length - 1, Math.max(0, from + (key === "j" ? 1 : -1)));
  links[next].focus();
}
