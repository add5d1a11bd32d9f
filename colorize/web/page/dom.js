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
