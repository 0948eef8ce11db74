// Last changes of keys, users, teams and organisations.

import { get } from "../api.js";
import { attempt, el, latest, link, name, table } from "../dom.js";
import { time } from "../format.js";

const PATHS = { key: "keys", user: "users", team: "teams", org: "orgs" };

export const title = () => "Audit";

function subject(entry) {
  const text = entry.subject ?? (entry.subjects ?? []).join(", ");
  const [kind, ...rest] = text.split(":");
  return PATHS[kind] && rest.length && !entry.action?.endsWith("delete") ? link(`#/${PATHS[kind]}/${encodeURIComponent(rest.join(":"))}`, name(text)) : name(text);
}

export async function render({ signal }, heading) {
  const holder = el("div");
  let entries = [];
  let cursor;
  const load = latest(() => get("/v1/audit", { limit: 100, cursor }, signal), page => {
    const isMore = entries.length > 0;
    entries = [...entries, ...page.entries];
    cursor = page.next_cursor;
    holder.replaceChildren(table("Changes, newest first", [
      { title: "Time", cell: row => time(new Date(row.timestamp)) },
      { title: "Action", cell: row => row.action, header: true },
      { title: "Subject", cell: subject, named: true },
      { title: "Fields", cell: row => (row.changed ?? []).map(each => each.replace(/^\//, "").replaceAll("/", ".")).join(", ") },
      { title: "Token", cell: row => name(row.token ?? "–") }], entries, { empty: "No change yet. Creating a key or a team is the first." }),
    cursor ? el("p", {}, el("button", { type: "button", onclick: () => attempt(load) }, "Load more")) : "");
    if (isMore) { // the focus was on the button, which is replaced
      (holder.querySelector("p button") ?? holder.querySelector("[tabindex]"))?.focus();
    }
  });
  await load();
  return [el("div", { class: "head" }, heading), el("p", { class: "muted" }, "Changes of keys, users, teams and organisations: the last 10,000. Resets of windows are in the audit log of each instance."), holder];
}
