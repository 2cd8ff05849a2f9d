/* The phone: texts and WhatsApp, delivery ticks, numbered quick replies, buttons, the 24-hour window. */

import { act, clock, composer, face, following, h, icon, keep, link, linked } from "./dom.js";
import { mountCall } from "./call.js";
import { failMenu, head, picker, unusedNote } from "./frame.js";

const STARTERS = ["How do I invite a teammate?", "Can I book an onboarding session?", "I want to talk to a person"];
const TICKS = { queued: "on its way", accepted: "on its way", sending: "on its way", sent: "sent ✓", delivered: "delivered ✓✓",
  read: "read ✓✓", undelivered: "not delivered", failed: "not delivered" };

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

/* WhatsApp's own markup: *bold*, _italic_, ~struck~, `code`; web addresses as links. */
const MARKS = { "*": "b", _: "i", "~": "s", "`": "code" };
const marked = (text) => text.split(/((?<![\w*_~`])([*_~`])(?=\S)[^\n]*?\S?\2(?![\w*_~`]))/).flatMap((piece, at, all) => {
  if (at % 3 === 2) return [];
  const mark = at % 3 === 1 ? MARKS[all[at + 1]] : null;
  return mark ? [h(mark, null, ...linked(piece.slice(1, -1)))] : linked(piece);
});

export const mountPhone = (root) => {
  let state = null;
  let number = null;
  let app = "sms";
  const off = h("input", { type: "checkbox", role: "switch", onchange: () => act("phone", { number, on: !off.checked }) });
  const shut = h("button", { type: "button", class: "shut", title: "As if 24 hours had passed since they wrote", onclick: () => act("window", { number }) }, "Close it");
  const fail = failMenu("sms", "Twilio", h("label", { class: "switch" }, off, h("span", null, "This phone is switched off")));
  const apps = h("div", { class: "rooms", role: "group", "aria-label": "App" }, ...[["sms", "Texts"], ["whatsapp", "WhatsApp"], ["call", "Call"]].map(([name, label]) =>
    h("button", { type: "button", "aria-pressed": String(name === app), onclick: (event) => {
      for (const other of apps.children) other.setAttribute("aria-pressed", String(other === event.currentTarget));
      call.box.hidden = name !== "call";
      texts.hidden = name === "call";
      app = name === "call" ? "sms" : name;
      log.replaceChildren();
      render(state, true);
    } }, label)));
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
  const note = unusedNote("messages");
  const text = (body, button = "") => (app === "sms" ? act("text", { number, body }) : act("whatsapp", { number, body, button }));
  const write = composer("Text message", "Text message", text);
  const texts = h("div", { class: "room" }, log, h("div", { class: "foot" }, chips, write.form, words));
  const call = mountCall(() => number);
  call.box.hidden = true;
  root.append(head("phone", "Phone", fail.box), who.row, apps, note, peer, texts, call.box);

  const bubble = (message) => {
    const at = new Date(message.at);
    const tick = message.incoming ? TICKS[message.status] || message.status : "";
    const bad = ["undelivered", "failed"].includes(message.status);
    return h("div", { class: `text ${message.incoming ? "in" : "out"}${bad ? " bad" : ""}` },
      message.template ? h("small", { class: "kind" }, "approved template") : null,
      message.body ? h("p", null, ...(app === "sms" ? linked(message.body) : marked(message.body))) : null,
      ...message.media.map((url) => h("p", { class: "media" }, icon("clip", 16), link(url, url.split("/").at(-1) || url))),
      h("small", null, h("time", { datetime: message.at }, clock(at)), tick ? ` · ${tick}` : "", message.error ? ` (${message.error})` : ""));
  };

  const isOpen = (phone) => phone.whatsapp.open_until && new Date(phone.whatsapp.open_until) > new Date();
  const about = (phone, ours) => {
    if (app === "sms") return pretty(ours);
    if (!isOpen(phone)) return "window closed: approved templates only";
    const until = new Date(phone.whatsapp.open_until);
    return `window open until ${clock(until)}${until.getDate() === new Date().getDate() ? "" : " tomorrow"}`;
  };

  const starters = () => h("div", { class: "empty" }, icon("phone", 28),
    h("p", null, app === "sms" ? "Text us from this phone." : "Write to us by WhatsApp. Until then only approved templates arrive."), ...STARTERS.map((line) => h("button", { type: "button", onclick: () => text(line) }, line)));

  const render = (next, switched = false) => {
    if (!next) return;
    state = next;
    const { phones, ours, name, failing, failures } = state.phone;
    const phone = phones.find((p) => p.number === number) || phones[0];
    number = phone.number;
    who.render(phones.map((p) => ({ value: p.number, label: p.name === p.number ? pretty(p.number) : `${p.name} · ${pretty(p.number)}` })), number);
    fail.render(failing, failures);
    off.checked = !phone.on;
    const shown = app === "sms" ? phone.messages : phone.whatsapp.messages;
    note.hidden = !state.unused.includes(app);
    peer.replaceChildren(face(name), h("div", null, h("b", null, name), h("span", null, phone.on ? about(phone, ours) : "This phone is switched off")),
      ...(app === "whatsapp" && isOpen(phone) ? [shut] : []));
    root.dataset.app = app;
    write.field.setAttribute("aria-label", app === "sms" ? "Text message" : "WhatsApp message");
    write.field.placeholder = app === "sms" ? "Text message" : "WhatsApp message";
    root.classList.toggle("is-off", !phone.on);
    const items = shown.length ? shown : [{ id: `empty-${app}-${number}` }];
    const last = shown.at(-1);
    const buttons = last?.incoming ? last.buttons : [];
    const offered = last?.incoming && !buttons.length ? choices(last.body) : [];
    const all = [...offered, ...buttons.map((b) => ({ ...b, label: b.title, value: b.title }))];
    // the chips take room from the log: both change before it is scrolled
    following(log, () => {
      keep(log, items, (m) => m.id, (m) => (m.body === undefined ? starters() : bubble(m)));
      keep(chips, all, (o) => o.value + o.label, (o) => (o.id
        ? h("button", { type: "button", class: "reply", onclick: () => text(o.title, o.id) }, icon("reply", 14), o.title)
        : h("button", { type: "button", onclick: () => text(o.value) }, h("b", null, o.value), o.label)));
    });
    call.render(phone.call);
    if (switched) log.scrollTop = log.scrollHeight;
  };
  const mark = (next) => next.phone.phones.flatMap((p) => [...p.messages, ...p.whatsapp.messages]).filter((m) => m.incoming).length;
  return { render, mark };
};
