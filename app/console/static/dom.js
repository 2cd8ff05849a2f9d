// Elements from data. Text always goes in as text: nothing in these pages parses markup from data.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (name === "value" || name === "checked" || name === "disabled") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  add(node, children);
  return node;
}

export function add(node, children) {
  for (const child of [children].flat(4)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

export function put(node, ...children) {
  node.replaceChildren();
  return add(node, children);
}

// Bring a list of children in line with items, keeping the nodes of those that did not change.
export function reconcile(parent, items, key, build) {
  const known = parent.known || (parent.known = new Map());
  const wanted = new Map();
  for (const item of items) {
    const id = key(item);
    const print = JSON.stringify(item);
    const before = known.get(id);
    wanted.set(id, before && before.print === print ? before : { print, node: build(item, before && before.node) });
  }
  for (const [id, { node }] of known) if (!wanted.has(id) || wanted.get(id).node !== node) node.remove();
  let at = parent.firstElementChild;
  for (const { node } of wanted.values()) {
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
  parent.known = wanted;
}

export function button(label, act, props) {
  const { icon: glyph, key, ...rest } = props || {};
  return h("button", { type: "button", on: { click: act }, ...rest }, glyph && icon(glyph), h("span", {}, label), key && h("kbd", {}, key));
}

const PATHS = {
  inbox: "M3 13h5l1.5 3h5L16 13h5M5 5h14l2 8v6H3v-6z",
  hand: "M8 12V5.5a1.5 1.5 0 0 1 3 0V11m0-6.5a1.5 1.5 0 0 1 3 0V11m0-4.500a1.500 1.500 0 0 1 3 0V14c0 4-2.500 7-6 7s-5-2-7-6l-1.300-2.500a1.500 1.500 0 0 1 2.600-1.500L8 14",
  book: "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zm0 13a3 3 0 0 1 3-3h11",
  chart: "M4 20h16M7 16v-5m5 5V6m5 10v-8",
  gear: "M12 15.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM12 3v3m0 12v3M3 12h3m12 0h3M5.600 5.600l2.200 2.200m8.400 8.400 2.200 2.200m0-12.800-2.200 2.200m-8.400 8.400-2.200 2.200",
  pause: "M8 5v14M16 5v14",
  play: "M7 4.500v15l12-7.500z",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z",
  help: "M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 17.500v.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  out: "M14 4h5v16h-5M10 8l-4 4 4 4m-4-4h10",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zm5-2 4.500 4.500",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-7 8c.600-4 3.500-6 7-6s6.400 2 7 6",
  panel: "M4 5h16v14H4zM14.500 5v14",
  file: "M6 3h8l4 4v14H6zm8 0v4h4",
  clip: "M19 11l-7.500 7.500a4.500 4.500 0 0 1-6.400-6.400L13 4.200a3 3 0 0 1 4.300 4.300l-7.800 7.800a1.500 1.500 0 0 1-2.200-2.200L14 7.500",
  lock: "M6 11h12v9H6zm2.500 0V8a3.500 3.500 0 0 1 7 0v3",
  send: "M4 12l16-7-5 15-3.500-6.500z",
  check: "M5 12.500l4.500 4.500L19 7",
  checks: "M2 12.500l4.500 4.500L15 8m-4 8 1 1L21 8",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zm0-14v5l3.500 2",
  alert: "M12 4l9 16H3zm0 6v4m0 3v.01",
  bolt: "M13 3L5 14h6l-1 7 8-11h-6z",
  bot: "M6 9h12v10H6zM12 5v4m-2.500 4v1.500m5-1.500v1.500M3.500 13v3m17-3v3M12 4v.01",
  pencil: "M4 20l1-4L16 5l3 3L8 19z",
  trash: "M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13",
  calendar: "M4 6h16v14H4zm0 5h16M8 3v4m8-4v4",
  sms: "M4 5h16v11H10l-4 4v-4H4zM8 9.500h8m-8 3h5",
  email: "M3 6h18v12H3zm0 1 9 7 9-7",
  slack: "M9 3.500v11M15 9.500v11M3.500 15h11M9.500 9h11",
  web: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3.500 12h17M12 3c2.500 2.500 3.500 5.500 3.500 9s-1 6.500-3.500 9c-2.500-2.500-3.500-5.500-3.500-9s1-6.500 3.500-9z",
  api: "M8 7l-5 5 5 5m8-10 5 5-5 5M13.500 5l-3 14",
  voice: "M6 4h3l2 5-2.500 1.500a11 11 0 0 0 5 5L15 13l5 2v3a2 2 0 0 1-2 2A15 15 0 0 1 4 6a2 2 0 0 1 2-2z",
};
PATHS.whatsapp = PATHS.sms;

export function icon(name, label) {
  const glyph = svg("svg", {
    viewBox: "0 0 24 24", class: "icon", fill: "none", stroke: "currentColor", "stroke-width": "1.7",
    "stroke-linecap": "round", "stroke-linejoin": "round", ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }),
  }, svg("path", { d: PATHS[name] || PATHS.api }));
  return glyph;
}

export function initials(name) {
  const words = (name || "?").replace(/[^\p{L}\p{N} ]/gu, " ").trim().split(/\s+/);
  return ((words[0] || "?")[0] + (words.length > 1 ? words[words.length - 1][0] : "")).toUpperCase();
}

export function avatar(name, kind) {
  let mix = 2166136261;
  for (const mark of name || "") mix = Math.imul(mix ^ mark.codePointAt(0), 16777619) >>> 0;
  const hue = (mix >>> 8) % 6;
  return h("span", { class: `avatar hue-${hue} ${kind || ""}`, "aria-hidden": "true" }, kind === "bot" ? icon("bot") : initials(name));
}
