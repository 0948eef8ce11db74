// Decisions of the last minutes by rule, tier and caller, and requests in flight.

import { replaceQuery } from "../route.js";
import { get } from "../api.js";
import { attempt, el, field, latest, link, name, refresh, section, select, table } from "../dom.js";
import { count, percent } from "../format.js";
import { callersTable, DECISIONS, decisionsChart, scopeNotice } from "./overview.js";

const PERIODS = [["15", "15 minutes"], ["60", "1 hour"], ["360", "6 hours"], ["1440", "24 hours"]];

export const title = () => "Traffic";

export async function render({ query, signal, every }, heading) {
  let rule = query.get("rule") ?? "";
  const period = select(PERIODS, PERIODS.some(([value]) => value === query.get("minutes")) ? query.get("minutes") : "60");
  const filter = el("input", { type: "search", value: query.get("filter") ?? "", placeholder: "rule or tier" });
  const content = el("div");
  const chosen = el("div");
  const sorted = {};
  let traffic = null;

  function show() {
    const text = filter.value.toLowerCase();
    const rows = traffic.rules.filter(row => `${row.rule} ${row.tier}`.toLowerCase().includes(text));
    chosen.replaceChildren(...(rule ? [el("p", {}, "Only the rule ", name(rule), ". ", link("#/traffic", "Show all rules"), " · ", link(`#/rules?filter=${encodeURIComponent(rule)}`, "Rates of this rule"))] : []));
    refresh(content, ...[scopeNotice(traffic.scope), decisionsChart(traffic),
      section("Rules and tiers", table("Decisions by rule and tier", [
        { title: "Rule", cell: row => link(`#/traffic?rule=${encodeURIComponent(row.rule)}`, name(row.rule)), named: true, header: true, sort: row => row.rule },
        { title: "Tier", cell: row => name(row.tier), sort: row => row.tier },
        { title: "Allowed", number: true, cell: row => count(row.allowed), sort: row => row.allowed },
        { title: "Refused", number: true, cell: row => count(row.denied), sort: row => row.denied },
        { title: "Refused share", number: true, cell: row => percent(row.denied, row.allowed + row.denied), sort: row => row.denied / Math.max(1, row.allowed + row.denied) },
        { title: "Errors", number: true, cell: row => count(row.errors), sort: row => row.errors },
        { title: "In flight", unit: "now", number: true, cell: row => count(row.in_flight), sort: row => row.in_flight }],
      rows, { sorted, empty: traffic.rules.length ? "No rule or tier contains this text." : "No decision in this period. Ask for one with POST /v1/check, or send a request through the gateway." })),
      el("div", { class: "columns" },
        section("Callers refused most", callersTable("Callers refused most", "Refused", traffic.top_denied.slice(0, 20), "No caller was refused.")),
        section("Callers allowed most", callersTable("Callers allowed most", "Allowed", traffic.top_allowed.slice(0, 20), "No caller was allowed."))),
      el("p", { class: "muted note" }, `${DECISIONS} The counts of rules are exact. Those of callers are approximate, of the last ${traffic.top_minutes} minutes, and rare callers are missing. In flight are requests that hold slots of a limit of requests in flight now; other rules have 0.`)].filter(Boolean));
  }

  const load = latest(() => get("/v1/traffic", { minutes: period.value, rule }, signal), found => {
    traffic = found;
    show();
  });

  const change = () => replaceQuery({ rule, minutes: period.value === "60" ? "" : period.value, filter: filter.value });
  period.addEventListener("change", () => { change(); attempt(load); });
  filter.addEventListener("input", () => { change(); show(); });
  await load();
  every(5000, load, signal);
  return [el("div", { class: "head" }, heading), chosen,
    el("form", { class: "row", role: "search", onsubmit: event => event.preventDefault() }, field("Period", period), field("Filter", filter, { wide: true })), content];
}
