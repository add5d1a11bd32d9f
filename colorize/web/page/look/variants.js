// Variants: a row of small pictures under the result, one click takes one.

import { adjustedModel } from "../cards.js";
import { h, show } from "../dom.js";
import { address, coloursOf, ofModel } from "../pictures.js";
import { adjustLook, currentPhoto, follow, idOf, lookOf, models, view } from "../state.js";

const NAMES = {
  natural: "Natural", vivid: "Vivid", soft: "Soft", warm: "Warm", cool: "Cool",
  "other-1": "Another", "other-2": "A third",
};

const buttons = new Map(Object.entries(NAMES).map(([name, title]) => [name, h("button", {
  type: "button", "data-variant": name,
  onclick: () => {
    adjustLook(currentPhoto(), { variant: name === "natural" ? null : name });
    follow();
  },
}, h("img", { alt: "", draggable: "false" }), h("span", {}, title))]));

/** The row. */
export const variants = h("div", {
  class: "cz-variants", role: "group", "aria-label": "Variants of the colours",
}, ...buttons.values());

let shown = null; // the photo in the row
let asked = null; // the address of what is in it, or on its way

/** Shows the variants of a photo; their places, until it is colorized. */
export function drawVariants(photo) {
  const model = adjustedModel(photo);
  show(variants, photo.cards.length);
  const chosen = lookOf(photo).variant ?? "natural";
  for (const [name, button] of buttons) button.setAttribute("aria-pressed", name === chosen);
  if (shown !== idOf(photo)) {
    shown = idOf(photo);
    for (const button of buttons.values()) empty(button);
  }
  if (model && !view.moving) update(photo, models.get(model));
}

function empty(button) {
  button.disabled = true;
  show(button, true);
  button.firstChild.removeAttribute("src");
}

async function update(photo, model) {
  const own = { ...coloursOf(photo, model), variant: null };
  const url = address(ofModel(photo, model.name, "variants"), own);
  if (asked === url) return;
  asked = url;
  const answer = await fetch(url).catch(() => null);
  if (asked !== url) return; // something else is wanted by now
  if (!answer?.ok) return void (asked = null);
  const row = new Map((await answer.json()).map(({ name, picture }) => [name, picture]));
  if (asked !== url) return;
  const chosen = lookOf(photo).variant ?? "natural"; // stays, as one that was given to all
  for (const [name, button] of buttons) {
    button.disabled = false;
    show(button, row.has(name) || name === chosen);
    if (row.has(name)) button.firstChild.src = row.get(name);
  }
}
