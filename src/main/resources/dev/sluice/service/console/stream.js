// Reads GET /v1/events, and reconnects by itself. Read by fetch, because EventSource cannot send the token. Runs in a page, or in the
// worker that all tabs share.

import { send, ApiError } from "./api.js";

/** Time without an event after which a connection is considered lost: there is one each second. */
const SILENCE_MILLIS = 15000;
const MAX_DELAY = 10000;

/**
 * Opens the stream and returns a function that closes it.
 *
 * onFigures(figures): called for each event; onProblem(message): called when there is no connection
 */
export function openStream(admin, onFigures, onProblem) {
  const controller = new AbortController();
  run(admin, controller.signal, onFigures, onProblem);
  return () => controller.abort();
}

async function run(admin, signal, onFigures, onProblem) {
  let delay = 1000;
  while (!signal.aborted) {
    const connection = new AbortController();
    const close = () => connection.abort();
    let silence = setTimeout(close, SILENCE_MILLIS);
    signal.addEventListener("abort", close);
    try {
      const response = await send("GET", "/v1/events", { admin, signal: connection.signal });
      await read(response.body.pipeThrough(new TextDecoderStream()).getReader(), figures => {
        clearTimeout(silence);
        silence = setTimeout(close, SILENCE_MILLIS);
        delay = 1000;
        onFigures(figures);
      });
    } catch (failure) {
      if (!signal.aborted) {
        onProblem(failure instanceof ApiError ? failure.message : "The connection is lost");
      }
      if (failure instanceof ApiError && (failure.status === 401 || failure.status === 403)) {
        return;
      }
    } finally {
      clearTimeout(silence);
      signal.removeEventListener("abort", close);
    }
    await new Promise(resolve => {
      const timer = setTimeout(resolve, delay);
      signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
    });
    delay = Math.min(MAX_DELAY, delay * 2);
  }
}

async function read(reader, onFigures) {
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
        onFigures(JSON.parse(data.slice(6)));
      }
    }
  }
}
