// Shared by all tabs of the origin: one stream of GET /v1/events for each token. Over HTTP/1.1 a browser has six connections to a host
// for all of its tabs. A tab sends its token while it is visible, again every few seconds, and null when it is hidden or closed.

import { openStream } from "./stream.js";

/** Time after which a tab that sends nothing is considered gone: it sends every 5 seconds. */
const GONE_MILLIS = 20000;

/** By token: close() and ports, the time of the last message of each tab by its port. */
const streams = new Map();

function join(admin, port) {
  let stream = streams.get(admin);
  if (!stream) {
    stream = { ports: new Map() };
    streams.set(admin, stream);
    const tell = message => stream.ports.forEach((at, each) => each.postMessage(message));
    stream.close = openStream(admin, figures => {
      stream.latest = { figures, at: Date.now() };
      tell(stream.latest);
    }, problem => {
      stream.latest = { problem };
      tell(stream.latest);
    });
  }
  if (!stream.ports.has(port) && stream.latest) {
    port.postMessage(stream.latest);
  }
  stream.ports.set(port, Date.now());
}

/** Removes the tabs of which a condition holds, and closes streams without any. */
function leave(condition) {
  streams.forEach((stream, admin) => {
    stream.ports.forEach((at, port) => condition(port, at, admin) && stream.ports.delete(port));
    if (stream.ports.size === 0) {
      stream.close();
      streams.delete(admin);
    }
  });
}

self.addEventListener("connect", event => {
  const [port] = event.ports;
  port.addEventListener("message", ({ data }) => {
    leave((each, at, admin) => each === port && admin !== data);
    if (data) {
      join(data, port);
    }
  });
  port.start();
  port.postMessage({ ready: true });
});

setInterval(() => leave((port, at) => Date.now() - at > GONE_MILLIS), GONE_MILLIS / 4);
