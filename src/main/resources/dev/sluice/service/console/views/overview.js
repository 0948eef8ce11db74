// Shows the current state, with a link from each figure to its explanation.

import { get } from "../api.js";
import { el, identifierLink, link, name, notice, refresh, section, table, unreadable } from "../dom.js";
import { count, counted, dollars, percent, rate, time } from "../format.js";
import * as live from "../live.js";
import { timeline } from "../chart.js";
import { steps } from "./start.js";

const MODES = { redis: "Redis", memory: "Memory", local: "Local fallback", open: "Open fallback", closed: "Closed fallback", off: "Limiting is off" };
const EXPLAINED = { local: "Redis does not reply. This instance decides in memory, with its share of each limit.", open: "Redis does not reply. Every request is allowed.", closed: "Redis does not reply. Requests with limits get 503.", off: "RATE_LIMIT_ENABLED is false: nothing is limited or counted." };

/** Explains what is counted. */
export const DECISIONS = "A request is one decision, and one more for each shadow rule that governs it. A call of Envoy's rate limit service is one for each rule.";

export const title = () => "Overview";

const figure = (label, value, note, href) => el("div", {}, el("dt", {}, label),
  el("dd", {}, el("a", { class: "value", href }, value), el("span", { class: "muted" }, note ?? "\u00a0")));

export const scopeNotice = scope => scope === "this_instance"
  ? notice(el("p", {}, "The figures are of this instance only, because Redis does not reply or is not used.")) : null;

export const decisionsChart = traffic => timeline(
  `Decisions per minute of the last ${traffic.minutes} minutes: ${count(sum(traffic.timeline, "allowed"))} allowed, ${count(sum(traffic.timeline, "denied"))} refused`,
  traffic.timeline.map(minute => minute.time), [
    { label: "Allowed per minute", values: traffic.timeline.map(minute => minute.allowed), color: "--accent", value: count },
    { label: "Refused per minute", values: traffic.timeline.map(minute => minute.denied), color: "--refused", dash: [6, 3], value: count }]);

const sum = (rows, key) => rows.reduce((total, row) => total + row[key], 0);

export const callersTable = (caption, unit, callers, empty) => table(caption, [
  { title: "Identifier", cell: row => identifierLink(row.identifier, row.tier), named: true, header: true, sort: row => row.identifier },
  { title: "Rule", cell: row => link(`#/traffic?rule=${encodeURIComponent(row.rule)}`, name(row.rule)), named: true, sort: row => row.rule },
  { title: unit, unit: "about", number: true, cell: row => count(row.decisions), sort: row => row.decisions }], callers, { empty });

export async function render({ signal, every }, heading) {
  const warnings = el("div");
  const decisions = el("dl", { class: "figures" });
  const money = el("dl", { class: "figures" });
  const moneyProblem = el("div");
  const hour = el("div");
  let overview = null;
  let latest = [null, false, null];

  function showDecisions() {
    const [figures, current, problem] = latest;
    const store = figures ?? overview.store;
    const rates = current && figures.allowed_per_second !== undefined ? figures : {};
    const total = overview.last_hour;
    const asked = total.allowed + total.denied + total.errors;
    refresh(decisions,
      figure("Store", MODES[store.mode] ?? store.mode, counted(store.instances, "instance"), "#/rules"),
      figure("Allowed/s", rate(rates.allowed_per_second), `${counted(total.allowed, "decision")}, 60 min`, "#/traffic"),
      figure("Refused/s", rate(rates.denied_per_second), `${counted(total.denied, "decision")}, 60 min`, "#/traffic"),
      figure("Refused share", percent(total.denied, asked), "of the last 60 min", "#/traffic"),
      figure("Errors", count(total.errors), "in the last 60 min", "#/traffic"),
      figure("In flight", count((current ? figures.in_flight : undefined) ?? overview.in_flight), "hold slots of a limit", "#/traffic"),
      figure("Decision, median", rates.p50_ms ?? total.p50_ms ? `${rate(rates.p50_ms ?? total.p50_ms)} ms` : "–", rates.p50_ms ? "last 5 s" : "last 60 min", "#/traffic"),
      figure("Decision, 99 %", rates.p99_ms ?? total.p99_ms ? `${rate(rates.p99_ms ?? total.p99_ms)} ms` : "–", rates.p99_ms ? "last 5 s" : "last 60 min", "#/traffic"));
    const mode = EXPLAINED[store.mode];
    warnings.replaceChildren(...[
      mode && notice(el("p", {}, mode)),
      overview.store.dry_run && notice(el("p", {}, "Dry run: nothing is refused. Requests that would have been refused count as allowed.")),
      overview.rules_file_problem && notice(el("p", {}, "The rules file is invalid, its last valid content is in force: ", overview.rules_file_problem, ". ", link("#/rules", "Rules"))),
      scopeNotice(overview.scope),
      figures && !current && notice(el("p", {}, "The live figures are stale since ", time(new Date(live.lastTime())), ". This page reconnects.")),
      problem && !current && notice(el("p", {}, `No live figures: ${problem}. This page tries again.`))].filter(Boolean));
  }

  async function load() {
    const [state, traffic] = await Promise.all([get("/v1/overview", {}, signal), get("/v1/traffic", { minutes: 60 }, signal)]);
    overview = state;
    showDecisions();
    const spend = state.llm;
    refresh(money,
      figure("Today, USD", dollars(spend?.today.cost_usd), spend ? `${counted(spend.today.calls, "call")}, UTC` : "unknown", "#/llm?days=1"),
      figure("This month, USD", dollars(spend?.month.cost_usd), spend ? `${counted(spend.month.calls, "call")}, UTC` : "unknown", "#/llm?days=month"),
      figure("Unpriced calls", count(spend?.month.unpriced_calls), "this month", "#/llm?days=month"),
      figure("Alerts due", state.alerts_due === undefined ? "off" : count(state.alerts_due), state.alerts_due === undefined ? "not configured" : "to be sent", "#/teams"));
    moneyProblem.replaceChildren(spend ? "" : unreadable());
    if (traffic.rules.length === 0) {
      refresh(hour, steps(true));
      return;
    }
    const refused = traffic.rules.filter(rule => rule.denied > 0).slice(0, 5);
    refresh(hour, section("Last 60 minutes", decisionsChart(traffic)), el("div", { class: "columns" },
      section("Rules that refuse most", table("Rules that refuse most", [
        { title: "Rule", cell: row => link(`#/traffic?rule=${encodeURIComponent(row.rule)}`, name(row.rule)), named: true, header: true },
        { title: "Tier", cell: row => name(row.tier) },
        { title: "Refused", number: true, cell: row => count(row.denied) },
        { title: "Share", number: true, cell: row => percent(row.denied, row.allowed + row.denied) }], refused, { empty: "No rule has refused a request in the last 60 minutes." })),
      section("Callers refused most", callersTable("Callers refused most", "Refused", traffic.top_denied.slice(0, 5), "No caller was refused in the last 60 minutes."))));
  }

  await load();
  live.subscribe((...state) => {
    latest = state;
    showDecisions();
  }, signal);
  every(10000, load, signal);
  return [el("div", { class: "head" }, heading), warnings, decisions, el("p", { class: "muted note" }, DECISIONS), section("LLM spend", money, moneyProblem), hour];
}
