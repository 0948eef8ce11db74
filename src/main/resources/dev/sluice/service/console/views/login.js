// Before a token is entered.

import { base, get } from "../api.js";
import { command, el, errorNotice, field, notice } from "../dom.js";
import { signIn } from "../session.js";
import { steps } from "./start.js";

export const title = () => "Sign in";

export async function render({ onSignIn, failure }, heading) {
  const state = await get("/q/console/state.json").catch(() => null);
  if (state && !state.admin_token) {
    heading.textContent = "Sluice is running";
    return [el("div", { class: "head" }, heading), notice(el("p", {}, "The console needs an admin token. Set it, restart Sluice, and reload this page:"),
      command("export RATE_LIMIT_ADMIN_TOKEN=$(openssl rand -base64 32); echo $RATE_LIMIT_ADMIN_TOKEN"),
      el("p", { class: "muted" }, `Meanwhile, Sluice serves requests at ${base.origin}.`)), steps(false)];
  }
  const input = el("input", { type: "password", name: "token", autocomplete: "current-password", required: true, autofocus: true, spellcheck: "false" });
  const submit = event => {
    event.preventDefault();
    if (input.value.trim()) {
      signIn(input.value.trim());
      onSignIn();
    }
  };
  return [el("div", { class: "head" }, heading), failure ? errorNotice({ message: failure.message }) : null,
    el("form", { class: "row", onsubmit: submit },
      field("Admin token", input, { wide: true, hint: "RATE_LIMIT_ADMIN_TOKEN, or a token of rate-limit.admin-tokens. It is kept until this tab is closed." }),
      el("button", { class: "primary" }, "Sign in"))].filter(Boolean);
}
