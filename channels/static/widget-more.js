/* What the widget needs now and then: forms, files, the bubble beside the launcher, the way without WebSockets.
 *
 * Fetched by widget.js when it is first needed. Each part is called with the widget as `this`. As there, whatever
 * a person wrote is put on the page as text nodes, and looks come from a constructed sheet: no inline style.
 */
"use strict";
customElements.get("usher-widget").made = ({ node: h, glyph: icon, icons: ICONS, locale, box: store, options, server }) => {
  const MAX_FILE = 1e7; // bytes, as core/files.py
  const WORDS = {
    en: {
      copied: "Copied", later: "Not now", save: "Save", cancel: "Cancel", start: "Start chatting", close: "Close",
      reach: "Where can we reach you?", why: "If you close this chat, we'll send you word there when a person has answered.",
      email: "Email", sms: "Text message", number: "Mobile number, with country code", address: "Email address",
      kept: (to) => `Thanks. If you're not here, we'll write to ${to}.`, wrong: "We couldn't write to this. Please check it.", check: "Please check this.",
      mail: "Where shall we send this conversation?", send: "Send", soon: "Too many for now. Please try again later.",
      nothing: "There is nothing to send yet.", pre: "Before we start", name: "Your name", topic: "What is it about?", choose: "Please choose",
      optional: "optional", remove: (name) => `Remove ${name}`, uploading: "Uploading…",
      large: (name) => `${name} is too large: at most 10 MB.`, bad: (name) => `${name} can't be sent: this kind of file isn't accepted.`,
      failed: (name) => `${name} couldn't be uploaded. Please try again.`,
    },
    es: {
      copied: "Copiada", later: "Ahora no", save: "Guardar", cancel: "Cancelar", start: "Empezar", close: "Cerrar",
      reach: "¿Dónde podemos avisarte?", why: "Si cierras este chat, te avisaremos ahí cuando responda una persona.",
      email: "Correo", sms: "Mensaje de texto", number: "Móvil, con prefijo de país", address: "Correo electrónico",
      kept: (to) => `Gracias. Si no estás aquí, escribiremos a ${to}.`, wrong: "No podríamos escribir ahí. Revísalo, por favor.", check: "Revísalo, por favor.",
      mail: "¿A qué correo enviamos esta conversación?", send: "Enviar", soon: "Demasiados por ahora. Inténtalo más tarde.",
      nothing: "Todavía no hay nada que enviar.", pre: "Antes de empezar", name: "Tu nombre", topic: "¿De qué se trata?", choose: "Elige una opción",
      optional: "opcional", remove: (name) => `Quitar ${name}`, uploading: "Subiendo…",
      large: (name) => `${name} es demasiado grande: como máximo 10 MB.`, bad: (name) => `No se puede enviar ${name}: este tipo de archivo no se admite.`,
      failed: (name) => `No se ha podido subir ${name}. Inténtalo de nuevo.`,
    },
  };
  const words = WORDS[locale];

  const CSS = `
.ask{margin:0 0 16px 38px;padding:14px 16px;border:1px solid var(--line);border-radius:14px;background:var(--bg);font-size:14px;animation:rise .2s ease-out}
.ask.first{margin:4px 0 16px}
.ask h3{margin:0 0 10px;font-size:14.5px;font-weight:650;line-height:1.35}.ask p{margin:0;color:var(--muted);line-height:1.45}.ask h3+p{margin:-6px 0 12px}
.ask form{padding:0;border:0;display:grid;gap:12px}.ask label{display:grid;gap:4px;font-weight:550}.ask label small{color:var(--muted);font-weight:400;font-size:12.5px}
.ask :is(input,select){width:100%;min-height:40px;padding:7px 12px;border:1px solid color-mix(in srgb,var(--fg) 42%,var(--bg));border-radius:10px;background:var(--field);color:inherit;font:inherit;font-size:16px;font-weight:400}
.ask :is(input,select):focus-visible{outline-offset:0;border-color:var(--link)}.ask [aria-invalid=true]{border-color:var(--bad)}
.ways{display:flex;gap:6px}.ways button{padding:5px 12px;border:1px solid var(--line);border-radius:9px;font-size:13px}.ways [aria-pressed=true]{border-color:var(--link);color:var(--link);font-weight:600}
.acts{display:flex;gap:8px;align-items:center}.acts button{min-height:38px;padding:6px 14px;border-radius:10px;font-weight:600;font-size:14px}
.acts .main{background:var(--accent);color:var(--on-accent)}.acts .less{color:var(--muted)}.acts .less:hover{color:var(--fg);background:var(--soft)}
.ask .wrong{color:var(--bad);font-size:13px;font-weight:500}
.files button{flex:none;width:24px;height:24px;margin:-2px -6px -2px 0;border-radius:7px;display:grid;place-items:center;color:var(--muted)}.files button:hover{background:var(--soft);color:var(--fg)}
form>.files:not(:empty){margin:0 0 8px}.files .up{opacity:.75}
.bubble{position:fixed;right:max(20px,env(safe-area-inset-right));bottom:calc(max(20px,env(safe-area-inset-bottom)) + 70px);display:flex;align-items:flex-start;gap:4px;max-width:min(300px,calc(100vw - 40px));padding:6px;border-radius:16px 16px 5px 16px;background:var(--bg);color:var(--fg);box-shadow:var(--shadow);animation:rise .25s ease-out}
.bubble .talk{padding:7px 4px 7px 10px;text-align:left;line-height:1.45;overflow-wrap:anywhere;border-radius:10px}.bubble .tool{width:30px;height:30px}
:host([data-open]) .bubble{display:none}
@media (max-width:480px){.ask{margin-left:0}.acts button{min-height:44px}}
`;
  const dress = (widget) => {
    const root = widget.shadowRoot;
    if (root.dressed) return;
    root.dressed = true;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    // before the first sheet's last rules (reduced motion, forced colours) nothing is lost: those are !important
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  };

  const masked = (address) => address.includes("@") ? `${address[0]}•••@${address.split("@")[1]}` : `•••${address.slice(-4)}`;
  let counter = 0;
  /** A labelled field: {name, label, type, required, choices}. */
  const field = ({ label, required, choices, ...props }, hint) => {
    const id = `ask${counter++}`;
    const input = choices
      ? h("select", { id, required, name: props.name }, h("option", { value: "" }, words.choose), ...choices.map((c) => h("option", null, c)))
      : h("input", { id, required, maxlength: 320, ...props });
    return h("label", { for: id }, h("span", null, label, " ", required || !hint ? "" : h("small", null, `(${hint})`)), input);
  };
  /** A card in the conversation that asks for something. `done(form)` is told; `back` gives it up. */
  const card = ({ title, text, body, main, less, done, back }) => {
    const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
    const say = (problem) => { wrong.textContent = problem || ""; wrong.hidden = !problem; };
    const form = h("form", { novalidate: true, onsubmit: (event) => {
      event.preventDefault();
      say("");
      const inputs = [...form.querySelectorAll("input,select")];
      inputs.forEach((input) => { input.setAttribute("aria-invalid", String(!input.checkValidity())); });
      const first = inputs.find((input) => !input.checkValidity());
      if (first) { say(words.check); first.focus(); return; }
      done(Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()])), say);
    } }, ...body, wrong, h("div", { class: "acts" }, h("button", { type: "submit", class: "main" }, main),
      less ? h("button", { type: "button", class: "less", onclick: back }, less) : null));
    const id = `ask${counter++}`;
    return h("section", { class: "ask", "aria-labelledby": id }, h("h3", { id }, title), text ? h("p", null, text) : null, form);
  };
  const show = (widget, box) => {
    const stick = widget.atBottom();
    widget.$.extra.append(box);
    if (stick) widget.bottom();
  };

  return {
    // ---------------------------------------------------------------- where to reach the customer

    /** Ask once; `ways` are channels, none when the answer is known. */
    reach(ways) {
      dress(this);
      if (!ways) { if (this.asking && !this.asking.told) this.asking.remove(); this.asking = null; return; }
      if (this.asking) return;
      let way = ways[0];
      const slot = h("div");
      const draw = () => slot.replaceChildren(field(way === "email"
        ? { name: "address", label: words.address, type: "email", autocomplete: "email", required: true }
        : { name: "address", label: words.number, type: "tel", autocomplete: "tel", pattern: "\\+[0-9 \\(\\)\\.\\-]{7,24}", placeholder: "+1 202 555 0143", required: true }));
      const choice = h("div", { class: "ways", role: "group", "aria-label": words.reach }, ...ways.map((name) => h("button", {
        type: "button", "aria-pressed": String(name === way), onclick: (event) => {
          way = name;
          [...choice.children].forEach((b) => b.setAttribute("aria-pressed", String(b === event.currentTarget)));
          draw();
        } }, words[name])));
      draw();
      const box = card({
        title: words.reach, text: words.why, body: [ways.length > 1 ? choice : "", slot], main: words.save, less: words.later,
        done: ({ address }, say) => {
          this.waits.reach = () => {
            box.told = false;
            say(words.wrong);
            const input = box.querySelector("input");
            input.setAttribute("aria-invalid", "true");
            input.focus();
          };
          this.put("reach", { client_id: "reach", channel: way, address });
          box.told = true;
          setTimeout(() => { if (box.told) box.replaceChildren(h("p", { role: "status" }, words.kept(masked(address)))); }, 600);
        },
        back: () => { this.put("reach", { channel: way }); box.remove(); this.$.text.focus(); },
      });
      this.asking = box;
      show(this, box);
    },

    // ---------------------------------------------------------------- the conversation, taken along

    transcript() {
      dress(this);
      if (this.letter) this.letter.remove();
      const box = (this.letter = card({
        title: words.mail, body: [field({ name: "email", label: words.address, type: "email", autocomplete: "email", required: true })], main: words.send, less: words.cancel,
        done: ({ email }, say) => {
          this.waits.transcript = (code) => say(code === "rate_limited" ? words.soon : code === "bad_input" ? words.nothing : words.wrong);
          this.put("transcript", { client_id: "transcript", email });
          // a refusal comes at once; the conversation itself says when it is on its way
          setTimeout(() => { if (box.isConnected && box.querySelector(".wrong").hidden) { box.remove(); this.$.text.focus(); } }, 1500);
        },
        back: () => { box.remove(); this.$.text.focus(); },
      }));
      show(this, box);
      this.bottom();
      box.querySelector("input").focus();
    },

    async copy() {
      const name = (f) => (f.author === "customer" ? "–" : f.author_name || (f.author === "bot" ? this.bot : this.brand));
      const text = this.rows.map(({ frame }) => `${name(frame)}: ${frame.text}`).join("\n\n");
      try { await navigator.clipboard.writeText(text); this.notice(words.copied); setTimeout(() => this.notice(""), 2000); } catch {} // not allowed here
    },

    // ---------------------------------------------------------------- before the talk

    /** data-prechat="name email* topic": what to ask first; the field for messages comes after it. */
    prechat() {
      dress(this);
      if (this.first || store.get("about")) return;
      const kinds = { name: { label: words.name, autocomplete: "name" }, email: { label: words.address, type: "email", autocomplete: "email" },
        topic: { label: words.topic, choices: options.topics ? options.topics.split("|").map((t) => t.trim()).filter(Boolean) : undefined } };
      const asked = options.prechat.split(/[\s,]+/).map((word) => [word.replace("*", ""), word.endsWith("*")]).filter(([name]) => kinds[name]);
      if (!asked.length) return;
      const composer = this.$.text.form;
      composer.hidden = true;
      const go = (about) => {
        store.set("about", JSON.stringify(about));
        this.put("about", about);
        this.first.remove();
        composer.hidden = false;
        this.$.text.focus();
      };
      this.first = card({
        title: words.pre, body: asked.map(([name, required]) => field({ name, required, ...kinds[name] }, words.optional)), main: words.start,
        less: asked.some(([, required]) => required) ? null : words.later, done: go, back: () => go({}),
      });
      this.first.classList.add("first");
      show(this, this.first);
      const input = this.first.querySelector("input,select");
      if (!matchMedia("(pointer: coarse)").matches) input.focus();
    },

    // ---------------------------------------------------------------- files

    attach() {
      dress(this);
      const pick = h("input", { type: "file", multiple: true });
      pick.addEventListener("change", () => [...pick.files].slice(0, 5 - (this.files || []).length).forEach((file) => upload(this, file)));
      pick.click();
    },

    // ---------------------------------------------------------------- beside the launcher

    bubble(text) {
      dress(this);
      if (this.opened || this.speech) return;
      const gone = () => { store.set("greeted", text); this.speech.remove(); };
      this.speech = h("div", { class: "bubble", role: "status" },
        h("button", { type: "button", class: "talk", onclick: () => { this.greeted = text; gone(); this.open(); } }, text),
        h("button", { type: "button", class: "tool", "aria-label": words.close, title: words.close, onclick: () => { gone(); this.$.launch.focus(); } }, icon(ICONS.close, 16)));
      this.$.launch.before(this.speech);
    },

    // ---------------------------------------------------------------- where WebSockets are blocked

    /** Return a class that looks like a WebSocket and talks by server-sent events and POSTs. */
    stream() {
      return class {
        constructor() {
          this.readyState = 0;
          this.way = Promise.resolve();
          this.source = new EventSource(new URL("/web/stream", server).href);
          this.source.addEventListener("open", (event) => { // ours carries the name; the browser's own does not
            if (!event.data) return;
            this.path = `/web/stream/${event.data}`;
            this.readyState = 1;
            this.onopen();
          });
          this.source.onmessage = (event) => this.onmessage(event);
          this.source.addEventListener("end", (event) => this.over(Number(event.data)));
          this.source.onerror = () => this.over(1006);
        }

        /** One after the other, as a socket would. */
        send(text) {
          this.way = this.way.then(() => this.readyState === 1 && fetch(new URL(this.path, server).href, { method: "POST", body: text })).catch(() => this.over(1006));
        }

        over(code) {
          if (this.readyState === 3) return;
          this.close();
          this.onclose({ code });
        }

        close() { this.readyState = 3; this.source.close(); }
      };
    },
  };

  // ------------------------------------------------------------------ files, inside

  async function upload(widget, file) {
    const item = { name: file.name };
    widget.files = [...(widget.files || []), item];
    const drop = () => { widget.files = widget.files.filter((f) => f !== item); chip.remove(); widget.typed(); };
    const label = h("span", { role: "status" }, words.uploading);
    const chip = h("span", { class: "chip up" }, icon(ICONS.clip, 14), label,
      h("button", { type: "button", "aria-label": words.remove(file.name), title: words.remove(file.name), onclick: () => { drop(); widget.$.text.focus(); } }, icon(ICONS.close, 14)));
    widget.$.tray.append(chip);
    widget.uploading = (widget.uploading || 0) + 1;
    const problem = await sent(item, file);
    widget.uploading--;
    if (problem) { drop(); widget.notice(problem(file.name), true); setTimeout(() => widget.notice(""), 6000); return; }
    label.textContent = item.name;
    chip.classList.remove("up");
    widget.typed();
  }

  /** Upload; returns what went wrong as words, or nothing. */
  async function sent(item, file) {
    if (file.size > MAX_FILE) return words.large;
    try {
      const answer = await fetch(new URL("/web/files", server).href, { method: "POST", body: file, headers: {
        authorization: `Bearer ${store.get("visitor")}`, "x-file-name": encodeURIComponent(file.name), "content-type": file.type || "application/octet-stream" } });
      if (answer.status === 413) return words.large;
      if (answer.status >= 400 && answer.status < 429) return words.bad;
      if (!answer.ok) return words.failed;
      Object.assign(item, await answer.json());
      return null;
    } catch { return words.failed; }
  }
};
