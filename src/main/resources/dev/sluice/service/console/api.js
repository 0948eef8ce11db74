// Calls of the HTTP API, which is the same for all clients: /q/openapi describes it.

import { token } from "./session.js";

/** Base of the API: the console is at q/console/ below it, also behind a proxy that adds a prefix. */
export const base = new URL("../../", new URL(location.pathname, location.origin));

const TOKEN = /^[\x21-\x7e]+$/;

/** An error response of the API, or a request that got no response (status 0). */
export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? "Sluice does not answer");
    this.status = status;
    this.code = error?.code;
    this.field = error?.details?.field;
  }
}

/** A segment of a path that the browser would resolve, so that the request is another one. No name is one of these. */
const DOTS = /^(\.|%2e){1,2}$/i;

export function url(path, query = {}) {
  if (path.split("/").some(segment => DOTS.test(segment))) {
    throw new ApiError(404, { message: "There is nothing of this name: a name cannot be . or .." });
  }
  const address = new URL(path.replace(/^\//, ""), base);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") {
      address.searchParams.set(name, value);
    }
  }
  return address;
}

/**
 * Sends a request with the admin token, by default that of the tab, and returns the response; throws an ApiError unless it succeeds.
 */
export async function send(method, path, { query, body, headers, signal, admin = token() } = {}) {
  const fields = new Headers(headers);
  if (admin) {
    if (!TOKEN.test(admin)) { // the browser would refuse to send it
      throw new ApiError(401, { message: "This is no admin token: it has characters that a token cannot have" });
    }
    fields.set("Authorization", `Bearer ${admin}`);
  }
  if (body !== undefined) {
    fields.set("Content-Type", "application/json");
  }
  const address = url(path, query);
  let response;
  try {
    response = await fetch(address, {
      method, headers: fields, signal, cache: "no-store", credentials: "omit",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (failure) {
    if (failure.name === "AbortError") {
      throw failure;
    }
    throw new ApiError(0);
  }
  if (!response.ok) {
    const answer = await response.json().catch(() => null);
    throw new ApiError(response.status, answer?.error ?? { message: `Sluice answered ${response.status}` });
  }
  return response;
}

/** Sends a request and returns the JSON of the response; null if it has no body. */
export async function call(method, path, options) {
  const response = await send(method, path, options);
  return response.status === 204 ? null : response.json();
}

export const get = (path, query, signal) => call("GET", path, { query, signal });

/** Returns the JSON; null if the identity does not exist or the token may not see it. */
export const find = (path, query, signal) => get(path, query, signal).catch(failure => {
  if (failure instanceof ApiError && (failure.status === 404 || failure.status === 403)) {
    return null;
  }
  throw failure;
});
