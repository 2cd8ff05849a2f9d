// One conversation: header with its actions, handoff card, transcript, composer.

import { get, post, seg } from "./api.js";
import { calm, emit, on, session } from "./bus.js";
import { day, full, handoffClock } from "./clock.js";
import * as composer from "./composer.js";
import * as customer from "./customer.js";
import { avatar, button, h, icon, put, reconcile } from "./dom.js";
import { here } from "./live.js";
import { droppedLine, message } from "./message.js";
import { say, warn } from "./toast.js";
import { channel, MODES, mode, STATUS, who } from "./words.js";

const at = { id: null, data: null, dropped: [], others: new Map() };
let pane, head, card, log, scroller, earlier, foot, present, stops, timer;

export function mount(where, side) {
  pane = where;
  customer.mount(side);
  head = h("header", { class: "thread-head" });
  card = h("div", { class: "handoff-spot" });
  earlier = h("div", { class: "more" });
  log = h("ol", { class: "log", role: "log", "aria-label": "Transcript", "aria-live": "polite", "aria-relevant": "additions" });
  scroller = h("div", { class: "scroll thread-scroll", tabindex: 0, "aria-label": "Messages" }, earlier, log);
  // reading the end stays reading the end, also when the composer grows
  scroller.addEventListener("scroll", () => { at.low = nearEnd(); });
  new ResizeObserver(() => { if (at.low) scroller.scrollTop = scroller.scrollHeight; }).observe(scroller);
  present = h("p", { class: "present", role: "status" });
  foot = h("footer", { class: "composer" });
  composer.mount(foot, { refetch, announce: () => at.id && here(at.id, true) });
  stops = [
    on("hint:conversation", (hint) => { if (hint.conversation_id === at.id) soon(); }),
    on("hint:presence", arrive), on("refresh", () => soon()), on("policy", () => soon()),
  ];
  timer = setInterval(() => { if (at.id && !document.hidden) here(at.id, false); showOthers(); }, 15000);
}

export function leave() {
  for (const stop of stops) stop();
  clearInterval(timer);
  at.id = null;
  at.data = null;
}

export function open(id) {
  if (id === at.id && at.data) return;
  at.id = id;
  at.data = null;
  at.dropped = [];
  at.others = new Map();
  log.known = new Map();
  put(log);
  customer.close();
  if (!id) {
    put(pane, h("div", { class: "empty big" }, icon("inbox"), h("b", {}, "Choose a conversation"), h("p", {}, "j and k move, Enter opens, ? shows every shortcut.")));
    customer.open(null);
    return;
  }
  put(pane, h("p", { class: "loading", role: "status" }, "Loading…"));
  load(true);
  here(id, false);
}

const soon = calm(() => load(false), 120);
const refetch = () => load(false);

async function load(fresh) {
  const id = at.id;
  if (!id) return;
  try {
    const data = await get(`/conversations/${seg(id)}`);
    if (at.id !== id) return;
    const older = at.data && !fresh ? at.data.messages.filter((m) => m.seq < (data.messages[0] || { seq: Infinity }).seq) : [];
    const had = at.data && !fresh && older.length ? at.data.earlier : data.earlier;
    at.data = { ...data, messages: [...older, ...data.messages], earlier: had };
    show(fresh);
    if (fresh || data.row.owner) loadDropped(id);
  } catch (error) {
    if (at.id !== id) return;
    if (error.status === 404) put(pane, h("div", { class: "empty big" }, icon("alert"), h("b", {}, "No such conversation"), h("p", {}, "It may have been erased, or belongs to another team.")));
    else warn(error);
  }
}

async function loadDropped(id) {
  try {
    const found = (await get(`/conversations/${seg(id)}/dropped`)).items;
    if (at.id !== id || found.length === at.dropped.length) return;
    at.dropped = found;
    showLog(false);
  } catch (error) { warn(error); }
}

async function loadEarlier() {
  const first = at.data.messages[0];
  try {
    const data = await get(`/conversations/${seg(at.id)}?before=${first.seq}`);
    const height = scroller.scrollHeight;
    at.data.messages = [...data.messages, ...at.data.messages];
    at.data.earlier = data.earlier;
    showLog(false);
    scroller.scrollTop += scroller.scrollHeight - height;
  } catch (error) { warn(error); }
}

function show(fresh) {
  const { row } = at.data;
  if (fresh) {
    put(pane, head, card, scroller, present, foot);
    composer.open(at.data);
    customer.open(row.contact_id);
  }
  showHead();
  showCard();
  showLog(fresh);
  composer.update(at.data);
  customer.refresh(row.contact_id);
  try { localStorage.setItem(`usher-seen-${row.id}`, String(row.seq)); } catch { /* unread marks are a comfort only */ }
}

function showHead() {
  const { row, policy } = at.data;
  const mine = row.owner === session.me.csm.id;
  const may = session.me.may_write;
  const about = [row.account, row.edition, row.tier].filter(Boolean).join(" · ");
  const inherit = `Team setting (${policy.paused ? "paused" : mode(policy.mode).toLowerCase()})`;
  const chosen = h("select", {
    "aria-label": "Who answers", title: row.owner ? "A person has it: hand back first" : "Who answers in this conversation", disabled: !may || Boolean(row.owner),
    on: { change: (event) => act("mode", { mode: event.target.value || null }, "Set from the next message on.") },
  }, MODES.map(([value, name]) => h("option", { value, selected: (row.owner ? "manual" : row.mode || "") === value }, value ? name : inherit)));
  const before = head.querySelector("select");
  const held = before !== null && document.activeElement === before;
  const print = JSON.stringify([row.owner, row.owner_name, row.status, row.mode, row.contact, row.channel, about, policy, may]);
  if (head.print === print) return;
  head.print = print;
  put(head,
    h("a", { href: "/console", class: "back quiet square", "aria-label": "Back to the inbox" }, icon("back")),
    h("div", { class: "who" },
      h("div", { class: "who-top" }, h("h2", {}, who(row)),
        h("span", { class: `status ${row.status}` }, STATUS[row.status] || row.status),
        row.owner_name ? h("span", { class: "tag owner" }, avatar(row.owner_name), mine ? "You have it" : `${row.owner_name} has it`) : h("span", { class: "tag" }, icon("bot"), row.handoff ? "Nobody has it yet" : "With the bot")),
      h("p", { class: "sub" }, icon(row.channel), h("span", {}, [channel(row.channel), about].filter(Boolean).join(" · ")))),
    h("div", { class: "actions" }, !row.owner && chosen,
      !row.owner && button("Claim", claim, { class: "primary", key: "C", disabled: !may }),
      mine && button("Hand back", handBack, { class: "plain", key: "H" }),
      mine && button("Resolve", resolve, { class: "plain", key: "E", icon: "check" }),
      may && h("button", { type: "button", class: "quiet square only-phone", "aria-label": policy.paused ? "Resume the bot" : "Pause the bot", on: { click: () => emit("pause") } }, icon(policy.paused ? "play" : "pause")),
      h("button", { type: "button", class: "quiet square", "aria-label": "Customer panel", title: "Customer panel (I)", on: { click: customer.toggle } }, icon("panel"))));
  if (held) head.querySelector("select")?.focus();
}

function showCard() {
  const { row } = at.data;
  const asked = row.handoff;
  const print = JSON.stringify([asked, row.owner_name]);
  if (card.print === print && card.of === row.id) return;
  card.print = print;
  card.of = row.id;
  if (!asked || !["requested", "claimed"].includes(asked.state)) { put(card); return; }
  put(card, h("section", { class: `handoff ${asked.state} ${asked.severity}`, "aria-label": "Handoff" },
    h("div", { class: "handoff-top" }, icon("hand"), h("b", {}, asked.reason_text),
      asked.severity !== "normal" && h("span", { class: `tag severity ${asked.severity}` }, asked.severity === "urgent" ? "Urgent" : "High"),
      asked.state === "requested" ? handoffClock(asked) : h("span", { class: "muted" }, `Claimed ${asked.claimed_at ? full(asked.claimed_at) : ""}`)),
    h("p", { dir: "auto" }, asked.summary.replace(`${asked.reason_text}. `, ""))));
}

const nearEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;

function showLog(fresh) {
  const { messages, earlier: hasEarlier } = at.data;
  const low = nearEnd();
  const items = [];
  let lastDay = "";
  const dropped = at.dropped.filter((t) => !messages.length || t.ended_at >= messages[0].created_at);
  const lines = [...messages.map((m) => ({ at: m.created_at, order: m.seq, m })), ...dropped.map((t) => ({ at: t.ended_at, order: 0, t }))]
    .sort((a, b) => (a.m && b.m ? a.order - b.order : a.at < b.at ? -1 : 1));
  for (const line of lines) {
    const name = day(line.at);
    if (name !== lastDay) { items.push({ id: `day-${name}`, kind: "day", name }); lastDay = name; }
    items.push(line.m ? { id: line.m.id, kind: "message", m: line.m } : { id: line.t.id, kind: "dropped", t: line.t });
  }
  const started = log.known && log.known.size;
  reconcile(log, items, (item) => item.id, (item) => {
    if (item.kind === "day") return h("li", { class: "day" }, h("span", {}, item.name));
    if (item.kind === "dropped") return droppedLine(item.t);
    const node = message(item.m, at.data.row, decide);
    if (started) node.classList.add("fresh");
    return node;
  });
  put(earlier, hasEarlier ? button("Show earlier messages", loadEarlier, { class: "plain" }) : null);
  if (fresh || low) scroller.scrollTop = scroller.scrollHeight;
  at.low = nearEnd();
}

// ---------------------------------------------------------------- what a person does

async function act(what, body, done) {
  try {
    const found = await post(`/conversations/${seg(at.id)}/${what}`, body);
    if (done) say(done);
    await load(false);
    return found;
  } catch (error) {
    warn(error);
    head.print = null; // a select shows what stands, not what was refused
    await load(false);
    return null;
  }
}

async function claim() {
  const found = await act("claim", {});
  if (!found) return;
  say(found.in_flight ? `It is yours. ${found.in_flight} bot message${found.in_flight > 1 ? "s were" : " was"} already with the provider and is shown as in flight.` : "It is yours. The bot is silent until you hand back.");
  composer.focus("reply");
}

async function handBack() { await act("hand_back", {}, "The bot answers again."); }

async function resolve() { await act("resolve", {}, "Resolved."); }

async function decide(id, action, text) {
  const said = { send: "Sent.", edit: "Sent with your changes.", discard: "Discarded." }[action];
  return act(`drafts/${seg(id)}`, action === "edit" ? { action, text } : { action }, said);
}

export function press(key) {
  if (key === "i") { customer.toggle(); return; }
  if (!at.data) return;
  const { row } = at.data;
  const mine = row.owner === session.me.csm.id;
  if (key === "n") composer.focus("note");
  else if (key === "r") composer.focus("reply");
  else if (!session.me.may_write) warn(new Error("Your role is viewer: you can look, not change."));
  else if (key === "c") { if (mine) say("It is yours already."); else claim(); }
  else if (key === "h") { if (mine) handBack(); else warn(new Error("Claim it first: only its owner hands a conversation back.")); }
  else if (key === "e") { if (mine) resolve(); else warn(new Error("Claim it first: only its owner resolves a conversation.")); }
}

// ---------------------------------------------------------------- who else is here

function arrive(hint) {
  if (hint.conversation_id !== at.id) { at.others.delete(hint.csm_id); showOthers(); return; }
  at.others.set(hint.csm_id, { name: hint.csm, writing: hint.writing, until: Date.now() + (hint.writing ? 6000 : 40000) });
  showOthers();
  if (hint.writing) setTimeout(showOthers, 6100);
}

function showOthers() {
  for (const [id, other] of at.others) if (other.until < Date.now()) at.others.delete(id);
  const texts = [...at.others.values()].map((o) => (o.writing ? `${o.name} is writing…` : `${o.name} is looking at this too`));
  const text = texts.join(" · ");
  if (present && present.textContent !== text) present.textContent = text;
}

on("open-conversation", (id) => emit("go", `/console/c/${seg(id)}`));
