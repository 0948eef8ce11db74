// Time lines, drawn by uPlot. A chart is an image with a description; the same figures are in a table.

import { el } from "./dom.js";

const color = variable => getComputedStyle(document.documentElement).getPropertyValue(variable).trim();

/**
 * Returns a chart.
 *
 * series: label, values, color (a variable of the style sheet), value(number) as text
 */
export function timeline(description, times, series, { bars = false } = {}) {
  const holder = el("div", { class: "chart", role: "img", "aria-label": description });
  const draw = () => {
    if (!holder.isConnected || holder.clientWidth === 0) {
      return;
    }
    const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    holder.replaceChildren();
    new uPlot({
      width: holder.clientWidth - 16, height: 190, cursor: { drag: { setScale: false } }, padding: [8, 8, 0, 0],
      scales: { x: bars && times.length === 1 ? { range: (chart, min) => [min - 43200, min + 43200] } : {}, y: { range: (chart, min, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [axis, { ...axis, size: 64, values: (chart, ticks) => ticks.map(series[0].value) }],
      series: [{ value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...series.map(each => ({
        label: each.label, stroke: color(each.color), width: 2, points: { show: false }, dash: each.dash,
        fill: bars ? color(each.color) : undefined, paths: bars ? uPlot.paths.bars({ size: [0.6, 48] }) : undefined,
        value: (chart, value) => value === null ? "–" : each.value(value),
      }))],
    }, [times, ...series.map(each => each.values)], holder);
  };
  const observer = new ResizeObserver(() => holder.isConnected ? draw() : observer.disconnect());
  observer.observe(holder);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return holder;
}
