// What few need is folded away, and on a phone the settings come from below.

import { h, show } from "../dom.js";
import { app, change, view } from "../state.js";

const fold = h("button", {
  type: "button", class: "cz-fold", "aria-controls": "cz-advanced",
  onclick: () => ((view.advanced = !view.advanced), change()),
}, "Advanced");

const close = h("button", {
  type: "button", class: "cz-button cz-quiet cz-close", onclick: () => {
    view.sheet = false;
    change();
    opener.focus();
  },
}, "Done");

/** On a phone: opens the settings. */
export const opener = h("button", {
  type: "button", class: "cz-button cz-opener", onclick: () => {
    view.sheet = !view.sheet;
    view.fixing = false;
    change();
    if (!view.sheet) return;
    app.tab.querySelector(".cz-cards").scrollIntoView({ block: "start" });
    app.tab.querySelector(".cz-adjust input[type=range]")?.focus({ preventScroll: true });
  },
}, "Adjust");

/** Shows what of the settings is open. */
export function drawAdvanced() {
  const place = app.tab.querySelector(".cz-advanced-place");
  if (place && fold.parentNode !== place) {
    place.replaceChildren(fold);
    app.tab.querySelector(".cz-side-column").prepend(close);
    app.tab.addEventListener("keydown", closeList, true);
  }
  app.tab.dataset.advanced = view.advanced;
  app.tab.dataset.sheet = view.sheet;
  fold.setAttribute("aria-expanded", view.advanced);
  opener.setAttribute("aria-expanded", view.sheet);
  show(close, view.sheet);
}

// Gradio's list of sizes stays open when one leaves it with Tab.
function closeList(event) {
  const list = event.key === "Tab" && event.target.closest?.("#cz-advanced [role=listbox]");
  if (list) event.target.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
}
