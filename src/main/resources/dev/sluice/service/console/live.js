// Live figures, of GET /v1/events. A worker reads them once for all tabs of the origin that have the same token; where there is no such
// worker, each tab reads them itself. Only while the tab is visible.

import { openStream } from "./stream.js";
import { token } from "./session.js";

const STALE_MILLIS = 5000;
/** Interval at which a tab tells the worker that it is there. */
const TELL_MILLIS = 5000;
/** Time within which the worker must answer. */
const ANSWER_MILLIS = 3000;
const listeners = new Set();
let port = null;
let stop = null;
let last = null;
let lastAt = 0;
let problem = null;

/**
 * Calls a listener with the latest figures (null if there are none), whether they are current, and the reason if there is no
 * connection, at each change until the signal aborts.
 */
export function subscribe(listener, signal) {
  listeners.add(listener);
  signal?.addEventListener("abort", () => listeners.delete(listener));
  if (last || problem) {
    listener(last, isCurrent(), problem);
  }
}

const isCurrent = () => last !== null && Date.now() - lastAt < STALE_MILLIS;

export const lastTime = () => lastAt;

function notify() {
  listeners.forEach(listener => listener(last, isCurrent(), problem));
}

function onFigures(figures, at = Date.now()) {
  last = figures;
  lastAt = at;
  problem = null;
  notify();
}

function onProblem(message) {
  problem = message;
  notify();
}

/** Connects to the worker; null if there is none, or it does not answer. */
const sharedPort = () => typeof SharedWorker === "undefined" ? Promise.resolve(null) : new Promise(resolve => {
  try {
    const worker = new SharedWorker(new URL("worker.js", import.meta.url), { type: "module", name: "sluice-live" });
    worker.addEventListener("error", () => resolve(null));
    worker.port.addEventListener("message", () => resolve(worker.port), { once: true });
    worker.port.start();
    setTimeout(() => resolve(null), ANSWER_MILLIS);
  } catch {
    resolve(null); // forbidden by the browser
  }
});

/** Receives the figures until the returned function is called. */
function receive(shared) {
  const admin = token();
  if (!shared) {
    return openStream(admin, onFigures, onProblem);
  }
  const onMessage = ({ data }) => data.figures ? onFigures(data.figures, data.at) : data.problem ? onProblem(data.problem) : null;
  shared.addEventListener("message", onMessage);
  shared.postMessage(admin);
  const timer = setInterval(() => shared.postMessage(admin), TELL_MILLIS);
  return () => {
    clearInterval(timer);
    shared.removeEventListener("message", onMessage);
    shared.postMessage(null);
  };
}

export function start() {
  if (stop) {
    return;
  }
  const controller = new AbortController();
  const { signal } = controller;
  let close = null;
  let shared = null;
  const onVisibility = event => {
    const visible = event?.type !== "pagehide" && document.visibilityState === "visible";
    if (visible && !close) {
      close = receive(shared);
    } else if (!visible) {
      close?.();
      close = null;
    }
  };
  const timer = setInterval(() => last && !isCurrent() && notify(), 1000);
  stop = () => {
    controller.abort();
    clearInterval(timer);
    close?.();
    stop = last = problem = null;
  };
  (port ??= sharedPort()).then(found => {
    if (!signal.aborted) {
      shared = found;
      document.addEventListener("visibilitychange", onVisibility, { signal });
      addEventListener("pagehide", onVisibility, { signal });
      addEventListener("pageshow", onVisibility, { signal });
      onVisibility();
    }
  });
}

export const end = () => stop?.();
