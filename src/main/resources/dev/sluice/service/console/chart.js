// Time lines, drawn by uPlot. A chart is an image with a description; the same figures are in a table.

import { el } from "./dom.js";

const two = number => String(number).padStart(2, "0");

/** Returns the labels of the time axis; of days in UTC, by which spend is kept. */
const axisTimes = (days, ticks, step) => ticks.map(tick => {
  const date = new Date(tick * 1000);
  return days ? `${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}` : step >= 86400 ? `${two(date.getMonth() + 1)}-${two(date.getDate())}` : `${two(date.getHours())}:${two(date.getMinutes())}`;
});

const color = variable => getComputedStyle(document.documentElement).getPropertyValue(variable).trim();

/**
 * Returns a chart.
 *
 * bars: a bar for each time; days: the times are days in UTC
 * series: label, values, color (a variable of the style sheet), value(number) as text; shown: values of the legend, if not those drawn
 */
export function timeline(description, times, series, { bars = false, days = false } = {}) {
  const holder = el("div", { class: "chart", role: "img", "aria-label": description });
  const step = times.length > 1 ? times[1] - times[0] : 86400; // bars have room at both ends
  let chart = null;
  const draw = () => {
    if (!holder.isConnected || holder.clientWidth === 0) {
      return;
    }
    const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    chart?.destroy(); // uPlot refers to all charts that are not
    chart = new uPlot({
      width: holder.clientWidth - 16, height: 190, cursor: { drag: { setScale: false } }, padding: [8, 20, 0, 0],
      scales: { x: bars ? { range: (chart, min, max) => [min - step / 2, max + step / 2] } : {}, y: { range: (chart, min, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [{ ...axis, gap: 8, values: (self, ticks, index, space, step) => axisTimes(days, ticks, step), incrs: days ? [86400, 2 * 86400, 5 * 86400] : undefined }, { ...axis, size: 64, values: (chart, ticks) => ticks.map(series[0].value) }],
      tzDate: days ? at => uPlot.tzDate(new Date(at * 1000), "Etc/UTC") : undefined,
      series: [{ label: days ? "Day" : "Time", value: days ? "{YYYY}-{MM}-{DD} UTC" : "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...series.map(each => ({
        label: each.label, stroke: color(each.color), width: 2, points: { show: false }, dash: each.dash,
        fill: bars ? color(each.color) : undefined, paths: bars ? uPlot.paths.bars({ size: [0.6, 48] }) : undefined,
        value: (chart, value, series, index) => value === null ? "–" : each.value(each.shown?.[index] ?? value),
      }))],
    }, [times, ...series.map(each => each.values)], holder);
    const drawn = chart;
    const showLast = () => drawn === chart && drawn.setLegend({ idx: times.length - 1 });
    drawn.over.addEventListener("mouseleave", () => setTimeout(showLast));
    setTimeout(showLast);
  };
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  let shown = false;
  const observer = new ResizeObserver(() => { // the first call may come before the view is in the document
    if (holder.isConnected) {
      if (!shown) {
        shown = true;
        scheme.addEventListener("change", draw);
      }
      draw();
    } else if (shown) { // nothing may refer to a chart that was replaced: a view is open for days
      observer.disconnect();
      scheme.removeEventListener("change", draw);
      chart?.destroy();
      chart = null;
    }
  });
  observer.observe(holder);
  return holder;
}
