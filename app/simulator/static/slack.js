/* The Slack workspace: channels, threads, alert cards with their buttons, and who is writing. */

import { act, clock, composer, face, following, h, icon, keep, tool } from "./dom.js";
import { failMenu, head, unusedNote } from "./frame.js";
import { blocks, mrkdwn } from "./mrkdwn.js";

const STARTERS = ["@usher how do I invite a teammate?", "@usher can we book a training session?", "@usher I need a person, please"];

export const mountSlack = (root) => {
  let state = null;
  let place = null;
  let thread = null;
  const writers = {}; // channel → who writes there
  const fail = failMenu("slack", "Slack");
  const rooms = h("div", { class: "rooms", role: "group", "aria-label": "Slack channels" });
  const bar = h("div", { class: "threadbar", hidden: true }, tool("back", "Back to the channel", () => go(place)), h("b", null, "Thread"));
  const log = h("div", { class: "log slack", role: "log", "aria-label": "Slack messages", tabindex: "0" });
  const who = h("select", { "aria-label": "Write as", onchange: () => { writers[place] = who.value; } });
  const hint = h("span", { class: "note" });
  const note = unusedNote("Slack");
  const write = composer("Slack message", "Message", (text) => say(text));
  root.append(head("slack", "Slack", fail.box), rooms, note, bar, log,
    h("div", { class: "foot" }, write.form, h("div", { class: "as" }, h("label", null, "as", who), hint)));

  const user = (id) => state.slack.users.find((u) => u.id === id);
  const names = () => ({ ...Object.fromEntries(state.slack.users.map((u) => [u.id, u.name])), [state.slack.bot]: "usher" });
  const isAlerts = () => place === state.slack.alerts;
  const direct = () => state.slack.channels.find((c) => c.id === place)?.with || (place.startsWith("U") ? place : null);
  const say = (text) => act("slack/say", { channel: direct() || place, user: direct() || who.value, text, thread });

  const go = (channel, root = null) => {
    place = channel;
    thread = root;
    render(state, true);
    write.field.focus({ preventScroll: true });
  };

  const press = (message) => async (button) => {
    if (button.confirm && !(await confirmed(button.confirm))) return;
    act("slack/press", { channel: place, ts: message.ts, action_id: button.action_id, user: direct() || who.value });
  };

  const thumb = (message, reaction, sign) => h("button", { type: "button", class: "replies none",
    "aria-pressed": String(Boolean(message.thumbs?.[reaction]?.length)), "aria-label": reaction === "+1" ? "Thumbs up" : "Thumbs down",
    onclick: () => act("slack/react", { channel: place, ts: message.ts, user: direct() || who.value, reaction }) },
  message.thumbs?.[reaction]?.length ? `${sign} ${message.thumbs[reaction].length}` : sign);

  const confirmed = ({ title, text, confirm, deny }) => new Promise((done) => {
    const box = h("dialog", { "aria-labelledby": "confirm-title", onclose: () => {
      done(box.returnValue === "yes");
      box.remove();
    } }, h("form", { method: "dialog" }, h("h3", { id: "confirm-title" }, title.text), h("p", null, text.text),
      h("div", { class: "row" }, h("button", { value: "no", class: "plain" }, deny.text), h("button", { value: "yes", class: "button primary" }, confirm.text))));
    document.body.append(box);
    box.showModal();
  });

  const entry = ({ message, replies }) => {
    const isBot = Boolean(message.bot_id);
    const name = isBot ? "usher" : user(message.user)?.name || message.user;
    const at = new Date(Number(message.ts.split(".")[0]) * 1000);
    const inside = message.blocks?.length ? blocks(message.blocks, names(), press(message)) : [h("div", { class: "said" }, ...mrkdwn(message.text, names()))];
    const isCard = message.blocks?.[0]?.type === "header";
    return h("article", { class: "entry" }, face(name, isBot ? "bot" : ""),
      h("div", { class: "body" },
        h("p", { class: "by" }, h("b", null, name), isBot ? h("span", { class: "app" }, "APP") : h("span", { class: "role" }, user(message.user)?.role || ""),
          h("time", { datetime: at.toISOString() }, clock(at)), message.edited && h("span", { class: "role" }, "edited"),
          message.only && h("span", { class: "role" }, `only ${(user(message.only)?.name || message.only).split(" ")[0]} sees this`)),
        h("div", { class: isCard ? "card" : "" }, ...inside.filter(Boolean)),
        isBot && !isCard && !message.only && h("span", { class: "thumbs" }, thumb(message, "+1", "👍"), thumb(message, "-1", "👎")),
        !thread && !direct() && h("button", { type: "button", class: replies ? "replies" : "replies none", onclick: () => go(place, message.ts) },
          icon("reply", 14), replies ? `${replies} ${replies === 1 ? "reply" : "replies"}` : "Reply in thread")));
  };

  const empty = () => h("div", { class: "empty" }, icon("slack", 28), ...(isAlerts()
    ? [h("p", null, "Alerts for the CS team come here: ask for a person in any channel to see one.")]
    : [h("p", null, direct() ? "Write to usher directly." : "A channel shared with a customer. usher answers when it is mentioned."),
      ...(direct() ? [] : STARTERS).map((line) => h("button", { type: "button", onclick: () => say(line) }, line))]));

  const render = (next, switched = false) => {
    if (!next) return;
    state = next;
    const { channels, users, alerts, failing, failures } = state.slack;
    place = place || channels[0].id;
    const dm = users[0];
    const known = channels.map((c) => ({ id: c.id, label: c.with ? `${user(c.with)?.name.split(" ")[0]} + usher` : `#${c.name}` }));
    if (!channels.some((c) => c.with === dm.id)) known.push({ id: dm.id, label: `${dm.name.split(" ")[0]} + usher` });
    if (place === dm.id) place = channels.find((c) => c.with === dm.id)?.id || place;
    keep(rooms, known.map((k) => ({ ...k, current: k.id === place })), (k) => k.id, (k) =>
      h("button", { type: "button", "aria-pressed": String(k.current), onclick: () => go(k.id) }, k.label));
    fail.render(failing, failures);
    note.hidden = !state.unused.includes("slack");
    bar.hidden = !thread;
    const all = channels.find((c) => c.id === place)?.messages || [];
    const top = all.filter((m) => !m.thread_ts || m.thread_ts === m.ts || direct());
    const shown = thread ? all.filter((m) => m.ts === thread || m.thread_ts === thread) : top;
    const items = shown.map((message) => ({ message, thread,
      replies: thread ? 0 : all.filter((m) => m.thread_ts === message.ts && m.ts !== message.ts).length }));
    following(log, () => keep(log, items.length ? items : [{ message: { ts: `empty-${place}` } }], (i) => i.message.ts,
      (i) => (i.message.text === undefined && !i.message.blocks ? empty() : entry(i))));
    if (switched) log.scrollTop = log.scrollHeight;
    const writer = writers[place] || (place === alerts ? users.find((u) => u.role !== "customer") : users[0]).id;
    if (who.children.length !== users.length) who.replaceChildren(...users.map((u) => h("option", { value: u.id }, `${u.name}, ${u.role}`)));
    who.value = direct() || writer;
    who.disabled = Boolean(direct());
    hint.textContent = isAlerts() && thread ? "// writes a note only the team sees" : !isAlerts() && !thread && !direct() ? "mention @usher" : "";
    write.field.placeholder = thread ? "Reply in thread" : direct() ? "Message usher" : `Message #${channels.find((c) => c.id === place)?.name}`;
  };
  const mark = (next) => next.slack.channels.flatMap((c) => c.messages).filter((m) => m.bot_id).length;
  return { render, mark };
};
