/* The mailbox: threads, a thread with its mails, and writing. */

import { act, face, h, icon, keep, linked, tool, when } from "./dom.js";
import { failMenu, head, picker, unusedNote } from "./frame.js";

const MAX_FILE = 10_000_000;

const date = (value, options) => new Date(value).toLocaleString([], options);
const size = (bytes) => (bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

const read = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done({ name: file.name, type: file.type || "application/octet-stream", data: String(reader.result).split(",")[1] || "" });
  reader.onerror = () => failed(reader.error);
  reader.readAsDataURL(file);
});

const attachment = (mail, file) => {
  const url = `/simulator/mail/${mail.id}/file/${file.number}`;
  const event = file.event;
  const cancelled = event && (event.method === "CANCEL" || event.status === "CANCELLED");
  const lines = event
    ? [h("b", null, event.title || file.name), h("span", null, event.start && date(event.start, { dateStyle: "full", timeStyle: "short" })),
      h("span", null, [cancelled ? "Cancelled" : "Invitation", event.place].filter(Boolean).join(" · "))]
    : [h("b", null, file.name), h("span", null, `${file.type} · ${size(file.size)}`)];
  return h("div", { class: `file${cancelled ? " cancelled" : ""}` }, icon(event ? "date" : "clip", 20), h("div", null, ...lines),
    h("a", { class: "button", href: url, download: file.name }, event ? ".ics" : "Save"));
};

/* The HTML of a mail in a frame that runs nothing and loads nothing from elsewhere. */
const frame = (mail) => {
  const box = h("iframe", { sandbox: "allow-same-origin allow-popups", src: `/simulator/mail/${mail.id}/page`, title: `Mail: ${mail.subject}` });
  let width = 0;
  const fit = () => {
    const page = box.contentDocument?.body;
    if (page) box.style.height = `${Math.min(Math.ceil(page.scrollHeight) + 2, 1600)}px`;
  };
  box.addEventListener("load", () => {
    fit();
    new ResizeObserver(() => { // its width decides its height; its height must not
      if (box.clientWidth === width) return;
      width = box.clientWidth;
      fit();
    }).observe(box);
  });
  return box;
};

export const mountMail = (root) => {
  let state = null;
  let owner = null;
  let open = null; // thread id
  let writing = false;
  let asText = false;
  const fail = failMenu("email", "the mail server");
  const who = picker("Mailbox", (value) => { owner = value; show(null); }, {
    label: "Add a mail address", example: "sam@company.example",
    done: async (value) => {
      if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) return false;
      owner = value.toLowerCase();
      extra.add(owner);
      show(null);
      return true;
    },
  });
  const extra = new Set();
  const note = unusedNote("mail");
  const list = h("div", { class: "threads", "aria-label": "Mails" });
  const compose = h("button", { type: "button", class: "button primary wide", onclick: () => show(null, true) }, icon("pen", 16), "New mail");
  const listView = h("div", { class: "view" }, h("div", { class: "pad" }, compose), list);

  const title = h("h3");
  const mails = h("div", { class: "mails", tabindex: "0", role: "log", "aria-label": "Thread" });
  const toggle = h("button", { type: "button", class: "plain", onclick: () => {
    asText = !asText;
    mails.replaceChildren();
    render(state);
  } }, "Show text");
  const answer = h("textarea", { rows: 3, "aria-label": "Reply", placeholder: "Reply" });
  const proven = () => h("input", { type: "checkbox", role: "switch", checked: true });
  const label = (box) => h("label", { class: "switch" }, box, h("span", null, "Sender's domain is authenticated"));
  const answerProven = proven();
  const sendAnswer = h("button", { class: "button primary" }, "Send");
  const threadView = h("div", { class: "view", hidden: true },
    h("div", { class: "threadbar" }, tool("back", "Back to the mailbox", () => show(null)), title, toggle), mails,
    h("form", { class: "foot answer", onsubmit: async (event) => {
      event.preventDefault();
      const body = answer.value.trim();
      const last = thread()?.mails.findLast((m) => m.incoming) || thread()?.mails.at(-1);
      if (!body || !last) return;
      sendAnswer.disabled = true;
      if (await act("mail", { sender: owner, body, answers: last.id, authenticated: answerProven.checked })) answer.value = "";
      sendAnswer.disabled = false;
    } }, answer, h("div", { class: "row" }, label(answerProven), sendAnswer)));

  const subject = h("input", { "aria-label": "Subject", placeholder: "Subject", required: true, maxlength: 400 });
  const body = h("textarea", { "aria-label": "Message", placeholder: "Write your mail", rows: 10, required: true });
  const file = h("input", { type: "file", "aria-label": "Attachment" });
  const newProven = proven();
  const from = h("p", { class: "line" });
  const sendNew = h("button", { class: "button primary" }, "Send");
  const writeView = h("form", { class: "view write", hidden: true, onsubmit: async (event) => {
    event.preventDefault();
    const chosen = file.files[0];
    if (chosen && chosen.size > MAX_FILE) {
      file.setCustomValidity("10 MB at most");
      file.reportValidity();
      return;
    }
    sendNew.disabled = true;
    const attached = chosen ? await read(chosen) : null;
    const sent = await act("mail", { sender: owner, subject: subject.value, body: body.value, file: attached, authenticated: newProven.checked });
    sendNew.disabled = false;
    if (!sent) return;
    writeView.reset();
    newProven.checked = true;
    show(null);
  } }, h("div", { class: "threadbar" }, tool("back", "Back to the mailbox", () => show(null)), h("h3", null, "New mail")),
  h("div", { class: "fields-col" }, from, subject, body, h("label", { class: "line" }, "Attachment ", file), label(newProven)),
  h("div", { class: "foot row" }, h("span", { class: "fill" }), sendNew));
  file.addEventListener("change", () => file.setCustomValidity(""));

  root.append(head("mail", "Mailbox", fail.box), who.row, note, listView, threadView, writeView);

  const box = () => state.mail.mailboxes.find((m) => m.address === owner) || { address: owner, name: owner, threads: [] };
  const thread = () => box().threads.find((t) => t.id === open);

  const show = (id, isWriting = false) => {
    open = id;
    writing = isWriting;
    mails.replaceChildren();
    render(state);
    if (isWriting) subject.focus();
    if (id) mails.scrollTop = mails.scrollHeight;
  };

  const row = ({ id, subject: about, last, count }) => h("button", { type: "button", class: "thread", onclick: () => show(id) },
    face(last.from_name || last.from), h("span", { class: "what" },
      h("span", { class: "top" }, h("b", null, last.incoming ? last.from_name || last.from : "Me"), count > 1 && h("span", { class: "count" }, String(count)),
        h("time", { datetime: last.at }, when(new Date(last.at)))),
      h("span", { class: "subject" }, about || "(no subject)"), h("span", { class: "peek" }, last.text.split("\n").filter((l) => !l.startsWith(">")).join(" ").slice(0, 120))));

  /* A mail's text, what it quotes folded away. */
  const prose = (mail) => {
    const lines = mail.text.trimEnd().split("\n");
    const start = lines.findIndex((line, n) => /^On .+ wrote:$/.test(line) && lines.slice(n + 1).some((l) => l.startsWith(">")));
    const own = start < 0 ? lines : lines.slice(0, start);
    return [h("p", { class: "prose" }, linked(own.join("\n").trimEnd())),
      start >= 0 && h("details", { class: "quoted" }, h("summary", { "aria-label": "Quoted text" }, "…"), h("p", { class: "prose" }, lines.slice(start).join("\n")))];
  };

  const letter = (mail) => h("article", { class: `mail ${mail.incoming ? "in" : "out"}` },
    h("header", null, face(mail.from_name || mail.from), h("div", null, h("b", null, mail.incoming ? mail.from_name || mail.from : "Me"),
      h("span", null, mail.incoming ? mail.from : `to ${mail.to}`)), h("time", { datetime: mail.at }, when(new Date(mail.at)))),
    mail.has_page && !asText ? frame(mail) : h("div", null, ...prose(mail)),
    ...mail.files.map((item) => attachment(mail, item)),
    mail.trouble && h("p", { class: "trouble" }, `Not taken: ${mail.trouble}`));

  const render = (next) => {
    if (!next) return;
    state = next;
    const { mailboxes, name, ours, failing, failures } = state.mail;
    owner = owner || mailboxes[0].address;
    const known = [...mailboxes, ...[...extra].filter((a) => !mailboxes.some((m) => m.address === a)).map((address) => ({ address, name: "" }))];
    who.render(known.map((m) => ({ value: m.address, label: m.name ? `${m.name} · ${m.address}` : m.address })), owner);
    fail.render(failing, failures);
    note.hidden = !state.unused.includes("email");
    listView.hidden = writing || Boolean(open);
    threadView.hidden = !open;
    writeView.hidden = !writing;
    from.textContent = `${owner} → ${ours} (${name})`;
    const threads = box().threads.map((t) => ({ id: t.id, subject: t.subject, last: t.mails.at(-1), count: t.mails.length })).reverse()
      .sort((a, b) => b.last.at.localeCompare(a.last.at));
    keep(list, threads.length ? threads : [{ id: "empty" }], (t) => t.id, (t) => (t.last ? row(t)
      : h("div", { class: "empty" }, icon("mail", 28), h("p", null, `Nothing here yet. Write to ${ours}.`))));
    const current = thread();
    if (!open || !current) return;
    title.textContent = current.subject || "(no subject)";
    toggle.textContent = asText ? "Show HTML" : "Show text";
    const before = mails.children.length;
    keep(mails, current.mails, (m) => m.id, letter);
    if (before && mails.children.length > before) mails.lastElementChild.scrollIntoView({ block: "nearest" });
  };
  const mark = (next) => next.mail.mailboxes.flatMap((m) => m.threads).flatMap((t) => t.mails).filter((m) => m.incoming).length;
  return { render, mark };
};
