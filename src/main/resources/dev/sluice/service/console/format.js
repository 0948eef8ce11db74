// Numbers, money and times as text. Times are in the reader's zone, with UTC on hover.

import { el } from "./dom.js";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const share = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });

export const count = number => number === null || number === undefined ? "–" : whole.format(number);
/** Returns a count with its noun: 1 call, 2 calls. */
export const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
export const rate = number => number === null || number === undefined ? "–" : number >= 100 ? whole.format(number) : short.format(number);
export const percent = (part, all) => all > 0 ? share.format(part / all) : "–";

/** Returns exact US dollars: all digits of the API's decimal, with separators of thousands. */
export function dollars(decimal) {
  if (decimal === null || decimal === undefined) {
    return "–";
  }
  const [units, fraction] = String(decimal).split(".");
  return `$${units.replace(/\B(?=(\d{3})+(?!\d))/g, ",")}${fraction ? `.${fraction}` : ""}`;
}

const MAX_DECIMALS = 6;

const fractionOf = decimal => String(decimal).split(".")[1] ?? "";

/**
 * Returns a function that shows the US dollars of one column: all with the same number of decimals, so that they align. An amount with
 * more than six has all its digits in the title.
 */
export function dollarColumn(decimals) {
  const digits = Math.min(MAX_DECIMALS, Math.max(2, ...decimals.filter(each => each !== null && each !== undefined).map(each => fractionOf(each).length)));
  return decimal => {
    if (decimal === null || decimal === undefined) {
      return "–";
    }
    const fraction = fractionOf(decimal);
    if (fraction.length <= digits) {
      return dollars(`${String(decimal).split(".")[0]}.${fraction.padEnd(digits, "0")}`);
    }
    const rounded = Number(decimal).toFixed(digits);
    return el("span", { title: dollars(decimal) }, Number(rounded) === 0 ? `< ${dollars((10 ** -digits).toFixed(digits))}` : dollars(rounded));
  };
}

/** Returns a function that shows the amounts of one column, each in the unit of its window. */
export function amountColumn(rows, of) {
  const usd = dollarColumn(rows.filter(row => row.unit === "usd").map(of));
  return row => of(row) === undefined ? "–" : row.unit === "usd" ? usd(of(row)) : amount(of(row), row.unit);
}

/** Returns an amount in the unit of a window. */
export const amount = (number, unit) => unit === "usd" ? dollars(number) : typeof number === "number" ? count(number) : number ?? "–";

const two = number => String(number).padStart(2, "0");

/** Returns a time as an element; the date only if it is not today. */
export function time(date, { seconds = true } = {}) {
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}${seconds ? `:${two(date.getSeconds())}` : ""}`;
  const isToday = date.toDateString() === new Date().toDateString();
  const utc = date.toISOString().replace("T", " ").replace(/\.\d+Z/, " UTC");
  return el("time", { datetime: date.toISOString(), title: utc }, ...(isToday ? [clock] : [el("span", {}, day), " ", el("span", {}, clock)]));
}

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

/** Returns a duration with its two largest units. */
export function duration(seconds) {
  let rest = Math.max(0, Math.ceil(seconds));
  const parts = [];
  for (const [size, unit] of UNITS) {
    if (rest >= size || (unit === "s" && parts.length === 0)) {
      parts.push(`${Math.floor(rest / size)} ${unit}`);
      rest %= size;
    }
  }
  return parts.slice(0, 2).join(" ");
}

export const windowLength = window => window.period ? window.period.replace("calendar-", "calendar ")
  : window.window_seconds ? duration(window.window_seconds) : "–";

/** Returns the time at which a window frees up, and how long that is from now; counts down while it is in the document. */
export function countdown(seconds) {
  const rest = el("span", { class: "muted" });
  const update = () => {
    const left = seconds - Date.now() / 1000;
    rest.textContent = left > 0 ? `in ${duration(left)}` : "now";
  };
  update();
  const timer = setInterval(() => rest.isConnected ? update() : clearInterval(timer), 1000);
  return el("span", { class: "countdown" }, time(new Date(seconds * 1000), { seconds: seconds - Date.now() / 1000 < 86400 }), " ", rest);
}
