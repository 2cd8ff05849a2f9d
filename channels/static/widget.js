/* usher web chat widget. No dependencies. Served made small; what is rarely needed is in widget-more.js.
 *
 *   <script src="https://…/widget.js" data-key="…" async></script>
 *
 * data-key       publishable key of the tenant's widget (required)
 * data-identity  JWT your server signed for the person who is logged in
 * data-title     name in the header (else the brand)      data-accent    #rrggbb
 * data-locale    en | es (else the page's language)       data-theme     auto | light | dark
 * data-starters  questions to offer, separated by |       data-open      open at once
 * data-greet     what to say beside the launcher after data-greet-delay seconds (5)
 * data-prechat   what to ask first: "name email* topic" (* must be given), with data-topics "Billing|Setup"
 * data-page      fill the page (links do)
 *
 * window.usher: open() close() toggle() send(text) greet(text, {delay}) identify(jwt) signOut() on(event, fn)
 * Events: message, identity (the identity was refused: call identify with a fresh one).
 *
 * Everything a person or a document wrote is put on the page as text nodes; there is no innerHTML here.
 */
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector("script[data-key][src*='widget.js']");
  if (!script || customElements.get("usher-widget")) return;

  const options = { ...script.dataset };
  const server = new URL(script.src, location.href);
  const MAX_TEXT = 8000;
  const SILENCE = 70000; // ms without a frame or ping before the line counts as dead

  // ------------------------------------------------------------------ words

  // English; every other language is a file of its own (widget-es.js), fetched where it is spoken.
  let words = {
    open: "Open chat", close: "Close chat", unread: (n) => `${n} unread ${n === 1 ? "message" : "messages"}`,
    log: "Conversation", write: "Write a message", send: "Send", menu: "More options", you: "You",
    person: "Talk to a person", askPerson: "I'd like to talk to a person", copy: "Copy conversation", mail: "Email this conversation",
    attach: "Attach a file", part: "This couldn't be loaded. Try again in a moment.",
    assistant: "AI", assistantIs: (bot) => `${bot}, AI assistant`,
    here: (brand) => `from ${brand} is here`, joining: "A person will join you",
    connecting: "Connecting…", reconnecting: "Connection lost. Trying again…",
    offline: "You're offline. Messages go out when you're back.",
    refused: "This chat isn't available on this page.",
    identity: "Your sign-in has expired. Reload the page to go on.",
    sending: "Sending…", waiting: "Waiting for connection", slow: "Too fast; sending again in a moment",
    tooLong: "Not sent: the message is too long.", notSent: "Not sent.", again: "Try again",
    typing: (name) => `${name} is writing`, sources: "Sources", source: (n) => `Source ${n}`,
    openPage: "Open page", helped: "This helped", didNotHelp: "This didn't help", thanks: "Thanks for telling us",
    newer: "New messages", today: "Today", yesterday: "Yesterday", starters: "Suggestions",
    disclosure: "An AI answers from the docs. Ask for a person any time.",
    human: "A person answers you here, not the AI.",
    left: (n) => `${n} characters left`, resolved: "This conversation is closed. Write to open it again.",
  };
  const wanted = (options.locale || document.documentElement.lang || navigator.language || "en").toLowerCase();
  const locale = wanted.startsWith("es") ? "es" : "en";

  // ------------------------------------------------------------------ small tools

  const h = (tag, props, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };
  const icon = (path, size = 20) => {
    const make = (tag, props) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
      return node;
    };
    const svg = make("svg", { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", fill: "none",
      stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round" });
    svg.append(make("path", { d: path }));
    return svg;
  };
  const ICONS = {
    chat: "M4 5.8A1.8 1.8 0 0 1 5.8 4h12.4A1.8 1.8 0 0 1 20 5.8v8.4a1.8 1.8 0 0 1-1.8 1.8H11l-4.6 3.6c-.4.3-.9 0-.9-.5V16A1.6 1.6 0 0 1 4 14.4zM8.5 8.8h7M8.5 11.6h4.4",
    down: "M6 9.5l6 6 6-6", close: "M6.5 6.5l11 11m0-11l-11 11", send: "M12 19V5.5m-6 6l6-6 6 6",
    more: "M6 11.5v1M12 11.5v1M18 11.5v1",
    person: "M12 12a3.6 3.6 0 1 0 0-7.2 3.6 3.6 0 0 0 0 7.2zM5 19.6c.8-3 3.5-4.6 7-4.6s6.2 1.6 7 4.6",
    copy: "M9 9h9.2v10.2H9zM15 9V5H5.8v10.2H9", spark: "M12 4l1.9 6.1L20 12l-6.1 1.9L12 20l-1.9-6.1L4 12l6.1-1.9z",
    up: "M7 11v8.5H4.5V11zm0 0l4-7c1.6 0 2.3 1.3 2 2.7L12.4 10h5.3c1.3 0 2 1 1.7 2.2l-1.4 5.8c-.2.9-.9 1.5-1.8 1.5H7",
    link: "M14 5h5v5m0-5l-8 8M18 14v4.5H5.5V6H10", mail: "M4.5 6.5h15v11h-15zM5 7l7 6 7-6",
    clip: "M19 11.5l-7.2 7.2a4.4 4.4 0 0 1-6.2-6.2l7.5-7.5a2.9 2.9 0 0 1 4.1 4.1l-7.4 7.4a1.4 1.4 0 0 1-2-2l6.6-6.6",
  };
  const down = (node) => { node.style.setProperty("transform", "rotate(180deg)"); return node; };

  /** Fetch another of our scripts, with the page's own nonce if it has one. */
  const load = (name) => new Promise((done, fail) => {
    document.head.append(h("script", { src: new URL(name, server).href, nonce: script.nonce, onload: done, onerror: fail }));
  });

  const newId = () => Date.now().toString(36) + Array.from(crypto.getRandomValues(new Uint8Array(8)),
    (byte) => byte.toString(16).padStart(2, "0")).join("");

  /** localStorage under our prefix, or memory where a browser forbids it. */
  const store = (() => {
    const prefix = `usher:${options.key}:${options.apart ? options.apart + ":" : ""}`;
    let box;
    try { box = window.localStorage; box.setItem(prefix + "probe", "1"); box.removeItem(prefix + "probe"); }
    catch {
      box = Object.create({ getItem(k) { return this[k] ?? null; }, setItem(k, v) { this[k] = v; }, removeItem(k) { delete this[k]; } });
    }
    return {
      prefix,
      get: (name) => box.getItem(prefix + name),
      set: (name, value) => {
        try { box.setItem(prefix + name, value); } catch {} // full: go on without
      },
      drop: (name) => box.removeItem(prefix + name),
      list: (start) => Object.keys(box).filter((k) => k.startsWith(prefix + start)).map((k) => k.slice(prefix.length)).sort(),
    };
  })();

  /** Messages not yet stored by the server, one key each so that two tabs never overwrite each other. */
  const outbox = {
    add: (item) => store.set(`out:${item.id}`, JSON.stringify(item)),
    drop: (id) => store.drop(`out:${id}`),
    all: () => store.list("out:").map((name) => {
      try { return JSON.parse(store.get(name)); } catch { return null; }
    }).filter((item) => item && typeof item.id === "string" && typeof item.text === "string"),
  };

  // ------------------------------------------------------------------ Markdown to DOM nodes

  const safeUrl = (text) => {
    try {
      const url = new URL(text);
      return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
    } catch { return null; }
  };
  const anchor = (href, ...children) =>
    h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);

  const INLINE = new RegExp([
    /\\([\\`*_{}[\]()#+.!>~-])/, /(`+)([^`](?:[^]*?[^`])?)\2(?!`)/, /\*\*(?=\S)([^]+?\S)\*\*|__(?=\S)([^]+?\S)__/,
    /\*(?=[^\s*])([^*]*[^\s*])\*|(?<![\w])_(?=\S)([^_]*[^\s_])_(?![\w])/, /\[([^\]\n]{1,300})\]\(([^()\s]{1,2000})\)/,
    /\[(\d{1,2})\]/, /(https?:\/\/[^\s<>"'`]*[^\s<>"'`.,;:!?)\]])/,
  ].map((part) => part.source).join("|"), "g");

  function inline(text, cite, depth = 0) {
    const out = [];
    let last = 0;
    const plain = (end) => {
      text.slice(last, end).split("\n").forEach((line, i) => {
        if (i) out.push(h("br"));
        if (line) out.push(line);
      });
    };
    if (depth > 4) return [text];
    for (const match of text.matchAll(INLINE)) {
      const [all, escaped, , code, bold, bold2, italic, italic2, label, href, number, bare] = match;
      let node;
      if (escaped) node = escaped;
      else if (code) node = h("code", null, code.trim());
      else if (bold || bold2) node = h("strong", null, ...inline(bold || bold2, cite, depth + 1));
      else if (italic || italic2) node = h("em", null, ...inline(italic || italic2, cite, depth + 1));
      else if (label) {
        const url = safeUrl(href);
        node = url ? anchor(url, ...inline(label, null, depth + 1)) : label;
      } else if (number) node = (cite && cite(Number(number))) || all;
      else if (bare) { const url = safeUrl(bare); node = url ? anchor(url, bare) : bare; }
      plain(match.index);
      out.push(node);
      last = match.index + all.length;
    }
    plain(text.length);
    return out;
  }

  function markdown(text, cite) {
    const out = document.createDocumentFragment();
    const lines = text.replace(/\r\n?/g, "\n").split("\n");
    const ITEM = /^\s{0,3}(?:[-*+•]|(\d{1,3})[.)])\s+(.*)$/;
    let at = 0;
    const take = (test) => { const got = []; while (at < lines.length && test(lines[at])) got.push(lines[at++]); return got; };
    while (at < lines.length) {
      const line = lines[at];
      let match;
      if (!line.trim()) at++;
      else if (/^\s{0,3}```/.test(line)) {
        at++;
        const code = take((l) => !/^\s{0,3}```\s*$/.test(l));
        at++;
        out.append(h("pre", { tabindex: 0 }, h("code", null, code.join("\n"))));
      } else if ((match = /^\s{0,3}#{1,6}\s+(.*?)\s*#*$/.exec(line))) {
        at++;
        out.append(h("p", { class: "title" }, ...inline(match[1], cite)));
      } else if (/^\s{0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/.test(line)) { at++; out.append(h("hr")); }
      else if (/^\s{0,3}>/.test(line)) {
        const quoted = take((l) => /^\s{0,3}>/.test(l)).map((l) => l.replace(/^\s{0,3}>\s?/, ""));
        out.append(h("blockquote", null, ...inline(quoted.join("\n"), cite)));
      } else if ((match = ITEM.exec(line))) {
        const ordered = Boolean(match[1]);
        const list = h(ordered ? "ol" : "ul", ordered ? { start: match[1] } : null);
        while (at < lines.length && (match = ITEM.exec(lines[at])) && Boolean(match[1]) === ordered) {
          at++;
          const rest = take((l) => /^\s{2,}\S/.test(l) && !ITEM.test(l)).map((l) => l.trim());
          list.append(h("li", null, ...inline([match[2], ...rest].join("\n"), cite)));
          if (at + 1 < lines.length && !lines[at].trim() && ITEM.test(lines[at + 1])) at++;
        }
        out.append(list);
      } else {
        const first = lines[at++];
        const rest = take((l) => l.trim() && !ITEM.test(l) && !/^\s{0,3}(?:```|>|#{1,6}\s)/.test(l));
        out.append(h("p", null, ...inline([first, ...rest].map((l) => l.trim()).join("\n"), cite)));
      }
    }
    return out;
  }

  // ------------------------------------------------------------------ colour

  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  const luminance = (c) => c.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  /** Mix a colour towards another until it reads on a background (WCAG AA, 4.5:1). */
  const readable = (colour, on, towards) => {
    let out = colour;
    for (let step = 0; step <= 10 && contrast(out, on) < 4.5; step++) out = colour.map((v, i) => Math.round(v + (towards[i] - v) * step / 10));
    return `rgb(${out.join(" ")})`;
  };

  // ------------------------------------------------------------------ looks

  const CSS = `
:host{--bg:#fff;--soft:#f5f6f8;--fg:#171a21;--muted:#5b6372;--line:#e6e8ec;--bubble:#f2f3f6;--field:#fff;--bad:#b42318;--bad-soft:#fef3f2;
 --shadow:0 0 0 1px rgb(16 20 30/.05),0 8px 24px rgb(16 20 30/.10),0 24px 64px rgb(16 20 30/.16);--link:var(--link-light);
 all:initial;color-scheme:light;position:fixed;z-index:2147483000;inset:auto 0 0 auto;
 font:15px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
:host([data-dark]){--bg:#16181d;--soft:#1c1f26;--fg:#eceef2;--muted:#a0a8b6;--line:#2b2f38;--bubble:#24282f;--field:#1c1f26;--bad:#ff9b92;--bad-soft:#3a1d1c;
 --shadow:0 0 0 1px rgb(255 255 255/.07),0 8px 24px rgb(0 0 0/.4),0 24px 64px rgb(0 0 0/.5);--link:var(--link-dark);color-scheme:dark}
*,*::before,*::after{box-sizing:border-box}
button{font:inherit;color:inherit;background:none;border:0;padding:0;margin:0;cursor:pointer}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
[hidden]{display:none!important}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.launch{position:fixed;right:max(20px,env(safe-area-inset-right));bottom:max(20px,env(safe-area-inset-bottom));width:56px;height:56px;border-radius:50%;
 background:var(--accent);color:var(--on-accent);display:grid;place-items:center;box-shadow:0 2px 6px rgb(16 20 30/.16),0 10px 28px rgb(16 20 30/.22);transition:transform .18s cubic-bezier(.2,.8,.3,1.2)}
.launch:hover{transform:scale(1.05)}.launch:active{transform:scale(.97)}.launch:focus-visible{outline:3px solid var(--link);outline-offset:3px}
.badge{position:absolute;top:-3px;right:-3px;min-width:21px;height:21px;padding:0 6px;border-radius:11px;background:#d92d20;color:#fff;font-size:12px;font-weight:650;line-height:21px;text-align:center;box-shadow:0 0 0 2px var(--bg)}
.panel{position:fixed;right:max(20px,env(safe-area-inset-right));bottom:calc(max(20px,env(safe-area-inset-bottom)) + 72px);width:400px;height:min(680px,calc(100vh - 116px));height:min(680px,calc(100dvh - 116px));
 display:flex;flex-direction:column;overflow:hidden;border-radius:18px;background:var(--bg);color:var(--fg);box-shadow:var(--shadow);transform-origin:100% 100%;animation:open .2s cubic-bezier(.2,.8,.2,1)}
.panel:focus{outline:none}
@keyframes open{from{opacity:0;transform:translateY(10px) scale(.985)}}
@keyframes rise{from{opacity:0;transform:translateY(6px)}}
header{display:flex;align-items:center;gap:12px;padding:14px 12px 14px 18px;border-bottom:1px solid var(--line);position:relative;z-index:2}
.face{flex:none;width:28px;height:28px;border-radius:9px;display:grid;place-items:center;background:var(--accent);color:var(--on-accent);font-size:12px;font-weight:650;letter-spacing:.01em}
.face.csm{border-radius:50%;background:hsl(var(--hue) 45% 38%);color:#fff}
header .face{width:38px;height:38px;border-radius:12px;font-size:15px}header .face.csm{border-radius:50%}
.who{flex:1;min-width:0}
.who h2{margin:0;font-size:15px;font-weight:650;line-height:1.3;letter-spacing:-.01em}
.who p{margin:1px 0 0;font-size:13px;line-height:1.35;color:var(--muted);display:flex;align-items:center;gap:6px}
.who h2,.who p span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.dot{flex:none;width:7px;height:7px;border-radius:50%;background:#8b93a1}.dot.on{background:#17b26a}
.tool{flex:none;width:36px;height:36px;border-radius:10px;display:grid;place-items:center;color:var(--muted)}.tool:hover,.tool[aria-expanded=true]{background:var(--soft);color:var(--fg)}
.menu{position:absolute;top:56px;right:14px;min-width:216px;padding:6px;border-radius:12px;background:var(--bg);box-shadow:var(--shadow);animation:rise .14s ease-out}
.menu button{display:flex;align-items:center;gap:10px;width:100%;padding:9px 10px;border-radius:8px;text-align:left;font-size:14px}
.menu button:hover,.menu button:focus-visible{background:var(--soft)}.menu svg{color:var(--muted)}
.notice{padding:8px 18px;font-size:13px;line-height:1.4;background:var(--soft);color:var(--muted);border-bottom:1px solid var(--line)}.notice.bad{background:var(--bad-soft);color:var(--bad)}
.scroll{flex:1;min-height:0;overflow-y:auto;overscroll-behavior:contain;padding:18px 18px 10px;scrollbar-width:thin;scrollbar-color:var(--line) transparent}
.scroll:focus-visible{outline-offset:-3px;border-radius:4px}
.day,.line{margin:14px auto;text-align:center;font-size:12px;color:var(--muted);max-width:300px;line-height:1.45}.day{font-weight:600}.day:first-child{margin-top:0}
.m{display:grid;grid-template-columns:28px minmax(0,1fr);column-gap:10px;margin:0 0 16px;animation:rise .18s ease-out}
.m.me{display:flex;flex-direction:column;align-items:flex-end;margin-bottom:14px}
.meta{grid-column:2;display:flex;align-items:baseline;gap:6px;margin:0 0 4px;font-size:12.5px;line-height:1.4;color:var(--muted)}
.meta b{font-weight:600;color:var(--fg)}
.tag{padding:0 5px;border-radius:5px;background:var(--soft);border:1px solid var(--line);font-size:10.5px;font-weight:650;letter-spacing:.03em;line-height:15px;align-self:center}
.m>.face{grid-column:1;grid-row:1/span 2;margin-top:1px}
.b{grid-column:2;justify-self:start;max-width:100%;padding:10px 14px;border-radius:5px 15px 15px 15px;background:var(--bubble);overflow-wrap:anywhere}
.me .b{max-width:84%;border-radius:15px 15px 5px 15px;background:var(--accent);color:var(--on-accent);white-space:pre-wrap}
.me.wait .b{opacity:.9}.me.failed .b{background:var(--bad-soft);color:var(--bad);opacity:1}
.state{margin:4px 2px 0;font-size:12px;color:var(--muted);display:flex;gap:8px}.failed .state{color:var(--bad)}.state button{text-decoration:underline;font-weight:600}
.b p,.b ul,.b ol,.b pre,.b blockquote{margin:0 0 9px}.b>:last-child{margin-bottom:0}
.b .title{font-weight:650}.b ul,.b ol{padding-left:20px}.b li{margin:3px 0}.b li::marker{color:var(--muted)}
.b a{color:var(--link);text-underline-offset:2px;text-decoration-thickness:1px}
.b code{font:.87em/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;padding:.12em .36em;border-radius:5px;background:color-mix(in srgb,var(--fg) 8%,transparent)}
.b pre{padding:10px 12px;border-radius:9px;background:color-mix(in srgb,var(--fg) 7%,transparent);overflow-x:auto}.b pre code{padding:0;background:none;overflow-wrap:normal}
.b blockquote{padding-left:11px;border-left:3px solid var(--line);color:var(--muted)}.b hr{border:0;border-top:1px solid var(--line);margin:10px 0}
.ref{display:inline-grid;place-items:center;min-width:17px;height:17px;margin:0 1px 0 2px;padding:0 4px;border-radius:6px;background:color-mix(in srgb,var(--link) 14%,transparent);color:var(--link);font-size:11px;font-weight:650;line-height:1;vertical-align:2px}
.ref:hover,.ref[aria-expanded=true]{background:var(--link);color:var(--bg)}
.under{grid-column:2;display:flex;flex-wrap:wrap;align-items:center;gap:6px;margin-top:7px;min-width:0}
.chip{display:inline-flex;align-items:center;gap:6px;max-width:100%;min-height:28px;padding:3px 10px 3px 5px;border:1px solid var(--line);border-radius:9px;font-size:12.5px;line-height:1.35;color:var(--muted)}
.chip>span:last-child{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.chip .n{flex:none;min-width:18px;height:18px;border-radius:6px;background:var(--soft);font-size:11px;font-weight:650;line-height:18px;text-align:center}
.chip:hover,.chip[aria-expanded=true]{border-color:var(--link);color:var(--fg)}.chip[aria-expanded=true] .n{background:var(--link);color:var(--bg)}
.card{grid-column:2;margin-top:7px;padding:11px 13px;border:1px solid var(--line);border-radius:12px;font-size:13px;line-height:1.5;animation:rise .14s ease-out;overflow-wrap:anywhere}
.card b{font-weight:600}.card .path{color:var(--muted)}.card q{display:block;margin:6px 0 0;padding-left:10px;border-left:3px solid var(--line);color:var(--muted);quotes:none}
.card a{display:inline-flex;align-items:center;gap:4px;margin-top:8px;color:var(--link);font-weight:600;text-decoration:none}.card a:hover{text-decoration:underline}
.vote{display:flex;gap:2px;margin-left:auto}.vote button{width:28px;height:28px;border-radius:8px;display:grid;place-items:center;color:var(--muted)}.vote button:hover{background:var(--soft);color:var(--fg)}.vote [aria-pressed=true]{color:var(--link)}.vote span{font-size:12px;color:var(--muted);align-self:center}
.replies{display:flex;flex-wrap:wrap;gap:8px;margin:0 0 14px 38px}.replies.start{margin-top:-2px}
.replies button{padding:7px 14px;min-height:36px;border:1px solid color-mix(in srgb,var(--link) 45%,transparent);border-radius:18px;color:var(--link);font-size:14px;font-weight:500;line-height:1.4;text-align:left;animation:rise .2s ease-out}
.replies button:hover{background:color-mix(in srgb,var(--link) 9%,transparent);border-color:var(--link)}
.dots{display:flex;gap:4px;padding:14px}.dots i{width:6px;height:6px;border-radius:50%;background:var(--muted);animation:bob 1.2s infinite ease-in-out}.dots i:nth-child(2){animation-delay:.15s}.dots i:nth-child(3){animation-delay:.3s}
@keyframes bob{0%,60%,100%{opacity:.35;transform:none}30%{opacity:1;transform:translateY(-3px)}}
.draft .b>:last-child::after{content:"";display:inline-block;width:7px;height:7px;margin-left:3px;border-radius:50%;background:var(--link);animation:bob 1.2s infinite}
.newer{position:absolute;left:50%;bottom:126px;transform:translateX(-50%);display:flex;align-items:center;gap:6px;padding:6px 14px 6px 10px;border-radius:17px;background:var(--bg);box-shadow:var(--shadow);font-size:13px;font-weight:600;z-index:2}
form{padding:10px 14px max(10px,env(safe-area-inset-bottom));border-top:1px solid var(--line)}
.field{display:flex;align-items:flex-end;gap:6px;padding:5px 5px 5px 14px;border:1px solid var(--line);border-radius:16px;background:var(--field);transition:border-color .12s,box-shadow .12s}
.field:focus-within{border-color:var(--link);box-shadow:0 0 0 3px color-mix(in srgb,var(--link) 16%,transparent)}
textarea{flex:1;min-width:0;max-height:132px;padding:6px 0;border:0;outline:0;resize:none;background:none;color:inherit;font-family:inherit;font-size:16px;line-height:24px}
textarea:focus-visible{outline:0}textarea::placeholder{color:var(--muted);opacity:1}
.go{flex:none;width:36px;height:36px;border-radius:11px;display:grid;place-items:center;background:var(--accent);color:var(--on-accent);transition:opacity .12s}
.go[aria-disabled=true]{background:var(--soft);color:var(--muted);cursor:default}
.tool.clip{width:36px;margin-left:-8px}.files{display:flex;flex-wrap:wrap;gap:6px;margin-top:6px}.me .files{justify-content:flex-end}
a.chip{color:var(--fg);padding:3px 10px;text-decoration:none}
.fine{margin:8px 2px 0;font-size:11.5px;line-height:1.35;color:var(--muted);text-align:center}
@media (max-width:480px){.panel{inset:0;width:auto;height:100vh;height:100dvh;border-radius:0;padding-top:env(safe-area-inset-top)}:host([data-open]) .launch{display:none}.scroll{padding:16px 16px 8px}.tool{width:44px;height:44px}.go{width:40px;height:40px}.field{border-radius:18px}.vote button{width:36px;height:36px}.chip{min-height:34px}}
@media (max-height:560px) and (min-width:481px){.panel{bottom:12px;height:calc(100vh - 24px)}:host([data-open]) .launch{display:none}}
:host([data-page]) .panel{inset:0;margin:auto;width:min(720px,100%);height:100vh;height:100dvh;border-radius:0}:host([data-page]) :is(.launch,.shut){display:none}
@media (prefers-reduced-motion:reduce){*,*::before,*::after{animation:none!important;transition:none!important;scroll-behavior:auto!important}}
@media (forced-colors:active){.b,.chip,.launch,.go{border:1px solid}}
`;

  // ------------------------------------------------------------------ the widget

  class Usher extends HTMLElement {
    constructor() {
      super();
      this.rows = []; // shown messages in order: {order, seq, frame, node}
      this.conversations = []; // ids in order of appearance
      this.cursor = 0; // greatest seq seen of the current conversation
      this.pending = new Map(); // client id → node, for what is not in rows yet
      this.drafts = new Map(); // turn id → {parts, node}
      this.brand = options.title || "";
      this.bot = "";
      this.status = { mode: "auto", owner_name: null };
      this.tries = 0;
      this.unread = 0;
      this.listeners = {};
      this.waits = {}; // what was asked for → what to do when it is refused
      this.build();
    }

    // ---------------------------------------------------------------- the page

    build() {
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet(); // not an inline style: pages with a strict CSP allow it
      sheet.replaceSync(CSS);
      root.adoptedStyleSheets = [sheet];
      const $ = (this.$ = {});
      const tool = (name, path, label, onclick, props) =>
        ($[name] = h("button", { class: "tool", type: "button", "aria-label": label, title: label, onclick, ...props }, icon(path)));
      const item = (path, label, onclick) =>
        h("button", { type: "button", role: "menuitem", onclick: () => { this.menu(false); onclick(); } }, icon(path, 18), label);
      $.menu = h("div", { class: "menu", role: "menu", hidden: true, onkeydown: (e) => this.menuKeys(e) },
        item(ICONS.person, words.person, () => this.say(words.askPerson)),
        item(ICONS.copy, words.copy, () => this.more("copy")),
        item(ICONS.mail, words.mail, () => this.more("transcript")));
      $.head = h("div", { class: "face" }, icon(ICONS.spark));
      $.title = h("h2", { id: "title" });
      $.state = h("span");
      $.dot = h("i", { class: "dot" });
      $.log = h("div", { role: "log", "aria-live": "off", "aria-relevant": "additions" });
      $.extra = h("div");
      $.scroll = h("div", { class: "scroll", tabindex: 0, "aria-label": words.log, role: "region", onscroll: () => this.scrolled() }, $.log, $.extra);
      $.notice = h("div", { class: "notice", role: "status", hidden: true });
      $.busy = h("div", { class: "sr", role: "status" });
      $.newer = h("button", { class: "newer", type: "button", hidden: true, onclick: () => this.bottom() }, icon(ICONS.down, 16), words.newer);
      $.text = h("textarea", { rows: 1, "aria-label": words.write, placeholder: words.write, maxlength: MAX_TEXT, enterkeyhint: "send",
        oninput: () => this.typed(), onkeydown: (e) => this.keys(e) });
      $.go = h("button", { class: "go", type: "submit", "aria-label": words.send, title: words.send, "aria-disabled": "true" }, icon(ICONS.send));
      $.fine = h("p", { class: "fine" }, words.disclosure);
      $.panel = h("section", { class: "panel", role: "dialog", "aria-labelledby": "title", tabindex: -1, hidden: true, onkeydown: (e) => this.panelKeys(e) },
        h("header", null, $.head, h("div", { class: "who" }, $.title, h("p", null, $.dot, $.state)),
          tool("more", ICONS.more, words.menu, () => this.menu($.menu.hidden), { "aria-haspopup": "menu", "aria-expanded": "false" }),
          tool("shut", ICONS.close, words.close, () => this.close(), { class: "tool shut" }), $.menu),
        $.notice, $.scroll, $.newer, $.busy,
        h("form", { onsubmit: (e) => { e.preventDefault(); this.submit(); } }, $.tray = h("div", { class: "files" }),
          h("div", { class: "field" }, tool("clip", ICONS.clip, words.attach, () => this.more("attach"), { class: "tool clip", hidden: true }), $.text, $.go), $.fine));
      $.badge = h("span", { class: "badge", hidden: true, "aria-hidden": "true" });
      $.glyph = h("span");
      $.launch = h("button", { class: "launch", type: "button", "aria-expanded": "false", "aria-label": words.open, onclick: () => this.toggle() }, $.glyph, $.badge);
      $.glyph.append(icon(ICONS.chat, 26));
      root.append($.panel, $.launch);
      this.colours();
    }

    colours() {
      const accent = rgb(/^#[0-9a-f]{6}$/i.test(options.accent || "") ? options.accent : "#4f46e5");
      const set = (name, value) => this.style.setProperty(name, value);
      const white = [255, 255, 255], ink = [15, 17, 21];
      set("--accent", `rgb(${accent.join(" ")})`);
      set("--on-accent", contrast(accent, white) >= 4.5 ? "#fff" : `rgb(${ink.join(" ")})`);
      set("--link-light", readable(accent, [242, 243, 246], [0, 0, 0]));
      set("--link-dark", readable(accent, [36, 40, 47], white));
      const prefers = matchMedia("(prefers-color-scheme: dark)");
      const theme = () => this.toggleAttribute("data-dark", options.theme === "dark" || (options.theme !== "light" && prefers.matches));
      prefers.addEventListener("change", theme);
      theme();
    }

    connectedCallback() {
      this.lang = locale;
      this.header();
      addEventListener("online", () => this.connect(true));
      addEventListener("offline", () => this.lost());
      addEventListener("storage", (e) => this.otherTab(e));
      document.addEventListener("visibilitychange", () => { if (!document.hidden) { this.connect(); this.seen(); } });
      this.shadowRoot.addEventListener("click", (e) => { if (!this.$.menu.hidden && !e.target.closest(".menu,.tool")) this.menu(false); });
      new ResizeObserver(() => { if (this.stuck) this.bottom(); }).observe(this.$.scroll);
      outbox.all().forEach((item) => this.showPending(item));
      this.toggleAttribute("data-page", options.page !== undefined);
      if (options.greet) this.greet(options.greet, { delay: options.greetDelay });
      if (options.open !== undefined) this.open();
      else if (store.get("conversation") || outbox.all().length) this.connect();
    }

    // ---------------------------------------------------------------- open and close

    /** Do what stands in the second file, fetched when it is first needed. */
    more(name, ...args) {
      Usher.parts ||= load("/widget-more.js").then(() => Usher.made({ node: h, glyph: icon, icons: ICONS, locale: locale, box: store, options: options, server: server }));
      return Usher.parts.then((parts) => parts[name].call(this, ...args), () => { Usher.parts = null; this.notice(words.part, true); });
    }

    /** Whether a person answers, or was asked to. */
    get human() { return this.status.mode === "manual" || this.status.status === "waiting_us"; }
    get opened() { return !this.$.panel.hidden; }
    get small() { return matchMedia("(max-width: 480px)").matches; }

    open() {
      if (this.opened) return;
      const { panel, launch, glyph, text } = this.$;
      panel.hidden = false;
      panel.setAttribute("aria-modal", String(this.small));
      this.setAttribute("data-open", "");
      launch.setAttribute("aria-expanded", "true");
      glyph.replaceChildren(icon(ICONS.down, 26));
      if (options.prechat && !options.identity && !store.get("about") && !store.get("conversation")) this.more("prechat");
      this.connect(true);
      this.bottom();
      this.seen();
      // A phone's keyboard would cover the conversation before it is read.
      (matchMedia("(pointer: coarse)").matches ? panel : text).focus();
    }

    close() {
      if (!this.opened || options.page !== undefined) return;
      this.menu(false);
      this.$.panel.hidden = true;
      this.removeAttribute("data-open");
      this.$.launch.setAttribute("aria-expanded", "false");
      this.$.glyph.replaceChildren(icon(ICONS.chat, 26));
      this.count(0);
      this.$.launch.focus();
    }

    toggle() { this.opened ? this.close() : this.open(); }

    panelKeys(event) {
      if (event.key === "Escape") {
        event.stopPropagation();
        if (this.$.menu.hidden) this.close();
        else { this.menu(false); this.$.more.focus(); }
      } else if (event.key === "Tab" && this.small) { // full screen: nothing behind it can be reached
        const stops = [...this.$.panel.querySelectorAll("button,textarea,input,select,a[href],[tabindex='0']")].filter((n) => n.getClientRects().length);
        const at = this.shadowRoot.activeElement;
        const end = event.shiftKey ? stops[0] : stops[stops.length - 1];
        if (at === end || at === this.$.panel) { event.preventDefault(); (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus(); }
      }
    }

    menu(show) {
      const { menu, more } = this.$;
      if (menu.hidden === !show) return;
      menu.hidden = !show;
      more.setAttribute("aria-expanded", String(show));
      if (show) menu.firstChild.focus();
    }

    menuKeys(event) {
      const items = [...this.$.menu.children];
      const at = items.indexOf(this.shadowRoot.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      items[to % items.length].focus();
    }

    header() {
      const { title, state, dot, head, launch } = this.$;
      const { owner_name: owner, status } = this.status;
      title.textContent = owner || options.title || this.brand || words.log;
      const text = owner ? words.here(this.brand) : this.human ? words.joining
        : status === "resolved" ? words.resolved : this.bot ? words.assistantIs(this.bot) : words.connecting;
      state.textContent = text;
      state.title = text;
      dot.classList.toggle("on", this.ready === true);
      this.footing();
      head.className = "face";
      head.replaceChildren(icon(ICONS.spark));
      if (owner) this.face(head, "csm", owner);
      launch.setAttribute("aria-label", this.opened ? words.close : this.unread ? `${words.open}, ${words.unread(this.unread)}` : words.open);
    }

    face(node, author, name) {
      if (author !== "csm") { node.replaceChildren(icon(ICONS.spark, 16)); return node; }
      node.className = "face csm";
      const initials = (name || "?").split(/\s+/).map((part) => [...part][0]).slice(0, 2).join("").toUpperCase();
      node.style.setProperty("--hue", [...(name || "")].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7));
      node.replaceChildren(initials);
      return node;
    }

    notice(text, bad) {
      const { notice } = this.$;
      notice.hidden = !text;
      notice.classList.toggle("bad", Boolean(bad));
      if (notice.textContent !== (text || "")) notice.textContent = text || "";
    }

    // ---------------------------------------------------------------- the line

    connect(now) {
      if (this.barred || (this.socket && this.socket.readyState < 2)) return;
      if (!this.opened && !store.get("conversation") && !outbox.all().length) return;
      clearTimeout(this.later);
      if (navigator.onLine === false) { this.lost(); return; }
      if (now) this.tries = 0;
      const url = new URL("/ws", server);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      const socket = (this.socket = this.Stream && this.tries % 2 ? new this.Stream() : new WebSocket(url));
      socket.onopen = () => {
        this.met = true;
        const conversation = store.get("conversation");
        if (conversation !== this.conversations[this.conversations.length - 1]) this.cursor = 0;
        this.put("hello", { key: options.key, visitor: store.get("visitor") || undefined, identity: options.identity || undefined,
          conversation_id: conversation || undefined, seq: this.cursor, locale: locale, link: options.link, resume: options.resume, greeted: this.greeted,
          zone: Intl.DateTimeFormat().resolvedOptions().timeZone, about: JSON.parse(store.get("about") || "null") || undefined });
      };
      socket.onmessage = (event) => {
        if (socket !== this.socket) return;
        this.watch();
        let frame;
        try { frame = JSON.parse(event.data); } catch { return; }
        const handler = this[`on_${frame.type}`];
        if (handler) handler.call(this, frame);
      };
      socket.onclose = (event) => { if (socket === this.socket) this.lost(event.code); };
      this.watch();
      if (!this.brand) this.header();
    }

    watch() {
      clearTimeout(this.silence);
      this.silence = setTimeout(() => { const dead = this.socket; this.socket = null; if (dead) dead.close(); this.lost(); }, SILENCE);
    }

    lost(code) {
      this.ready = false;
      clearTimeout(this.silence);
      clearTimeout(this.later);
      this.endDrafts();
      this.busy(false);
      this.header();
      this.states();
      if (this.barred) return;
      if (code === 4401 || code === 4403) {
        this.barred = true;
        this.notice(code === 4401 && options.identity ? words.identity : words.refused, true);
        if (code === 4401 && options.identity) this.emit("identity");
        return;
      }
      const offline = navigator.onLine === false;
      if (offline) { const dead = this.socket; this.socket = null; if (dead) dead.close(); }
      if (offline || this.tries > 0) this.notice(offline ? words.offline : words.reconnecting);
      // A line that has never once opened is blocked: every other try goes the way without WebSockets.
      if (!this.met && this.tries === 1 && !offline) this.more("stream").then((Stream) => { this.Stream = Stream; });
      // Exponential with full jitter: after an outage not everybody comes back in the same second.
      const wait = Math.min(30000, 600 * 2 ** this.tries++) * (0.3 + Math.random() * 0.7);
      this.later = setTimeout(() => this.connect(), wait);
    }

    put(type, fields) {
      if (this.socket && this.socket.readyState === 1) this.socket.send(JSON.stringify({ type, ...fields }));
    }

    // ---------------------------------------------------------------- frames

    on_welcome(frame) {
      this.ready = true;
      this.tries = 0;
      this.brand = frame.brand || this.brand;
      this.bot = frame.bot_name || this.bot;
      if (frame.visitor) store.set("visitor", frame.visitor);
      const before = store.get("conversation");
      if (before && before !== frame.conversation_id) this.forget();
      if (frame.conversation_id) this.enter(frame.conversation_id);
      else this.status = { mode: "auto", owner_name: null };
      this.choices = frame.quick_replies;
      this.$.clip.hidden = !frame.files;
      if (frame.greeting) this.hello(this.greeted || frame.greeting);
      this.notice("");
      this.header();
      this.states();
      this.flush();
      // What comes now is history; only what comes later is news to a screen reader.
      clearTimeout(this.quiet);
      this.quiet = setTimeout(() => this.$.log.setAttribute("aria-live", "polite"), 1500);
    }

    on_stored(frame) {
      outbox.drop(frame.client_id);
      this.enter(frame.conversation_id);
      const node = this.pending.get(frame.client_id);
      if (node) this.mark(node, "");
      this.flush();
      const answered = this.rows.some((row) => row.seq > frame.seq && row.frame.author !== "customer");
      if (!this.human && !answered) this.busy(true, this.bot);
    }

    on_message(frame) {
      if (!Number.isInteger(frame.seq) || typeof frame.text !== "string") return;
      if (frame.author !== "customer") {
        this.heard = frame.seq;
        // A person's words count as arrived when somebody looks: until then they may go where the customer can be reached.
        this.held ||= frame.author === "csm" && !(this.opened && !document.hidden);
        this.ack();
      }
      this.enter(frame.conversation_id);
      const order = this.conversations.indexOf(frame.conversation_id);
      const current = order === this.conversations.length - 1;
      if (current) this.cursor = Math.max(this.cursor, frame.seq);
      if (this.rows.some((row) => row.order === order && row.seq === frame.seq)) return;
      const stick = this.atBottom();
      const draft = this.drafts.get(frame.turn_id);
      if (draft) { draft.node.remove(); this.drafts.delete(frame.turn_id); }
      if (frame.client_id) { outbox.drop(frame.client_id); const own = this.pending.get(frame.client_id); if (own) own.remove(); this.pending.delete(frame.client_id); }
      if (frame.author !== "customer") this.busy(false);
      const row = { order, seq: frame.seq, frame, node: this.render(frame) };
      let at = this.rows.length;
      while (at && (this.rows[at - 1].order > order || (this.rows[at - 1].order === order && this.rows[at - 1].seq > frame.seq))) at--;
      this.rows.splice(at, 0, row);
      const next = this.rows[at + 1];
      this.$.log.insertBefore(row.node, next ? next.node : null);
      this.days();
      this.replies();
      const mine = frame.author === "customer";
      if (!mine && frame.seq > Number(store.get(`read:${frame.conversation_id}`) || 0)) {
        if (this.opened && !document.hidden) this.seen();
        else this.count(this.unread + 1);
      }
      if (stick || mine) this.bottom();
      else if (!mine) this.$.newer.hidden = false;
      if (!mine) this.emit("message", { author: frame.author, text: frame.text });
    }

    on_draft(frame) {
      if (this.status.mode === "manual") return; // it was on its way when a person took over
      const stick = this.atBottom();
      this.busy(false);
      let draft = this.drafts.get(frame.turn_id);
      if (!draft) {
        const node = this.shell({ author: "bot", author_name: this.bot, at: null });
        node.classList.add("draft");
        node.setAttribute("aria-hidden", "true"); // the message that replaces it is read out instead
        draft = { parts: [], node };
        this.drafts.set(frame.turn_id, draft);
        this.$.extra.prepend(node);
      }
      draft.parts[frame.n] = frame.text;
      const text = draft.parts.filter(Boolean).reduce((all, part) => (all && !/\s$/.test(all) ? `${all} ${part}` : all + part), "");
      draft.node.querySelector(".b").replaceChildren(markdown(text, (n) => h("span", { class: "ref" }, String(n))));
      if (stick) this.bottom();
    }

    on_draft_end(frame) {
      if (!frame.turn_id) this.endDrafts(); // all of them: somebody took over
      const draft = this.drafts.get(frame.turn_id);
      if (draft) draft.node.remove();
      this.drafts.delete(frame.turn_id);
    }

    on_typing(frame) { this.busy(true, frame.author === "csm" ? frame.author_name || this.status.owner_name : this.bot, frame.author, 6000); }

    on_status(frame) {
      this.status = frame;
      if (frame.ask || this.asking) this.more("reach", frame.ask);
      if (frame.mode === "manual") { this.endDrafts(); this.busy(false); }
      this.header();
    }

    on_error(frame) {
      const refused = this.waits[frame.client_id];
      if (refused) { refused(frame.code); return; }
      if (!frame.client_id) { if (frame.code === "not_found") this.notice(""); return; }
      const node = this.pending.get(frame.client_id);
      if (["rate_limited", "unavailable", "internal_error"].includes(frame.code)) {
        if (node) this.mark(node, words.slow, "wait");
        clearTimeout(this.again);
        this.again = setTimeout(() => this.flush(), 6000 + Math.random() * 4000);
        return;
      }
      outbox.drop(frame.client_id);
      this.pending.delete(frame.client_id);
      if (node) this.mark(node, frame.code === "too_large" ? words.tooLong : words.notSent, "failed", frame.code !== "too_large");
      this.flush();
    }

    // ---------------------------------------------------------------- conversations

    enter(id) {
      if (!id || this.conversations[this.conversations.length - 1] === id) return;
      if (this.conversations.includes(id)) return;
      this.conversations.push(id);
      this.cursor = 0;
      store.set("conversation", id);
    }

    forget() {
      this.rows.forEach((row) => row.node.remove());
      this.rows = [];
      this.conversations = [];
      this.cursor = 0;
      store.list("read:").forEach((name) => store.drop(name));
      store.drop("conversation");
      this.days();
      this.replies();
      this.count(0);
    }

    otherTab(event) {
      if (!event.key || !event.key.startsWith(store.prefix)) return;
      const name = event.key.slice(store.prefix.length);
      if (name.startsWith("out:") && event.newValue) {
        outbox.all().forEach((item) => this.showPending(item));
        // The tab it was written in may be gone: after a while it is sent from here, too.
        setTimeout(() => this.flush(), 4000);
      }
      else if (name === "conversation" && event.newValue) this.connect();
      else if (name.startsWith("read:")) this.count(0);
    }

    // ---------------------------------------------------------------- writing

    typed() {
      const { text, go } = this.$;
      text.style.setProperty("height", "auto");
      text.style.setProperty("height", `${text.scrollHeight}px`);
      go.setAttribute("aria-disabled", String(!text.value.trim() && !(this.files || []).length));
      this.footing();
      if (text.value.trim() && Date.now() - (this.told || 0) > 2500) { this.told = Date.now(); this.put("typing"); }
    }

    footing() {
      const { text, fine } = this.$;
      const left = MAX_TEXT - text.value.length;
      fine.textContent = left < 500 ? words.left(left) : this.human ? words.human : words.disclosure;
    }

    keys(event) {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.submit();
    }

    submit() {
      const text = this.$.text.value.trim();
      const files = (this.files || []).filter((file) => file.id);
      if (!text && !files.length || this.uploading) return;
      this.files = [];
      this.$.tray.replaceChildren();
      this.$.text.value = "";
      this.typed();
      this.say(text, files);
      this.$.text.focus();
    }

    /** Keep a message until the server has it, then send it as often as it takes: its id makes that safe. */
    say(text, files) {
      const item = { id: newId(), text: String(text).slice(0, MAX_TEXT), at: Date.now(), files: files };
      outbox.add(item);
      this.showPending(item);
      this.told = 0;
      this.replies();
      this.bottom();
      if (!this.ready) this.connect(true);
      else if (outbox.all()[0].id === item.id) this.flush();
    }

    /** Send the oldest message, and the next when it is stored: what is refused for a moment must not be overtaken. */
    flush() {
      clearTimeout(this.again);
      const item = this.ready && outbox.all()[0];
      if (!item) return;
      this.put("send", { client_id: item.id, text: item.text, files: item.files && item.files.map((file) => file.id) });
      this.again = setTimeout(() => this.flush(), 8000 + Math.random() * 4000);
    }

    showPending(item) {
      if (this.pending.has(item.id) || this.rows.some((row) => row.frame.client_id === item.id)) return;
      const node = this.shell({ author: "customer", at: item.at, text: item.text, files: item.files });
      this.pending.set(item.id, node);
      this.$.extra.append(node);
      this.mark(node, this.ready ? words.sending : words.waiting, "wait");
      this.replies();
    }

    /** Say under an unsent message what is happening to it. */
    mark(node, text, kind, retry) {
      node.classList.toggle("wait", kind === "wait");
      node.classList.toggle("failed", kind === "failed");
      const again = retry && h("button", { type: "button", onclick: () => { const { text, files } = node; node.remove(); this.say(text, files); } }, words.again);
      node.querySelector(".state").replaceChildren(...[text, again].filter(Boolean));
    }

    states() {
      for (const [id, node] of this.pending) if (outbox.all().some((item) => item.id === id)) this.mark(node, this.ready ? words.sending : words.waiting, "wait");
    }

    // ---------------------------------------------------------------- showing

    /** The frame of one message: author, time, empty bubble. */
    shell({ author, author_name: name, at, text, files }) {
      const time = at && new Date(at);
      const stamp = time ? new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }).format(time) : "";
      const clock = time && h("time", { datetime: time.toISOString() }, stamp);
      if (author === "customer") {
        const node = h("div", { class: "m me" }, h("span", { class: "sr" }, `${words.you}:`), text || !files ? h("div", { class: "b" }, text || "") : null, this.shelf(files), h("div", { class: "state" }, clock || ""));
        return Object.assign(node, { text: text, files: files });
      }
      const shown = author === "csm" ? name || this.status.owner_name || this.brand : name || this.bot || this.brand;
      return h("div", { class: "m" }, this.face(h("div", { class: "face", "aria-hidden": "true" }), author, shown),
        h("div", { class: "meta" }, h("b", null, shown), author === "bot" ? h("span", { class: "tag" }, words.assistant) : null, clock),
        h("div", { class: "b" }));
    }

    /** Files of a message, as links where they can be fetched. */
    shelf(files) {
      return files && files.length ? h("div", { class: "files" }, ...files.map((file) => {
        const url = file.url && safeUrl(new URL(file.url, server));
        return h(url ? "a" : "span", { class: "chip", href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, icon(ICONS.clip, 14), h("span", null, String(file.name)));
      })) : null;
    }

    render(frame) {
      if (frame.author === "system") return h("div", { class: "line" }, ...inline(frame.text));
      const node = this.shell(frame);
      if (frame.author === "customer") return node;
      const citations = (frame.citations || []).filter((c) => Number.isInteger(c.number));
      const triggers = {};
      let card;
      const show = (citation) => {
        const open = !card || card.number !== citation.number;
        if (card) { card.node.remove(); (triggers[card.number] || []).forEach((b) => b.setAttribute("aria-expanded", "false")); card = null; }
        if (!open) return;
        const url = citation.url && safeUrl(citation.url);
        const path = [citation.section].filter(Boolean).map((s) => h("span", { class: "path" }, ` › ${s}`));
        card = { number: citation.number, node: h("div", { class: "card", role: "group", "aria-label": words.source(citation.number) },
          h("b", null, citation.title || citation.document || ""), ...path, citation.quote ? h("q", null, citation.quote) : null,
          url ? anchor(url, words.openPage, icon(ICONS.link, 14)) : null) };
        triggers[citation.number].forEach((b) => b.setAttribute("aria-expanded", "true"));
        node.append(card.node);
        card.node.scrollIntoView({ block: "nearest" });
      };
      const trigger = (citation, props, ...children) => {
        const button = h("button", { type: "button", "aria-expanded": "false", onclick: () => show(citation), ...props }, ...children);
        (triggers[citation.number] ||= []).push(button);
        return button;
      };
      const cite = (number) => {
        const citation = citations.find((c) => c.number === number);
        return citation && trigger(citation, { class: "ref", "aria-label": words.source(number) }, String(number));
      };
      node.querySelector(".b").append(markdown(frame.text, cite));
      const shelf = this.shelf(frame.files);
      if (shelf) { shelf.style.setProperty("grid-column", "2"); node.append(shelf); }
      const title = (c) => c.title || c.document || "";
      // Several places of one page are told apart by their sections.
      const twin = (c) => c.section && citations.some((other) => other !== c && title(other) === title(c));
      const chips = citations.map((c) => trigger(c, { class: "chip", "aria-label": `${words.source(c.number)}: ${title(c)}${twin(c) ? ` › ${c.section}` : ""}` },
        h("span", { class: "n" }, String(c.number)), h("span", null, twin(c) ? c.section : title(c))));
      const vote = frame.author === "bot" && frame.kind === "reply" && citations.length ? [this.vote(frame)] : [];
      if (chips.length) node.append(h("div", { class: "under", role: "group", "aria-label": words.sources }, ...chips, ...vote));
      return node;
    }

    vote(frame) {
      const box = h("div", { class: "vote" });
      const button = (value, label, glyph) => h("button", { type: "button", "aria-label": label, title: label, "aria-pressed": "false", onclick: (e) => {
        this.put("feedback", { message_id: frame.id, value });
        e.currentTarget.setAttribute("aria-pressed", "true");
        box.replaceChildren(h("span", { role: "status" }, words.thanks));
      } }, glyph);
      box.append(button("up", words.helped, icon(ICONS.up, 16)), button("down", words.didNotHelp, down(icon(ICONS.up, 16))));
      return box;
    }

    hello(text) {
      if (this.greeting) this.greeting.remove();
      const node = (this.greeting = this.shell({ author: "bot", author_name: this.bot, at: null }));
      node.querySelector(".b").append(markdown(text));
      this.$.scroll.prepend(node);
      this.replies();
    }

    /** Quick replies stand under the newest message only; starters under the greeting of an empty conversation. */
    replies() {
      if (this.offer) this.offer.remove();
      this.offer = null;
      const last = this.rows[this.rows.length - 1];
      const waiting = this.pending.size > 0;
      const empty = !last && !waiting;
      // the beginning of a long talk is not shown, or began with words of ours that are a message now
      const begun = this.rows[0];
      if (this.greeting) this.greeting.hidden = Boolean(begun && (begun.seq > 1 || begun.frame.author !== "customer"));
      const choices = empty ? this.choices || (this.greeting ? (options.starters || "").split("|").filter((s) => s.trim()).map((s) => ({ label: s.trim(), value: s.trim() })) : [])
        : !waiting && last && last.frame.author !== "customer" ? last.frame.quick_replies || [] : [];
      if (!choices.length) return;
      this.offer = h("div", { class: `replies${empty ? " start" : ""}`, role: "group", "aria-label": words.starters },
        ...choices.map((c) => h("button", { type: "button", onclick: () => { this.say(String(c.value)); this.$.text.focus(); } }, String(c.label))));
      this.$.extra.prepend(this.offer);
    }

    days() {
      this.$.log.querySelectorAll(".day").forEach((node) => node.remove());
      let last = "";
      for (const { frame, node } of this.rows) {
        const date = new Date(frame.at);
        if (Number.isNaN(date.getTime()) || date.toDateString() === last) continue;
        last = date.toDateString();
        const ago = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 864e5);
        const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
        const text = ago === 0 ? words.today : ago === 1 ? words.yesterday
          : new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", year }).format(date);
        node.before(h("div", { class: "day" }, text));
      }
    }

    busy(on, name, author = "bot", life = 25000) {
      clearTimeout(this.idle);
      if (this.dots) this.dots.remove();
      this.dots = null;
      this.$.busy.textContent = "";
      if (!on || this.drafts.size) return;
      const stick = this.atBottom();
      this.dots = this.shell({ author: author || "bot", author_name: name, at: null });
      this.dots.setAttribute("aria-hidden", "true");
      this.dots.querySelector(".b").replaceChildren(h("i"), h("i"), h("i"));
      this.dots.querySelector(".b").classList.add("dots");
      this.$.extra.append(this.dots);
      this.$.busy.textContent = words.typing(name || this.brand);
      this.idle = setTimeout(() => this.busy(false), life);
      if (stick) this.bottom();
    }

    endDrafts() {
      this.drafts.forEach((draft) => draft.node.remove());
      this.drafts.clear();
    }

    // ---------------------------------------------------------------- reading

    atBottom() { const { scroll } = this.$; return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80; }
    bottom() { const { scroll, newer } = this.$; scroll.scrollTop = scroll.scrollHeight; newer.hidden = true; this.stuck = true; }
    scrolled() { this.stuck = this.atBottom(); if (this.stuck) this.$.newer.hidden = true; }

    seen() {
      const id = this.conversations[this.conversations.length - 1];
      if (!this.opened || !id) return;
      if (this.held) { this.held = false; this.ack(); }
      if (Number(store.get(`read:${id}`) || 0) < this.cursor) store.set(`read:${id}`, this.cursor);
      this.count(0);
    }

    ack() {
      clearTimeout(this.acking);
      if (!this.held) this.acking = setTimeout(() => this.put("ack", { seq: this.heard }), 40);
    }

    count(n) {
      this.unread = n;
      this.$.badge.hidden = n === 0;
      this.$.badge.textContent = n > 9 ? "9+" : String(n);
      this.header();
    }

    // ---------------------------------------------------------------- for the page

    /** Say something beside the launcher; asked and forgotten when the chat is in use or it was said before. */
    greet(text, { delay = 5 } = {}) {
      const said = String(text && text[locale] || text);
      setTimeout(() => { if (!this.opened && !store.get("conversation") && store.get("greeted") !== said) this.more("bubble", said); }, delay * 1000);
    }

    identify(jwt) {
      options.identity = jwt;
      this.restart();
    }

    signOut() {
      delete options.identity;
      store.drop("visitor");
      store.drop("about");
      outbox.all().forEach((item) => outbox.drop(item.id));
      this.pending.forEach((node) => node.remove());
      this.pending.clear();
      this.forget();
      this.restart();
    }

    restart() {
      this.barred = false;
      const old = this.socket;
      this.socket = null;
      this.ready = false;
      if (old) old.close();
      this.connect(true);
    }

    on(event, listener) { (this.listeners[event] ||= []).push(listener); }
    emit(event, detail) { (this.listeners[event] || []).forEach((listener) => listener(detail)); }
  }

  const start = () => {
    words = { ...words, ...window.usherWords };
    customElements.define("usher-widget", Usher);
    const widget = new Usher();
    document.body.append(widget);
    window.usher = Object.fromEntries(["open", "close", "toggle", "greet", "identify", "signOut", "on"].map((name) => [name, widget[name].bind(widget)]));
    window.usher.send = (text) => { widget.open(); widget.say(text); };
  };
  const ready = () => { locale === "en" ? start() : load(`/widget-${locale}.js`).then(start, start); };
  if (document.body) ready();
  else document.addEventListener("DOMContentLoaded", ready, { once: true });
})();
