// Writing: a reply that goes out, or a note that never does. Says where it goes and how long it is.

import { post, seg, upload } from "./api.js";
import { session } from "./bus.js";
import { button, h, icon, put } from "./dom.js";
import { say, warn } from "./toast.js";
import { channel } from "./words.js";

const GSM = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const GSM_TWO = new Set("^{}\\[~]|€\f");
const kept = new Map(); // conversation → what is written and not yet sent
let others, ask, foot, help, state, area, count, send, tabs, target, blocked, attach, chosen, told = 0;

export function mount(where, helpers) {
  foot = where;
  help = helpers;
}

function slot(id) {
  if (!kept.has(id)) kept.set(id, { tab: "reply", reply: "", note: "", keys: {}, files: [], cc: {}, confirmed: [] });
  return kept.get(id);
}

export function open(data) {
  state = { id: data.row.id, data };
  area = h("textarea", { rows: 3, maxlength: 10000, dir: "auto", on: { input: typed, keydown: enter } });
  count = h("span", { class: "count-text", role: "status" });
  target = h("span", { class: "target" });
  blocked = h("div", { class: "blocked" });
  tabs = h("div", { class: "tabs", role: "group", "aria-label": "What you write" });
  send = button("Send", submit, { class: "primary", icon: "send" });
  const picker = h("input", { type: "file", multiple: true, hidden: true, on: { change: () => { take([...picker.files]); picker.value = ""; } } });
  attach = button("Attach", () => picker.click(), { class: "plain", icon: "clip" });
  chosen = h("ul", { class: "files chosen", "aria-label": "Attached files" });
  others = h("div", { class: "recipients", role: "group", "aria-label": "Recipients" });
  ask = h("div", { class: "ask", role: "alert" });
  put(foot, tabs, blocked, others, area, chosen, ask, h("div", { class: "composer-foot" }, target, count, h("span", { class: "grow" }), picker, h("span", { class: "pair" }, attach, send)));
  update(data);
}

export function update(data) {
  if (!state || state.id !== data.row.id) return;
  state.data = data;
  show();
}

export function focus(tab) {
  if (!state) return;
  choose(tab);
  if (area.disabled) blocked.querySelector("button") ? blocked.querySelector("button").focus() : warn(new Error(blocked.textContent));
  else area.focus();
}

function choose(tab) {
  slot(state.id).tab = tab;
  area.value = slot(state.id)[tab];
  show();
  grow();
}

function may() {
  const { row } = state.data;
  if (!session.me.may_write) return "Your role is viewer: you can look, not write.";
  if (slot(state.id).tab === "note") return "";
  if (!row.owner) return row.status === "resolved" ? "This conversation is resolved. Claim it to write to the customer." : row.handoff ? "A person was asked for and nobody has come yet. Claim it to write to the customer." : "The bot has this conversation. Claim it to write to the customer.";
  if (row.owner !== session.me.csm.id) return `${row.owner_name} has this conversation. You can leave a note.`;
  return "";
}

function show() {
  const written = slot(state.id);
  const { row, target: to } = state.data;
  const isNote = written.tab === "note";
  const reason = may();
  foot.dataset.tab = written.tab;
  const held = tabs.contains(document.activeElement);
  put(tabs, [["reply", "Reply", "R"], ["note", "Note", "N"]].map(([key, name, mark]) => h("button", {
    type: "button", class: "tab", "aria-pressed": String(written.tab === key), on: { click: () => { choose(key); if (!area.disabled) area.focus(); } },
  }, key === "note" ? icon("lock") : null, name, h("kbd", {}, mark))));
  if (held) tabs.querySelector("[aria-pressed=true]").focus();
  if (area.value !== written[written.tab]) area.value = written[written.tab];
  area.disabled = Boolean(reason);
  area.hidden = Boolean(reason);
  area.setAttribute("aria-label", isNote ? "Internal note" : "Reply to the customer");
  area.placeholder = isNote ? "Only your team sees this" : `Write to ${row.contact || "the customer"}`;
  if (blocked.print !== reason) {
    blocked.print = reason;
    put(blocked, reason ? [icon("lock"), h("span", {}, reason)] : null);
  }
  put(target, isNote ? [icon("lock"), "Stays inside your team"] : [icon(to.channel), `To ${to.address && to.channel !== "web" ? to.address : "the customer"} by ${channel(to.channel)}${also(to)}`]);
  send.querySelector("span").textContent = isNote ? "Add note" : "Send";
  send.hidden = Boolean(reason);
  attach.hidden = Boolean(reason) || isNote;
  chosen.hidden = isNote;
  put(chosen, written.files.map((f) => h("li", {}, icon("file"), h("span", { dir: "auto" }, f.name),
    h("button", { type: "button", class: "quiet square", "aria-label": `Remove ${f.name}`, on: { click: () => { written.files = written.files.filter((g) => g !== f); delete written.keys.reply; show(); } } }, icon("close")))));
  readers(isNote || reason ? null : state.data.recipients, written);
  measure();
}

// Who a mail reaches. Those outside the customer's company are marked and out until they are ticked.
function readers(found, written) {
  others.hidden = ask.hidden = !found;
  const print = JSON.stringify([found, written.cc]);
  if (!found || others.print === print) return;
  others.print = print;
  put(ask);
  const at = others.contains(document.activeElement) ? document.activeElement.value : null;
  put(others,
    h("div", { class: "recipient-row" }, h("span", { class: "muted" }, "To"), person(found.to)),
    found.cc.length ? h("div", { class: "recipient-row" }, h("span", { class: "muted" }, "Cc"), found.cc.map((who) => h("label", { class: "recipient" },
      h("input", { type: "checkbox", value: who.address, checked: goes(who, written), on: { change: (event) => {
        written.cc[who.address] = event.target.checked;
        delete written.keys.reply; // other readers make it another message
        show();
      } } }), person(who)))) : null);
  if (at) [...others.querySelectorAll("input")].filter((box) => box.value === at).forEach((box) => box.focus());
}

function goes(who, written) {
  return who.address in written.cc ? written.cc[who.address] : !who.outsider || who.known;
}

function person(who) {
  return h("span", { class: who.outsider ? "who outsider" : "who", title: who.address },
    h("bdi", {}, who.name ? `${who.name} <${who.address}>` : who.address), who.outsider ? h("span", { class: "mark" }, "outside") : null);
}

// Before the first mail to somebody outside: say who, and wait for a yes.
function unconfirmed(found, written) {
  return [found.to, ...found.cc.filter((who) => goes(who, written))].filter((who) => who.outsider && !who.known && !written.confirmed.includes(who.address));
}

function confirmFirst(strange, written, to) {
  const names = strange.map((who) => who.address);
  const yes = button("Send to them too", () => { written.confirmed.push(...names); put(ask); submit(); }, { class: "primary" });
  const no = strange.includes(to)
    ? button("Don't send", () => { put(ask); area.focus(); }, { class: "plain" })
    : button("Leave them out", () => { for (const name of names) written.cc[name] = false; put(ask); show(); submit(); }, { class: "plain" });
  put(ask, h("p", {}, names.map((name, n) => [n ? ", " : "", h("bdi", {}, name)]), strange.length === 1 ? " is outside the customer's company. No mail of this conversation has gone there yet." : " are outside the customer's company. No mail of this conversation has gone there yet."), h("div", { class: "ask-row" }, yes, no));
  yes.focus();
}

// a customer of the web chat who has gone asked for word elsewhere: the answer itself only where it is proven to be theirs
function also({ channel: by, also: to }) {
  return by === "web" && to ? `; ${to.words ? "also" : "word of it"} to ${to.address} if unread in ${to.minutes} min` : "";
}

function measure() {
  const text = area.value;
  const isNote = slot(state.id).tab === "note";
  send.disabled = !text.trim();
  if (!text || isNote) { count.textContent = ""; return; }
  const length = [...text].length;
  const to = state.data.target.channel;
  count.textContent = `${length} ${length === 1 ? "character" : "characters"}${to === "sms" || to === "whatsapp" ? ` · ${segments(text)}` : ""}`;
}

// GSM 03.38: 160 characters alone, 153 each in a row; any other character makes it UCS-2 with 70 and 67.
export function segments(text) {
  let septets = 0;
  let plain = true;
  for (const mark of text) {
    if (GSM_TWO.has(mark)) septets += 2;
    else if (GSM.has(mark)) septets += 1;
    else { plain = false; break; }
  }
  const [units, one, each] = plain ? [septets, 160, 153] : [text.length, 70, 67];
  const n = units <= one ? 1 : Math.ceil(units / each);
  return `${n} SMS ${n === 1 ? "segment" : "segments"}${plain ? "" : " (special characters)"}`;
}

async function take(files) {
  const id = state.id;
  const written = slot(id);
  for (const file of files.slice(0, 10 - written.files.length)) {
    try {
      written.files.push(await upload(`/conversations/${seg(id)}/files`, file));
      delete written.keys.reply;
    } catch (error) { warn(error); }
    if (state.id === id) show();
  }
  if (state.id === id) area.focus();
}

function typed() {
  const written = slot(state.id);
  written[written.tab] = area.value;
  delete written.keys[written.tab]; // other words are another message
  measure();
  grow();
  if (written.tab === "reply" && Date.now() - told > 3000) { told = Date.now(); help.announce(); }
}

function grow() {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, 260)}px`;
}

function enter(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); submit(); }
}

function fresh() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

async function submit() {
  const id = state.id;
  const written = slot(id);
  const { tab } = written;
  const text = written[tab];
  if (!text.trim() || send.disabled) return;
  const { files } = written;
  const mail = tab === "reply" ? state.data.recipients : null;
  if (mail) {
    const strange = unconfirmed(mail, written);
    if (strange.length) { confirmFirst(strange, written, mail.to); return; }
  }
  send.disabled = true;
  written.keys[tab] = written.keys[tab] || fresh();
  const body = { text, key: written.keys[tab] };
  if (tab === "reply") body.files = files.map((f) => f.id);
  if (mail) Object.assign(body, { cc: mail.cc.filter((who) => goes(who, written)).map((who) => who.address), confirmed: written.confirmed });
  try {
    await post(`/conversations/${seg(id)}/${tab}`, body);
    if (written[tab] === text) written[tab] = ""; // more may have been written meanwhile
    delete written.keys[tab];
    if (tab === "reply") written.files = written.files.filter((f) => !files.includes(f));
    if (tab === "note") say("Note added.");
    if (state.id === id) { area.value = written[written.tab]; grow(); }
  } catch (error) {
    warn(error); // what was written stays in the field
  }
  if (state.id === id) { await help.refetch(); measure(); }
}
