// The JSON API. A refusal becomes a Problem whose message is a sentence for people.

import { setServerTime } from "./clock.js";

const ROOT = "/console/api";

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function call(method, path, body, signal) {
  const headers = { accept: "application/json" };
  if (method !== "GET") headers["x-usher-console"] = "1";
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(ROOT + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The server cannot be reached. Nothing was sent; try again.");
  }
  let found = {};
  try { found = await response.json(); } catch { /* an answer without a body */ }
  if (response.ok) {
    setServerTime(found.now);
    return found;
  }
  if (response.status === 401 && path !== "/login") {
    location.assign(`/console/login?next=${encodeURIComponent(location.pathname)}`);
  }
  const detail = found.errors && found.errors.length ? found.errors.map((e) => e.problem).join("; ") : found.detail;
  const sentence = detail ? detail[0].toUpperCase() + detail.slice(1) : `The server answered ${response.status}.`;
  throw new Problem(response.status, /[.!?]$/.test(sentence) ? sentence : `${sentence}.`);
}

export const get = (path, signal) => call("GET", path, undefined, signal);
export const post = (path, body) => call("POST", path, body === undefined ? {} : body);
// A file goes as it is; the server says what it takes.
export async function upload(path, file) {
  const headers = { accept: "application/json", "x-usher-console": "1", "content-type": file.type || "application/octet-stream" };
  let response;
  try {
    response = await fetch(`${ROOT}${path}?name=${encodeURIComponent(file.name)}`, { method: "POST", headers, body: file, credentials: "same-origin" });
  } catch {
    throw new Problem(0, "The server cannot be reached. The file was not attached; try again.");
  }
  const found = await response.json().catch(() => ({}));
  if (response.ok) return found;
  const detail = found.detail || `the server answered ${response.status}`;
  throw new Problem(response.status, `${file.name}: ${detail}.`);
}
export const seg = encodeURIComponent;
