/* A phone call, played as text: what is said, the keys, what the caller says, hanging up. */

import { act, composer, following, h, keep } from "./dom.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const STATE = { talk: "Usher is listening", ring: "Ringing a person", record: "After the tone", over: "The call has ended" };

export const mountCall = (numberOf) => {
  let call = null;
  const use = (what, text = "") => act("call", { number: numberOf(), do: what, text });
  const button = (label, what, kind) => h("button", { type: "button", class: kind, onclick: () => use(what) }, label);
  const dial = button("Call", "call", "plain dial");
  const hangUp = button("Hang up", "hang_up", "plain hang-up");
  const said = h("p", { class: "note", role: "status", "aria-label": "Call" });
  const log = h("div", { class: "log texts", role: "log", "aria-label": "What is said in the call", tabindex: "0" });
  const pad = h("div", { class: "keypad", role: "group", "aria-label": "Keys" },
    ...KEYS.map((key) => h("button", { type: "button", onclick: () => use("press", key) }, key)));
  const silent = h("div", { class: "chips quiet" }, button("Say nothing", "silence"));
  const rung = h("div", { class: "chips" }, button("They pick up", "picked_up"), button("Nobody picks up", "not_picked_up"));
  const say = composer("Say", "Say something", (text) => use(call?.doing === "record" ? "leave" : "say", text));
  const foot = h("div", { class: "foot" }, rung, say.form, silent, pad);
  const box = h("div", { class: "call" }, h("div", { class: "line" }, said, h("span", { class: "fill" }), dial, hangUp), log, foot);

  const bubble = ({ who, text }) => who === "note" ? h("p", { class: "note heard" }, text)
    : h("div", { class: `text ${who === "usher" ? "in" : "out"}` }, h("p", null, text));

  const render = (next) => {
    call = next;
    const doing = call?.doing || "over";
    const free = !call?.busy;
    said.textContent = call ? (call.busy ? "One moment" : STATE[doing]) : "Not in a call";
    dial.hidden = doing !== "over";
    dial.disabled = !free;
    hangUp.hidden = doing === "over";
    rung.hidden = doing !== "ring";
    pad.hidden = silent.hidden = doing !== "talk";
    say.form.hidden = !["talk", "record"].includes(doing);
    for (const each of foot.querySelectorAll("button:not(.go)")) each.disabled = !free;
    following(log, () => keep(log, call ? call.heard : [], (each) => `${call.id}-${each.id}`, bubble));
  };
  return { box, render };
};
