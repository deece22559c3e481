/* The queue: a phone that can dials when a handoff is accepted in order to call. */

document.addEventListener("baton:dial", (event) => {
  location.href = `tel:${event.detail.value.replace(/[^+\d]/g, "")}`;
});

/* The agreement: a document that people print. */

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});
