/* The phone: texts, delivery ticks, numbered quick replies. */

import { act, clock, composer, face, following, h, icon, keep, linked } from "./dom.js";
import { mountCall } from "./call.js";
import { failMenu, head, picker, unusedNote } from "./frame.js";

const STARTERS = ["How do I invite a teammate?", "Can I book an onboarding session?", "I want to talk to a person"];
const TICKS = { queued: "on its way", accepted: "on its way", sending: "on its way", sent: "sent ✓", delivered: "delivered ✓✓",
  undelivered: "not delivered", failed: "not delivered" };

const pretty = (number) => number.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "+1 ($1) $2-$3");

/* The choices a text offers: its last run of lines that count from 1. */
export const choices = (body) => {
  let found = [];
  for (const line of body.split("\n")) {
    const match = /^\s*(\d{1,2})[.):]\s+(.{1,80})$/.exec(line);
    if (!match) continue;
    if (Number(match[1]) === 1) found = [];
    if (Number(match[1]) === found.length + 1) found.push({ value: match[1], label: match[2] });
  }
  return found;
};

export const mountPhone = (root) => {
  let state = null;
  let number = null;
  const off = h("input", { type: "checkbox", role: "switch", onchange: () => act("phone", { number, on: !off.checked }) });
  const fail = failMenu("sms", "Twilio", h("label", { class: "switch" }, off, h("span", null, "This phone is switched off")));
  const who = picker("Phone", (value) => { number = value; render(state, true); }, {
    label: "Add a phone number", example: "+12025550190",
    done: async (value) => {
      const ok = await act("phone", { number: value.replace(/[\s().-]/g, ""), on: true });
      if (ok) number = value.replace(/[\s().-]/g, "");
      return ok;
    },
  });
  const peer = h("div", { class: "peer" });
  const log = h("div", { class: "log texts", role: "log", "aria-label": "Texts", tabindex: "0" });
  const chips = h("div", { class: "chips", "aria-label": "Quick replies" });
  const words = h("div", { class: "chips quiet", "aria-label": "Keywords" },
    ...["STOP", "START", "HELP"].map((word) => h("button", { type: "button", onclick: () => text(word) }, word)));
  const note = unusedNote("texts");
  const text = (body) => act("text", { number, body });
  const write = composer("Text message", "Text message", text);
  const texts = h("div", { class: "room" }, log, h("div", { class: "foot" }, chips, write.form, words));
  const call = mountCall(() => number);
  call.box.hidden = true;
  const turn = (calling) => {
    call.box.hidden = !calling;
    texts.hidden = calling;
    for (const [other, tab] of [[false, textsTab], [true, callTab]]) tab.setAttribute("aria-pressed", String(other === calling));
  };
  const textsTab = h("button", { type: "button", "aria-pressed": "true", onclick: () => turn(false) }, "Texts");
  const callTab = h("button", { type: "button", "aria-pressed": "false", onclick: () => turn(true) }, "Call");
  const rooms = h("div", { class: "rooms", role: "group", "aria-label": "Texts or a call" }, textsTab, callTab);
  root.append(head("phone", "Phone", fail.box), who.row, rooms, note, peer, texts, call.box);

  const bubble = (message) => {
    const at = new Date(message.at);
    const tick = message.incoming ? TICKS[message.status] || message.status : "";
    const bad = ["undelivered", "failed"].includes(message.status);
    return h("div", { class: `text ${message.incoming ? "in" : "out"}${bad ? " bad" : ""}` },
      h("p", null, linked(message.body)),
      h("small", null, h("time", { datetime: message.at }, clock(at)), tick ? ` · ${tick}` : "", message.error ? ` (${message.error})` : ""));
  };

  const starters = () => h("div", { class: "empty" }, icon("phone", 28),
    h("p", null, "Text us from this phone."), ...STARTERS.map((line) => h("button", { type: "button", onclick: () => text(line) }, line)));

  const render = (next, switched = false) => {
    if (!next) return;
    state = next;
    const { phones, ours, name, failing, failures } = state.phone;
    const phone = phones.find((p) => p.number === number) || phones[0];
    number = phone.number;
    who.render(phones.map((p) => ({ value: p.number, label: p.name === p.number ? pretty(p.number) : `${p.name} · ${pretty(p.number)}` })), number);
    fail.render(failing, failures);
    off.checked = !phone.on;
    note.hidden = !state.unused.includes("sms");
    peer.replaceChildren(face(name), h("div", null, h("b", null, name), h("span", null, phone.on ? pretty(ours) : "This phone is switched off")));
    root.classList.toggle("is-off", !phone.on);
    const items = phone.messages.length ? phone.messages : [{ id: `empty-${number}` }];
    following(log, () => keep(log, items, (m) => m.id, (m) => (m.body === undefined ? starters() : bubble(m))));
    call.render(phone.call);
    if (switched) log.scrollTop = log.scrollHeight;
    const last = phone.messages.at(-1);
    const offered = last?.incoming ? choices(last.body) : [];
    keep(chips, offered, (o) => o.value + o.label, (o) => h("button", { type: "button", onclick: () => text(o.value) }, h("b", null, o.value), o.label));
  };
  const mark = (next) => next.phone.phones.flatMap((p) => p.messages).filter((m) => m.incoming).length;
  return { render, mark };
};
