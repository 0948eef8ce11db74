// Rules in force, and a request tried against them.

import { replaceQuery } from "../route.js";
import { call, get } from "../api.js";
import { el, field, identifierLink, link, name, notice, section, select, submission, table } from "../dom.js";
import { count, countdown, time, windowLength } from "../format.js";
import { showFailure } from "./identity.js";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

export const title = () => "Rules";

/** Returns the limit of requests in flight: of each tier, unless all tiers have the same. */
function concurrencyText(limits, tiers) {
  const all = tiers.filter(tier => limits?.[tier] !== undefined).map(tier => [tier, limits[tier]]);
  const same = all.length === tiers.length && new Set(all.map(([, limit]) => limit)).size === 1;
  return all.length === 0 ? null : `in flight ${same ? `at most ${count(all[0][1])}` : all.map(([tier, limit]) => `${tier} ${count(limit)}`).join(", ")}`;
}

const options = (rule, tiers = []) => [rule.key && `by ${rule.key}`, rule.cost && `cost ${rule.cost}`, rule.count && `counts ${rule.count}`, concurrencyText(rule.concurrency, tiers), rule.shadow && "shadow: refuses nothing", rule.fallback && `fallback ${rule.fallback}`,
  rule.methods?.length && rule.methods.join(", "), rule.hosts?.length && `hosts ${rule.hosts.join(", ")}`, rule.also?.length && `and ${rule.also.join(", ")}`].filter(Boolean).join(" · ");

export async function render({ query, signal }, heading) {
  const rules = await get("/v1/rules", {}, signal);
  const filter = el("input", { type: "search", value: query.get("filter") ?? "", placeholder: "rule or source" });
  const tables = el("div");
  const columns = [
    { title: "Rule", cell: row => link(`#/traffic?rule=${encodeURIComponent(row.resource)}`, name(row.resource)), named: true, header: true, sort: row => row.resource },
    ...rules.tiers.map(tier => ({ title: tier, cell: row => row.rates[tier] ?? "–" })),
    { title: "Options", named: true, cell: row => options(row, rules.tiers) || "–" },
    { title: "Source", named: true, cell: row => row.source, sort: row => row.source ?? "" }];
  const standard = { resource: "api:default", rates: rules.default_rates, source: "every other path" };

  const limiting = rules.llm.filter(rule => Object.values(rule.rates).some(each => each !== "unlimited"));

  function show() {
    const text = filter.value.toLowerCase();
    const matching = rows => rows.filter(row => `${row.resource} ${row.source}`.toLowerCase().includes(text));
    const empty = "No rule contains this text.";
    tables.replaceChildren(...[
      section("Endpoints", table("Rules of endpoints", columns, matching([...rules.rules, standard]), { empty })),
      rules.named?.length ? section("Rules that others name", table("Rules that others name", columns, matching(rules.named), { empty })) : null,
      section("LLM providers and models", table("Rules of LLM providers and models", columns, matching(limiting), { empty: limiting.length ? empty : "No limit. Set rate-limit.llm.openai.requests.free, for example." }),
        limiting.length < rules.llm.length ? el("p", { class: "muted note" }, `${rules.llm.length - limiting.length} rules that limit nothing are not shown.`) : ""),
      rules.exempt.length ? section("Not limited", el("p", {}, rules.exempt.join(", "))) : null].filter(Boolean));
  }

  filter.addEventListener("input", () => { replaceQuery({ filter: filter.value }); show(); });
  show();
  return [el("div", { class: "head" }, heading), fileStatus(rules.file), trial(rules.tiers, signal),
    el("section", {}, el("form", { class: "row", role: "search", onsubmit: event => event.preventDefault() }, field("Filter", filter, { wide: true }))), tables];
}

function fileStatus(file) {
  if (!file) {
    return el("p", { class: "muted" }, "No rules file. Set RATE_LIMIT_FILE to change rules without a restart.");
  }
  return file.valid
    ? el("p", { class: "muted" }, "The rules file is in force since ", time(new Date(file.since)), ".")
    : notice(el("p", {}, el("strong", { class: "refused" }, "The rules file is invalid"), " since ", time(new Date(file.since)), "; its last valid content is in force: ", file.problem));
}

function trial(tiers, signal) {
  const method = select(METHODS.map(each => [each, each]), "GET");
  const path = el("input", { name: "path", required: true, value: "/campaigns", spellcheck: "false", autocomplete: "off" });
  const address = el("input", { name: "remote_address", value: "203.0.113.9", spellcheck: "false", autocomplete: "off" });
  const tier = select([["", "that of the caller"], ...tiers.map(each => [each, each])], "");
  const headers = el("textarea", { name: "headers", spellcheck: "false", placeholder: "X-API-Key: sk-sluice-…" });
  const result = el("div", { "aria-live": "polite" });
  const fields = [path, address, headers].map(control => ({ path: control.name, control }));
  const submit = submission(async () => {
    try {
      const body = { method: method.value, path: path.value, remote_address: address.value || undefined, tier: tier.value || undefined, headers: parse(headers.value) };
      const tried = await call("POST", "/v1/rules/try", { body, signal });
      showFailure({}, fields, result);
      result.replaceChildren(answer(tried));
    } catch (failure) {
      showFailure(failure, fields, result);
    }
  });
  return section("Try a request", el("p", { class: "muted" }, "Shows which rules govern a request and what would be answered. It takes nothing from a limit. Calls of language models are not tried."),
    el("form", { class: "grid", onsubmit: submit }, field("Method", method), field("Path", path, { hint: "With the query, if any" }),
      field("Client address", address), field("Tier", tier), field("Header fields", headers, { whole: true, hint: "One a line, name: value. A key or a token here identifies the caller." }),
      el("div", { class: "actions whole" }, el("button", { class: "primary" }, "Try it"))), el("p", {}), result);
}

function parse(text) {
  const fields = {};
  for (const line of text.split("\n").filter(each => each.trim())) {
    const at = line.indexOf(":");
    if (at < 1) {
      throw Object.assign(new Error(`A line must be name: value (was: ${line})`), { field: "headers" });
    }
    (fields[line.slice(0, at).trim()] ??= []).push(line.slice(at + 1).trim());
  }
  return fields;
}

function answer(tried) {
  const rows = tried.rules.flatMap(rule => (rule.quotas.length ? rule.quotas : [{}]).map(quota => ({ ...rule, ...quota, source: rule.source })));
  const governed = tried.rules.length || !tried.allowed ? "" : " No rule governs it: its path is exempt, unlimited, or one of Sluice's own, as those of language models.";
  const notes = tried.rules.flatMap(rule => (rule.proxy_notes ?? []).map(note => [rule.resource, note]));
  const isSlots = row => row.unit === "concurrent_requests";
  return el("div", {}, notice(el("p", {}, el("strong", { class: tried.allowed ? null : "refused" }, tried.allowed ? "It would be admitted." : `It would get ${tried.status}.`),
    tried.message ? ` ${tried.message}.` : "", tried.would_be_denied ? " A dry run or a shadow rule would have refused it." : "", governed,
    tried.caller ? [" The caller is ", identifierLink(tried.caller.identifier, tried.caller.tier), `, tier ${tried.caller.tier}, known by ${tried.caller.source.replace("_", " ")}.`] : "")),
  rows.length ? table("Rules that govern the request", [
    { title: "Rule", cell: row => name(row.resource), named: true, header: true },
    { title: "Window of", cell: row => identifierLink(row.identifier), named: true },
    { title: "Left", number: true, cell: row => count(row.remaining) },
    { title: "Limit", number: true, cell: row => count(row.limit) },
    { title: "Window", number: true, cell: row => isSlots(row) ? "in flight" : windowLength(row) },
    { title: "Next unit frees up", number: true, cell: row => row.reset_at && row.remaining < row.limit ? countdown(row.reset_at) : "–" },
    { title: "Options", named: true, cell: row => options(row) || "–" },
    { title: "Source", named: true, cell: row => row.source ?? "stored identity" }], rows) : "",
  notes.length ? [el("p", {}, "Where a proxy asks Sluice (forward authentication, ext_authz), which sees no response:"),
    el("ul", {}, notes.map(([resource, note]) => el("li", {}, name(resource), ": ", note)))] : null);
}
