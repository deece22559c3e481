/* The palette, loaded when it first opens (app.js). The field keeps the focus; the arrows choose, Enter goes there.
   Below what the server offers stand the keys of this page, which only the page itself knows. */

import { actName } from "./page.js";

const palette = document.getElementById("palette");
const field = palette.querySelector("[role=combobox]");
const list = document.getElementById("palette-choices");
const choices = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector("[aria-selected=true]");
let answered = null; // the text for which the choices are shown
let goesAtOnce = false; // Enter came before the choices for what was typed
let steered = null; // the choice that the arrows went to since something was typed

field.addEventListener("keydown", steer);
field.addEventListener("input", () => { [goesAtOnce, steered] = [false, null]; });
list.addEventListener("htmx:afterSwap", showChoices);
palette.addEventListener("baton:opened", offer);
palette.addEventListener("click", (event) => {
  if (event.target === palette) palette.close(); // beside the sheet
});
offer();

/* Nothing may come between this and the opening: it would forget what was pressed there. */
function offer() {
  [answered, goesAtOnce, steered] = [null, false, null];
  htmx.trigger(field, "baton:palette");
}

function steer(event) {
  const moves = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in moves) choose(steered = neighbour(moves[event.key]));
  else if (event.key === "Enter") go();
  else return;
  event.preventDefault();
}

/* Nothing is opened, let alone done, that answers another text than the one in the field. */
function go() {
  if (answered === field.value) return chosen()?.click();
  goesAtOnce = true;
  htmx.trigger(field, "baton:palette");
}

function neighbour(step) {
  const all = choices();
  return all[(all.indexOf(chosen()) + step + all.length) % all.length];
}

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  field.setAttribute("aria-activedescendant", option?.id ?? "");
  option?.scrollIntoView({ block: "nearest" });
}

/* An answer that comes late moves nobody away from where they went meanwhile. */
const isSteered = (option) => steered && nameOf(option) === nameOf(steered);
const nameOf = (option) => (option.id === "palette-search" ? option.id : option.textContent.trim());

function showChoices(event) {
  answered = event.detail.requestConfig.parameters.q;
  offerKeysOfPage();
  choose(choices().find(isSteered) ?? choices()[0]);
  const number = choices().length;
  document.getElementById("palette-count").textContent = number === 1 ? "1 choice" : `${number} choices`;
  if (goesAtOnce && answered === field.value) go();
}

function offerKeysOfPage() {
  const words = field.value.toLowerCase().split(/\s+/);
  const options = [...keysOfPage()]
    .filter(([, name]) => words.every((word) => beginsWord(name.toLowerCase(), word)))
    .map(([element, name], place) => optionFor(element, name, place));
  if (!options.length) return;
  const head = Object.assign(document.createElement("p"), { className: "palette-head", id: "palette-group-0", textContent: "On this page" });
  head.role = "presentation";
  const group = document.createElement("div");
  group.role = "group";
  group.setAttribute("aria-labelledby", head.id);
  group.append(head, ...options);
  list.insertBefore(group, document.getElementById("palette-search"));
}

/* Keys act at once, so they are offered last, and only by the beginning of a word. */
const beginsWord = (name, word) => name.startsWith(word) || name.includes(` ${word}`);

/* One element a key; of rows only the current one, as keys act on that. */
function keysOfPage() {
  const found = new Map();
  for (const element of document.querySelectorAll(".main [data-key]")) {
    const row = element.closest("[data-row]");
    if ((row && !row.matches(".is-current")) || !element.checkVisibility()) continue;
    if (!found.has(element.dataset.key)) found.set(element.dataset.key, element);
  }
  return [...found.values()].map((element) => [element, actName(element)]);
}

function optionFor(element, name, place) {
  const option = document.createElement("button");
  Object.assign(option, { type: "button", className: "palette-choice", id: `palette-0-${place}`, tabIndex: -1, role: "option" });
  option.setAttribute("aria-selected", "false");
  const key = Object.assign(document.createElement("kbd"), { textContent: element.dataset.key, ariaHidden: "true" });
  option.append(Object.assign(document.createElement("span"), { textContent: name }), key);
  option.addEventListener("click", () => {
    palette.close();
    if (element.matches("input, select, textarea")) element.focus();
    else element.click();
  });
  return option;
}
