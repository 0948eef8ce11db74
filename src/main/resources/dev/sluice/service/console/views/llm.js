// Spend on LLM calls, and the prices in force.

import { replaceQuery } from "../route.js";
import { find, get, send } from "../api.js";
import { attempt, el, errorNotice, field, latest, name, nameLink, refresh, section, select, table } from "../dom.js";
import { count, counted, dollarColumn, dollars, time } from "../format.js";
import { timeline } from "../chart.js";
import { canSee, team } from "../session.js";

const PERIODS = [["1", "Today (UTC)"], ["7", "7 days"], ["30", "30 days"], ["month", "This month (UTC)"]];
const GROUPS = [["model", "Model"], ["provider", "Provider"], ["user", "User"], ["team", "Team"], ["org", "Organisation"], ["key", "Key"]];
const DAY = 86400000;

export const title = () => "LLM spend";

function firstDay(period) {
  const today = new Date(Math.floor(Date.now() / DAY) * DAY);
  const first = period === "month" ? new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), 1)) : new Date(today - (Number(period) - 1) * DAY);
  return first.toISOString().slice(0, 10);
}

const view = (dimension, value) => dimension === "user" ? canSee("identifier") ? nameLink("identifier", `user:${value}`, value) : nameLink("users", value)
  : dimension === "team" || dimension === "org" || dimension === "key" ? nameLink(`${dimension}s`, value) : name(value);

export async function render({ query, signal, every }, heading) {
  const known = (options, value, standard) => options.some(([key]) => key === value) ? value : standard;
  const period = select(PERIODS, known(PERIODS, query.get("days"), "7"));
  const group = select(GROUPS, known(GROUPS, query.get("group"), "model"));
  const content = el("div");
  const failureHolder = el("div");
  const sorted = { by: "Cost", ascending: false };
  const parameters = () => ({ group_by: group.value, from: firstDay(period.value), limit: 1000 });

  const load = latest(() => Promise.all([get("/v1/llm/spend", parameters(), signal),
    get("/v1/llm/spend", { group_by: period.value === "1" ? "hour" : "day", from: firstDay(period.value), limit: 1000 }, signal)]), ([spend, line]) => {
    const cost = dollarColumn(spend.rows.map(row => row.cost_usd));
    const unpriced = spend.total.unpriced_calls;
    refresh(content, ...[
      el("p", {}, el("strong", {}, dollars(spend.total.cost_usd)), ` for ${counted(spend.total.calls, "call")}, ${count(spend.total.input_tokens)} input and ${count(spend.total.output_tokens)} output tokens`,
        unpriced ? [", ", el("strong", { class: "refused" }, `${counted(unpriced, "call")} without a price`), ", whose cost is not included"] : "", "."),
      spend.total.calls ? chart(line.rows, period.value) : null,
      section(`By ${GROUPS.find(([key]) => key === group.value)[1].toLowerCase()}`, table("LLM spend", [
        { title: GROUPS.find(([key]) => key === group.value)[1], cell: row => row[group.value] ? view(group.value, row[group.value]) : "none", named: true, header: true, sort: row => row[group.value] ?? "" },
        { title: "Cost", unit: "USD", number: true, cell: row => cost(row.cost_usd), sort: row => Number(row.cost_usd) },
        { title: "Calls", number: true, cell: row => count(row.calls), sort: row => row.calls },
        { title: "Input", unit: "tokens", number: true, cell: row => count(row.input_tokens), sort: row => row.input_tokens },
        { title: "Cached input", unit: "tokens", number: true, cell: row => count(row.cached_input_tokens), sort: row => row.cached_input_tokens },
        { title: "Output", unit: "tokens", number: true, cell: row => count(row.output_tokens), sort: row => row.output_tokens },
        { title: "Unpriced", unit: "calls", number: true, cell: row => row.unpriced_calls ? el("span", { class: "refused" }, count(row.unpriced_calls)) : "0", sort: row => row.unpriced_calls }],
      spend.rows, { sorted, empty: "No LLM call in this period. Point an SDK at Sluice, or report calls with POST /v1/llm/usage." })),
      spend.next_cursor ? el("p", { class: "muted" }, "The first 1,000 rows; the total is of all.") : null].filter(Boolean));
  });

  async function download() {
    failureHolder.replaceChildren();
    try {
      const response = await send("GET", "/v1/llm/spend", { query: parameters(), headers: { Accept: "text/csv" }, signal });
      const file = el("a", { href: URL.createObjectURL(await response.blob()), download: `spend-by-${group.value}-from-${firstDay(period.value)}.csv` });
      file.click();
      URL.revokeObjectURL(file.href);
    } catch (failure) {
      failureHolder.replaceChildren(errorNotice(failure));
    }
  }

  const change = () => {
    replaceQuery({ days: period.value, group: group.value });
    content.replaceChildren();
    attempt(load);
  };
  period.addEventListener("change", change);
  group.addEventListener("change", change);
  const [prices] = await Promise.all([team() ? null : find("/v1/prices", {}, signal), load()]);
  every(15000, load, signal);
  return [el("div", { class: "head" }, heading),
    el("form", { class: "row", onsubmit: event => event.preventDefault() }, field("Period", period), field("Group by", group), el("button", { type: "button", onclick: download }, "Export CSV")),
    failureHolder, content, prices ? priceSection(prices) : ""];
}

/** Shows times without spend too. */
function chart(rows, period) {
  const byHour = period === "1";
  const step = byHour ? 3600 : 86400;
  const costs = new Map(rows.map(row => [Date.parse(byHour ? row.hour : `${row.day}T00:00:00Z`) / 1000, Number(row.cost_usd)]));
  const times = [];
  for (let at = Date.parse(`${firstDay(period)}T00:00:00Z`) / 1000; at <= Date.now() / 1000; at += step) {
    times.push(at);
  }
  const of = byHour ? "hour" : "day";
  return timeline(`Cost per ${of} in US dollars, ${times.length} ${of}s`, times,
    [{ label: `Cost per ${of}, USD`, values: times.map(at => costs.get(at) ?? 0), color: "--accent", value: cost => `$${Number(cost.toPrecision(3))}` }], { bars: true, days: !byHour });
}

function priceSection(prices) {
  const filter = el("input", { type: "search", placeholder: "model or provider", spellcheck: "false" });
  const holder = el("div");
  const MAX = 25;
  const show = () => {
    const text = filter.value.toLowerCase();
    const rows = prices.prices.filter(row => `${row.provider} ${row.model}`.toLowerCase().includes(text));
    const shown = rows.slice(0, MAX);
    const priceColumn = (key, title) => {
      const price = dollarColumn(shown.map(row => row.prices?.[key]));
      return { title, unit: "USD per 1M", number: true, cell: row => price(row.prices?.[key]) };
    };
    holder.replaceChildren(table("Prices in force", [
      { title: "Model", cell: row => name(row.model), named: true, header: true },
      { title: "Provider", cell: row => row.provider },
      ...[["input", "Input"], ["cached_input", "Cached input"], ["output", "Output"]].map(([key, label]) => priceColumn(key, label)),
      { title: "From", cell: row => row.from ?? "–" },
      { title: "Source", cell: row => row.source }], shown, { empty: "No price contains this text." }),
    el("p", { class: "muted" }, rows.length > MAX ? `${MAX} of ${count(rows.length)} prices. Filter to see others.` : ""));
  };
  filter.addEventListener("input", show);
  show();
  const list = prices.list;
  return section("Prices", el("p", { class: "muted" }, `In force on ${prices.day} (UTC). `,
    list ? [`List: ${list.source}`, list.loaded_at ? [", loaded ", time(new Date(list.loaded_at))] : "", list.problem ? `; the last attempt failed: ${list.problem}` : "", "."].flat() : "RATE_LIMIT_LLM_PRICES loads a list.",
    ` The bundled prices are those of ${prices.bundled_as_of}.`),
  el("form", { class: "row", role: "search", onsubmit: event => event.preventDefault() }, field("Filter prices", filter, { wide: true })), holder);
}
