// The address of a view: #/view/argument?query.

export function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/");
  return { view: view || "overview", argument: rest.length ? decode(rest.join("/")) : null, query: new URLSearchParams(query) };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand
  }
}

/** Changes the query without a new entry in the history, and without rendering again. */
export function replaceQuery(values) {
  const { view, argument } = route();
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();
  history.replaceState(null, "", `#/${view}${argument === null ? "" : `/${encodeURIComponent(argument)}`}${query ? `?${query}` : ""}`);
}
