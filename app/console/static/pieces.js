// Small parts that the knowledge pages share.

import { emit } from "./bus.js";
import { full, now } from "./clock.js";
import { h, icon } from "./dom.js";

export const open = (path) => emit("go", `/console/knowledge/${path}`);

export const LANGUAGES = { en: "English", es: "Spanish" };
export const language = (code) => LANGUAGES[code] || code;
export const day = (iso) => new Date(iso).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

export const head = (title, text, ...more) => h("header", { class: "tab-head" }, h("div", {}, h("h2", {}, title), text && h("p", { class: "muted" }, text)), more);
export const empty = (glyph, title, text) => h("div", { class: "empty boxed" }, icon(glyph), h("b", {}, title), text && h("p", {}, text));
export const loading = (text) => h("p", { class: "loading", role: "status" }, text || "Loading…");
export const failed = (error) => h("p", { class: "loading", role: "alert" }, error.message);
export const tag = (text, kind, glyph) => h("span", { class: `tag ${kind || ""}` }, glyph && icon(glyph), text);

// What tells one page from another: who may see it, in which language, until when, which version.
export function badges(d) {
  const found = [d.internal ? tag("Internal", "warn", "lock") : tag("Public")];
  for (const edition of d.editions || []) found.push(tag(edition));
  if (d.locale) found.push(tag(language(d.locale)));
  if (d.version) found.push(tag(/^\d+$/.test(d.version) ? `Version ${d.version}` : d.version));
  if (d.valid_from && Date.parse(d.valid_from) > now()) found.push(tag(`From ${day(d.valid_from)}`, "warn", "clock"));
  if (d.valid_until) found.push(Date.parse(d.valid_until) <= now() ? tag(`Ended ${day(d.valid_until)}`, "bad", "close") : tag(`Until ${day(d.valid_until)}`));
  if (d.review_by && Date.parse(d.review_by) <= now()) found.push(tag(`Review due since ${day(d.review_by)}`, "warn", "alert"));
  return h("div", { class: "tags" }, found);
}

export function choice(label, name, options, value) {
  const select = h("select", { name }, options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
  return h("label", { class: "field" }, h("span", {}, label), select);
}

export function field(label, input, hint) {
  return h("label", { class: "field" }, h("span", {}, label), input, hint && h("small", { class: "muted" }, hint));
}

export const stamp = (iso) => h("time", { datetime: iso, title: full(iso) }, day(iso));
