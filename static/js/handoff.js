/* The queue: a phone that can dials when a handoff is accepted in order to call. */

document.addEventListener("baton:dial", (event) => {
  location.href = `tel:${event.detail.value.replace(/[^+\d]/g, "")}`;
});

/* Links that only move the focus; the agreement, a document that people print. */

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-focus]");
  if (link) {
    event.preventDefault();
    document.getElementById(link.dataset.focus).focus();
  }
  if (event.target.closest("[data-print]")) print();
});
