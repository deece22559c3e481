/* A form that meets an ended session, an outdated token or a server that fails: what was typed stays in this
   tab, and is put back for the same person on the same page. Fields that save themselves are in app.js. */

const KEY = "baton:interrupted";
const { person } = document.body.dataset; // pages without one are the login, and refusals
const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
const isTicked = (field) => /^(radio|checkbox)$/.test(field.type);
const SECRET = "[type=hidden], [type=password], [type=file]";

if (!person && kept) offerToResume();
else if (kept) resume();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-logout]")) sessionStorage.removeItem(KEY); // who leaves leaves nothing behind
  else if (person && form.method === "post" && !form.matches("[data-autosave]")) keep(form);
}, { capture: true });

document.addEventListener("htmx:afterOnLoad", (event) => {
  const { elt, xhr } = event.detail;
  const login = document.querySelector("meta[name=login-url]").content;
  const isDone = xhr.status < 300 && new URL(xhr.responseURL).pathname !== login;
  if (isDone && elt.matches("form")) sessionStorage.removeItem(KEY);
});

function keep(form) {
  const here = location.pathname + location.search;
  const fields = [...form.elements]
    .filter((field) => field.name && !field.matches(`${SECRET}, button`))
    .map((field) => [field.name, field.value, isTicked(field) ? field.checked : null]);
  if (!fields.length) return;
  const page = form.matches("[data-own-page]") ? form.getAttribute("action") : here;
  const draft = { person, page, action: new URL(form.action).pathname, fields, isInterrupted: false };
  sessionStorage.setItem(KEY, JSON.stringify(draft));
}

function offerToResume() {
  sessionStorage.setItem(KEY, JSON.stringify({ ...kept, isInterrupted: true }));
  for (const next of document.querySelectorAll("input[name=next]")) next.value = kept.page;
  for (const link of document.querySelectorAll("[data-resume]")) {
    link.href = kept.page;
    link.textContent = "Back to the form";
  }
  for (const note of document.querySelectorAll("[data-resume-note]")) note.hidden = false;
}

function resume() {
  const here = location.pathname + location.search;
  if (kept.isInterrupted && kept.person === person && kept.page !== here) return; // still on the way there
  sessionStorage.removeItem(KEY);
  if (!kept.isInterrupted || kept.person !== person) return;
  const form = [...document.forms].find((each) => each.method === "post" && new URL(each.action).pathname === kept.action);
  if (!form) return;
  putBack(form, kept.fields);
  addEventListener("load", () => tell("What you wrote is back. It was not sent: look at it and send it again."));
}

/* Fields of one name stand in the same order as when they were kept. */
function putBack(form, fields) {
  const left = [...fields];
  for (const field of [...form.elements].filter((each) => !each.matches(SECRET))) {
    const place = left.findIndex(([name, value, checked]) =>
      name === field.name && (checked === null || value === field.value));
    if (place < 0) continue;
    const [[, value, checked]] = left.splice(place, 1);
    if (isTicked(field)) field.checked = checked;
    else field.value = value;
    field.tomselect?.sync();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function tell(text) {
  const note = Object.assign(document.createElement("div"), { className: "notice is-warning" });
  note.append(Object.assign(document.createElement("p"), { textContent: text }));
  note.dataset.toast = "";
  document.getElementById("toasts").append(note);
}
