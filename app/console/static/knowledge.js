// Knowledge: the tabs, and which of them is shown.

import { h, put } from "./dom.js";
import * as answers from "./answers.js";
import * as attempt from "./try.js";
import * as backtests from "./backtests.js";
import * as docs from "./docs.js";
import * as gaps from "./gaps.js";
import * as intents from "./intents.js";
import * as report from "./report.js";
import * as search from "./search.js";

const TABS = [
  ["gaps", "Gaps", gaps], ["answers", "Answers", answers], ["docs", "Documents", docs], ["search", "Search", search],
  ["try", "Try", attempt], ["intents", "Intents", intents], ["backtests", "Backtests", backtests], ["report", "Report", report],
];
let tabs, body;

export function enter(main) {
  tabs = h("nav", { class: "tabs", "aria-label": "Knowledge" });
  body = h("div", { class: "tab-body" });
  put(main, h("div", { class: "page" }, h("div", { class: "page-in wide" }, tabs, body)));
}

export function select(_conversation, path) {
  const [name, id] = path;
  const tab = TABS.find(([key]) => key === name) || TABS[0];
  put(tabs, TABS.map(([key, title]) => h("a", { href: `/console/knowledge/${key}`, "aria-current": key === tab[0] ? "page" : null }, title)));
  const [here] = tabs.querySelectorAll("[aria-current]");
  if (here) here.scrollIntoView({ block: "nearest", inline: "nearest" });
  // a page of its own: what an older one still waits for lands in a node nobody sees
  const fresh = h("div", { class: "tab-body" });
  body.replaceWith(fresh);
  body = fresh;
  tab[2].show(fresh, id);
}
