/* What every page shares: theme, htmx settings, keys, dialogs, bulk selection, clocks.
   Pages say what they want with data attributes; docs/ui.md lists them. */

import { actName, hasLoggedOut, meta, scheduleToasts, serverNow, toast } from "./page.js";

const isTyping = (element) =>
  element.isContentEditable || /^(SELECT|TEXTAREA)$/.test(element.tagName) ||
  (element.tagName === "INPUT" && !/^(checkbox|radio|button|submit)$/.test(element.type));

/* --- Theme: the server renders it, so there is no flash; the choice is sent there and kept. --------- */

function setTheme(theme, group) {
  if (theme === "auto") delete document.documentElement.dataset.bsTheme;
  else document.documentElement.dataset.bsTheme = theme;
  for (const button of group.querySelectorAll("[data-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.theme === theme));
  }
  if (group.dataset.themeUrl) {
    const headers = { "X-CSRFToken": meta("csrf-token") };
    fetch(group.dataset.themeUrl, { method: "POST", headers, body: new URLSearchParams({ theme }) });
  }
  announceTheme();
}

const announceTheme = () => document.dispatchEvent(new CustomEvent("baton:theme"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announceTheme);

/* --- htmx: CSRF token, focus after a refused form, words for a failed request ----------------------- */

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = meta("csrf-token");
});

document.addEventListener("htmx:afterSettle", (event) => {
  const place = event.detail.target;
  if (event.detail.xhr?.status === 422) focusFirstError(place.isConnected ? place : document);
  scheduleToasts();
  redrawClocks();
  showCurrentView();
});

function focusFirstError(place) {
  place.querySelector("[aria-invalid='true'], .is-invalid, .error-summary a")?.focus();
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!hasLoggedOut(event.detail.xhr)) return;
  event.detail.shouldSwap = false;
  location.assign(`${meta("login-url")}?next=${encodeURIComponent(location.pathname + location.search)}`);
});

document.addEventListener("htmx:sendError", () => {
  toast("The server did not answer. See whether this was done; if not, try again.", "error");
});

document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  toast(FAILURES[status] ?? "Something went wrong on the server. See whether this was done before you try again.", "error");
});

const FAILURES = {
  403: "This page is out of date. Load it again and repeat the step.",
  404: "This no longer exists, or is not yours to see.",
  409: "Somebody was faster. Load the page again to see what is left to do.",
  429: "Too many requests. Wait a minute and try again.",
  503: "The database had no time for this. See whether it was done; if not, try again.",
};

/* --- Keys: elements name theirs with data-key; single letters are off inside fields ------------------ */

const singleKeys = document.body.dataset.singleKeys !== "off";
let pending = "";
let pendingUntil = 0;

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return submitForm(event);
  if (event.key === "Escape") {
    const open = event.target.closest("form, dialog") ?? document.getElementById("list-panel");
    open?.querySelector("[data-escape]")?.click();
  }
  if (!singleKeys || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.target.closest("dialog, [role='menu']")) return;
  const before = Date.now() < pendingUntil ? pending : event.target.closest("[data-after]")?.dataset.after;
  const act = actOf(`${before} ${event.key}`) ?? actOf(event.key);
  pending = event.key; // also when it acted: "l" moves to the outcomes, "l n" logs one of them
  pendingUntil = Date.now() + 1000;
  if (!act) return;
  event.preventDefault();
  act();
});

const ROW_KEYS = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  x: () => currentRow()?.querySelector("[data-select]")?.click(),
  "?": () => openDialog("keys-help"),
};

const actOf = (keys) => ROW_KEYS[keys] ?? keyTarget(keys);

function keyTarget(sequence) {
  const named = `[data-key="${CSS.escape(sequence)}"]`;
  const row = currentRow();
  const element = row?.querySelector(named) ?? document.querySelector(named);
  if (!element) return null;
  // What only another row offers is never done to that one: the row with the focus opens first.
  if (row && !row.contains(element) && element.closest("[data-row]")) return () => openThenPress(row, named);
  return () => (isTyping(element) ? element.focus() : element.click());
}

async function openThenPress(row, named) {
  const link = row.querySelector("[data-open][hx-get]");
  if (!link) return;
  const [target, swap] = [link.getAttribute("hx-target"), link.getAttribute("hx-swap")];
  await htmx.ajax("GET", link.getAttribute("hx-get"), { source: link, target, swap });
  document.getElementById(row.id)?.querySelector(named)?.click();
}

function submitForm(event) {
  const form = event.target.closest("form");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
}

/* --- Rows: real focus moves, so Enter opens and readers follow ---------------------------------------- */

const rows = () => [...document.querySelectorAll("[data-row]")];
const currentRow = () => document.querySelector("[data-row].is-current");

function moveRow(step) {
  const all = rows();
  const place = all.indexOf(currentRow());
  const row = all[place < 0 ? (step > 0 ? 0 : all.length - 1) : place + step];
  (row?.querySelector("[data-open]") ?? row?.querySelector("a"))?.focus();
}

document.addEventListener("focusin", (event) => {
  const row = event.target.closest("[data-row]");
  if (!row) return;
  for (const other of rows()) other.classList.toggle("is-current", other === row);
});

/* --- Dialogs, and clicks on marks that move to a row ---------------------------------------------------- */

function openDialog(id) {
  const dialog = document.getElementById(id);
  const pageKeys = dialog.querySelector("[data-page-keys]");
  if (pageKeys) listPageKeys(pageKeys);
  dialog.showModal();
}

/* Ctrl+K: the field takes what is typed from now on; what it offers is loaded once somebody asks. */
document.addEventListener("keydown", (event) => {
  const palette = document.getElementById("palette");
  if (!palette || event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
  event.preventDefault(); // the browser's own search
  if (palette.open) return palette.close();
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  palette.querySelector("input").value = "";
  palette.showModal();
  palette.dispatchEvent(new Event("baton:opened"));
  import(palette.dataset.script); // the first time: it finds the palette open
});

function listPageKeys(list) {
  const named = new Map();
  for (const element of document.querySelectorAll("[data-key]")) {
    named.set(element.dataset.key, actName(element));
  }
  list.replaceChildren(...[...named].flatMap(([key, name]) => [keyTerm(key), keyMeaning(name)]));
}

function keyTerm(key) {
  const term = document.createElement("dt");
  for (const part of key.split(" ")) {
    term.append(Object.assign(document.createElement("kbd"), { textContent: part }));
  }
  return term;
}

const keyMeaning = (name) => Object.assign(document.createElement("dd"), { textContent: name });

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  if (at("[data-dialog]")) {
    event.preventDefault(); // without scripts it may be a link to a page of its own
    openDialog(at("[data-dialog]").dataset.dialog);
  }
  else if (at("[data-dialog-close]")) at("dialog").close();
  else if (at("[data-toast-close]")) at("[data-toast]").remove();
  else if (at("[data-theme]")) setTheme(at("[data-theme]").dataset.theme, at(".theme-choice"));
  else if (at("[data-copy]")) copyText(at("[data-copy]").dataset.copy);
  else if (at("[data-goto]")) goTo(at("[data-goto]").dataset.goto);
  else if (at("[data-bulk-clear]")) selectAll(at("[data-bulk]"), false);
  else if (at("[data-bulk-everything]")) takeEverything(at("[data-bulk]"));
});

async function copyText(id) {
  const place = document.getElementById(id);
  getSelection().selectAllChildren(place);
  try {
    await navigator.clipboard.writeText(place.textContent);
    toast("Copied.", "success");
  } catch { // on plain http, or forbidden
    toast("Selected. Copy it with your keyboard or menu.");
  }
}

function goTo(id) {
  const row = document.getElementById(id);
  row?.scrollIntoView({ block: "center" });
  (row?.querySelector("[data-open]") ?? row?.querySelector("a"))?.focus({ preventScroll: true });
}

for (const fold of document.querySelectorAll("details[data-fold]")) {
  fold.open = !matchMedia("(width < 768px)").matches;
}

/* --- Bulk selection: a form marked data-bulk with boxes, a box for all, and a bar ------------------------ */

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-bulk]");
  if (!form) return;
  if (event.target.matches("[data-select-all]")) selectAll(form, event.target.checked);
  else if (event.target.matches("[data-select]")) showSelection(form);
});

function selectAll(form, chosen) {
  for (const box of form.querySelectorAll("[data-select]")) box.checked = chosen;
  showSelection(form);
}

function showSelection(form) {
  const boxes = [...form.querySelectorAll("[data-select]")];
  const count = boxes.filter((box) => box.checked).length;
  const master = form.querySelector("[data-select-all]");
  if (master) {
    master.checked = count > 0 && count === boxes.length;
    master.indeterminate = count > 0 && count < boxes.length;
  }
  form.querySelector("[data-bulk-scope]").value = "chosen";
  form.querySelector("[data-bulk-count]").textContent = `${count} selected`;
  form.querySelector("[data-bulk-bar]").hidden = count === 0;
}

function takeEverything(form) {
  selectAll(form, true);
  form.querySelector("[data-bulk-scope]").value = "all";
  form.querySelector("[data-bulk-count]").textContent =
    `${form.querySelector("[data-bulk-everything]").dataset.bulkEverything} selected`;
}

/* --- Saved views: the open one is in sight, however many there are --------------------------------------- */

function showCurrentView() {
  const tab = document.querySelector(".view-tab[aria-current]")?.getBoundingClientRect();
  const row = document.querySelector(".view-tabs:has([aria-current])");
  if (!tab || !row) return;
  // The row alone is moved: to scroll the tab into view would take who reads further down to the top.
  const { left, right } = row.getBoundingClientRect();
  row.scrollBy({ left: Math.min(tab.left - left, 0) + Math.max(tab.right - right, 0), behavior: "instant" });
}

/* --- Clocks: redrawn each 30 s from what the server said, in the server's time --------------------------- */

const AT_RISK_SHARE = 0.25;
const STATES = ["on-track", "at-risk", "breached"];

function redrawClocks() {
  for (const clock of document.querySelectorAll("[data-clock]")) redrawClock(clock);
}

function redrawClock(clock) {
  const { left, allowed, readAt, closesAt } = clock.dataset;
  const until = closesAt ? Math.min(serverNow(), Number(closesAt)) : serverNow();
  const remaining = Number(left) - Math.max(0, until - Number(readAt));
  const share = Math.max(0, remaining / Number(allowed));
  // A clock that fell due at closing time is over with nothing left, until the next opening.
  const isOver = remaining < 0 || clock.classList.contains("is-breached");
  const state = isOver ? "breached" : share > AT_RISK_SHARE ? "on-track" : "at-risk";
  const [figure, word] = [workingTime(remaining), isOver ? "over" : "left"];
  clock.querySelector(".arc").setAttribute("stroke-dasharray", `${Math.round(share * 100)} 100`);
  setText(clock, ".clock-text", `${figure} ${word}`);
  setText(clock, ".clock-figure", figure);
  setText(clock, ".clock-word", word);
  if (clock.classList.contains(`is-${state}`)) return;
  clock.classList.remove(...STATES.map((name) => `is-${name}`));
  clock.classList.add(`is-${state}`);
  announce(`${clock.dataset.clock} clock ${state === "breached" ? "breached" : "at risk"}`);
}

function setText(place, selector, text) {
  const element = place.querySelector(selector);
  if (element) element.textContent = text;
}

function workingTime(span) {
  const seconds = Math.abs(Math.trunc(span));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  const minutes = Math.floor((seconds % 3600) / 60);
  const hours = `${Math.floor(seconds / 3600)} h`;
  return minutes ? `${hours} ${String(minutes).padStart(2, "0")}` : hours;
}

function announce(text) {
  document.getElementById("announcer").textContent = text;
}

setInterval(redrawClocks, 30_000);
addEventListener("pageshow", redrawClocks);
document.addEventListener("visibilitychange", redrawClocks);
scheduleToasts();
showCurrentView();
