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

/** Returns whether buttons that change something are shown. */
export const canWrite = () => access?.scope === "write";

/** Returns the team that the token is restricted to; null if it is not restricted. */
export const team = () => access?.team ?? null;
