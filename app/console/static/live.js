// The socket of hints. While it is down the pages ask again every ten seconds, so nothing is missed for long.

import { emit, session } from "./bus.js";

let socket = null;
let delay = 500;
let alive = 0;

export function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/console/ws`);
  socket.addEventListener("message", (event) => {
    const hint = JSON.parse(event.data);
    alive = Date.now();
    if (hint.type === "welcome") {
      delay = 500;
      state(true);
      emit("refresh");
    } else if (hint.type !== "beat") emit(`hint:${hint.type}`, hint);
  });
  socket.addEventListener("close", (event) => {
    socket = null;
    state(false);
    if (event.code === 4401) { location.assign("/console/login"); return; }
    setTimeout(connect, delay + Math.random() * 300);
    delay = Math.min(delay * 2, 15000);
  });
}

function state(up) {
  if (session.live === up) return;
  session.live = up;
  emit("live", up);
}

export function here(conversation, writing) {
  if (socket && socket.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ type: "here", conversation_id: conversation, writing: Boolean(writing) }));
  }
}

setInterval(() => {
  if (!session.live) emit("refresh");
  else if (Date.now() - alive > 60000 && socket) socket.close();
}, 10000);
addEventListener("visibilitychange", () => { if (!document.hidden) emit("refresh"); });
