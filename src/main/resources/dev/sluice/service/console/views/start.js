// The next three things to try, with the address of this instance.

import { base } from "../api.js";
import { command, el, link } from "../dom.js";

/** @param signedIn whether there are views to link to */
export function steps(signedIn) {
  const address = base.href.replace(/\/$/, "");
  return el("section", {}, el("h2", {}, "Three things to try"), el("ol", { class: "steps" },
    el("li", {}, el("h3", {}, "Ask for a decision"),
      el("p", {}, "Five requests a minute pass, the sixth is refused. ", signedIn ? ["The caller appears in ", link("#/traffic", "Traffic"), " a second later."] : ""),
      command(`curl -i -d '{"identifier":"me","resource":"demo","rate":"5/minute"}' ${address}/v1/check`)),
    el("li", {}, el("h3", {}, "Protect an API"),
      el("p", {}, "Sluice forwards what its limits admit. ", signedIn ? ["Try a path first in ", link("#/rules", "Rules"), "."] : ""),
      command("UPSTREAM_URL=http://localhost:8000 java -jar target/quarkus-app/quarkus-run.jar")),
    el("li", {}, el("h3", {}, "Put a budget on LLM calls"),
      el("p", {}, "Start Sluice with RATE_LIMIT_LLM_OPENAI_API_KEY, and point an SDK at it. ",
        signedIn ? [link("#/teams", "Create a team"), " with a budget and a ", link("#/keys", "key"), "."] : ""),
      command(`OPENAI_BASE_URL=${address}/openai/v1 OPENAI_API_KEY=sk-sluice-… python app.py`))));
}
