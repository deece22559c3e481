/* The scoring editor beyond links and forms: arrows on the grid, Escape out of a form, rules moved by hand. */

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
