/* The scoring editor beyond links and forms: one act at a time, arrows on the grid, Escape out of a form,
   rules moved by hand. */

/* Each answer is a new editor that knows the next revision. What is pressed while one is on its way waits,
   and is pressed in the editor that comes; after a refusal nothing is. */
let underWay = "";
let waiting = [];

const isOfEditor = (event) => event.detail.target?.id === "editor";

function handleOf(element, trigger) {
  const pressed = trigger?.submitter ?? element;
  if (pressed.matches("a")) return `a[href="${CSS.escape(pressed.getAttribute("href"))}"]`;
  return pressed.id ? `#${CSS.escape(pressed.id)}` : `[aria-label="${CSS.escape(pressed.ariaLabel ?? "")}"]`;
}

document.addEventListener("htmx:confirm", (event) => {
  if (!underWay || !isOfEditor(event)) return;
  event.preventDefault();
  const handle = handleOf(event.detail.elt, event.detail.triggeringEvent);
  if (handle !== [underWay, ...waiting].at(-1)) waiting.push(handle); // a double click is one act
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isOfEditor(event)) underWay = handleOf(event.detail.elt, event.detail.requestConfig.triggeringEvent);
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (isOfEditor(event) && event.detail.target.isConnected) goOn({ isRefused: true }); // it stayed as it was
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "editor") return;
  if (document.activeElement === document.body) document.getElementById(event.target.dataset.refocus)?.focus();
  goOn({ isRefused: event.detail.xhr.status === 422 });
});

function goOn({ isRefused }) {
  underWay = "";
  if (isRefused) waiting = [];
  while (!underWay && waiting.length) document.querySelector(waiting.shift())?.click();
}

/* Keys */

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return closeForm(event);
  const cell = event.target.closest?.("[data-grid] td");
  if (!cell || !STEPS[event.key]) return;
  const [down, across] = STEPS[event.key];
  const row = cell.parentElement.parentElement.rows[cell.parentElement.sectionRowIndex + down];
  const next = row?.cells[cell.cellIndex + across]?.querySelector("button");
  if (!next) return;
  event.preventDefault();
  next.focus();
});

function closeForm(event) {
  const cancel = event.target.closest?.(".part-form")?.querySelector("[data-escape]");
  if (!cancel) return;
  event.preventDefault();
  cancel.click();
}

/* A grip is the form that moves its rule; dropping sends it with the place of the rule it was dropped on. */
let dragged = null;

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-drag]");
  if (dragged) event.dataTransfer.effectAllowed = "move";
});

document.addEventListener("dragover", (event) => {
  const rule = dragged && event.target.closest?.(".rule");
  if (!rule) return;
  event.preventDefault();
  for (const each of document.querySelectorAll(".rule")) each.classList.toggle("is-target", each === rule);
});

document.addEventListener("dragend", () => {
  dragged = null;
  document.querySelector(".rule.is-target")?.classList.remove("is-target");
});

document.addEventListener("drop", (event) => {
  const rule = dragged && event.target.closest?.(".rule");
  const place = rule?.querySelector("[data-drag]")?.dataset.drag;
  if (place === undefined || place === dragged.dataset.drag) return;
  event.preventDefault();
  const to = Object.assign(document.createElement("button"), { name: "to", value: place, hidden: true });
  dragged.append(to);
  dragged.requestSubmit(to);
});
