/* What people typed and no server has yet. Fields that save themselves are kept on this device until their save
   has succeeded; any other form that was sent is kept in this tab until a page has answered it. */

import { hasLoggedOut, meta, serverNow, toast } from "./page.js";

const { person } = document.body.dataset; // pages without one are the login, and refusals
const formsThatSave = () => [...document.querySelectorAll("form[data-autosave]")];

/* --- Fields: as they stand, and put back. Those of one name stand in one order. ---------------------------- */

const SECRET = "[type=hidden], [type=password], [type=file]";
const isTicked = (field) => /^(radio|checkbox)$/.test(field.type);
const isKept = (field) => field.name && !field.matches(`${SECRET}, button, fieldset`);
const markOf = (field) => (isTicked(field) ? field.value : "");

function stateOf(field) {
  if (isTicked(field)) return field.checked;
  if (field.type === "select-multiple") return [...field.selectedOptions].map((option) => option.value);
  return field.value;
}

function setState(field, state) {
  if (isTicked(field)) field.checked = state;
  else if (field.type !== "select-multiple") field.value = state;
  else for (const option of field.options) option.selected = state.includes(option.value);
}

function readFields(form, isWanted = () => true) {
  return [...form.elements]
    .filter((field) => isKept(field) && isWanted(field.name))
    .map((field) => [field.name, markOf(field), stateOf(field)]);
}

function restoreFields(form, kept) {
  const left = [...kept];
  const changed = [...form.elements].filter((field) => isKept(field) && restoreField(field, left));
  for (const field of changed) {
    field.tomselect?.sync();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

/* Says whether the field has changed; a radio that lost its tick tells nothing that the other does not. */
function restoreField(field, left) {
  const place = left.findIndex(([name, mark]) => name === field.name && mark === markOf(field));
  if (place < 0) return false;
  const [[, , state]] = left.splice(place, 1);
  const was = String(stateOf(field));
  setState(field, state);
  return String(stateOf(field)) !== was && (field.type !== "radio" || field.checked);
}

/* --- A form marked data-autosave posts itself with htmx. Only the fields that were touched since the last save are
   sent: nothing goes with a killed tab or an ended session, and nobody else's answers are overwritten by a page
   left open. ------------------------------------------------------------------------------------------------- */

const DRAFT = "baton:draft:";
const GONE = [404, 409]; // nobody asks for these answers any more
const draftKey = (form) => DRAFT + form.dataset.autosave;
const touchedFields = new WeakMap(); // form -> { waiting, sent }: names of fields
const touchedIn = (form) => touchedFields.get(form) ?? { waiting: new Set(), sent: new Set() };

function showSaveState(form, state, text) {
  const place = form.querySelector("[data-save-state]");
  if (!place) return;
  place.dataset.saveState = state;
  place.querySelector("[data-save-text]").textContent = text;
}

function touchField(event) {
  const form = event.target.closest?.("form[data-autosave]");
  if (!form || !event.target.name) return;
  const touched = touchedIn(form);
  touched.waiting.add(event.target.name);
  touchedFields.set(form, touched);
  storeDraft(form);
}

function storeDraft(form) {
  const { waiting, sent } = touchedIn(form);
  const fields = readFields(form, (name) => waiting.has(name) || sent.has(name));
  if (fields.length) localStorage.setItem(draftKey(form), JSON.stringify(fields));
  else localStorage.removeItem(draftKey(form));
}

function keepDraft(form) {
  const touched = touchedIn(form);
  touched.sent.forEach((name) => touched.waiting.add(name));
  touched.sent.clear();
  storeDraft(form);
  if (touched.waiting.size) showSaveState(form, "kept", "Not saved yet, kept on this device");
}

function restoreDraft(form) {
  restoreFields(form, JSON.parse(localStorage.getItem(draftKey(form)) ?? "[]"));
  storeDraft(form); // what the server has by now is no draft
}

/* A form that was sent for good keeps its draft until a page without it is shown: the login is none. */

const SENT = "baton:sent-draft";

function forgetSentDraft() {
  const key = sessionStorage.getItem(SENT);
  if (!key || !person) return;
  sessionStorage.removeItem(SENT);
  if (!formsThatSave().some((form) => draftKey(form) === key)) localStorage.removeItem(key);
}

/* On a shared computer nobody's words stay for the next person. The key of a draft ends with its author. */
function forgetDraftsOfOthers() {
  if (!person) return;
  Object.keys(localStorage)
    .filter((key) => key.startsWith(DRAFT) && !key.endsWith(`-${person}`))
    .forEach((key) => localStorage.removeItem(key));
}

document.addEventListener("input", touchField, true);
document.addEventListener("change", touchField, true);

document.addEventListener("htmx:configRequest", (event) => {
  const form = event.detail.elt;
  if (!form.matches("form[data-autosave]")) return;
  const touched = touchedIn(form);
  touched.waiting.forEach((name) => touched.sent.add(name));
  touched.waiting.clear();
  for (const name of Object.keys(event.detail.parameters)) {
    if (!touched.sent.has(name)) delete event.detail.parameters[name];
  }
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt.closest("form[data-autosave]");
  if (form) showSaveState(form, "saving", "Saving");
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt.closest("form[data-autosave]");
  if (!form) return;
  const { successful, xhr } = event.detail;
  if (GONE.includes(xhr?.status)) return forgetDraft(form);
  if (!successful || hasLoggedOut(xhr)) return keepDraft(form);
  touchedIn(form).sent.clear();
  storeDraft(form);
  const clock = new Date(serverNow() * 1000).toLocaleTimeString("en-GB", { timeZone: meta("time-zone") || "UTC" });
  showSaveState(form, "saved", `Saved ${clock}`);
});

function forgetDraft(form) {
  touchedFields.delete(form);
  storeDraft(form);
  showSaveState(form, "kept", "Not saved: this form is closed");
}

/* --- Any other form that meets an ended session, an outdated token or a server that fails: what was typed stays in
   this tab, and is put back for the same person on the same page. ------------------------------------------------ */

const KEY = "baton:interrupted";
const interrupted = JSON.parse(sessionStorage.getItem(KEY) ?? "null");

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("form[data-autosave]")) sessionStorage.setItem(SENT, draftKey(form));
  else if (form.matches("[data-logout]")) sessionStorage.removeItem(KEY); // who leaves leaves nothing behind
  else if (person && form.method === "post") keepForm(form);
}, { capture: true });

document.addEventListener("htmx:afterOnLoad", (event) => {
  const { elt, xhr } = event.detail;
  if (xhr.status < 300 && !hasLoggedOut(xhr) && elt.matches("form")) sessionStorage.removeItem(KEY);
});

function keepForm(form) {
  const here = location.pathname + location.search;
  const fields = readFields(form);
  if (!fields.length) return;
  const page = form.matches("[data-own-page]") ? form.getAttribute("action") : here;
  const draft = { person, page, action: new URL(form.action).pathname, fields, isInterrupted: false };
  sessionStorage.setItem(KEY, JSON.stringify(draft));
}

function offerToResume() {
  const { page } = interrupted;
  sessionStorage.setItem(KEY, JSON.stringify({ ...interrupted, isInterrupted: true }));
  for (const next of document.querySelectorAll("input[name=next]")) next.value = page;
  for (const link of document.querySelectorAll("[data-resume]")) {
    link.href = page;
    link.textContent = "Back to the form";
  }
  for (const note of document.querySelectorAll("[data-resume-note]")) note.hidden = false;
}

function resume() {
  const { page, action, fields, isInterrupted } = interrupted;
  const isTheirs = isInterrupted && interrupted.person === person;
  if (isTheirs && page !== location.pathname + location.search) return; // still on the way there
  sessionStorage.removeItem(KEY);
  const form = [...document.forms].find((each) => each.method === "post" && new URL(each.action).pathname === action);
  if (!isTheirs || !form) return;
  restoreFields(form, fields);
  toast("What you wrote is back. It was not sent: look at it and send it again.", "warning");
}

if (interrupted && !person) offerToResume();
addEventListener("load", () => {
  if (interrupted && person) resume();
  forgetDraftsOfOthers();
  forgetSentDraft();
  formsThatSave().forEach(restoreDraft);
});
