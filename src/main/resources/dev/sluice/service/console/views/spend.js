// Spend of the last 24 hours by model and hour: a part of the view of an identifier.

import { find } from "../api.js";
import { el, name, section, table, unreadable } from "../dom.js";
import { count, dollarColumn, dollars, time } from "../format.js";
import { timeline } from "../chart.js";

const HOUR = 3600000;
const HOURS = 24;
const COLORS = ["--accent", "--text", "--control"];

const costOf = cost => `$${Number(cost.toPrecision(3))}`;

export function modelTable(rows) {
  const cost = dollarColumn(rows.map(row => row.cost_usd));
  return table("LLM spend by model", [
    { title: "Model", cell: row => name(row.model), named: true, header: true },
    { title: "Provider", cell: row => name(row.provider) },
    { title: "Calls", number: true, cell: row => count(row.calls) },
    { title: "Input", unit: "tokens", number: true, cell: row => count(row.input_tokens) },
    { title: "Output", unit: "tokens", number: true, cell: row => count(row.output_tokens) },
    { title: "Cost", unit: "USD", number: true, cell: row => cost(row.cost_usd) }], rows, { empty: "No LLM call in the last 24 hours." });
}

function hourTable(rows) {
  const cost = dollarColumn(rows.map(row => row.cost_usd));
  return table("LLM spend by hour and model", [
    { title: "Hour", cell: row => time(new Date(row.hour), { seconds: false }), header: true },
    { title: "Model", cell: row => name(row.model), named: true },
    { title: "Calls", number: true, cell: row => count(row.calls) },
    { title: "Cost", unit: "USD", number: true, cell: row => cost(row.cost_usd) }], rows);
}

/** Returns bars of the hours, in which the most expensive models and all others are on top of each other. */
function hourChart(models, hours, first) {
  const times = Array.from({ length: HOURS }, (each, index) => (first + index * HOUR) / 1000);
  const key = row => JSON.stringify([row.provider, row.model]);
  const own = models.slice(0, models.length > COLORS.length ? COLORS.length - 1 : COLORS.length).map(key);
  const labels = models.slice(0, own.length).map(row => row.model);
  if (models.length > own.length) {
    labels.push("Other models");
  }
  const values = labels.map(() => times.map(() => 0));
  for (const row of hours) {
    const model = own.indexOf(key(row));
    values[model < 0 ? labels.length - 1 : model][times.indexOf(Date.parse(row.hour) / 1000)] += Number(row.cost_usd);
  }
  // Each bar is drawn before those that cover its lower part.
  const stacked = values.map((each, index) => times.map((time, at) => values.slice(index).reduce((sum, of) => sum + of[at], 0)));
  return timeline(`Cost per hour in US dollars by model, ${HOURS} hours`, times,
    labels.map((label, index) => ({ label, values: stacked[index], shown: values[index], color: COLORS[index], value: costOf })), { bars: true });
}

/** Returns the section of the calls of a user, team, organisation or key. */
export async function spendByHour(kind, of, signal) {
  const first = Math.floor(Date.now() / HOUR) * HOUR - (HOURS - 1) * HOUR;
  const read = group => find("/v1/llm/spend", { group_by: group, [kind]: of, from: new Date(first).toISOString(), limit: 1000 }, signal).catch(() => null);
  const [models, hours] = await Promise.all([read("provider,model"), read("hour,provider,model")]);
  const title = "LLM spend of the last 24 hours";
  if (!models || !hours) {
    return section(title, unreadable());
  }
  if (!models.rows.length) {
    return section(title, modelTable([]));
  }
  const rows = [...hours.rows].sort((one, other) => other.hour.localeCompare(one.hour) || Number(other.cost_usd) - Number(one.cost_usd));
  return section(title, el("p", {}, el("strong", {}, dollars(models.total.cost_usd)), " in all."), hourChart(models.rows, hours.rows, first), modelTable(models.rows),
    el("details", {}, el("summary", {}, "By hour and model"), hourTable(rows), hours.next_cursor ? el("p", { class: "muted" }, "The 1,000 rows that cost most.") : ""));
}
