/* The queue: a phone that can dials when a handoff is accepted in order to call. */

document.addEventListener("baton:dial", (event) => {
  location.href = `tel:${event.detail.value.replace(/[^+\d]/g, "")}`;
});

/* The form after the call: 1 to 4 answer the question with the focus, which the first one has at the start. */

document.addEventListener("keydown", (event) => {
  if (event.target.type !== "radio" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.body.dataset.singleKeys === "off") return;
  const radio = event.target.closest(".question")?.querySelectorAll("[type=radio]")[Number(event.key) - 1];
  if (!radio) return;
  event.preventDefault();
  radio.focus();
  radio.click();
});

addEventListener("load", () => {
  if (document.activeElement !== document.body || document.querySelector("[autofocus]")) return;
  document.querySelector(".question [type=radio]:checked")?.focus({ preventScroll: true });
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
