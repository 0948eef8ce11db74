// Everything about one caller: windows, keys, levels, spend.

import { call, find, get } from "../api.js";
import { announce, attempt, bar, confirmButton, el, field, latest, link, name, nameLink, notice, refresh, section, select, table, unreadable, visible } from "../dom.js";
import { amountColumn, countdown, windowLength } from "../format.js";
import { modelTable, spendByHour } from "./spend.js";
import { canWrite } from "../session.js";
import { replaceQuery } from "../route.js";
import { scopeNotice } from "./overview.js";

export const title = ({ argument }) => argument ? `Identifier ${visible(argument)}` : "Identifier";

function searchForm(value, signal) {
  const options = el("datalist", { id: "identifiers" });
  const input = el("input", { type: "search", name: "identifier", list: "identifiers", value, maxlength: "512", required: true, autofocus: !value, spellcheck: "false", autocomplete: "off", placeholder: "user:alice" });
  let timer;
  const complete = async () => {
    const part = input.value;
    const user = part.startsWith("user:") ? part.slice(5) : part;
    const [seen, users] = await Promise.all([get("/v1/identifiers", { contains: part, limit: 20 }, signal).catch(() => ({ identifiers: [] })),
      get("/v1/users", { prefix: user, limit: 10 }, signal).catch(() => ({ users: [] }))]);
    const stored = (users.users ?? users.items ?? []).map(each => `user:${each.name}`);
    options.replaceChildren(...[...new Set([...seen.identifiers.map(each => each.identifier), ...stored])].map(each => el("option", { value: each, label: visible(each) === each ? null : visible(each) })));
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(complete, 200); });
  input.addEventListener("focus", complete, { once: true });
  const submit = event => {
    event.preventDefault();
    if (input.value.trim()) {
      location.hash = `#/identifier/${encodeURIComponent(input.value.trim())}`;
    }
  };
  return el("form", { class: "row", role: "search", onsubmit: submit },
    field("Identifier", input, { wide: true, hint: "user:<name>, ip:<address>, team:<name>, org:<name>, key:<id>, or any name given to /v1/check" }), el("button", { class: "primary" }, "Show"), options);
}

export async function render({ argument, query, signal, every }, heading) {
  if (!argument) {
    const seen = await get("/v1/identifiers", { limit: 50 }, signal);
    return [el("div", { class: "head" }, heading), searchForm("", signal), section("Seen in the last hour", table("Identifiers of the last hour", [
      { title: "Identifier", cell: row => link(`#/identifier/${encodeURIComponent(row.identifier)}?tier=${encodeURIComponent(row.tier)}`, name(row.identifier)), named: true, header: true },
      { title: "Tier", cell: row => name(row.tier) }], seen.identifiers, { empty: "No caller in the last hour. Type any identifier above." }))];
  }
  heading.replaceChildren(name(argument));
  const tiers = (await get("/v1/rules", {}, signal)).tiers;
  const tier = select(tiers.map(each => [each, each]), tiers.includes(query.get("tier")) ? query.get("tier") : undefined);
  let asked = tiers.includes(query.get("tier")) ? query.get("tier") : "";
  const windows = el("div");

  async function reset(resource) {
    await call("DELETE", "/v1/limits", { query: { identifier: argument, resource }, signal });
    announce(resource ? `Reset ${resource}` : "All windows reset");
    windows.replaceChildren();
    await load();
    heading.focus();
  }

  const load = latest(() => get("/v1/windows", { identifier: argument, tier: asked }, signal), found => {
    tier.value = found.tier;
    const counted = found.windows.filter(row => !isBlocked(row)).length;
    const [used, limit] = [amountColumn(found.windows, row => row.used), amountColumn(found.windows, row => row.limit)];
    refresh(windows, ...[scopeNotice(found.scope), summary(found), table(`Windows of ${argument}`, [
      { title: "Resource", cell: row => link(`#/rules?filter=${encodeURIComponent(row.resource)}`, name(row.resource)), named: true, header: true },
      { title: "Used", number: true, cell: row => isBlocked(row) ? "–" : used(row) },
      { title: "Limit", number: true, cell: row => isBlocked(row) ? "blocked" : limit(row) },
      { title: "Share", cell: row => row.limit === undefined || isBlocked(row) ? "" : bar(Number(row.used), Number(row.limit)) },
      { title: "Window", number: true, cell: windowLength },
      { title: "Next unit frees up", number: true, cell: row => isBlocked(row) ? "never" : row.retry_at ? countdown(row.retry_at) : row.reset_at && Number(row.used) > 0 ? countdown(row.reset_at) : "–" },
      { title: "Source", cell: row => row.source === "check" ? "given with the check" : row.source ?? "limit not known" },
      { title: "Reset", hide: !canWrite(), cell: row => isBlocked(row) ? "" : confirmButton("Reset", "Forget what was counted?", "Yes, reset", () => reset(row.resource)) }],
    found.windows, { empty: "Nothing is counted for this identifier now." }),
    found.windows.some(row => row.limit === undefined) ? el("p", { class: "muted note" }, "Limits that came with checks are kept for an hour or two, of the most frequent callers. Ask for the state of a window with its limit by POST /v1/check with a cost of 0.") : null,
    canWrite() && counted > 1 ? el("p", {}, el("br"), confirmButton("Reset all windows", `Forget what was counted in ${counted} windows?`, "Yes, reset all", () => reset())) : null].filter(Boolean));
  });

  const about = el("div");
  const levels = el("div");
  const spend = el("div");
  const others = el("div", {}, levels, about, spend);
  let levelNames = [];
  async function loadOthers() {
    const [identity, calls] = await Promise.all([aboutIdentity(argument, signal), spendSection(argument, signal)]);
    levelNames = identity.levels;
    refresh(about, ...identity.sections);
    refresh(spend, calls);
    await loadLevels();
  }
  const loadLevels = latest(() => Promise.all(levelNames.map(level => get("/v1/windows", { identifier: level }, signal))),
    found => refresh(levels, levelSection(found)));

  tier.addEventListener("change", () => { asked = tier.value; replaceQuery({ tier: asked }); windows.replaceChildren(); attempt(load); });
  await Promise.all([loadOthers(), load()]);
  every(3000, load, signal);
  every(3000, loadLevels, signal);
  every(5000, async () => others.querySelector(".unreadable") && await loadOthers(), signal);
  return [el("div", { class: "head" }, heading), searchForm(argument, signal),
    el("form", { class: "row", onsubmit: event => event.preventDefault() }, field("Limits of tier", tier, { hint: "The tier of the caller decides which limits hold." })),
    el("section", {}, el("h2", {}, "Windows"), windows), others];
}

/** Returns whether a limit admits nothing, so that it has no window. */
const isBlocked = row => row.limit === 0 && row.window_seconds === undefined && row.period === undefined;

const MAX_NAMES = 5;
const MAX_LEVELS = 20;
const MAX_IDENTIFIER = 256;

/** Returns the limits of the levels above an identifier, which hold for its requests, too. */
function levelSection(found) {
  const rows = found.flatMap(level => level.windows.filter(row => row.source === "identity").map(row => ({ ...row, level: level.identifier })));
  const denying = rows.filter(row => (row.denied || isBlocked(row)) && !row.shadow);
  const [used, limit] = [amountColumn(rows, row => row.used), amountColumn(rows, row => row.limit)];
  const levelLink = row => link(`#/identifier/${encodeURIComponent(row.level)}`, name(row.level));
  return rows.length === 0 ? "" : section("Limits of its levels",
    denying.length ? notice(el("p", {}, el("strong", { class: "refused" }, "A level refuses"), ": ", ...denying.slice(0, MAX_NAMES).flatMap((row, index) => [index ? ", " : "", levelLink(row), " ", name(row.resource), row.retry_at ? [" (free ", countdown(row.retry_at), ")"] : ""].flat()), denying.length > MAX_NAMES ? ` and ${denying.length - MAX_NAMES} more` : "")) : "",
    table("Limits of the levels", [
      { title: "Level", cell: levelLink, named: true, header: true },
      { title: "Resource", cell: row => name(row.resource) },
      { title: "Used", number: true, cell: row => isBlocked(row) ? "–" : used(row) },
      { title: "Limit", number: true, cell: row => isBlocked(row) ? "blocked" : limit(row) },
      { title: "Share", cell: row => isBlocked(row) ? "" : bar(Number(row.used), Number(row.limit)) },
      { title: "Window", number: true, cell: windowLength },
      { title: "Next unit frees up", number: true, cell: row => isBlocked(row) ? "never" : row.retry_at ? countdown(row.retry_at) : row.reset_at && Number(row.used) > 0 ? countdown(row.reset_at) : "–" }], rows, { empty: "" }));
}

function summary(found) {
  const ofTier = found.windows.filter(row => isBlocked(row) && row.source !== "identity");
  const windows = found.windows.filter(row => !ofTier.includes(row));
  const full = windows.filter(window => window.denied);
  const denying = full.filter(window => !window.shadow);
  const unknown = windows.some(window => window.limit === undefined);
  const list = rows => [...rows.slice(0, MAX_NAMES).flatMap((row, index) => [index ? ", " : "", name(row.resource), row.retry_at ? [" (free ", countdown(row.retry_at), ")"] : ""].flat()), rows.length > MAX_NAMES ? ` and ${rows.length - MAX_NAMES} more` : ""];
  const shadows = full.filter(window => window.shadow);
  const admitted = windows.length ? `${/^(user|key|team):/.test(found.identifier) ? "These windows admit the next request" : "The next request is admitted"}${unknown ? ", as far as the limits are known" : ""}.` : "";
  const blocked = ofTier.filter(row => !row.shadow);
  return el("div", {}, full.length === 0 ? el("p", {}, admitted)
    : notice(denying.length ? el("p", {}, el("strong", { class: "refused" }, "The next request gets 429"), " where one of these limits holds: ", ...list(denying)) : el("p", {}, admitted),
      shadows.length ? el("p", {}, el("strong", {}, "Full, but let through"), ": in a dry run, or as a shadow rule, these limits refuse nothing: ", ...list(shadows)) : null),
    blocked.length ? el("p", {}, `Blocked for tier ${found.tier}: `, ...list(blocked)) : "");
}

async function aboutIdentity(identifier, signal) {
  const [kind, ...rest] = identifier.split(":");
  const of = rest.join(":");
  if (!["user", "team", "org", "key"].includes(kind) || !of) {
    return { sections: [], levels: [] };
  }
  const [group, user] = of.split("/user:");
  if (user) {
    const member = [link(`#/identifier/${encodeURIComponent(`user:${user}`)}`, name(`user:${user}`)), link(`#/${kind}s/${encodeURIComponent(group)}`, name(`${kind}:${group}`))];
    return { sections: [section("Levels", el("p", {}, "The limits for the member ", member[0], " of ", member[1], "."))], levels: [`user:${user}`, `${kind}:${group}`] };
  }
  const path = { user: "users", team: "teams", org: "orgs", key: "keys" }[kind];
  /** Undefined if it cannot be read now. */
  const read = (address, filters) => find(address, filters, signal).catch(failure => {
    if (failure.name === "AbortError") {
      throw failure;
    }
    return undefined;
  });
  const [stored, keys] = await Promise.all([read(`/v1/${path}/${encodeURIComponent(of)}`, {}), kind === "user" || kind === "team" ? read("/v1/keys", { [kind]: of, limit: 50 }) : null]);
  const teams = stored?.teams ?? (stored?.team ? [stored.team] : []);
  const orgs = stored?.org ? [stored.org] : (await Promise.all(teams.slice(0, 10).map(team => find(`/v1/teams/${encodeURIComponent(team)}`, {}, signal).catch(() => null)))).map(team => team?.org).filter(Boolean);
  const level = (label, kindPath, names) => names.length ? [el("dt", {}, label), el("dd", {}, names.flatMap((each, index) => [index ? ", " : "", nameLink(kindPath, each)]))] : [];
  const groups = [...teams.map(team => `team:${team}`), ...[...new Set(orgs)].map(org => `org:${org}`)];
  const member = kind === "user" ? of : kind === "key" ? stored?.user : undefined;
  const levels = [...(kind === "key" && member ? [`user:${member}`] : []), ...(member ? groups.map(each => `${each}/user:${member}`) : []), ...groups].filter(each => [...each].length <= MAX_IDENTIFIER).slice(0, MAX_LEVELS);
  const chain = [...level("User", "users", stored?.user ? [stored.user] : []), ...level("Teams", "teams", teams), ...level("Organisation", "orgs", [...new Set(orgs)])];
  const sections = [
    section("Levels", stored === undefined ? unreadable() : stored ? el("p", {}, link(`#/${path}/${encodeURIComponent(of)}`, `Limits and budget of this ${kind}`)) : el("p", { class: "muted" }, `No ${kind} of this name is stored; only the rules of its tier hold.`),
      chain.length ? el("dl", { class: "facts" }, chain) : ""),
    ...(keys === undefined ? [section("Keys", unreadable())] : keys ? [section("Keys", table("Keys", [
      { title: "Key", cell: row => link(`#/keys/${encodeURIComponent(row.id)}`, name(row.name ?? row.id)), named: true, header: true },
      { title: "Begins with", cell: row => row.prefix },
      { title: "State", cell: row => row.disabled ? "disabled" : "active" }], keys.keys ?? keys.items ?? [], { empty: "No key is stored. Create one in Keys." }))] : [])];
  return { sections, levels };
}

/** The ledger has hours of users, teams, organisations and keys, and for other identifiers sums of the last hours. */
async function spendSection(identifier, signal) {
  const [kind, ...rest] = identifier.split(":");
  if (identifier.includes("/user:")) {
    return ""; // the spend of a member is that of the user
  }
  if (["user", "team", "org", "key"].includes(kind) && rest.join(":")) {
    return spendByHour(kind, rest.join(":"), signal);
  }
  const usage = await find("/v1/llm/usage", { identifier, hours: 24 }, signal).catch(() => undefined);
  if (usage === undefined) {
    return section("LLM spend of the last 24 hours", unreadable());
  }
  const rows = Object.entries(usage?.providers ?? {}).flatMap(([provider, of]) => Object.entries(of.models ?? {}).map(([model, totals]) => ({ provider, model, ...totals })));
  return section("LLM spend of the last 24 hours", modelTable(rows));
}
