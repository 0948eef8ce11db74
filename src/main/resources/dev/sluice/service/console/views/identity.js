// One key, user, team or organisation: what it has used, its fields, and what can be done with it.

import { call, get, send } from "../api.js";
import { announce, bar, confirmButton, el, errorNotice, field, identifierLink, link, name, nameLink, notice, section, showError, submission, table } from "../dom.js";
import { amountColumn, countdown, counted, dollars, time, windowLength } from "../format.js";
import { canChange, canDelete, team } from "../session.js";
import { KINDS, keyText } from "./identities.js";

export const title = ({ kind, argument }) => `${KINDS[kind].one} ${argument}`;

/** A number; other text is sent as it is, so that the answer names the field. */
const number = (label, hint) => ({ label, hint, read: text => text.trim() ? (/^\d{1,15}$/.test(text.trim()) ? Number(text) : text.trim()) : null, write: value => value ?? "" });
const rate = (label, hint) => ({ label, hint, read: text => text.trim() || null, write: value => value ?? "" });
const list = (label, hint) => ({ label, hint, read: text => { const names = text.split(",").map(each => each.trim()).filter(Boolean); return names.length ? names : null; }, write: value => (value ?? []).join(", ") });

const LIMITS = {
  "limits.llm.budget": rate("LLM budget, USD", "500/calendar-month"),
  "limits.llm.tokens": rate("LLM tokens", "100000/minute"),
  "limits.llm.requests": rate("LLM requests", "60/minute"),
  "limits.llm.concurrency": number("LLM calls in flight", "at most so many at a time"),
  "limits.api": rate("API requests", "1000/hour"),
  models: list("Models", "gpt-4o*, claude-*; all if empty"),
};
const MEMBER = { "member_limits.llm.budget": rate("LLM budget of each member, USD", "20/calendar-day"), "member_limits.llm.concurrency": number("LLM calls in flight of each member", "at most so many at a time") };
const DISABLED = { disabled: { label: "Disabled", check: true, read: checked => checked || null } };
const TIER = { tier: rate("Tier", "free, pro, …") };
const FIELDS = {
  keys: { user: rate("User"), team: rate("Team"), ...TIER, expires_at: rate("Expires at", "2027-01-31T00:00:00Z; never if empty"), ...LIMITS, ...DISABLED },
  users: { teams: list("Teams", "separated by commas"), ...TIER, ...LIMITS, ...DISABLED },
  teams: { org: rate("Organisation"), ...LIMITS, ...MEMBER },
  orgs: { ...LIMITS, ...MEMBER },
};

const valueOf = (document, path) => path.split(".").reduce((value, key) => value?.[key], document);

/** Returns the controls of the fields of a kind, with the values of a document. */
export function fieldsOf(kind, document) {
  const allowed = Object.keys(FIELDS[kind]).filter(path => !team() || (kind === "teams" ? path in MEMBER : path !== "team" && path !== "teams"));
  return allowed.map(path => {
    const of = FIELDS[kind][path];
    const value = valueOf(document, path);
    const control = of.check ? el("input", { type: "checkbox", name: path, checked: value === true })
      : el("input", { name: path, value: of.write(value), spellcheck: "false", autocomplete: "off" });
    return { path, control, of, before: value, shown: of.check ? control.checked : control.value, node: field(of.label, control, { hint: of.hint, check: of.check }) };
  });
}

/** Shows an error at its field, which gets the focus, or in a holder if it is of none. */
export function showFailure(failure, fields, holder) {
  const path = failure.field?.replace(/^\//, "").replaceAll("/", ".");
  const at = path && fields.find(each => path === each.path || path.startsWith(`${each.path}.`));
  fields.forEach(each => showError(each.control, each.control === at?.control ? failure.message : null));
  at?.control.focus();
  holder.replaceChildren(at ? "" : errorNotice(failure));
}

/**
 * Returns a document of the fields; with a patch, of those that were changed, and null for those that were removed: a list with
 * names that have a comma is not what its text says.
 */
export function documentOf(kind, fields, { patch } = {}) {
  const document = {};
  for (const { path, control, of, before, shown } of fields) {
    const entered = of.check ? control.checked : control.value;
    if (patch && entered === shown) {
      continue;
    }
    const value = of.read(entered);
    if (value === null && (!patch || before === undefined)) {
      continue;
    }
    const keys = path.split(".");
    const last = keys.pop();
    keys.reduce((part, key) => part[key] ??= {}, document)[last] = value;
  }
  return document;
}

export async function render({ kind, argument, signal, reload, every }, heading) {
  const path = `/v1/${kind}/${encodeURIComponent(argument)}`;
  const { one } = KINDS[kind];
  const response = await send("GET", path, { signal });
  const tag = response.headers.get("ETag");
  const document = await response.json();
  heading.replaceChildren(name(document.name ?? argument));
  const used = el("div");
  const load = async () => used.replaceChildren(...usage(await get(path, {}, signal)));
  used.append(...usage(document));
  every(3000, load, signal);
  const identifier = `${kind.slice(0, -1)}:${argument}`;
  return [el("p", { class: "muted" }, link(`#/${kind}`, KINDS[kind].title)), el("div", { class: "head" }, heading, el("span", { class: "muted" }, document.disabled ? `${one}, disabled` : one)),
    facts(kind, document, identifier), el("section", {}, el("h2", {}, "Used now"), used),
    canChange(kind, document) ? section("Edit", edit(kind, path, tag, document, signal, reload)) : "",
    canChange(kind, document) && canDelete(kind) ? section("Change", changes(kind, path, argument, document, signal, reload)) : "",
    el("section", {}, el("details", {}, el("summary", {}, "Document (JSON)"), el("pre", { class: "document", tabindex: "0" }, JSON.stringify(document, null, 2))))];
}

function facts(kind, document, identifier) {
  const rows = [["Identifier", identifierLink(identifier)]];
  if (kind === "keys") {
    rows.push(["Begins with", document.prefix], ["User", document.user ? nameLink("users", document.user) : "–"],
      ["Team", document.team ? nameLink("teams", document.team) : "–"],
      ["Last used", document.last_used_at ? time(new Date(document.last_used_at), { seconds: false }) : "never"]);
  } else if (kind === "teams") {
    rows.push(["Keys", link(`#/keys?team=${encodeURIComponent(document.name)}`, "Show or create keys of this team")], ["Members", link(`#/users?team=${encodeURIComponent(document.name)}`, "Show members")]);
  } else if (kind === "orgs") {
    rows.push(["Teams", link(`#/teams?org=${encodeURIComponent(document.name)}`, "Show teams")]);
  }
  rows.push(["Created", document.created_at ? time(new Date(document.created_at)) : "–"], ["Changed", document.updated_at ? time(new Date(document.updated_at)) : "–"]);
  return el("dl", { class: "facts" }, rows.flatMap(([label, value]) => [el("dt", {}, label), el("dd", {}, value)]));
}

function usage(document) {
  const spend = document.spend;
  const month = spend ? el("p", {}, `LLM spend this calendar month: ${dollars(spend.cost_usd)}${spend.calls === undefined ? "" : `, ${counted(spend.calls, "call")}`}.`) : "";
  const rows = document.used ?? [];
  return [month, table("Use of the limits", [
    { title: "Limit of", cell: row => name(row.resource), named: true, header: true },
    { title: "Used", number: true, cell: amountColumn(rows, row => row.used) },
    { title: "Limit", number: true, cell: amountColumn(rows, row => row.limit) },
    { title: "Share", cell: row => bar(Number(row.used), Number(row.limit)) },
    { title: "Window", number: true, cell: windowLength },
    { title: "Ends", number: true, cell: row => row.reset_at ? countdown(row.reset_at) : "sliding" }],
  rows, { empty: "It has no limits of its own. Set a budget or a rate below." })];
}

function edit(kind, path, tag, document, signal, reload) {
  const fields = fieldsOf(kind, document);
  const result = el("div");
  const submit = submission(async () => {
    try {
      await call("PATCH", path, { body: documentOf(kind, fields, { patch: true }), headers: tag ? { "If-Match": tag } : {}, signal });
      announce("Saved");
      await reload();
    } catch (failure) {
      if (failure.status === 412) {
        result.replaceChildren(notice(el("p", {}, "It has been changed since this page was loaded. ", el("button", { type: "button", class: "plain", onclick: reload }, "Load it again"))));
      } else {
        showFailure(failure, fields, result);
      }
    }
  });
  return el("form", { class: "grid", onsubmit: submit }, fields.map(each => each.node), el("div", { class: "actions whole" }, el("button", { class: "primary" }, "Save")), el("div", { class: "whole" }, result));
}

const IN_USE = {
  teams: { question: "The team has keys. Delete them too? They are invalid at once.", confirm: "Yes, with its keys" },
  orgs: { question: "The organisation has teams. Delete it all the same? The teams stay, without an organisation.", confirm: "Yes, keep the teams" },
};

function changes(kind, path, argument, document, signal, reload) {
  const { one } = KINDS[kind];
  const result = el("div");
  const buttons = el("div", { class: "actions" });
  if (kind === "keys") {
    buttons.append(confirmButton("Rotate", "Give the key a new text? The old one is invalid at once.", "Yes, rotate", async () => {
      const rotated = await call("POST", `${path}/rotate`, { body: { grace_seconds: 0 }, signal });
      result.replaceChildren(keyText(rotated.key));
      result.querySelector("input").focus();
    }));
  }
  if (kind === "keys" || kind === "users") {
    const disable = async disabled => {
      await call("PATCH", path, { body: { disabled: disabled || null }, signal });
      announce(disabled ? "Disabled" : "Enabled");
      await reload();
    };
    buttons.append(document.disabled
      ? el("button", { type: "button", onclick: () => disable(false).catch(failure => result.replaceChildren(errorNotice(failure))) }, "Enable")
      : confirmButton("Disable", kind === "keys" ? "Calls with this key get 401 at once." : "Calls with every key of this user get 401 at once.", "Yes, disable", () => disable(true)));
  }
  const remove = async cascade => {
    await call("DELETE", path, { query: { cascade }, signal });
    announce(`Deleted ${argument}`);
    location.hash = `#/${kind}`;
  };
  buttons.append(confirmButton("Delete", `Delete this ${one}? This cannot be undone.`, "Yes, delete", () => remove().catch(failure => {
    if (failure.code !== "RATE_4091" || !IN_USE[kind]) {
      throw failure;
    }
    return { ...IN_USE[kind], action: () => remove(true) };
  })));
  return el("div", {}, buttons, result);
}
