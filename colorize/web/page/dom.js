// Elements are made from strings by the DOM alone: no text is ever parsed as HTML.

/** An element. Attributes that begin with "on" listen; what is false or missing is left out. */
export function h(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/** Shows an element, or hides it. */
export const show = (node, yes) => (node.hidden = !yes);

/** "1 picture", "2 pictures". */
export const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

/** Whether this is a touched screen: nothing can be dropped there. */
export const touched = matchMedia("(hover: none)").matches;

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
