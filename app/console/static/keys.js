// Keyboard shortcuts. Never while somebody types, and never with a modifier.

import { emit } from "./bus.js";
import { h } from "./dom.js";
import { dialog } from "./toast.js";

const SHORTCUTS = [
  ["j / k", "Next or previous conversation"], ["Enter", "Open it"], ["c", "Claim"], ["r", "Write a reply"], ["n", "Write a note"],
  ["h", "Hand back to the bot"], ["e", "Resolve"], ["/", "Search"], ["i", "Customer panel"], ["Esc", "Leave the field, close, back"], ["?", "This list"],
  ["Ctrl + Enter", "Send what is written"], ["Enter on a draft", "Send the proposed reply"],
];

export function openHelp() {
  dialog("box", "Keyboard shortcuts", h("dl", { class: "shortcuts" }, SHORTCUTS.map(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)])));
}

export function keys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const typing = event.target.closest("input, textarea, select");
    if (typing) {
      if (event.key === "Escape") { typing.blur(); event.preventDefault(); }
      return;
    }
    if (event.key === "?") openHelp();
    else if ("jkcrnhei/".includes(event.key) || event.key === "Escape") emit("key", event.key);
    else return;
    event.preventDefault();
  });
}
