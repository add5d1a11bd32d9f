// The photos: a strip of thumbnails, or all of them at once.

import { h, show } from "../dom.js";
import { batch, uploads } from "../files/uploads.js";
import { address, coloursOf, load, ofModel, unload } from "../pictures.js";
import {
  app, change, currentPhoto, lookOf, looksAlike, models, PLAIN, state, strokesOf, view,
} from "../state.js";

/** A button a photo. */
export const strip = h("nav", { class: "cz-strip", "aria-label": "Your photos" });

const toggle = h("button", {
  type: "button", class: "cz-button cz-all-photos", onclick: () => {
    view.grid = !view.grid;
    view.fixing = view.sheet = false;
    change();
    if (!view.grid) bringIntoView();
  },
});

/** The strip, and what shows all photos at once. */
export const tray = h("div", { class: "cz-tray" }, strip, toggle);

/** Shows the photos that there are, and those on their way. */
export function drawStrip() {
  const photos = [...state.photos, ...uploads];
  const photo = batch.hasFirst ? currentPhoto() : uploads[0];
  const isMany = photos.length > 1;
  if (!isMany || !batch.hasFirst) view.grid = false;
  show(tray, isMany);
  show(strip, isMany);
  app.tab.dataset.grid = view.grid;
  toggle.setAttribute("aria-pressed", view.grid);
  toggle.disabled = !batch.hasFirst;
  const said = view.grid ? "One photo" : `All ${photos.length}`;
  if (toggle.textContent !== said) toggle.textContent = said;
  toggle.setAttribute("aria-label", view.grid ? "Back to one photo" : `All ${photos.length} photos`);
  while (strip.children.length > photos.length) strip.lastChild.remove();
  const isNew = strip.dataset.photo !== String(photo?.number);
  photos.forEach((other, index) => drawOne(button(index), other, other === photo));
  const chosen = photos.indexOf(photo);
  if (!isNew || !strip.children[chosen]) return;
  strip.dataset.photo = photo.number;
  bringIntoView();
}

const button = (index) => strip.children[index] ?? strip.appendChild(
  h("button", { type: "button" }, h("img", { alt: "" }), h("span", { class: "cz-mark" }),
    h("progress", { "aria-hidden": "true" }), h("span", { class: "cz-caption" })));

function drawOne(node, photo, isCurrent) {
  const [image, mark, bar, caption] = node.children;
  const ready = photo.cards.filter((card) => card.state === "done");
  const finished = photo.cards.length > 0 && ready.length === photo.cards.length;
  const failed = photo.error || photo.cards.some((card) => card.state === "failed");
  const isAdjusted = !photo.url
    && (!looksAlike(lookOf(photo), PLAIN) || strokesOf(photo).list.some((one) => one.colour));
  node.onclick = () => lookAt(photo);
  node.disabled = Boolean(photo.url);
  node.title = photo.name;
  node.setAttribute("aria-label",
    `${photo.name}${failed ? ", has a problem" : finished ? ", done" : ""}${
      isAdjusted ? ", adjusted" : ""}`);
  node.dataset.adjusted = isAdjusted;
  node.setAttribute("aria-current", isCurrent);
  node.dataset.state = failed ? "failed" : finished ? "done" : "open";
  mark.textContent = failed ? "!" : finished ? "✓" : "";
  caption.textContent = photo.name;
  show(bar, state.progress && !finished && !failed);
  bar.max = Math.max(1, photo.cards.length);
  bar.value = ready.length;
  show(image, !photo.error);
  if (photo.error) unload(image);
  else if (photo.url) load(image, photo.url);
  else if (ready.length) drawColours(image, photo, ready[0].model);
  else load(image, address(`${photo.number}/grey`, { size: null, side: 400 }));
}

// As it is adjusted; while it is being adjusted what was seen before will do.
function drawColours(image, photo, model) {
  if (view.moving && isCurrentOf(image)) return;
  const own = coloursOf(photo, models.get(model));
  load(image, address(ofModel(photo, model, "colour"), { ...own, side: 400 }));
}

const isCurrentOf = (image) => image.parentElement.getAttribute("aria-current") === "true";

function bringIntoView() {
  const node = strip.querySelector("[aria-current=true]");
  if (!node || view.grid) return;
  const { offsetLeft: left, offsetWidth: width } = node;
  const seen = strip.scrollLeft + strip.offsetLeft;
  if (left < seen || left + width > seen + strip.clientWidth) {
    strip.scrollLeft = left - strip.offsetLeft - (strip.clientWidth - width) / 2;
  }
}

function lookAt(photo) {
  view.photo = photo.number;
  view.grid = false;
  if (state.progress) app.trigger("look", { photo: photo.number }); // it is next
  change();
}
