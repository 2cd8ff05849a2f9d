// The customer: identities and how sure we are, account, memory, bookings, other conversations.

import { get, post, seg } from "./api.js";
import { session } from "./bus.js";
import { full, now, relative } from "./clock.js";
import { avatar, h, icon, put } from "./dom.js";
import { confirm, say, warn } from "./toast.js";
import { ASSURANCE, channel, MOVED, plural, PROOF, PURPOSE, STATUS, tidy, UNASKED, who } from "./words.js";

let side, shown = null, data = null, asked = 0;

export function mount(where) { side = where; shown = null; }

export function toggle() {
  const panes = document.getElementById("panes");
  const wide = matchMedia("(min-width: 1180px)").matches;
  panes.classList.toggle(wide ? "side-hidden" : "side-open");
  if (!wide && panes.classList.contains("side-open")) side.querySelector("button")?.focus();
}

export function close() { document.getElementById("panes")?.classList.remove("side-open"); }

export function open(contact) {
  shown = contact;
  data = null;
  put(side);
  if (contact) load();
}

// The panel follows the conversation, at most every few seconds.
export function refresh(contact) {
  if (contact === shown && data && Date.now() - asked > 3000) load();
}

async function load() {
  const contact = shown;
  asked = Date.now();
  try {
    const found = await get(`/contacts/${seg(contact)}`);
    if (contact !== shown) return;
    const { now: _now, ...rest } = found;
    if (JSON.stringify(rest) === data) return;
    data = JSON.stringify(rest);
    show(found);
  } catch (error) { if (error.status !== 404) warn(error); }
}

function block(title, glyph, ...content) {
  return h("section", { class: "block" }, h("h3", {}, icon(glyph), title), content);
}

const pair = (name, value) => (value || value === 0 ? [h("dt", {}, name), h("dd", {}, value)] : null);

function show({ contact, account, facts, bookings, conversations, joins, suggestions, unasked }) {
  const name = contact.name || contact.external_id || `Visitor ${String(contact.id || "").slice(-4)}`;
  put(side, h("div", { class: "scroll" },
    h("header", { class: "side-head" }, avatar(name), h("div", {}, h("h2", {}, name), contact.external_id && h("p", { class: "muted" }, contact.external_id)),
      h("button", { type: "button", class: "quiet square side-close", "aria-label": "Close the customer panel", on: { click: toggle } }, icon("close"))),
    h("dl", { class: "pairs" }, pair("Local time", local(contact.time_zone || (account && account.time_zone))), pair("Language", contact.locale)),
    block("Identities", "person", contact.identities.length ? h("ul", { class: "plain-list" }, contact.identities.map(identity)) : none("No address known")),
    suggestions.length ? block("May be the same person", "person", h("ul", { class: "plain-list" }, suggestions.map((s) => suggestion(contact, s)))) : null,
    joins.length ? block("Joined", "person", h("ul", { class: "plain-list" }, joins.map((j) => joined(contact, j)))) : null,
    block("Account", "book", account ? h("dl", { class: "pairs" },
      pair("Name", account.name), pair("Plan", account.edition), pair("Tier", account.tier), pair("ARR", account.arr ? account.arr.toLocaleString(undefined, { maximumFractionDigits: 0 }) : null),
      pair("Renewal", account.renewal_date), pair("Owner", account.owner_name), pair("Region", account.region), pair("Domains", account.domains.join(", "))) : none("No account linked")),
    block("Remembered", "bolt", facts.length ? h("ul", { class: "plain-list" }, facts.map((f) => fact(contact.id, f))) : none("Nothing yet")),
    block("Bookings", "calendar", bookings.length ? h("ul", { class: "plain-list" }, bookings.map(booking)) : none("No sessions")),
    unasked.length ? block("Written unasked", "clock", h("ul", { class: "plain-list" }, unasked.map(wrote))) : null,
    block("Conversations", "inbox", h("ul", { class: "plain-list" }, conversations.map(other)))));
}

const none = (text) => h("p", { class: "muted" }, text);

function local(zone) {
  if (!zone) return null;
  try { return `${new Date(now()).toLocaleTimeString(undefined, { timeZone: zone, hour: "2-digit", minute: "2-digit" })} · ${zone}`; } catch { return zone; }
}

function identity(found) {
  const [name, title] = ASSURANCE[found.assurance] || [found.assurance, ""];
  return h("li", { class: "identity" }, icon(found.kind === "phone" ? "sms" : found.kind), h("span", { class: "value", title: found.value }, found.kind === "web" || found.kind === "visitor" ? "Web visitor" : found.value),
    h("span", { class: `assurance ${found.assurance}`, title }, found.assurance === "proven" ? icon("check") : null, name));
}

// Nothing is joined without proof: a person's word is one.
function suggestion(contact, found) {
  const name = found.name || found.external_id || `Visitor ${String(found.contact_id).slice(-4)}`;
  return h("li", { class: "tie" }, h("div", {}, h("b", {}, name), h("span", { class: "muted" }, `Also named ${found.value}. Nobody has proven it.`)),
    session.me.may_write && h("div", { class: "tie-acts" },
      h("button", { type: "button", class: "plain", on: { click: () => same(contact, found, name) } }, "Same person"),
      h("button", { type: "button", class: "quiet", on: { click: () => match(contact, found, false) } }, "Not the same")));
}

function same(contact, found, name) {
  confirm("Are these one person?", `Conversations, bookings and notes of both are put together with ${name}. It can be undone here.`, "Join them", () => match(contact, found, true));
}

async function match(contact, found, is) {
  try {
    const { contact: remains } = await post(`/contacts/${seg(contact.id)}/matches/${seg(found.contact_id)}`, { same: is });
    say(is ? "Joined." : "Noted: two people.");
    shown = remains;
    await load();
  } catch (error) { warn(error); }
}

function joined(contact, found) {
  const moved = Object.entries(found.moved).filter(([, n]) => n).map(([name, n]) => plural(n, ...MOVED[name])).join(", ");
  return h("li", { class: "tie" }, h("div", {}, h("b", {}, found.by === "system" ? PROOF[found.proof] || `Proven by ${found.proof}` : "Joined by a person"),
    h("span", { class: "muted" }, moved ? `${moved} · ` : "", relative(found.at))),
  session.me.may_write && h("div", { class: "tie-acts" }, h("button", { type: "button", class: "plain", on: { click: () => undo(contact, found) } }, "Undo")));
}

function undo(contact, found) {
  confirm("Undo this join?", "What it moved goes back to the other contact. What came after it stays here.", "Undo the join", async () => {
    try {
      await post(`/contacts/${seg(contact.id)}/joins/${seg(found.id)}/undo`);
      say("Two contacts again.");
      await load();
    } catch (error) { warn(error); }
  }, true);
}

// What nobody asked for: sent, waiting for its hour, or why it was not sent.
function wrote(found) {
  const why = found.state === "refused" ? `Not sent: ${UNASKED[found.reason] || tidy(found.reason || "")}` : found.state === "sent" ? `Sent by ${channel(found.channel)}` : "Waiting for a good hour";
  return h("li", { class: "booking" }, h("b", {}, PURPOSE[found.purpose] || tidy(found.purpose)), h("span", {}, why), h("span", { class: "muted" }, relative(found.decided_at || found.created_at)));
}

function fact(contact, found) {
  return h("li", { class: "fact" }, h("div", {}, h("b", {}, tidy(found.key)), h("span", { dir: "auto" }, found.value),
    h("span", { class: "muted" }, `from ${tidy(found.source)}${found.confidence < 1 ? ` · ${Math.round(found.confidence * 100)}% sure` : ""} · `, relative(found.created_at))),
  session.me.may_write && h("button", { type: "button", class: "quiet square", "aria-label": `Forget ${found.key}`, title: "Forget", on: { click: () => forget(contact, found) } }, icon("trash")));
}

function forget(contact, found) {
  confirm("Forget this?", `“${tidy(found.key)}: ${found.value}” is removed for good. The bot stops using it at once.`, "Forget", async () => {
    try {
      await post(`/contacts/${seg(contact)}/forget`, { key: found.key });
      say("Forgotten.");
      await load();
    } catch (error) { warn(error); }
  }, true);
}

function booking(found) {
  return h("li", { class: "booking" }, h("b", {}, found.title), h("span", {}, full(found.starts_at)), h("span", { class: "muted" }, `with ${found.host} · ${found.status}`));
}

function other(row) {
  return h("li", {}, h("a", { class: "other", href: `/console/c/${seg(row.id)}` }, icon(row.channel, channel(row.channel)),
    h("span", { class: "value" }, row.subject || row.last_text || who(row)), row.status === "resolved" ? icon("check", STATUS.resolved) : null, row.last_at && relative(row.last_at)));
}
