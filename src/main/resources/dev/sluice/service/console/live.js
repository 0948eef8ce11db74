// Live figures: GET /v1/events. Read by fetch, because EventSource cannot send the token. Reconnects by itself. Only while the tab is
// visible: over HTTP/1.1 a browser has six connections to a host for all of its tabs.

import { send, ApiError } from "./api.js";

const STALE_MILLIS = 5000;
const MAX_DELAY = 10000;
const listeners = new Set();
let stop = null;
let last = null;
let lastAt = 0;

/** Calls a listener with the latest figures, and whether they are current, at each change until the signal aborts. */
export function subscribe(listener, signal) {
  listeners.add(listener);
  signal?.addEventListener("abort", () => listeners.delete(listener));
  if (last) {
    listener(last, isCurrent());
  }
}

const isCurrent = () => Date.now() - lastAt < STALE_MILLIS;

export const lastTime = () => lastAt;

function notify() {
  listeners.forEach(listener => listener(last, isCurrent()));
}

export function start() {
  if (stop) {
    return;
  }
  const controller = new AbortController();
  const timer = setInterval(() => last && !isCurrent() && notify(), 1000);
  stop = () => {
    controller.abort();
    clearInterval(timer);
    stop = null;
    last = null;
  };
  run(controller.signal);
}

export const end = () => stop?.();

/** Completes when the tab is visible or hidden, as asked for. */
const visibility = state => document.visibilityState === state ? Promise.resolve() : new Promise(resolve =>
  document.addEventListener("visibilitychange", resolve, { once: true }));

async function run(signal) {
  let delay = 1000;
  while (!signal.aborted) {
    await visibility("visible");
    if (signal.aborted) {
      return;
    }
    const connection = new AbortController();
    const close = () => connection.abort();
    signal.addEventListener("abort", close);
    visibility("hidden").then(close);
    try {
      const response = await send("GET", "/v1/events", { signal: connection.signal });
      delay = 1000;
      await read(response.body.pipeThrough(new TextDecoderStream()).getReader());
    } catch (failure) {
      if (signal.aborted || (failure instanceof ApiError && (failure.status === 401 || failure.status === 403))) {
        return;
      }
    } finally {
      signal.removeEventListener("abort", close);
    }
    if (document.visibilityState === "hidden") {
      continue;
    }
    await new Promise(resolve => setTimeout(resolve, delay));
    delay = Math.min(MAX_DELAY, delay * 2);
  }
}

async function read(reader) {
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event.split("\n").find(line => line.startsWith("data: "));
      if (data) {
        last = JSON.parse(data.slice(6));
        lastAt = Date.now();
        notify();
      }
    }
  }
}
