/* Boards: a card that is dropped on a colleague sends its own form, one dropped on a stage follows its own link. */

let carried = null;

document.addEventListener("dragstart", (event) => {
  carried = event.target.closest?.(".board-card");
  if (carried) event.dataTransfer.effectAllowed = "move";
});

document.addEventListener("dragover", (event) => {
  const column = columnAt(event);
  mark(column);
  if (column) event.preventDefault();
});

document.addEventListener("dragend", () => {
  carried = null;
  mark(null);
});

document.addEventListener("drop", (event) => {
  const column = columnAt(event);
  if (!column || column.contains(carried)) return;
  event.preventDefault();
  if (column.dataset.stage) return linkTo(column).click();
  const form = carried.querySelector("form");
  form.elements.to.value = column.dataset.rep;
  form.requestSubmit();
});

function columnAt(event) {
  const column = carried && event.target.closest?.("[data-rep], [data-stage]");
  return column?.dataset.stage && !linkTo(column) ? null : column;
}

const linkTo = (column) => carried.querySelector(`[data-to="${column.dataset.stage}"]`);

function mark(target) {
  for (const column of document.querySelectorAll(".board-column"))
    column.classList.toggle("is-target", column === target);
}
