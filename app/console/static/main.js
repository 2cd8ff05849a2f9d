// Starts the console: frame, routes, keys.

import { get, post } from "./api.js";
import { calm, emit, on, session } from "./bus.js";
import { add, avatar, button, h, icon, put } from "./dom.js";
import { openHelp, keys } from "./keys.js";
import { connect } from "./live.js";
import { confirm, say, warn } from "./toast.js";
import * as handoffs from "./handoffs.js";
import * as inbox from "./inbox.js";
import * as knowledge from "./knowledge.js";
import * as kpis from "./kpis.js";
import * as settings from "./settings.js";

const PLACES = [
  ["", "Inbox", "inbox", inbox], ["handoffs", "Handoffs", "hand", handoffs], ["knowledge", "Knowledge", "book", knowledge],
  ["kpis", "KPIs", "chart", kpis], ["settings", "Settings", "gear", settings],
];
const main = document.getElementById("main");
let shown = null;

export function go(path, replace) {
  if (location.pathname !== path) history[replace ? "replaceState" : "pushState"](null, "", path);
  route();
}

function route() {
  const [first, second, ...more] = location.pathname.replace(/^\/console\/?/, "").split("/");
  const conversation = first === "c" ? decodeURIComponent(second || "") : null;
  const place = PLACES.find(([path]) => path === (conversation === null ? first : "")) || PLACES[0];
  const [path, name, , page] = place;
  for (const link of document.querySelectorAll("#rail a")) {
    if (link.dataset.path === path) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  document.getElementById("title").textContent = name;
  document.body.dataset.place = path || "inbox";
  document.body.dataset.deep = conversation ? "yes" : "no";
  if (shown !== page) {
    if (shown && shown.leave) shown.leave();
    shown = page;
    put(main);
    page.enter(main);
  }
  if (page.select) page.select(conversation, [second, ...more].filter(Boolean).map(decodeURIComponent));
  retitle(name);
}

function retitle(name) {
  const waiting = session.counts.handoffs;
  document.title = `${waiting ? `(${waiting}) ` : ""}${name} · usher`;
}

function frame() {
  const rail = document.getElementById("rail");
  put(rail, h("a", { href: "/console", class: "brand", "aria-label": "usher, inbox" }, h("span", { class: "logo", "aria-hidden": "true" }, "u")),
    PLACES.map(([path, name, glyph]) => h("a", { href: `/console${path ? `/${path}` : ""}`, "data-path": path, title: name },
      icon(glyph), h("span", { class: "label" }, name), path === "handoffs" && h("span", { class: "badge", id: "waiting", hidden: true }))));
  const me = session.me;
  const top = document.getElementById("top");
  put(top, h("h1", { id: "title" }, "Inbox"), h("span", { class: "team" }, me.policy.brand),
    h("span", { class: "live", id: "live", role: "status" }), h("span", { class: "grow" }),
    h("span", { id: "pause" }),
    h("button", { type: "button", class: "quiet square hide-phone", "aria-label": "Keyboard shortcuts", title: "Keyboard shortcuts (?)", on: { click: openHelp } }, icon("help")),
    h("button", { type: "button", class: "quiet square", "aria-label": "Light or dark", title: "Light or dark", on: { click: () => window.usherTheme.toggle() } }, icon("moon")),
    account(me));
  showPause();
}

function account(me) {
  const menu = h("details", { class: "menu" },
    h("summary", { "aria-label": `Signed in as ${me.csm.name}` }, avatar(me.csm.name)),
    h("div", { class: "menu-in" }, h("b", {}, me.csm.name), h("span", { class: "muted" }, me.csm.email),
      h("span", { class: "muted" }, `${me.csm.role === "csm" ? "CSM" : me.csm.role} of ${me.tenant}`),
      button("Sign out", async () => { await post("/logout"); location.assign("/console/login"); }, { class: "plain", icon: "out" })));
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  return menu;
}

async function pause(paused) {
  try {
    session.me.policy = (await post("/pause", { paused })).policy;
    showPause();
    emit("policy");
    say(paused ? "The bot is paused from the next message on." : "The bot answers again.");
  } catch (error) { warn(error); }
}

function askPause() {
  if (session.me.policy.paused) pause(false);
  else confirm("Pause the bot?", "Customers who write wait for a person, on every channel, until it is resumed.", "Pause the bot", () => pause(true), true);
}

function showPause() {
  const { policy, may_write: may } = session.me;
  const spot = document.getElementById("pause");
  const banner = document.getElementById("banner");
  put(spot, button(policy.paused ? "Resume the bot" : "Pause the bot", askPause, { class: "plain", icon: policy.paused ? "play" : "pause", disabled: !may }));
  put(banner, policy.paused && h("p", { class: "paused", role: "status" }, icon("pause"), h("span", {}, "The bot is paused. Customers who write wait for a person.")));
}

const recount = calm(async () => {
  try { session.counts = await get("/counts"); } catch (error) { return; }
  const badge = document.getElementById("waiting");
  badge.hidden = !session.counts.handoffs;
  badge.textContent = session.counts.handoffs > 99 ? "99+" : session.counts.handoffs;
  badge.setAttribute("aria-label", `${session.counts.handoffs} waiting`);
  retitle(document.getElementById("title").textContent);
  emit("counts");
}, 300);

const again = calm(async () => {
  try { session.me = await get("/me"); } catch (error) { return; }
  showPause();
  emit("policy");
}, 200);

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/console']");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
addEventListener("popstate", route);
on("go", go);
on("pause", askPause);
on("hint:conversation", recount);
on("hint:policy", again);
on("refresh", recount);
on("live", (up) => put(document.getElementById("live"), up ? null : add(h("span", { class: "offline" }), [icon("alert"), "Reconnecting…"])));

try {
  session.me = await get("/me");
  frame();
  keys();
  route();
  recount();
  connect();
} catch (error) {
  put(main, h("p", { class: "loading", role: "alert" }, error.message));
}
