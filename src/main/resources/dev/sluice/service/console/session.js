// The admin token, for as long as the tab is open. It is sent in the field Authorization and stored nowhere else.

const KEY = "sluice.admin-token";
let access = null;

export const token = () => sessionStorage.getItem(KEY);

export function signIn(text) {
  sessionStorage.setItem(KEY, text);
}

export function signOut() {
  sessionStorage.removeItem(KEY);
  access = null;
}

/** Sets what the token permits, as GET /v1/overview returns it. */
export function setAccess(granted) {
  access = granted;
}

export const currentAccess = () => access;

/** Views for tokens that are restricted to a team. */
const OF_TEAM = ["keys", "users", "teams", "llm"];

/** Returns whether the token may read what a view shows, of something with a name. */
export const canSee = (view, of) => !team() || (OF_TEAM.includes(view) && (view !== "teams" || of === undefined || of === team()));

/** Returns whether buttons that change something are shown. */
export const canWrite = () => access?.scope === "write";

/** Returns the team that the token is restricted to; null if it is not restricted. */
export const team = () => access?.team ?? null;

/**
 * Returns whether the token may change, or with no document create, an identity of a kind. The lead of a team manages its keys, the
 * members that are in no other team, and the limits of its members.
 */
export function canChange(kind, document) {
  if (!canWrite() || !team()) {
    return canWrite();
  }
  return kind === "keys" || (kind === "teams" && document !== undefined)
    || (kind === "users" && document?.teams?.length === 1 && document.teams[0] === team());
}

/** Returns whether the token may delete identities of a kind that it may change. */
export const canDelete = kind => !team() || kind !== "teams";
