// Routes and frame of the console. A view is a module with a title and render(context), which returns nodes.

import { get, ApiError } from "./api.js";
import { announce, attempt, el, errorNotice } from "./dom.js";
import * as live from "./live.js";
import * as session from "./session.js";
import { time } from "./format.js";
import { route } from "./route.js";
import * as audit from "./views/audit.js";
import * as identifier from "./views/identifier.js";
import * as identities from "./views/identities.js";
import * as identity from "./views/identity.js";
import * as llm from "./views/llm.js";
import * as login from "./views/login.js";
import * as overview from "./views/overview.js";
import * as rules from "./views/rules.js";
import * as traffic from "./views/traffic.js";

const VIEWS = { overview, traffic, identifier, rules, keys: identities, users: identities, teams: identities, orgs: identities, llm, audit };
const NAMES = { overview: "Overview", traffic: "Traffic", identifier: "Identifier", rules: "Rules", keys: "Keys", users: "Users", teams: "Teams", orgs: "Orgs", llm: "LLM spend", audit: "Audit" };
const RETRY_MILLIS = 5000;

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const bar = document.getElementById("session");
let current = new AbortController();

function frame(view) {
  const signedIn = session.currentAccess() !== null;
  nav.hidden = bar.hidden = !signedIn;
  if (!signedIn) {
    return;
  }
  const names = Object.keys(VIEWS).filter(each => session.canSee(each));
  nav.replaceChildren(...names.map(name => el("a", { href: `#/${name}`, "aria-current": name === view ? "page" : null }, NAMES[name])));
  nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  const state = el("span", { class: "state", id: "live-state" }, "…");
  bar.replaceChildren(session.team() ? "" : state, el("button", { type: "button", class: "plain", onclick: signOut }, "Sign out"));
}

function signOut() {
  session.signOut();
  live.end();
  render();
}

function showState(figures, isCurrent, problem) {
  const state = document.getElementById("live-state");
  if (state) {
    state.classList.toggle("stale", !isCurrent);
    state.title = isCurrent ? "" : problem ?? "";
    state.replaceChildren(...(isCurrent ? ["Live"] : figures ? ["Stale since ", time(new Date(live.lastTime()))] : ["Not live"]));
  }
}

async function render() {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const { view, argument: named, query } = route();
  try {
    if (!session.token()) {
      show(login, { onSignIn: render }, signal);
      return;
    }
    if (!session.currentAccess()) {
      session.setAccess((await get("/v1/overview", {}, signal)).access);
      if (!session.team()) {
        live.start();
      }
    }
    const names = Object.keys(VIEWS).filter(each => session.canSee(each));
    const chosen = names.includes(view) ? view : names[0];
    const argument = chosen === view ? named : null; // the argument of an unknown view is ignored
    frame(chosen);
    const module = VIEWS[chosen] === identities && argument !== null ? identity : VIEWS[chosen];
    await show(module, { kind: chosen, argument, query, signal, every, reload: render }, signal);
  } catch (failure) {
    onFailure(failure, signal);
  }
}

async function show(module, context, signal) {
  const heading = el("h1", { tabindex: "-1" }, module.title(context));
  let nodes;
  try {
    nodes = await module.render(context, heading);
  } catch (failure) {
    if (failure.name === "AbortError" || isSignedOut(failure)) {
      throw failure;
    }
    nodes = failed(module, context, heading, failure);
  }
  if (signal.aborted) {
    return;
  }
  frame(context.kind);
  document.title = `${heading.textContent} – Sluice`;
  main.replaceChildren(...nodes);
  main.dataset.view = location.hash.replace(/^#\/?/, "");
  (main.querySelector("[autofocus]") ?? heading).focus({ preventScroll: true });
  scrollTo(0, 0);
  announce(heading.textContent);
  live.subscribe(showState, signal); // in the frame, which is new
}

const isSignedOut = failure => failure instanceof ApiError && (failure.status === 401 || (failure.status === 403 && !session.currentAccess()));

const isTemporary = failure => failure.status === 0 || failure.status === 503;

/** Returns what is shown in place of a view that cannot be read. It stays, with the focus, until the view can be read. */
function failed(module, context, heading, failure) {
  const retry = () => setTimeout(async () => {
    if (context.signal.aborted) {
      return;
    }
    try {
      await module.render(context, el("h1"));
    } catch (again) {
      if (isTemporary(again)) {
        retry();
        return;
      }
    }
    if (!context.signal.aborted) {
      render();
    }
  }, RETRY_MILLIS);
  if (isTemporary(failure)) {
    retry();
  } else if (!(failure instanceof ApiError)) {
    console.error(failure);
  }
  return [el("div", { class: "head" }, heading), errorNotice(failure, failure.status === 503 ? ". This page tries again." : "")];
}

/** Shows a failure before a view is chosen. */
function onFailure(failure, signal) {
  if (signal.aborted || failure.name === "AbortError") {
    return;
  }
  if (isSignedOut(failure)) {
    session.signOut();
    live.end();
    show(login, { onSignIn: render, failure }, signal);
    return;
  }
  main.replaceChildren(el("h1", { tabindex: "-1" }, "Sluice"), errorNotice(failure));
  if (isTemporary(failure)) {
    setTimeout(() => signal.aborted || render(), RETRY_MILLIS);
  }
  if (!(failure instanceof ApiError)) {
    console.error(failure);
  }
}

/** Calls a function periodically while the view is shown. */
function every(millis, action, signal) {
  const timer = setInterval(() => document.hidden || attempt(action), millis);
  signal.addEventListener("abort", () => clearInterval(timer));
}

document.getElementById("skip").addEventListener("click", event => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", render);
render();
