// The queue of those who wait for a person, with running clocks, and those who are with one.

import { get, post, seg } from "./api.js";
import { calm, emit, on, session } from "./bus.js";
import { full, handoffClock } from "./clock.js";
import { avatar, button, h, icon, put, reconcile } from "./dom.js";
import { warn } from "./toast.js";
import { channel, plural, who } from "./words.js";

let waiting, claimed, title, stops;

export function enter(main) {
  waiting = h("ul", { class: "cards" });
  claimed = h("ul", { class: "cards" });
  title = h("h2", {}, "Waiting for a person");
  put(main, h("div", { class: "page" }, h("div", { class: "page-in" }, title,
    h("p", { class: "muted" }, "Alerted at once, again after 60 s, a breach at 120 s."), waiting, h("h2", {}, "With a person"), claimed)));
  load();
  stops = [on("hint:conversation", soon), on("refresh", soon)];
}

export function leave() { for (const stop of stops) stop(); }

const soon = calm(() => load(), 200);

async function load() {
  try {
    const found = await get("/handoffs");
    title.textContent = found.waiting.length ? `${plural(found.waiting.length, "customer")} waiting for a person` : "Nobody waits for a person";
    const firsts = found.waiting.length ? found.waiting : [];
    reconcile(waiting, firsts, (row) => row.id, card);
    reconcile(claimed, found.claimed, (row) => row.id, card);
    waiting.hidden = !firsts.length;
    claimed.previousElementSibling.hidden = !found.claimed.length;
  } catch (error) { warn(error); }
}

async function claim(row) {
  try {
    await post(`/conversations/${seg(row.id)}/claim`, {});
    emit("go", `/console/c/${seg(row.id)}`);
  } catch (error) { warn(error); load(); }
}

function card(row) {
  const asked = row.handoff;
  const open = asked.state === "requested";
  return h("li", { class: `card handoff-card ${asked.severity}` },
    avatar(who(row)),
    h("div", { class: "card-main" },
      h("div", { class: "row-top" }, h("a", { class: "name", href: `/console/c/${seg(row.id)}` }, who(row)), h("span", { class: "muted" }, [row.account, row.tier].filter(Boolean).join(" · ")), h("span", { class: "muted inline" }, icon(row.channel), channel(row.channel))),
      h("p", { class: "reason" }, h("b", {}, asked.reason_text), asked.severity !== "normal" && h("span", { class: `tag severity ${asked.severity}` }, asked.severity === "urgent" ? "Urgent" : "High")),
      h("p", { class: "last", dir: "auto" }, row.last_text)),
    h("div", { class: "card-end" }, open ? handoffClock(asked) : h("span", { class: "muted" }, `${row.owner_name || "Claimed"} · since ${asked.claimed_at ? full(asked.claimed_at) : "–"}`),
      open ? button("Claim", () => claim(row), { class: "primary", disabled: !session.me.may_write }) : h("a", { class: "plain as-button", href: `/console/c/${seg(row.id)}` }, "Open")));
}
