// Short notices. What went wrong is an alert and stays longer.

import { button, h, icon, put } from "./dom.js";

export function say(text) { show("toasts", text, "check", 4000); }
export function warn(error) { if (error && error.name !== "AbortError") show("alerts", error.message || String(error), "alert", 8000); }

function show(where, text, glyph, milliseconds) {
  const node = h("div", { class: where === "alerts" ? "toast failed" : "toast" }, icon(glyph), h("p", {}, text),
    button("Dismiss", () => node.remove(), { class: "quiet" }));
  document.getElementById(where).append(node);
  setTimeout(() => node.remove(), milliseconds);
}

// A modal drawer or box; Escape and a click outside close it.
export function dialog(kind, title, ...body) {
  const close = () => box.close();
  const box = h("dialog", { class: kind, "aria-label": title, on: { close: () => box.remove(), click: (e) => { if (e.target === box) close(); } } },
    h("div", { class: "dialog-in" },
      h("header", {}, h("h2", {}, title), h("button", { type: "button", class: "quiet square", "aria-label": "Close", on: { click: close } }, icon("close"))),
      h("div", { class: "dialog-body" }, body)));
  document.body.append(box);
  box.showModal();
  return { box, close, fill: (...content) => put(box.querySelector(".dialog-body"), content) };
}

export function confirm(title, text, label, act, danger) {
  const go = button(label, async () => { asked.close(); await act(); }, { class: danger ? "danger" : "primary" });
  const asked = dialog("box", title, h("p", {}, text), h("div", { class: "row-end" }, button("Cancel", () => asked.close(), { class: "plain" }), go));
  go.focus();
}
