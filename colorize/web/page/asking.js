// A question before what cannot be undone.

import { h } from "./dom.js";

/** Resolves to whether the visitor said yes; `place` gets the dialog for as long as it is open. */
export function ask(place, sentence, yes) {
  return new Promise((resolve) => {
    const agree = h("button", { type: "submit", class: "cz-button cz-main", value: "yes" }, yes);
    const refuse = h("button", { type: "submit", class: "cz-button", value: "" }, "Cancel");
    const form = h("form", { method: "dialog" }, h("p", { id: "cz-question" }, sentence),
      h("div", {}, agree, refuse));
    const dialog = h("dialog", {
      class: "cz-dialog cz-question", "aria-labelledby": "cz-question",
      onclose: () => (dialog.remove(), resolve(dialog.returnValue === "yes")),
    }, form);
    place.append(dialog);
    dialog.showModal();
    refuse.focus();
  });
}
