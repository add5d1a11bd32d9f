// What is adjusted changes the addresses of pictures alone: the page does that by itself.

import { adjustedSlider } from "../cards.js";
import { h, show } from "../dom.js";
import { load } from "../pictures.js";
import {
  adjustLook, app, change, currentPhoto, follow, idOf, look, lookOf, looksAlike, models, PLAIN,
  state,
} from "../state.js";

// Each model over bins starts with its own temperature. The slider shows that of the first one,
// and where it stands there, each model has its own.
let ownTemperature = null;

/** Listens to Gradio's controls, which the tab has beside the stage. */
export function listenToSettings() {
  window.addEventListener("colorize-adjust", ({ detail: [what, value] }) => adjust(what, value));
  // Gradio's own button goes back to the value that the slider was made with.
  app.tab.addEventListener("click", (event) => {
    const resets = event.target.closest(".cz-bins [data-testid=reset-button]");
    if (!resets || ownTemperature === null) return;
    event.stopPropagation();
    resetTemperature();
  }, true);
}

function adjust(what, value) {
  if (what === "unsure") {
    if (look.unsure === value) return;
    look.unsure = value;
    return change({ adjusted: true });
  }
  const photo = currentPhoto();
  const isOwn = what === "temperature" && Math.abs(value - ownTemperature) < 0.005;
  const wanted = isOwn ? null : value;
  if (!photo || lookOf(photo)[what] === wanted) return;
  adjustLook(photo, { [what]: wanted });
  follow();
}

// Gradio's controls show the settings of the photo that is looked at.
let shown = null;

function showLook() {
  const photo = currentPhoto();
  const id = photo ? `${idOf(photo)} ${ownTemperature}` : null;
  if (id === shown) return;
  shown = id;
  if (!photo) return;
  const { saturation, temperature } = lookOf(photo);
  setRange(".cz-adjust input[type=range]", saturation);
  const own = temperature ?? ownTemperature;
  if (own !== null) setRange(".cz-bins input[type=range]", own);
}

/** Ticks or clears Gradio's box for the outline of what is unsure. */
export function setUnsure(yes) {
  const box = app.tab.querySelector(".cz-bins input[type=checkbox]");
  if (box && box.checked !== yes) box.click();
}

function setRange(selector, value) {
  const range = app.tab.querySelector(selector);
  if (!range || Number(range.value) === value) return;
  range.value = value;
  range.dispatchEvent(new Event("input", { bubbles: true }));
}

const resetTemperature = () => setRange(".cz-bins input[type=range]", ownTemperature);

// Settings are the photo's own: they can be given to all, or taken back.
const toAll = h("button", { type: "button", class: "cz-button", onclick: () => {
  const own = lookOf(currentPhoto());
  for (const photo of state.photos) adjustLook(photo, own);
  change();
}, title: "Intensity, variant and the like; colours that were fixed stay with their photo" });
const reset = h("button", { type: "button", class: "cz-button", onclick: () => {
  adjustLook(currentPhoto(), PLAIN);
  shown = null;
  follow();
} }, "Reset");
const spread = h("div", { class: "cz-spread" }, toAll, reset);

function drawSpread() {
  const place = app.tab.querySelector(".cz-spread-place");
  if (place && spread.parentNode !== place) place.replaceChildren(spread);
  const photo = currentPhoto(), own = photo && lookOf(photo);
  const others = state.photos.filter((other) => !other.error && other !== photo);
  show(toAll, photo && others.some((other) => !looksAlike(lookOf(other), own)));
  show(reset, photo && !looksAlike(own, PLAIN));
  const said = `Same settings for all ${others.length + 1}`;
  if (toAll.textContent !== said) toAll.textContent = said;
}

/** Shows what the settings are. */
export function drawSettings() {
  // Beside a photo a model's line is cut.
  for (const label of app.tab.querySelectorAll(".cz-models label")) {
    label.title ||= label.textContent.split("\n")[1] ?? "";
  }
  updateTemperature();
  showLook();
  drawSpread();
}

function updateTemperature() {
  const own = state.models.map((name) => models.get(name)).find((model) => model?.overBins);
  if (!own || own.temperature === ownTemperature) return;
  ownTemperature = own.temperature;
}

const peekColour = h("img", { alt: "" });
const peekUnsure = h("img", { class: "cz-unsure", alt: "" });
let peekEnd = 0;

/** A small photo, which comes along where a setting and the photo do not share the screen. */
export const peek = h("div", { class: "cz-peek", "aria-hidden": "true", hidden: true },
  peekColour, peekUnsure);

/** After an adjustment, as on a phone: for a moment, if most of the photo is out of sight. */
export function peekAtPhoto() {
  const photo = currentPhoto();
  const slider = photo && adjustedSlider(photo);
  if (!slider?.right.wanted) return;
  const { top, bottom } = slider.box.getBoundingClientRect();
  const seen = Math.min(bottom, window.innerHeight) - Math.max(top, 0);
  show(peek, seen < (bottom - top) / 2);
  if (peek.hidden) return;
  peek.style.setProperty("--ratio", slider.box.style.aspectRatio);
  const hand = document.activeElement.getBoundingClientRect();
  peek.dataset.below = hand.bottom < window.innerHeight / 2; // not over what is adjusted
  load(peekColour, slider.right.wanted);
  show(peekUnsure, !slider.unsure.hidden);
  if (!peekUnsure.hidden) load(peekUnsure, slider.unsure.wanted);
  clearTimeout(peekEnd);
  peekEnd = setTimeout(() => show(peek, false), 2500);
}
