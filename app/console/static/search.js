// Search as the bot sees it for one kind of customer: the server filters, the page only shows.

import { get } from "./api.js";
import { session } from "./bus.js";
import { h, put } from "./dom.js";
import { choice, empty, failed, head, LANGUAGES, loading } from "./pieces.js";
import { passages } from "./trace.js";

export function show(body) {
  const query = h("input", { type: "search", required: true, maxlength: 500, "aria-label": "A customer's question", placeholder: "How do I invite a teammate?" });
  const edition = choice("Seen by a customer of", "edition", [["", "no edition (lowest)"], ...session.me.policy.editions.map((e) => [e, e])], "");
  const locale = choice("who reads", "locale", [["", "the team's language"], ...Object.entries(LANGUAGES)], "");
  const audience = choice("as", "audience", [["false", "a customer"], ["true", "one of the team"]], "false");
  const results = h("div", { class: "stack", "aria-live": "polite" });
  const of = (label) => label.querySelector("select").value;
  const find = async () => {
    if (!query.value.trim()) return;
    put(results, loading("Searching…"));
    try {
      const { items } = await get(`/knowledge/search?q=${encodeURIComponent(query.value.trim())}&edition=${encodeURIComponent(of(edition))}&locale=${of(locale)}&internal=${of(audience)}`);
      put(results, items.length ? passages(items) : empty("search", "Nothing found", "Nothing that this viewer may see fits."));
    } catch (error) { put(results, failed(error)); }
  };
  put(body, head("Search", "The passages the bot would see, best first. What a viewer may not see is never found for them."),
    h("form", { class: "stack", role: "search", on: { submit: (event) => { event.preventDefault(); find(); }, change: (event) => { if (event.target.tagName === "SELECT") find(); } } },
      h("div", { class: "ask" }, query, h("button", { class: "primary", type: "submit" }, "Search")), h("div", { class: "grid" }, edition, locale, audience)), results);
  query.focus();
}
