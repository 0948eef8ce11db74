// Lists of keys, users, teams and organisations.

import { call, get } from "../api.js";
import { announce, attempt, bar, copyButton, el, field, latest, link, name, nameLink, refresh, submission, table } from "../dom.js";
import { count, dollarColumn, time, windowLength } from "../format.js";
import { replaceQuery } from "../route.js";
import { canChange, team } from "../session.js";
import { documentOf, fieldsOf, showFailure } from "./identity.js";

export const KINDS = {
  keys: { title: "Keys", one: "key", empty: "No key yet. Create one, and send it as X-API-Key or as the API key of an SDK." },
  users: { title: "Users", one: "user", empty: "No user yet. A user has a tier, teams and limits of its own; callers work without." },
  teams: { title: "Teams", one: "team", empty: "No team yet. Create one with a budget, then a key of the team." },
  orgs: { title: "Orgs", one: "organisation", empty: "No organisation yet. Its limits hold for all its teams together." },
};

export const title = ({ kind }) => KINDS[kind].title;

const limitText = row => [row.limits?.api && `api ${row.limits.api}`, row.limits?.llm?.budget && `$${row.limits.llm.budget}`, row.limits?.llm?.tokens && `${row.limits.llm.tokens} tokens`, row.limits?.llm?.requests && `llm ${row.limits.llm.requests}`, row.limits?.llm?.concurrency && `llm in flight ${row.limits.llm.concurrency}`].filter(Boolean).join("; ") || "–";

const budgetsOf = row => (row.used ?? []).filter(each => each.resource === "llm:budget");

/** Returns the column of what is spent of each budget. */
function budgetColumn(rows) {
  const budgets = rows.flatMap(budgetsOf);
  const [used, limit] = [dollarColumn(budgets.map(each => each.used)), dollarColumn(budgets.map(each => each.limit))];
  return { title: "Budget used", cell: row => budgetsOf(row).length ? budgetsOf(row).map(each => el("div", {}, used(each.used), " of ", limit(each.limit), ` / ${windowLength(each)}`, bar(Number(each.used), Number(each.limit)))) : "–" };
}

const COLUMNS = {
  keys: rows => [
    { title: "Key", cell: row => link(`#/keys/${encodeURIComponent(row.id)}`, name(row.name ?? row.id)), named: true, header: true, sort: row => row.name ?? "" },
    { title: "Begins with", cell: row => row.prefix },
    { title: "User", cell: row => row.user ? nameLink("users", row.user) : "–", named: true, sort: row => row.user ?? "" },
    { title: "Team", cell: row => row.team ? nameLink("teams", row.team) : "–", named: true, sort: row => row.team ?? "" },
    { title: "Limits", cell: limitText },
    budgetColumn(rows),
    { title: "State", cell: row => row.disabled ? "disabled" : row.expires_at && new Date(row.expires_at) < new Date() ? "expired" : "active", sort: row => String(row.disabled) },
    { title: "Last used", number: true, cell: row => row.last_used_at ? time(new Date(row.last_used_at), { seconds: false }) : "never", sort: row => row.last_used_at ?? "" }],
  users: rows => [
    { title: "User", cell: row => nameLink("users", row.name), named: true, header: true, sort: row => row.name },
    { title: "Tier", cell: row => row.tier ?? "–" },
    { title: "Teams", cell: row => (row.teams ?? []).flatMap((each, index) => [index ? ", " : "", nameLink("teams", each)]), named: true },
    { title: "Limits", cell: limitText },
    budgetColumn(rows),
    { title: "State", cell: row => row.disabled ? "disabled" : "active" }],
  teams: rows => [
    { title: "Team", cell: row => nameLink("teams", row.name), named: true, header: true, sort: row => row.name },
    { title: "Organisation", cell: row => row.org ? nameLink("orgs", row.org) : "–", named: true },
    { title: "Limits", cell: limitText },
    budgetColumn(rows),
    { title: "Keys", cell: row => link(`#/keys?team=${encodeURIComponent(row.name)}`, "Show keys") }],
  orgs: rows => [
    { title: "Organisation", cell: row => nameLink("orgs", row.name), named: true, header: true, sort: row => row.name },
    { title: "Limits", cell: limitText },
    budgetColumn(rows),
    { title: "Teams", cell: row => link(`#/teams?org=${encodeURIComponent(row.name)}`, "Show teams") }],
};

export async function render({ kind, query, signal }, heading) {
  const { one, empty } = KINDS[kind];
  const search = el("input", { type: "search", value: query.get("prefix") ?? "", spellcheck: "false", autocomplete: "off" });
  const holder = el("div");
  const filters = Object.fromEntries(["user", "team", "org"].map(each => [each, query.get(each)]).filter(([, value]) => value));
  let rows = [];
  let cursor = null;

  const load = latest(more => get(`/v1/${kind}`, { ...filters, prefix: kind === "keys" ? undefined : search.value, used: true, limit: 100, cursor: more ? cursor : undefined }, signal), (page, more) => {
    rows = [...(more ? rows : []), ...page[kind]];
    cursor = page.next_cursor;
    if (more) { // the focus is on the button, which is replaced
      holder.replaceChildren();
    }
    show();
    if (more) {
      (holder.querySelector("p.note button") ?? holder.querySelector("a"))?.focus();
    }
  });

  function show() {
    const text = search.value.toLowerCase();
    const shown = kind === "keys" ? rows.filter(row => `${row.name ?? ""} ${row.id} ${row.prefix} ${row.user ?? ""} ${row.team ?? ""}`.toLowerCase().includes(text)) : rows;
    refresh(holder, table(KINDS[kind].title, COLUMNS[kind](shown), shown, { empty: rows.length || text ? "Nothing matches." : empty }),
      el("p", { class: "muted note" }, `${count(shown.length)} shown. `, cursor ? el("button", { type: "button", class: "plain", onclick: () => attempt(() => load(true)) }, "Load more") : ""));
  }

  let timer;
  search.addEventListener("input", () => { replaceQuery({ ...filters, prefix: search.value }); clearTimeout(timer); timer = setTimeout(() => kind === "keys" ? show() : attempt(() => load(false)), 150); });
  await load(false);
  const filtered = Object.entries(filters).map(([key, value]) => el("p", {}, `Only of ${key} `, name(value), ". ", link(`#/${kind}`, "Show all")));
  return [el("div", { class: "head" }, heading), ...filtered,
    el("form", { class: "row", role: "search", onsubmit: event => event.preventDefault() }, field(kind === "keys" ? "Search" : "Name begins with", search, { wide: true })),
    canChange(kind) ? creation(kind, one, filters, signal, () => load(false)) : "", holder];
}

const aOrAn = one => `${one === "organisation" ? "an" : "a"} ${one}`;

/** @param onCreated called when something has been created, and the list is still shown */
function creation(kind, one, defaults, signal, onCreated) {
  const initial = { ...defaults, teams: defaults.team ? [defaults.team] : undefined, team: defaults.team ?? team() ?? undefined };
  const own = el("input", { name: "name", required: true, maxlength: "256", spellcheck: "false", autocomplete: "off" });
  const fields = fieldsOf(kind, initial);
  const named = [{ path: "name", control: own }, { path: "path", control: own }, ...fields];
  const result = el("div");
  const box = el("details", { class: "create" });
  const submit = submission(async () => {
    try {
      const document = documentOf(kind, fields, {});
      if (kind === "keys") {
        const created = await call("POST", "/v1/keys", { body: { name: own.value, ...document }, signal });
        result.replaceChildren(keyText(created.key, created.id));
        result.querySelector("input").focus();
        showFailure({}, named, el("div"));
        own.value = ""; // required: a second click creates no second key, which would replace the text of the first one
        onCreated().catch(() => null); // the text of the key stays, whatever happens to the list
      } else {
        const path = `/v1/${kind}/${encodeURIComponent(own.value)}`;
        await call("PUT", path, { body: document, headers: { "If-None-Match": "*" }, signal });
        announce(`Created ${own.value}`);
        location.hash = `#/${kind}/${encodeURIComponent(own.value)}`;
      }
    } catch (failure) {
      showFailure(failure.status === 412 ? { field: "name", message: `There is ${aOrAn(one)} of this name already` } : failure, named, result);
    }
  });
  box.append(el("summary", {}, `Create ${aOrAn(one)}`),
    el("form", { class: "grid", onsubmit: submit }, field(kind === "keys" ? "Name for people" : "Name", own), ...fields.map(each => each.node),
      el("div", { class: "actions whole" }, el("button", { class: "primary" }, `Create ${one}`))), result);
  return box;
}

/** The text of a key, which is shown once. */
export function keyText(key, id) {
  const text = el("input", { readonly: true, value: key, class: "code", spellcheck: "false", onfocus: event => event.target.select() });
  return el("div", { class: "notice" }, el("p", {}, el("strong", {}, "Copy the key now: it is not shown again.")),
    el("form", { class: "row", onsubmit: event => event.preventDefault() }, field("Key", text, { wide: true }), copyButton(key, "Copy key")),
    id ? el("p", {}, link(`#/keys/${encodeURIComponent(id)}`, "Open this key")) : "");
}
