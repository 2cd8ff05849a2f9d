/* Puts the panes on the page and keeps them up to date: the socket says "changed", the page asks for the state. */

import { h, icon } from "./dom.js";
import { head } from "./frame.js";
import { mountMail } from "./mail.js";
import { mountPhone } from "./phone.js";
import { mountSlack } from "./slack.js";

const pane = (name) => document.getElementById(`pane-${name}`);
const live = document.getElementById("live");

// ------------------------------------------------------------------ web chat

const mountWeb = (root) => {
  const frame = h("iframe", { class: "web", title: "Web chat", src: "/simulator/web?who=jordan" });
  const pick = (who, label) => h("button", { type: "button", "aria-pressed": String(who === "jordan"), onclick: (event) => {
    for (const other of row.children) other.setAttribute("aria-pressed", String(other === event.currentTarget));
    frame.src = `/simulator/web?who=${who}`;
    out.href = frame.src;
  } }, label);
  const row = h("div", { class: "rooms", role: "group", "aria-label": "Who is chatting" }, pick("jordan", "Jordan, signed in"), pick("visitor", "A visitor"));
  const out = h("a", { class: "tool", href: "/simulator/web?who=jordan", target: "_blank", rel: "noopener", "aria-label": "Open the chat in a tab", title: "Open the chat in a tab" }, icon("open"));
  root.append(head("web", "Web chat", out), row, frame);
};

mountWeb(pane("web"));
const panes = { phone: mountPhone(pane("phone")), mail: mountMail(pane("mail")), slack: mountSlack(pane("slack")) };

// ------------------------------------------------------------------ tabs, on narrow screens

const seen = {};
const tabs = Object.fromEntries([["web", "Web"], ["phone", "Phone"], ["mail", "Mail"], ["slack", "Slack"]].map(([name, label]) => {
  const dot = h("i", { hidden: true });
  return [name, { dot, button: h("button", { type: "button", onclick: () => turn(name) }, icon(name, 22), label, dot) }];
}));
document.getElementById("tabs").append(...Object.values(tabs).map((tab) => tab.button));

const turn = (name) => {
  document.body.dataset.pane = name;
  for (const [other, tab] of Object.entries(tabs)) {
    tab.button.toggleAttribute("aria-current", other === name);
    if (other === name) tab.button.setAttribute("aria-current", "true");
  }
  tabs[name].dot.hidden = true;
  for (const log of pane(name).querySelectorAll(".log")) log.scrollTop = log.scrollHeight;
};
turn("phone");

// ------------------------------------------------------------------ state

let asking = false;
let again = false;

const refresh = async () => {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    const answer = await fetch("/simulator/state", { cache: "no-store" });
    if (answer.ok) render(await answer.json());
  } catch {
    // the socket notices that the server is gone, and asks when it is back
  }
  asking = false;
  if (again) {
    again = false;
    refresh();
  }
};

const render = (state) => {
  for (const [name, shown] of Object.entries(panes)) {
    shown.render(state);
    const count = shown.mark(state);
    if (seen[name] !== undefined && count > seen[name] && document.body.dataset.pane !== name) tabs[name].dot.hidden = false;
    seen[name] = count;
  }
};

const connect = (wait = 500) => {
  const url = new URL("/simulator/live", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  const say = (text, is) => {
    live.textContent = text;
    live.dataset.is = is;
  };
  socket.onopen = () => {
    wait = 500;
    say("live", "on");
  };
  socket.onmessage = refresh;
  socket.onclose = () => {
    say("reconnecting", "off");
    setTimeout(() => connect(Math.min(wait * 2, 5000)), wait);
  };
};
connect();
