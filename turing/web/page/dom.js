// Elements are made from strings by the DOM alone: no text is ever parsed as HTML.

/** An element; attributes that are functions listen to the event of their name. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Puts these in the place of what is in a node; Node.replaceChildren is younger. */
export function fill(node, ...children) {
  node.textContent = "";
  node.append(...children);
}

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves as the next frame begins, to its time: what is changed then is painted in it. */
export const frame = () => new Promise(requestAnimationFrame);

/** Resolves once the frame that shows the present state of the page has been painted. */
export const painted = () =>
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
