// Elements. Everything from outside becomes text of a text node or of an attribute, never markup.

import { canSee, signOut } from "./session.js";

/** Creates an element. Attributes: text, true for one without a value, null for none, a function for a listener (onclick). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (typeof value === "function") {
      node.addEventListener(name.slice(2), value);
    } else {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return node;
}

/** Characters that are invisible or change the direction: a name could look like another one. */
const CONTROL = /([\p{Cc}\p{Cf}\p{Zl}\p{Zp}])/u;

/** Returns a name from outside. Its direction does not affect the text around it, and control characters are shown by their number. */
export const name = text => el("bdi", { class: "name", title: text.length > 60 ? visible(text) : null },
  text.split(CONTROL).map((part, index) => index % 2 ? el("span", { class: "control" }, codeOf(part)) : part));

const codeOf = character => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** Returns a text in which control characters are replaced by their number. */
export const visible = text => text.split(CONTROL).map((part, index) => index % 2 ? `[${codeOf(part)}]` : part).join("");

export const link = (href, ...children) => el("a", { href }, ...children);

/** Returns a link to a view of something with a name; the name alone if the token may not see the view. */
export const nameLink = (view, of, shown = of, query = "") => canSee(view, of) ? link(`#/${view}/${encodeURIComponent(of)}${query}`, name(shown)) : name(shown);

export const identifierLink = (identifier, tier) =>
  nameLink("identifier", identifier, identifier, tier && tier !== "none" && tier !== "other" ? `?tier=${encodeURIComponent(tier)}` : "");

/** Says something to screen readers. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

export const notice = (...children) => el("div", { class: "notice" }, ...children);

/** Returns what is shown in place of something that Redis has; a view that shows it reads again. */
export const unreadable = () => el("p", { class: "muted unreadable" }, "It cannot be read now, because Redis does not reply or is not used. This page tries again.");

/** Returns an error. Of a token that is no longer valid, with a button that asks for another one, and keeps the address. */
export function errorNotice(failure, ...more) {
  const text = failure.status === 0 ? "Sluice does not answer. This page tries again." : failure.message;
  const signIn = () => {
    signOut();
    location.reload();
  };
  return el("div", { class: "notice error", role: "alert" }, el("p", {}, text, ...more),
    failure.status === 401 ? el("p", {}, el("button", { type: "button", onclick: signIn }, "Sign in again")) : null);
}

export const section = (title, ...children) => el("section", {}, el("h2", {}, title), ...children);

/** Returns a listener of a form that ignores submissions, such as those of a double click, until the last one has been answered. */
export function submission(action) {
  let isRunning = false;
  return async event => {
    event.preventDefault();
    if (isRunning) {
      return;
    }
    isRunning = true;
    try {
      await action();
    } finally {
      isRunning = false;
    }
  };
}

let ids = 0;

/** Returns a labelled control. */
export function field(label, control, { hint, wide, whole, check } = {}) {
  control.id ||= `f${++ids}`;
  const text = hint ? el("p", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  if (text) {
    control.setAttribute("aria-describedby", text.id);
  }
  const caption = el("label", { for: control.id }, label);
  return el("div", { class: `field${wide ? " wide" : ""}${whole ? " whole" : ""}${check ? " check" : ""}` },
    check ? [control, caption] : [caption, control], text, control.matches("input:not([type=password], [type=checkbox])") ? controlHint(control) : null);
}

/** Returns a line that shows what is typed with the numbers of its control characters, if it has any. */
function controlHint(input) {
  const hint = el("p", { class: "hint", hidden: true });
  const update = () => {
    const text = visible(input.value);
    hint.hidden = text === input.value;
    hint.replaceChildren(...(hint.hidden ? [] : ["With control characters: ", name(input.value)]));
  };
  input.addEventListener("input", update);
  update();
  return hint;
}

/** Shows an error at a control, or with null removes it. */
export function showError(control, message) {
  const id = `${control.id}-error`;
  document.getElementById(id)?.remove();
  const described = (control.getAttribute("aria-describedby") ?? "").split(" ").filter(each => each && each !== id);
  if (message) {
    control.closest(".field").append(el("p", { class: "hint error", id, role: "alert" }, message));
    described.push(id);
    control.setAttribute("aria-invalid", "true");
  } else {
    control.removeAttribute("aria-invalid");
  }
  if (described.length) {
    control.setAttribute("aria-describedby", described.join(" "));
  } else {
    control.removeAttribute("aria-describedby");
  }
}

export function select(options, value) {
  const control = el("select", {}, options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  return control;
}

/**
 * Returns a button that asks beside itself before it acts. The action may return another question, with question, confirm and action,
 * which is asked next.
 */
export function confirmButton(text, ...first) {
  const holder = el("span", { class: "actions" });
  const button = el("button", { type: "button", class: "danger", onclick: () => ask(...first) }, text);
  function ask(question, confirm, action) {
    const yes = el("button", { type: "button", class: "danger", onclick: act }, confirm);
    const no = el("button", { type: "button", onclick: cancel }, "Cancel");
    holder.replaceChildren(el("span", {}, question), yes, no);
    holder.onkeydown = event => {
      if (event.key === "Escape") { // returns nothing: false would prevent what other keys do
        cancel();
      }
    };
    yes.focus();
    async function act() {
      yes.disabled = true;
      try {
        const next = await action();
        if (next) {
          ask(next.question, next.confirm, next.action);
          return;
        }
      } catch (failure) {
        holder.replaceChildren(el("span", { class: "refused", role: "alert" }, failure.message), button);
        button.focus();
        return;
      }
      if (holder.isConnected) {
        const isElsewhere = ![document.body, yes, no].includes(document.activeElement); // where the action has put it
        restore();
        if (!isElsewhere) {
          button.focus();
        }
      }
    }
  }
  function restore() {
    holder.onkeydown = null;
    holder.replaceChildren(button);
  }
  function cancel() {
    restore();
    button.focus();
  }
  holder.append(button);
  return holder;
}

/** Returns a button that copies a text. */
export function copyButton(text, label = "Copy") {
  const button = el("button", { type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      announce("Copied");
    } catch {
      button.textContent = "Select the text and copy it";
    }
  } }, label);
  return button;
}

export const command = text => el("div", { class: "command" }, el("pre", {}, text), copyButton(text));

/** Returns a bar; the figures stand beside it, so that it is hidden from screen readers. */
export function bar(used, limit) {
  const ratio = limit > 0 ? Math.min(1, used / limit) : 1;
  const fill = el("span");
  fill.style.setProperty("width", `${ratio * 100}%`);
  return el("div", { class: ratio >= 1 ? "bar full" : "bar", "aria-hidden": "true" }, fill);
}

/**
 * Returns a table in a container of its own that scrolls.
 * Columns: title; cell(row) returns a node or text; optional unit, number, named (contains a name from outside), sort(row) returns
 * what is compared, header (the cell names the row), hide (no column). On a narrow screen each row is a card, and its head has
 * the buttons that sort.
 */
export function table(caption, columns, rows, { empty = "Nothing yet.", sorted } = {}) {
  columns = columns.filter(column => !column.hide);
  if (rows.length === 0) {
    return el("p", { class: "empty" }, empty);
  }
  const body = el("tbody", { role: "rowgroup" });
  const heads = columns.map(column => {
    const label = [column.title, column.unit ? el("span", { class: "unit" }, ` ${column.unit}`) : null];
    const cell = el("th", { scope: "col", role: "columnheader", class: column.number ? "number" : null });
    cell.append(...(column.sort ? [el("button", { type: "button", onclick: () => sort(column) }, ...label.filter(Boolean))] : label.filter(Boolean)));
    return cell;
  });
  const state = sorted ?? {};
  function fill(shown) {
    body.replaceChildren(...shown.map(row => el("tr", { role: "row" }, columns.map(column => {
      const classes = [column.number ? "number" : null, column.named ? "name" : null].filter(Boolean).join(" ") || null;
      return el(column.header ? "th" : "td", { scope: column.header ? "row" : null, role: column.header ? "rowheader" : "cell", class: classes, "data-title": column.unit ? `${column.title} (${column.unit})` : column.title },
        el("div", {}, column.cell(row)));
    }))));
  }
  function order() {
    const column = columns.find(each => each.title === state.by);
    heads.forEach(head => head.removeAttribute("aria-sort"));
    if (!column) {
      return rows;
    }
    heads[columns.indexOf(column)].setAttribute("aria-sort", state.ascending ? "ascending" : "descending");
    const direction = state.ascending ? 1 : -1;
    return [...rows].sort((one, other) => {
      const [left, right] = [column.sort(one), column.sort(other)];
      return direction * (typeof left === "number" && typeof right === "number" ? left - right
        : String(left).localeCompare(String(right)));
    });
  }
  function sort(column) {
    state.ascending = state.by === column.title ? !state.ascending : !column.number;
    state.by = column.title;
    fill(order());
  }
  fill(order());
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": visible(caption) },
    el("table", { role: "table" }, el("caption", { class: "hidden" }, visible(caption)),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads)), body));
}

/** Runs a read of the view that is shown. A failure is shown until the next success. */
export async function attempt(action) {
  const main = document.getElementById("main");
  const shown = () => main.querySelector(".notice.stale");
  try {
    await action();
    shown()?.remove();
  } catch (failure) {
    if (failure.name !== "AbortError" && !shown()) {
      const problem = errorNotice(failure);
      problem.classList.add("stale");
      main.firstElementChild?.after(problem);
    }
  }
}

/** Returns a function that reads and shows. What is read for an earlier call is dropped: a later one asks for something else. */
export function latest(read, show) {
  let last = 0;
  return async (...parameters) => {
    const number = ++last;
    const found = await read(...parameters);
    if (number === last) {
      show(found, ...parameters);
    }
  };
}

/** Replaces the content unless the focus is within it, which would be lost. */
export function refresh(holder, ...children) {
  if (!holder.contains(document.activeElement) || holder.childElementCount === 0) {
    holder.replaceChildren(...children);
  }
}
