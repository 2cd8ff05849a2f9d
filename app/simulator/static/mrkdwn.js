/* Slack's mrkdwn as elements: bold, italic, strike, code, links, mentions, quotes. Made of text nodes only. */

import { h, link } from "./dom.js";

const ENTITIES = [["&lt;", "<"], ["&gt;", ">"], ["&amp;", "&"]];
const plain = (text) => ENTITIES.reduce((whole, [entity, letter]) => whole.replaceAll(entity, letter), text);

const INLINE = /<([^<>\n]+)>|`([^`\n]+)`|(?<![\w*])\*(?!\s)([^*\n]+?)\*(?![\w*])|(?<![\w_])_(?!\s)([^_\n]+?)_(?![\w_])|(?<![\w~])~(?!\s)([^~\n]+?)~(?![\w~])/g;

const target = (inside, names) => {
  const [address, label] = inside.split("|");
  if (address[0] === "@") return h("span", { class: "mention" }, `@${names[address.slice(1)] || label || address.slice(1)}`);
  if (address[0] === "#" || address[0] === "!") return h("span", { class: "mention" }, label || address);
  return link(plain(address), plain(label || address));
};

const inline = (text, names) => {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(plain(text.slice(at, match.index)));
    at = match.index + match[0].length;
    const [, angle, code, bold, italic, strike] = match;
    if (angle) nodes.push(target(angle, names));
    else if (code) nodes.push(h("code", null, plain(code)));
    else if (bold) nodes.push(h("strong", null, ...inline(bold, names)));
    else if (italic) nodes.push(h("em", null, ...inline(italic, names)));
    else nodes.push(h("s", null, ...inline(strike, names)));
  }
  nodes.push(plain(text.slice(at)));
  return nodes;
};

export const mrkdwn = (text, names = {}) => {
  const out = [];
  for (const [at, piece] of text.split("```").entries()) {
    if (at % 2) {
      out.push(h("pre", null, plain(piece.replace(/^\n|\n$/g, ""))));
      continue;
    }
    const lines = piece.split("\n");
    lines.forEach((line, n) => {
      const quote = /^(?:&gt;|>)\s?(.*)$/.exec(line);
      if (quote) out.push(h("blockquote", null, ...inline(quote[1], names)));
      else out.push(...inline(line, names), n < lines.length - 1 ? "\n" : "");
    });
  }
  return out;
};

const textOf = (text, names) => (text.type === "mrkdwn" ? mrkdwn(text.text, names) : [text.text]);

/* A message's blocks; `press(button)` is called for its buttons. */
export const blocks = (list, names, press) => list.map((block) => {
  switch (block.type) {
    case "header":
      return h("h4", null, block.text.text);
    case "section":
      return h("div", { class: "section" }, block.text && h("div", { class: "said" }, ...textOf(block.text, names)),
        block.fields && h("div", { class: "fields" }, ...block.fields.map((field) => h("div", null, ...textOf(field, names)))));
    case "context":
      return h("div", { class: "context" }, ...block.elements.filter((e) => e.text).map((e) => h("div", null, ...textOf(e, names))));
    case "divider":
      return h("hr");
    case "actions":
      return h("div", { class: "actions" }, ...block.elements.filter((e) => e.type === "button").map((button) => (button.url
        ? h("a", { class: "button", href: button.url, target: "_blank", rel: "noopener noreferrer" }, button.text.text)
        : h("button", { type: "button", class: `button ${button.style || ""}`, onclick: () => press(button) }, button.text.text))));
    default:
      return null;
  }
});
