/* The team board: a card that is dropped on a colleague sends its own form. */

let carried = null;

document.addEventListener("dragstart", (event) => {
  carried = event.target.closest?.(".board-card");
  if (carried) event.dataTransfer.effectAllowed = "move";
});

document.addEventListener("dragover", (event) => {
  const column = carried && event.target.closest?.("[data-rep]");
  mark(column);
  if (column) event.preventDefault();
});

document.addEventListener("dragend", () => {
  carried = null;
  mark(null);
});

document.addEventListener("drop", (event) => {
  const column = carried && event.target.closest?.("[data-rep]");
  if (!column || column.contains(carried)) return;
  event.preventDefault();
  const form = carried.querySelector("form");
  form.elements.to.value = column.dataset.rep;
  form.requestSubmit();
});

function mark(target) {
  for (const column of document.querySelectorAll(".board-column"))
    column.classList.toggle("is-target", column === target);
}
