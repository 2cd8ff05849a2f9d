/* What all panes have around them: the head with who is acting, and the menu that makes the provider fail. */

import { act, h, icon, tool } from "./dom.js";

const FAILURES = {
  timeout_after: "Takes it, never answers",
  timeout_before: "Never answers",
  rate_limited: "Too many requests (429)",
  server_error: "Server error (503)",
  server_error_after: "Takes it, then 500",
  refused: "No such mailbox (550)",
};
const MAIL = {
  timeout_after: "Takes it, then hangs up",
  timeout_before: "Never answers",
  rate_limited: "Try again later (451)",
  server_error: "Error while taking it (451)",
};

/* A small menu under a button; closes on Escape and on a click elsewhere. */
export const menu = (label, button, ...content) => {
  const box = h("details", { class: "menu" }, h("summary", { "aria-label": label, title: label, class: "tool" }, button),
    h("div", { class: "sheet" }, ...content));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.open) return;
    box.open = false;
    box.querySelector("summary").focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!box.contains(event.target)) box.open = false;
  });
  return box;
};

export const failMenu = (channel, provider, more) => {
  const badge = h("b", { class: "badge", hidden: true });
  const times = h("select", { "aria-label": "How many calls" },
    ...[1, 3, 10].map((n) => h("option", { value: n }, n === 1 ? "the next call" : `the next ${n} calls`)));
  const list = h("div", { class: "list" });
  const said = h("p", { class: "note", role: "status" });
  const isMail = channel === "email";
  const box = menu(`Make ${provider} fail`, [icon("bolt"), badge],
    h("h3", null, `Make ${provider} fail`),
    isMail ? h("p", { class: "note" }, "until it is told to work again") : h("label", { class: "note" }, "for ", times),
    list, more, said);
  const render = (failing, failures) => {
    badge.hidden = !failing;
    badge.textContent = String(failing);
    box.classList.toggle("on", failing > 0);
    said.textContent = failing ? (isMail ? "Failing now." : `${failing} ${failing === 1 ? "call is" : "calls are"} still to fail.`) : "";
    if (list.children.length) return;
    const offer = (how, label, kind) => h("button", { type: "button", class: kind, onclick: async () => {
      if (await act("fail", { channel, how, times: Number(times.value) })) box.open = false;
    } }, label);
    list.append(...failures.map((how) => offer(how, (isMail && MAIL[how]) || FAILURES[how] || how)),
      offer("clear", "Work again", "calm"));
  };
  return { box, render };
};

/* The head of a pane. `tools` stand at its right. */
export const head = (name, title, ...tools) =>
  h("header", { class: "head" }, h("h2", { id: `title-${name}` }, icon(name), title), h("span", { class: "fill" }), ...tools);

/* Who is acting: a list to choose from, and a way to add somebody. `add` is {label, example, check, done}. */
export const picker = (label, chosen, add) => {
  const select = h("select", { "aria-label": label, onchange: () => chosen(select.value) });
  const field = h("input", { "aria-label": add.label, placeholder: add.example, autocomplete: "off", spellcheck: "false" });
  const form = h("form", { class: "adding", hidden: true, onsubmit: async (event) => {
    event.preventDefault();
    const value = field.value.trim();
    if (!value || !(await add.done(value))) return;
    form.hidden = true;
    field.value = "";
  } }, field, h("button", { class: "plain" }, "Add"), tool("close", "Do not add", () => { form.hidden = true; }));
  const row = h("div", { class: "picker" }, select, tool("plus", add.label, () => {
    form.hidden = !form.hidden;
    if (!form.hidden) field.focus();
  }), form);
  const render = (options, value) => {
    const print = JSON.stringify(options);
    if (select.dataset.print !== print) {
      select.dataset.print = print;
      select.replaceChildren(...options.map((option) => h("option", { value: option.value }, option.label)));
    }
    select.value = value;
  };
  return { row, render };
};

export const unusedNote = (what) =>
  h("p", { class: "unused", hidden: true }, `The environment leads ${what} to the real provider, so nothing arrives here.`);
