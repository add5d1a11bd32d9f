// What is adjusted changes the addresses of pictures alone: the page does that by itself.

import { adjustedSlider } from "./cards.js";
import { h, show } from "./dom.js";
import { load } from "./pictures.js";
import { app, change, currentPhoto, follow, look, models, state } from "./state.js";

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
  const isOwn = what === "temperature" && Math.abs(value - ownTemperature) < 0.005;
  const wanted = isOwn ? null : value;
  if (look[what] === wanted) return;
  look[what] = wanted;
  if (what === "unsure") change({ adjusted: true });
  else follow();
}

/** Moves Gradio's controls to the settings of an earlier visit. */
export function setControls({ saturation, temperature, unsure }) {
  setRange("input[type=range]", saturation);
  if (temperature !== null) setRange(".cz-bins input[type=range]", temperature);
  if (unsure) app.tab.querySelector(".cz-bins input[type=checkbox]")?.click();
}

/** As they were when the page was opened. */
export function resetSettings() {
  look.seed = null;
  setControls({ saturation: 1, temperature: ownTemperature, unsure: look.unsure });
}

function setRange(selector, value) {
  const range = app.tab.querySelector(`.cz-adjust ${selector}`);
  if (!range || Number(range.value) === value) return;
  range.value = value;
  range.dispatchEvent(new Event("input", { bubbles: true }));
}

const resetTemperature = () => setRange(".cz-bins input[type=range]", ownTemperature);

// Other plausible colourings: a seed each, counted up so that each can be had again.
const seedWords = h("span", { class: "cz-seed", role: "status", title: "The number is its seed" });
const another = h("button", {
  type: "button", class: "cz-button", onclick: () => colouring((look.seed ?? 0) + 1),
}, "Another plausible colouring");
const earlier = h("button", {
  type: "button", class: "cz-button", onclick: () => colouring(look.seed - 1 || null),
}, "Back");
const others = h("div", { class: "cz-others" }, another, seedWords, earlier);

function colouring(seed) {
  const focused = document.activeElement === earlier;
  look.seed = seed;
  follow();
  if (focused && earlier.hidden) another.focus();
}

/** Shows what the settings are. */
export function drawSettings() {
  // Beside a photo a model's line is cut.
  for (const label of app.tab.querySelectorAll(".cz-models label")) {
    label.title ||= label.textContent.split("\n")[1] ?? "";
  }
  drawOthers();
  updateTemperature();
}

function drawOthers() {
  const place = app.tab.querySelector(".cz-others-place");
  if (place && others.parentNode !== place) place.replaceChildren(others);
  show(earlier, look.seed);
  const said = look.seed ? `Colouring ${look.seed}` : "";
  if (seedWords.textContent !== said) seedWords.textContent = said;
}

function updateTemperature() {
  const own = state.models.map((name) => models.get(name)).find((model) => model?.overBins);
  if (!own || own.temperature === ownTemperature) return;
  ownTemperature = own.temperature;
  if (look.temperature === null) resetTemperature();
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
