/* What scripts of our pages know of the page they run on, and how they tell people something. */

export const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

const serverAhead = Number(meta("server-time")) - Date.now() / 1000;
/* The server's time in seconds: whatever the clock of this device says. */
/* What an element does, in words: without the keys and counts that it shows. */
export function actName(element) {
  const shown = element.cloneNode(true);
  shown.querySelectorAll("kbd, .count, .nav-badge").forEach((each) => each.remove());
  return (element.dataset.keyName ?? element.ariaLabel ?? shown.textContent).replace(/\s+/g, " ").trim();
}

export const serverNow = () => Date.now() / 1000 + serverAhead;

/* A session that has ended shows as a redirect to the login, which the browser has already followed. */
export const hasLoggedOut = (xhr) =>
  Boolean(xhr?.responseURL) && new URL(xhr.responseURL).pathname === meta("login-url");

export function toast(text, level = "info") {
  const note = document.createElement("div");
  note.className = `notice is-${level}`;
  note.dataset.toast = "";
  note.append(Object.assign(document.createElement("p"), { textContent: text }));
  document.getElementById("toasts").append(note);
  scheduleToasts();
}

export function scheduleToasts() {
  for (const note of document.querySelectorAll("[data-toast]:not([data-leaving])")) {
    if (note.matches(".is-error, .is-warning")) continue;
    note.dataset.leaving = "";
    setTimeout(() => note.remove(), 6000);
  }
}
