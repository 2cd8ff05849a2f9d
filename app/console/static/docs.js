// Documents: sources with their last sync, and every page with who may see it, how long, and how it fares.

import { get, post, seg } from "./api.js";
import { session } from "./bus.js";
import { relative } from "./clock.js";
import { button, h, icon, put } from "./dom.js";
import { badges, empty, failed, head, loading, tag } from "./pieces.js";
import { dialog, say, warn } from "./toast.js";
import { plural } from "./words.js";

export async function show(body, chosen) {
  const words = h("input", { type: "search", "aria-label": "Title or path", placeholder: "Title or path", maxlength: 200 });
  const sources = h("div", {});
  const pages = h("div", {});
  const source = chosen ? decodeURIComponent(chosen) : "";
  put(body, head("Documents", "What the bot answers from.", button("Repeats and contradictions", openConflicts, { class: "plain", icon: "search" })), sources,
    h("form", { class: "ask", role: "search", on: { submit: (event) => { event.preventDefault(); load(); } } }, words, h("button", { class: "plain", type: "submit" }, icon("search"), "Find"), source && h("a", { class: "plain", href: "/console/knowledge/docs" }, icon("close"), `Only ${source}`)),
    pages);

  async function load(after) {
    if (!after) put(pages, loading());
    try {
      const found = await get(`/knowledge/docs?search=${encodeURIComponent(words.value.trim())}${source ? `&source=${encodeURIComponent(source)}` : ""}${after ? `&after=${seg(after)}` : ""}`);
      if (!after) showSources(sources, found, () => load());
      const rows = found.items.map(row);
      if (after) pages.querySelector("tbody").append(...rows);
      else put(pages, found.items.length ? h("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Documents" }, h("table", {}, h("caption", { class: "muted" }, `${plural(found.documents, "document")}. Uses are those of the last 30 days.`),
        h("thead", {}, h("tr", {}, ["Page", "Answers", "Liked", "Disliked", "Person wanted", "Updated"].map((t) => h("th", { scope: "col" }, t)))), h("tbody", {}, rows))) : empty("book", "No documents", words.value ? "Nothing of that title or path." : "`usher ingest PATH` brings them in."));
      const older = pages.querySelector(".more");
      if (older) older.remove();
      if (found.cursor) pages.append(h("div", { class: "more" }, button("Show more", () => load(found.cursor), { class: "plain" })));
    } catch (error) { put(pages, failed(error)); }
  }
  load();
}

const number = (n, bad) => h("td", { class: `digits ${bad ? "bad-text" : ""}` }, bad ? icon("alert", "often") : null, n);

function row(d) {
  const often = d.answers >= 5 && d.disliked + d.handed_over >= 0.2 * d.answers;
  return h("tr", {}, h("th", { scope: "row" }, h("div", { class: "page-cell" }, d.url && /^https?:/.test(d.url) ? h("a", { href: d.url, rel: "noreferrer noopener", target: "_blank" }, d.title) : d.title, h("span", { class: "mono muted" }, `${d.source} / ${d.path}`), badges(d))),
    h("td", { class: "digits" }, d.answers || h("span", { class: "muted" }, "never")), number(d.liked), number(d.disliked, often && d.disliked), number(d.handed_over, often && d.handed_over), h("td", {}, relative(d.updated_at)));
}

function showSources(spot, { sources, counts }, again) {
  const named = new Set(sources.map((s) => s.name));
  const others = Object.entries(counts).filter(([name]) => !named.has(name));
  put(spot, h("ul", { class: "cards sources" }, sources.map((s) => sourceCard(s, again)), others.map(([name, count]) => h("li", { class: "card" }, h("div", { class: "card-main" },
    h("a", { class: "name", href: `/console/knowledge/docs/${seg(name)}` }, name), h("p", { class: "muted" }, `${plural(count, "document")} · ${name === "answers" ? "the team's approved answers" : "ingested by hand"}`))))));
}

function sourceCard(s, again) {
  const report = s.last_report || {};
  const troubles = (report.failed || []).length, warnings = (report.warnings || []).length;
  return h("li", { class: "card" }, h("div", { class: "card-main" },
    h("a", { class: "name", href: `/console/knowledge/docs/${seg(s.name)}` }, s.name),
    h("p", { class: "muted mono" }, `${s.kind} · ${s.location}`),
    h("p", { class: "muted" }, `${plural(s.documents, "document")} · `, s.last_at ? ["synced ", relative(s.last_at)] : "never synced", s.every_hours ? ` · every ${s.every_hours} h` : " · by hand"),
    h("div", { class: "tags" }, s.syncing && tag("Syncing now", "", "clock"), report.error && tag("Last sync failed", "bad", "alert"), troubles ? tag(plural(troubles, "page") + " failed", "bad", "alert") : null, warnings ? tag(plural(warnings, "warning"), "warn", "alert") : null, (report.held_back || []).length ? tag("Deletions held back", "warn", "alert") : null),
    report.error && h("p", { class: "bad-text" }, icon("alert"), String(report.error))),
  h("div", { class: "card-end" },
    s.last_report && button("Last report", () => openReport(s.name, report), { class: "plain", icon: "panel" }),
    session.me.may_write && s.kind !== "upload" && [button("Dry run", () => sync(s, true, again), { class: "plain", icon: "search" }), button("Sync now", () => sync(s, false, again), { class: "plain", icon: "play", disabled: s.syncing })]));
}

async function sync(s, dry, again) {
  const box = dialog("drawer", dry ? `What a sync of ${s.name} would change` : `Syncing ${s.name}`, loading(dry ? "Looking…" : "Syncing… this page may be left."));
  try {
    const report = await post(`/knowledge/sources/${seg(s.id)}/sync?dry_run=${dry}`);
    box.fill(reportOf(report, dry));
    if (!dry) { say(`${s.name} is up to date.`); again(); }
  } catch (error) { box.fill(failed(error)); warn(error); }
}

// What the pages say against each other, or twice; whoever owns them decides.
async function openConflicts() {
  const box = dialog("drawer", "Repeats and contradictions", loading("Comparing every page with every other…"));
  try {
    const { items } = await get("/knowledge/conflicts");
    const place = (p) => h("div", { class: "page-cell" }, h("span", {}, p.title, p.section && p.section !== p.title ? h("span", { class: "muted" }, ` › ${p.section}`) : null), h("span", { class: "mono muted" }, p.document));
    const said = (p) => [place(p), h("blockquote", { class: "answer", dir: "auto" }, p.text)];
    const of = (kind) => items.filter((c) => c.kind === kind);
    const part = (title, found, show) => (found.length ? h("section", { class: "trace-part" }, h("h3", {}, `${title} (${found.length})`), h("ul", { class: "stack" }, found.map((c) => h("li", { class: "sheet stack" }, show(c))))) : null);
    box.fill(items.length ? [
      part("Contradictions", of("contradiction"), (c) => [said(c.first), said(c.second)]),
      part("Nearly the same", of("duplicate"), (c) => [place(c.first), place(c.second), h("p", { class: "muted" }, `${Math.round(c.score * 100)}% of the shorter page stands in the other`)])] : empty("check", "None found", "No page repeats or contradicts another."));
  } catch (error) { box.fill(failed(error)); }
}

function openReport(name, report) { dialog("drawer", `Last sync of ${name}`, reportOf(report, false)); }

const list = (title, items, line, kind) => (items && items.length ? h("section", { class: "trace-part" }, h("h3", {}, `${title} (${items.length})`), h("ul", { class: "lines" }, items.map((item) => h("li", { class: kind || "" }, line(item))))) : null);
const pair = (item) => (Array.isArray(item) ? [h("span", { class: "mono" }, item[0]), h("span", { class: "muted" }, item[1])] : h("span", {}, String(item)));

function reportOf(r, dry) {
  if (r.error) return h("p", { class: "bad-text" }, icon("alert"), String(r.error));
  const changes = { added: dry ? "would be added" : "added", changed: dry ? "would change" : "changed", deleted: dry ? "would be deleted" : "deleted" };
  return [
    dry && h("p", { class: "hint" }, icon("search"), "Nothing was changed."),
    h("div", { class: "figures small" }, ["added", "changed", "unchanged", "deleted"].map((key) => h("div", { class: "figure" }, h("h3", {}, key[0].toUpperCase() + key.slice(1)), h("p", { class: "value" }, r[key] || 0)))),
    list("Failed", r.failed, pair, "bad"), list("Held back", r.held_back, pair), list("Notes", r.notes, pair), list("Warnings", r.warnings, pair), list("Empty", r.empty, pair),
    list("Pages", r.pages, ([what, path]) => [tag(changes[what] || what), h("span", { class: "mono" }, path)]),
  ];
}
