// What scans need: their border stays grey and can be cut off, faded tones can be stretched.

import { h, show } from "../dom.js";
import { adjustLook, app, change, currentPhoto, follow, lookOf, strokesOf } from "../state.js";

const SVG = "http://www.w3.org/2000/svg";
const ASKEW = 0.3; // degrees from which "straighten" is said

const keep = h("input", { type: "checkbox", onchange: () => {
  adjustLook(currentPhoto(), { borders: keep.checked ? null : 0 });
  follow();
} });
const said = h("span");
const crop = h("button", { type: "button", class: "cz-button", onclick: () => cut(true) });
const whole = h("button", { type: "button", class: "cz-button", onclick: () => cut(false) },
  "Back to the whole scan");
const keeps = h("label", { class: "cz-check" }, keep, "Keep the border grey");

/** The row about the scan's border, where it has one. */
export const scanRow = h("div", {
  class: "cz-scan", role: "group", "aria-label": "Border of the scan", hidden: true,
  onpointerenter: () => point(true), onpointerleave: () => point(false),
  onfocusin: () => point(true), onfocusout: () => point(false),
}, said, keeps, crop, whole);

/** The border is outlined while its row is at hand. */
const point = (yes) => (app.tab.dataset.outline = yes);

// What was done to the one goes along to the other, but for strokes: they lie elsewhere there.
function cut(cropped) {
  const photo = currentPhoto(), other = { ...photo, isCropped: cropped };
  adjustLook(other, lookOf(photo));
  strokesOf(photo).list = [];
  point(false);
  app.trigger("crop", { photo: photo.number, cropped });
}

const restore = h("input", { type: "checkbox", onchange: () => {
  adjustLook(currentPhoto(), { restore: restore.checked ? 1 : null });
  change({ adjusted: true });
} });
const restores = h("label", { class: "cz-check" }, restore, h("span", {}, "Restore faded tones",
  h("small", {}, "Makes the darkest spot black, the lightest white; the file says so.")));

/** Shows both for the photo that is looked at. */
export function drawScan(photo) {
  const place = app.tab.querySelector(".cz-of-files-place");
  if (place && restores.parentNode !== place) place.prepend(restores);
  const isUsable = photo && !photo.error;
  const hasBorder = isUsable && photo.border.length > 0;
  show(scanRow, hasBorder || (isUsable && photo.isCropped));
  show(restores, isUsable && photo.isFaded);
  if (!isUsable) return;
  const look = lookOf(photo);
  keep.checked = look.borders === null;
  restore.checked = look.restore !== null;
  for (const part of [keeps, crop]) show(part, hasBorder);
  show(whole, photo.isCropped);
  const words = hasBorder ? "A border was found." : "Cut to the picture.";
  if (said.textContent !== words) said.textContent = words;
  crop.textContent = Math.abs(photo.tilt) < ASKEW ? "Crop to the picture" : "Crop and straighten";
}

/** The outline of the picture inside a border, to lie over the photo; `update(photo)` draws it. */
export function makeOutline() {
  const line = document.createElementNS(SVG, "polygon");
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("class", "cz-border");
  node.setAttribute("viewBox", "0 0 1 1");
  node.setAttribute("preserveAspectRatio", "none");
  node.setAttribute("aria-hidden", "true");
  node.append(line);
  const update = (photo) => {
    line.setAttribute("points", photo.border.map((point) => point.join()).join(" "));
  };
  return { node, update };
}
