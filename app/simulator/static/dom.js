/* What every pane uses: making elements, keeping lists, asking the server. Text only ever becomes text nodes. */

export const h = (tag, props, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
};

const ICONS = {
  web: "M4 6.2C4 5 5 4 6.2 4h11.6C19 4 20 5 20 6.2v7.6c0 1.2-1 2.2-2.2 2.2H11l-4.7 3.6c-.3.3-.8 0-.8-.4V16C4.6 15.7 4 14.8 4 13.8z",
  phone: "M8 3h8a1.6 1.6 0 0 1 1.6 1.6v14.8A1.6 1.6 0 0 1 16 21H8a1.6 1.6 0 0 1-1.6-1.6V4.600A1.6 1.6 0 0 1 8 3zM10.5 18h3",
  mail: "M5.5 5.500h13A1.5 1.5 0 0 1 20 7v10a1.5 1.5 0 0 1-1.5 1.500h-13A1.5 1.5 0 0 1 4 17V7a1.5 1.5 0 0 1 1.5-1.500zM4.5 7.200l7.5 5.8 7.5-5.8",
  slack: "M10 4L8 20M16 4l-2 16M4.5 9h15.500M4 15h15.5",
  send: "M5 12h13M12.5 6l6 6-6 6",
  back: "M15 5l-7 7 7 7",
  plus: "M12 5v14M5 12h14",
  bolt: "M13 3L5 13.500h5.500L10 21l8.5-11H13z",
  reply: "M9 6l-5 5 5 5M4.5 11H14a6 6 0 0 1 6 6v1",
  clip: "M8 12.500l6-6a3 3 0 0 1 4.3 4.300l-7.8 7.700a4.8 4.8 0 0 1-6.8-6.800L11.3 4",
  open: "M13 5h6v6M19 5l-9 9M10 5H6.500A1.5 1.5 0 0 0 5 6.500v11A1.5 1.5 0 0 0 6.5 19h11a1.5 1.5 0 0 0 1.5-1.500V14",
  date: "M6 5.500h12A1.5 1.5 0 0 1 19.5 7v11a1.5 1.5 0 0 1-1.5 1.500H6A1.5 1.5 0 0 1 4.5 18V7A1.5 1.5 0 0 1 6 5.500zM4.5 10h15M8.5 3.500v3.500M15.5 3.500v3.5",
  pen: "M4.5 19.500l1-4L16 5a1.8 1.8 0 0 1 2.6 0l.4.4a1.8 1.8 0 0 1 0 2.600L8.5 18.500z",
  close: "M6 6l12 12M18 6L6 18",
};

export const icon = (name, size = 18) => {
  const make = (tag, props) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
    return node;
  };
  const svg = make("svg", { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", fill: "none",
    stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round" });
  svg.append(make("path", { d: ICONS[name] }));
  return svg;
};

export const tool = (name, label, onclick, props) =>
  h("button", { type: "button", class: "tool", "aria-label": label, title: label, onclick, ...props }, icon(name));

/* Make the children of `parent` show `items`; what did not change keeps its element, its focus and its place. */
export const keep = (parent, items, keyOf, make) => {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, at) => {
    const key = String(keyOf(item));
    const print = JSON.stringify(item);
    let node = old.get(key);
    old.delete(key);
    if (!node || node.print !== print) {
      const fresh = make(item, node);
      fresh.dataset.key = key;
      fresh.print = print;
      if (node) node.replaceWith(fresh);
      node = fresh;
    }
    if (parent.children[at] !== node) parent.insertBefore(node, parent.children[at] || null);
  });
  for (const node of old.values()) node.remove();
};

/* Do something to a log and stay at its end if that is where the reader was. */
export const following = (log, change) => {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const before = log.lastElementChild?.dataset.key;
  change();
  if (atEnd || before === undefined) log.scrollTop = log.scrollHeight;
};

const sameDay = (a, b) => a.toDateString() === b.toDateString();

export const clock = (at) => at.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });

export const when = (at) =>
  sameDay(at, new Date()) ? clock(at) : at.toLocaleDateString([], { day: "numeric", month: "short" });

/* Text with its web addresses as links. */
export const linked = (text) => {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"')\]]+[^\s<>"')\].,;:!?]/g)) {
    nodes.push(text.slice(at, match.index), link(match[0], match[0]));
    at = match.index + match[0].length;
  }
  return [...nodes, text.slice(at)];
};

export const link = (url, ...label) =>
  /^(https?:|mailto:|\/)/i.test(url) ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...label) : h("span", null, ...label);

export const face = (name, kind = "") => {
  const letters = name.split(/\s+/).map((word) => word[0] || "").join("").slice(0, 2).toUpperCase();
  const hue = [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6;
  return h("span", { class: `face hue${hue} ${kind}`, "aria-hidden": "true" }, /[A-Z]/i.test(letters) ? letters : "#");
};

const toasts = document.getElementById("toasts");

export const toast = (text) => {
  const node = h("p", null, text);
  toasts.append(node);
  setTimeout(() => node.remove(), 7000);
};

/* Ask the server to do something; true when it did. What went wrong is said in words. */
export const act = async (path, body) => {
  try {
    const answer = await fetch(`/simulator/${path}`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    if (answer.ok) return true;
    const problem = await answer.json().catch(() => ({}));
    toast(`Not done: ${problem.detail || answer.statusText}`);
  } catch {
    toast("Not done: the server does not answer.");
  }
  return false;
};

const sizesItself = CSS.supports("field-sizing", "content");

/* A field that grows with its text and sends on Enter. */
export const composer = (label, placeholder, send) => {
  const field = h("textarea", { rows: 1, "aria-label": label, placeholder });
  const button = h("button", { class: "go", "aria-label": "Send", title: "Send", type: "submit" }, icon("send"));
  const size = () => {
    if (!sizesItself) {
      field.style.height = "auto";
      field.style.height = `${Math.min(field.scrollHeight + 2, 160)}px`;
    }
    button.disabled = !field.value.trim();
  };
  const form = h("form", { class: "composer", onsubmit: async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    size();
    if (!(await send(text)) && !field.value) {
      field.value = text;
      size();
    }
  } }, field, button);
  field.addEventListener("input", size);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  button.disabled = true;
  return { form, field, put: (text) => {
    field.value = text;
    size();
    field.focus();
  } };
};
