// What the team set. Read here, except the pause of each channel.

import { get, post } from "./api.js";
import { on, session } from "./bus.js";
import { relative } from "./clock.js";
import { avatar, h, icon, put } from "./dom.js";
import { say, warn } from "./toast.js";
import { channel, mode, tidy } from "./words.js";

let body, stops;

export function enter(main) {
  body = h("div", { class: "page-in" });
  put(main, h("div", { class: "page" }, body));
  load();
  stops = [on("policy", load)];
}

export function leave() { for (const stop of stops) stop(); }

const pair = (name, value) => [h("dt", {}, name), h("dd", {}, value || "–")];
const rules = (map) => Object.entries(map).map(([key, value]) => `${channel(key)}: ${mode(value).toLowerCase()}`).join(", ");

async function load() {
  try { show(await get("/settings")); } catch (error) { warn(error); }
}

function show({ policy, inboxes, team, channels, model, healthy, audit }) {
  const names = Object.fromEntries(team.map((c) => [c.id, c.name]));
  put(body,
    h("h2", {}, "The bot"), h("dl", { class: "pairs sheet" }, pair("Brand", policy.brand), pair("Name", policy.bot_name), pair("Who answers", mode(policy.mode)),
      pair("By channel", rules(policy.by_channel)), pair("By tier", rules(policy.by_tier)), pair("By intent", rules(policy.by_intent)), pair("Language", policy.locale), pair("Time zone", policy.time_zone),
      pair("Plans, lowest first", policy.editions.join(", ")),
      pair("Persona", policy.persona), pair("Tone by plan", Object.entries(policy.tones).map(([plan, tone]) => `${plan}: ${tone}`).join(" · ")), pair("Replies read", policy.reading_level || "as they come"), pair("Language model", model ? "Configured" : "None: answers are the docs' own sentences"),
      pair("Health", Object.entries(healthy).map(([name, up]) => `${name} ${up ? "up" : "down"}`).join(", "))),
    h("h2", {}, "Channels"), h("p", { class: "muted" }, "A paused channel keeps every message; a person answers."),
    h("ul", { class: "sheet toggles" }, channels.map((name) => toggle(name, policy, inboxes))),
    h("h2", {}, "Team"), h("ul", { class: "sheet people" }, team.map((c) => h("li", {}, avatar(c.name), h("span", {}, h("b", {}, c.name), h("span", { class: "muted" }, c.email)), h("span", { class: "tag" }, c.role === "csm" ? "CSM" : c.role)))),
    h("h2", {}, "Lately"), h("ul", { class: "sheet audit" }, audit.length ? audit.map((e) => h("li", {}, h("span", {}, names[e.actor] || e.actor), h("b", {}, tidy(e.action)), e.subject ? h("span", { class: "mono muted" }, e.subject) : null, relative(e.at))) : h("li", { class: "muted" }, "Nothing yet")));
}

function toggle(name, policy, inboxes) {
  const addresses = inboxes.filter((i) => i.channel === name).map((i) => i.address + (i.kind === "team" ? " (team)" : ""));
  const paused = policy.paused_channels.includes(name);
  const box = h("input", { type: "checkbox", role: "switch", checked: !paused, disabled: !session.me.may_write, on: { change: async () => {
    try {
      await post("/pause", { paused: !box.checked, channel: name });
      say(box.checked ? `The bot answers on ${channel(name)} again.` : `The bot is paused on ${channel(name)}.`);
    } catch (error) { box.checked = !box.checked; warn(error); }
  } } });
  return h("li", {}, h("label", {}, icon(name), h("span", {}, h("b", {}, channel(name)), h("span", { class: "muted" }, addresses.length ? addresses.join(", ") : "Not configured")), h("span", { class: "muted" }, addresses.length ? (paused ? "Paused" : "Bot on") : ""), addresses.length ? box : null));
}
